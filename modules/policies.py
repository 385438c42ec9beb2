"""Every IAM document: who may do what, where, and from where.

The functions compute statements from plain values; `document` turns them into Terraform.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from constructs import Construct

from modules.acknowledged import acknowledge

SESSION_MANAGER_POLICY_ARN = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"

# What Git and the console's file browser read. `Describe*`, `Get*` and `List*` would also hand out approval rules,
# pull requests and comments.
_READ_ACTIONS = (
    "codecommit:BatchGetCommits",
    "codecommit:GetBlob",
    "codecommit:GetBranch",
    "codecommit:GetCommit",
    "codecommit:GetDifferences",
    "codecommit:GetFile",
    "codecommit:GetFolder",
    "codecommit:GetRepository",
    "codecommit:GitPull",
    "codecommit:ListBranches",
)

_KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition of a statement: `values` may hold one reference to a list."""

    test: str
    variable: str
    values: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement; without `services` and `everybody` it is for an identity's policy.

    `acknowledged` says why checkov's findings on it are meant, by the check's id.
    """

    sid: str
    effect: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    services: Sequence[str] = ()
    everybody: bool = False
    conditions: Sequence[Condition] = ()
    acknowledged: Mapping[str, str] = field(default_factory=dict)


def document(scope: Construct, id: str, statements: Sequence[Statement]) -> str:
    """The statements as an `aws_iam_policy_document`; returns the reference to its JSON."""
    policy = DataAwsIamPolicyDocument(scope, id, statement=[_terraform(statement) for statement in statements])
    for place, statement in enumerate(statements):
        if statement.acknowledged:
            acknowledge(policy, f"statement.{place}", **statement.acknowledged)
    return policy.json


def _terraform(statement: Statement) -> DataAwsIamPolicyDocumentStatement:
    principals = [
        *([DataAwsIamPolicyDocumentStatementPrincipals(type="*", identifiers=["*"])] if statement.everybody else []),
        *(
            [DataAwsIamPolicyDocumentStatementPrincipals(type="Service", identifiers=list(statement.services))]
            if statement.services
            else []
        ),
    ]
    conditions = [
        DataAwsIamPolicyDocumentStatementCondition(
            test=condition.test, variable=condition.variable, values=list(condition.values)
        )
        for condition in statement.conditions
    ]
    return DataAwsIamPolicyDocumentStatement(
        sid=statement.sid,
        effect=statement.effect,
        actions=list(statement.actions),
        resources=list(statement.resources) or None,
        principals=principals or None,
        condition=conditions or None,
    )


def push(repository_arns: Sequence[str]) -> list[Statement]:
    """What a push mirror needs: GitPush, and GitPull to see which refs differ.

    https://docs.gitlab.com/user/project/repository/mirror/push/#set-up-a-push-mirror-from-gitlab-to-aws-codecommit
    """
    actions = ("codecommit:GitPull", "codecommit:GitPush")
    return [Statement(sid="PushAndPull", effect="Allow", actions=actions, resources=repository_arns)]


def pull(repository_arns: Sequence[str]) -> list[Statement]:
    """What reading needs, in Git and in the console; nothing that writes."""
    return [
        Statement(sid="Pull", effect="Allow", actions=_READ_ACTIONS, resources=repository_arns),
        # ListRepositories knows no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
        Statement(sid="ListRepositories", effect="Allow", actions=("codecommit:ListRepositories",), resources=("*",)),
    ]


def repository_keys(key_arns: Sequence[str], region: str) -> list[Statement]:
    """Customer-managed keys of repositories, usable through CodeCommit alone.

    https://docs.aws.amazon.com/codecommit/latest/userguide/encryption.html
    """
    if not key_arns:
        return []
    through_codecommit = Condition(
        test="StringEquals", variable="kms:ViaService", values=(f"codecommit.{region}.amazonaws.com",)
    )
    return [
        Statement(
            sid="RepositoryKeys",
            effect="Allow",
            actions=_KEY_ACTIONS,
            resources=key_arns,
            conditions=(through_codecommit,),
        )
    ]


def only_from(cidrs: Sequence[str]) -> Statement:
    """Deny everything that comes from elsewhere.

    Calls that an AWS service makes in turn (CodeCommit to KMS) carry the service's address and are left out; a request
    that does not say whether it is one is none. A request through a VPC endpoint has no aws:SourceIp, matches
    NotIpAddress, and is denied.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-ip.html
    """
    return Statement(
        sid="DenyFromElsewhere",
        effect="Deny",
        actions=("*",),
        resources=("*",),
        conditions=(
            Condition(test="NotIpAddress", variable="aws:SourceIp", values=cidrs),
            Condition(test="BoolIfExists", variable="aws:ViaAWSService", values=("false",)),
        ),
    )


def only_through(vpc_endpoint_ids: Sequence[str]) -> Statement:
    """Deny everything that does not come through one of these VPC endpoints.

    Closed when in doubt: a request through none has no aws:SourceVpce, matches StringNotEquals, and is denied.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcevpce
    """
    return Statement(
        sid="DenyFromElsewhere",
        effect="Deny",
        actions=("*",),
        resources=("*",),
        conditions=(
            Condition(test="StringNotEquals", variable="aws:SourceVpce", values=vpc_endpoint_ids),
            Condition(test="BoolIfExists", variable="aws:ViaAWSService", values=("false",)),
        ),
    )


def through(vpc_endpoint_ids: Sequence[str], statements: Sequence[Statement]) -> list[Statement]:
    """The statements, in force for requests through these VPC endpoints alone."""
    here = Condition(test="StringEquals", variable="aws:SourceVpce", values=vpc_endpoint_ids)
    return [replace(statement, conditions=(*statement.conditions, here)) for statement in statements]


def assumed_by(service: str, *, account_id: str | None = None) -> list[Statement]:
    """A role's trust in one service, and where the service says for whom it acts, in this account alone.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    conditions = []
    if account_id is not None:
        conditions.append(Condition(test="StringEquals", variable="aws:SourceAccount", values=(account_id,)))
    return [
        Statement(
            sid="Assume",
            effect="Allow",
            actions=("sts:AssumeRole",),
            services=(f"{service}.amazonaws.com",),
            conditions=conditions,
        )
    ]


