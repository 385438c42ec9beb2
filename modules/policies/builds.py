"""What mirror builds may do, and who may start them."""

from collections.abc import Sequence

from modules.policies.statement import PolicyCondition, PolicyStatement


def mirror_into(repository_arn: str) -> PolicyStatement:
    """Change the refs and the default branch of a mirror build's target."""
    return PolicyStatement(
        sid="MirrorIntoTarget",
        effect="Allow",
        actions=(
            "codecommit:GetRepository",
            "codecommit:GitPull",
            "codecommit:GitPush",
            "codecommit:UpdateDefaultBranch",
        ),
        resources=(repository_arn,),
    )


def read_parameter(parameter_arn: str) -> PolicyStatement:
    """Read one SSM parameter; AWS's own key for SSM needs no statement."""
    return PolicyStatement(sid="ReadSshKey", effect="Allow", actions=("ssm:GetParameters",), resources=(parameter_arn,))


def decrypt_parameter(key_arn: str, parameter_arn: str) -> PolicyStatement:
    """Decrypt one SecureString under a customer-managed key, and nothing else under it.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    this_parameter = PolicyCondition(
        test="StringEquals", variable="kms:EncryptionContext:PARAMETER_ARN", values=(parameter_arn,)
    )
    return PolicyStatement(
        sid="DecryptSshKey",
        effect="Allow",
        actions=("kms:Decrypt",),
        resources=(key_arn,),
        conditions=(this_parameter,),
    )


def keep_cache(bucket_arn: str, prefix: str) -> PolicyStatement:
    """Read and write one build's cache."""
    return PolicyStatement(
        sid="KeepCache",
        effect="Allow",
        actions=("s3:GetObject", "s3:PutObject"),
        resources=(f"{bucket_arn}/{prefix}/*",),
    )


def build_in_vpc(subnet_arns: Sequence[str], region: str, account_id: str) -> list[PolicyStatement]:
    """The network interfaces of builds in a VPC.

    https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html
    """
    interfaces = f"arn:aws:ec2:{region}:{account_id}:network-interface/*"
    return [
        PolicyStatement(
            sid="ManageNetworkInterfaces",
            effect="Allow",
            actions=(
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ),
            resources=("*",),
            acknowledged=dict.fromkeys(
                ("CKV_AWS_111", "CKV_AWS_356"),
                "CodeBuild's documentation asks for all resources here; what an interface may be lent to is narrow",
            ),
        ),
        PolicyStatement(
            sid="LendNetworkInterfaces",
            effect="Allow",
            actions=("ec2:CreateNetworkInterfacePermission",),
            resources=(interfaces,),
            conditions=(
                PolicyCondition(
                    test="StringEquals", variable="ec2:AuthorizedService", values=("codebuild.amazonaws.com",)
                ),
                PolicyCondition(test="ArnEquals", variable="ec2:Subnet", values=subnet_arns),
            ),
        ),
    ]


def start_builds(project_arns: Sequence[str]) -> list[PolicyStatement]:
    """Start builds of these projects, and nothing else."""
    return [
        PolicyStatement(sid="StartBuilds", effect="Allow", actions=("codebuild:StartBuild",), resources=project_arns)
    ]


def invoked_from(api_execution_arn: str, cidrs: Sequence[str]) -> list[PolicyStatement]:
    """An API's resource policy: anybody may call it, but only from these networks.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
    """
    methods = (f"{api_execution_arn}/*",)
    invoke = ("execute-api:Invoke",)
    elsewhere = PolicyCondition(test="NotIpAddress", variable="aws:SourceIp", values=cidrs)
    return [
        PolicyStatement(sid="Invoke", effect="Allow", actions=invoke, resources=methods, everybody=True),
        PolicyStatement(
            sid="DenyOtherSenders",
            effect="Deny",
            actions=invoke,
            resources=methods,
            everybody=True,
            conditions=(elsewhere,),
        ),
    ]
