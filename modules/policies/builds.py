"""What mirror builds may do, and who may start them."""

from collections.abc import Sequence
from dataclasses import replace

from modules.labels import MIRRORED_BY
from modules.policies import git_users, sizes
from modules.policies.statement import PolicyCondition, PolicyStatement

_MIRROR = (
    "codecommit:GetRepository",
    "codecommit:GitPull",
    "codecommit:GitPush",
    "codecommit:UpdateDefaultBranch",
)

EVENT_SOURCE = "kakehashi.backlog"
EVENTS = ("Mirrors differ", "Mirrors equal again")
"""What builds tell EventBridge."""


def mirror_into(
    repository_arns: Sequence[str], key_arns: Sequence[str], *, unit: str, region: str, account_id: str
) -> list[PolicyStatement]:
    """Change the refs and the default branch of a unit's targets, which `key_arns` encrypt.

    The targets are named where IAM's quota for a role has room for their ARNs. Where it has none, they are those that
    carry the unit's name in a tag: only Terraform sets that tag, and no identity of ours may tag a repository, so the
    tag says what the names would say. A build gets a session for one of them in either case.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    keys = git_users.repository_keys(key_arns, region)
    named = PolicyStatement(sid="MirrorIntoTarget", effect="Allow", actions=_MIRROR, resources=repository_arns)
    if sizes.size([named, *keys]) <= sizes.ROLE_CHARACTERS:
        return [named, *keys]
    tagged = replace(
        named,
        resources=(f"arn:aws:codecommit:{region}:{account_id}:*",),
        conditions=(PolicyCondition(test="StringEquals", variable=f"aws:ResourceTag/{MIRRORED_BY}", values=(unit,)),),
        why="A role has no room for all names. Only Terraform sets the tag: nobody else here may tag a repository.",
    )
    return [tagged, *keys]


def read_parameters(sid: str, parameter_arns: Sequence[str]) -> PolicyStatement:
    """Read SSM parameters; AWS's own key for SSM needs no statement."""
    return PolicyStatement(sid=sid, effect="Allow", actions=("ssm:GetParameter",), resources=parameter_arns)


def keep_state(parameter_arn: str) -> PolicyStatement:
    """Read and write the parameter that says since when mirrors differ."""
    return PolicyStatement(
        sid="KeepState", effect="Allow", actions=("ssm:GetParameter", "ssm:PutParameter"), resources=(parameter_arn,)
    )


def fetch_program(object_arns: Sequence[str]) -> PolicyStatement:
    """Read the program and the config of a build, in the versions that its project names."""
    actions = ("s3:GetObject", "s3:GetObjectVersion")
    return PolicyStatement(sid="FetchProgram", effect="Allow", actions=actions, resources=object_arns)


def report_mirrors(region: str, account_id: str) -> PolicyStatement:
    """Tell EventBridge which mirrors differ, and nothing that could pass for another program's event.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    return PolicyStatement(
        sid="ReportMirrors",
        effect="Allow",
        actions=("events:PutEvents",),
        resources=(f"arn:aws:events:{region}:{account_id}:event-bus/default",),
        conditions=(
            PolicyCondition(test="StringEquals", variable="events:source", values=(EVENT_SOURCE,)),
            PolicyCondition(test="StringEquals", variable="events:detail-type", values=EVENTS),
        ),
        why="The conditions keep out what could pass for another program's event.",
    )


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
            why="CodeBuild makes and removes the builds' interfaces anywhere, and may use them in these subnets only.",
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
            why="Backlog cannot sign its webhooks, so its addresses are all that it is known by.",
        ),
    ]