def write_logs(log_group_arn: str) -> Statement:
    """Write to the streams of one log group that exists already."""
    return Statement(
        sid="WriteLogs",
        effect="Allow",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(f"{log_group_arn}:*",),
    )


def deliver_flow_logs(log_group_arn: str) -> list[Statement]:
    """What VPC flow logs need to deliver into one log group.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    return [
        write_logs(log_group_arn),
        Statement(
            sid="DescribeLogs",
            effect="Allow",
            actions=("logs:DescribeLogGroups", "logs:DescribeLogStreams"),
            resources=("*",),
            acknowledged={"CKV_AWS_356": "flow logs look for their group among all; these two actions only read names"},
        ),
    ]


def start_and_stop(instance_arn: str) -> list[Statement]:
    """Start and stop one instance."""
    return [
        Statement(
            sid="StartAndStop",
            effect="Allow",
            actions=("ec2:StartInstances", "ec2:StopInstances"),
            resources=(instance_arn,),
        )
    ]


def mirror_into(repository_arn: str) -> Statement:
    """What a mirror build does to its target: its refs, and which of them is the default branch."""
    return Statement(
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


def read_parameter(parameter_arn: str) -> Statement:
    """Read one SSM parameter; AWS's own key for SSM needs no statement."""
    return Statement(sid="ReadSshKey", effect="Allow", actions=("ssm:GetParameters",), resources=(parameter_arn,))


def decrypt_parameter(key_arn: str, parameter_arn: str) -> Statement:
    """Decrypt one SecureString under a customer-managed key, and nothing else under it.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    this_parameter = Condition(
        test="StringEquals", variable="kms:EncryptionContext:PARAMETER_ARN", values=(parameter_arn,)
    )
    return Statement(
        sid="DecryptSshKey",
        effect="Allow",
        actions=("kms:Decrypt",),
        resources=(key_arn,),
        conditions=(this_parameter,),
    )


def keep_cache(bucket_arn: str, prefix: str) -> Statement:
    """Read and write one build's cache."""
    return Statement(
        sid="KeepCache",
        effect="Allow",
        actions=("s3:GetObject", "s3:PutObject"),
        resources=(f"{bucket_arn}/{prefix}/*",),
    )


def keep_backups(bucket_arn: str) -> Statement:
    """Add backups; reading one, as a restore does, is not the server's to do."""
    return Statement(sid="KeepBackups", effect="Allow", actions=("s3:PutObject",), resources=(f"{bucket_arn}/*",))


def tell_through_parameters(path: str, region: str, account_id: str) -> Statement:
    """Write the SSM parameters below `path`, and read them; AWS's own key for SSM needs no statement."""
    return Statement(
        sid="TellThroughParameters",
        effect="Allow",
        actions=("ssm:GetParameter", "ssm:PutParameter"),
        resources=(f"arn:aws:ssm:{region}:{account_id}:parameter{path}/*",),
    )


