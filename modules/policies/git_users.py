"""What the push user and the pull users may do, and from where."""

from collections.abc import Sequence
from dataclasses import replace

from modules.labels import MIRRORED_BY
from modules.policies.statement import PolicyCondition, PolicyStatement

# What Git and the console's file browser read. `Describe*`, `Get*` and `List*` would include approval rules, pull
# requests and comments.
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

# The same for addresses and for endpoints, so that both kinds of rooms can become one block of the HCL.
_WHY_DENIED = (
    "What an AWS service asks on the user's behalf (CodeCommit asks KMS) is the service's own request, and exempt. A "
    "request through a VPC endpoint has no aws:SourceIp, and one through no endpoint has no aws:SourceVpce: without "
    "the key that is compared, it is denied."
)


def push(repository_arns: Sequence[str]) -> list[PolicyStatement]:
    """What a push mirror needs: GitPush, and GitPull to see which refs differ.

    https://docs.gitlab.com/user/project/repository/mirror/push/#set-up-a-push-mirror-from-gitlab-to-aws-codecommit
    """
    actions = ("codecommit:GitPull", "codecommit:GitPush")
    statement = PolicyStatement(
        sid="PushAndPull",
        effect="Allow",
        actions=actions,
        resources=repository_arns,
        resources_without=f'tags["{MIRRORED_BY}"]',
        why=f"A repository with the tag {MIRRORED_BY} is filled by the Backlog bridge alone.",
    )
    return [statement]


def pull(repository_arns: Sequence[str]) -> list[PolicyStatement]:
    """What reading needs, in Git and in the console; nothing that writes."""
    return [
        PolicyStatement(sid="Pull", effect="Allow", actions=_READ_ACTIONS, resources=repository_arns),
        PolicyStatement(
            sid="ListRepositories",
            effect="Allow",
            actions=("codecommit:ListRepositories",),
            resources=("*",),
            # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
            why="ListRepositories takes no resource.",
        ),
    ]


def repository_keys(key_arns: Sequence[str], region: str) -> list[PolicyStatement]:
    """Customer-managed keys of repositories, usable through CodeCommit alone.

    https://docs.aws.amazon.com/codecommit/latest/userguide/encryption.html
    """
    if not key_arns:
        return []
    through_codecommit = PolicyCondition(
        test="StringEquals", variable="kms:ViaService", values=(f"codecommit.{region}.amazonaws.com",)
    )
    return [
        PolicyStatement(
            sid="RepositoryKeys",
            effect="Allow",
            actions=_KEY_ACTIONS,
            resources=key_arns,
            conditions=(through_codecommit,),
            why="Git fails without the key of a repository that has one: each is here.",
        )
    ]


def only_from(cidrs: Sequence[str]) -> PolicyStatement:
    """Deny every request from another address.

    A request without aws:ViaAWSService counts as the user's own.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-ip.html
    """
    return PolicyStatement(
        sid="DenyFromElsewhere",
        effect="Deny",
        actions=("*",),
        resources=("*",),
        conditions=(
            PolicyCondition(test="NotIpAddress", variable="aws:SourceIp", values=cidrs),
            PolicyCondition(test="BoolIfExists", variable="aws:ViaAWSService", values=("false",)),
        ),
        why=_WHY_DENIED,
    )


def only_through(vpc_endpoint_ids: Sequence[str]) -> PolicyStatement:
    """Deny every request that does not come through one of these VPC endpoints.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcevpce
    """
    return PolicyStatement(
        sid="DenyFromElsewhere",
        effect="Deny",
        actions=("*",),
        resources=("*",),
        conditions=(
            PolicyCondition(test="StringNotEquals", variable="aws:SourceVpce", values=vpc_endpoint_ids),
            PolicyCondition(test="BoolIfExists", variable="aws:ViaAWSService", values=("false",)),
        ),
        why=_WHY_DENIED,
    )


def through(vpc_endpoint_ids: Sequence[str], statements: Sequence[PolicyStatement]) -> list[PolicyStatement]:
    """The statements, restricted to requests through these VPC endpoints."""
    here = PolicyCondition(test="StringEquals", variable="aws:SourceVpce", values=vpc_endpoint_ids)
    return [replace(statement, conditions=(*statement.conditions, here)) for statement in statements]