def build_in_vpc(subnet_arns: Sequence[str], region: str, account_id: str) -> list[Statement]:
    """The network interfaces of builds in a VPC.

    https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html
    """
    interfaces = f"arn:aws:ec2:{region}:{account_id}:network-interface/*"
    return [
        Statement(
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
        Statement(
            sid="LendNetworkInterfaces",
            effect="Allow",
            actions=("ec2:CreateNetworkInterfacePermission",),
            resources=(interfaces,),
            conditions=(
                Condition(test="StringEquals", variable="ec2:AuthorizedService", values=("codebuild.amazonaws.com",)),
                Condition(test="ArnEquals", variable="ec2:Subnet", values=subnet_arns),
            ),
        ),
    ]


def start_builds(project_arns: Sequence[str]) -> list[Statement]:
    """Start builds of these projects, and nothing else."""
    return [Statement(sid="StartBuilds", effect="Allow", actions=("codebuild:StartBuild",), resources=project_arns)]


def put_events(event_bus_arn: str) -> Statement:
    """Hand events on to one bus."""
    return Statement(sid="HandEventsOn", effect="Allow", actions=("events:PutEvents",), resources=(event_bus_arn,))


def published_by_alerts(topic_arn: str, account_id: str) -> list[Statement]:
    """A topic's policy: event rules and this account's alarms publish, and nobody without TLS.

    EventBridge names no account in its requests to SNS, so its statement has no condition.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    own_account = Condition(test="StringEquals", variable="aws:SourceAccount", values=(account_id,))
    insecure = Condition(test="Bool", variable="aws:SecureTransport", values=("false",))
    publish = ("sns:Publish",)
    return [
        Statement(
            sid="PublishAlarms",
            effect="Allow",
            actions=publish,
            resources=(topic_arn,),
            services=("cloudwatch.amazonaws.com",),
            conditions=(own_account,),
        ),
        Statement(
            sid="PublishEvents",
            effect="Allow",
            actions=publish,
            resources=(topic_arn,),
            services=("events.amazonaws.com",),
        ),
        Statement(
            sid="DenyInsecureTransport",
            effect="Deny",
            actions=publish,
            resources=(topic_arn,),
            everybody=True,
            conditions=(insecure,),
        ),
    ]


def invoked_from(api_execution_arn: str, cidrs: Sequence[str]) -> list[Statement]:
    """An API's resource policy: callable, but denied from anywhere else.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
    """
    methods = (f"{api_execution_arn}/*",)
    invoke = ("execute-api:Invoke",)
    elsewhere = Condition(test="NotIpAddress", variable="aws:SourceIp", values=cidrs)
    return [
        Statement(sid="Invoke", effect="Allow", actions=invoke, resources=methods, everybody=True),
        Statement(
            sid="DenyOtherSenders",
            effect="Deny",
            actions=invoke,
            resources=methods,
            everybody=True,
            conditions=(elsewhere,),
        ),
    ]


def encrypted_transport_only(bucket_arn: str) -> list[Statement]:
    """A bucket's policy: nobody without TLS."""
    insecure = Condition(test="Bool", variable="aws:SecureTransport", values=("false",))
    return [
        Statement(
            sid="DenyInsecureTransport",
            effect="Deny",
            actions=("s3:*",),
            resources=(bucket_arn, f"{bucket_arn}/*"),
            everybody=True,
            conditions=(insecure,),
        )
    ]


def written_by_trail(bucket_arn: str, *, trail_arn: str, account_id: str) -> list[Statement]:
    """What one CloudTrail trail needs of its bucket.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    services = ("cloudtrail.amazonaws.com",)
    this_trail = Condition(test="StringEquals", variable="aws:SourceArn", values=(trail_arn,))
    ours = Condition(test="StringEquals", variable="s3:x-amz-acl", values=("bucket-owner-full-control",))
    return [
        Statement(
            sid="TrailLooks",
            effect="Allow",
            actions=("s3:GetBucketAcl",),
            resources=(bucket_arn,),
            services=services,
            conditions=(this_trail,),
        ),
        Statement(
            sid="TrailWrites",
            effect="Allow",
            actions=("s3:PutObject",),
            resources=(f"{bucket_arn}/AWSLogs/{account_id}/*",),
            services=services,
            conditions=(ours, this_trail),
        ),
    ]
