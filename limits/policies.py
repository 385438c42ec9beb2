"""Limits on policies: their size, their actions, in whom a role trusts, and how many a user has."""

import json
import re
from collections.abc import Iterator

from iam.documents import read
from iam.statements import Statement, UnsupportedError
from limits.limit import IAM_QUOTAS, Found, Limit, estimated, limit
from terraform import policy_documents
from terraform.output import Json
from terraform.references import Configuration

_ACTIONS = (
    "https://docs.aws.amazon.com/service-authorization/latest/reference/"
    "reference_policies_actions-resources-contextkeys.html"
)
_APIS = "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
_BUCKETS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"
_FILES = "https://docs.aws.amazon.com/efs/latest/ug/create-file-system-policy.html"
_TOPICS = "https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html"

# The most characters of a policy by type and argument, white space not counted, and where AWS documents them.
_SIZES = {
    ("aws_api_gateway_rest_api_policy", "policy"): (8_192, _APIS),
    ("aws_efs_file_system_policy", "policy"): (20_000, _FILES),
    ("aws_iam_policy", "policy"): (6_144, IAM_QUOTAS),
    ("aws_iam_role", "assume_role_policy"): (2_048, IAM_QUOTAS),
    ("aws_iam_role_policy", "policy"): (10_240, IAM_QUOTAS),
    ("aws_iam_user_policy", "policy"): (2_048, IAM_QUOTAS),
    ("aws_s3_bucket_policy", "policy"): (20_480, _BUCKETS),
    ("aws_sns_topic_policy", "policy"): (30_720, _TOPICS),
}

_SERVICE_PREFIXES = frozenset(
    (
        "autoscaling",
        "codebuild",
        "codecommit",
        "ec2",
        "ec2messages",
        "elasticfilesystem",
        "events",
        "execute-api",
        "kms",
        "logs",
        "s3",
        "sns",
        "ssm",
        "ssmmessages",
        "sts",
    )
)
"""The services that our policies name. Another prefix is misspelt, or has to be added here."""


def _document(stack: Configuration, written: str) -> Json | None:
    """The policy document that an argument refers to; None where it cannot be checked."""
    arguments = stack.policy_arguments(written)
    if arguments is None:
        return None
    try:
        document = policy_documents.render(arguments, lambda listed, _: stack.texts(listed, estimated))
        read(document, written)
    except (policy_documents.NotRenderedError, UnsupportedError):
        return None
    return document


def _documents(stack: Configuration, kind: str, argument: str) -> Iterator[tuple[str, Json]]:
    """The documents in an argument of every resource of a type, with their places."""
    for name, arguments in stack.resources(kind).items():
        if (document := _document(stack, arguments[argument])) is not None:
            yield f"{kind}.{name}.{argument}", document


def _statements(stack: Configuration, kind: str, argument: str) -> Iterator[tuple[str, Statement]]:
    """The statements of these documents, each with the place of its document."""
    for place, document in _documents(stack, kind, argument):
        yield from ((place, statement) for statement in read(document, place).statements)


@limit(what="a policy is a document whose size and actions can be checked", source=IAM_QUOTAS)
def policies_are_documents(stack: Configuration) -> Iterator[Found]:
    for kind, argument in _SIZES:
        for name, arguments in stack.resources(kind).items():
            if _document(stack, arguments[argument]) is None:
                what = f"{arguments[argument]!r} is not a policy document of this stack, or merges others"
                yield f"{kind}.{name}.{argument}", what, "write it as an aws_iam_policy_document that merges no others"


def _size(kind: str, argument: str, most: int, source: str) -> Limit:
    @limit(what=f"{kind}.{argument} has at most {most:,} characters", source=source)
    def check(stack: Configuration) -> Iterator[Found]:
        for place, document in _documents(stack, kind, argument):
            size = len(json.dumps(document, separators=(",", ":")))
            if size > most:
                yield place, f"{size:,} characters, AWS takes {most:,}", "name fewer repositories or addresses"

    return check


@limit(what="a policy's actions are those of services that exist", source=_ACTIONS)
def actions_exist(stack: Configuration) -> Iterator[Found]:
    for kind, argument in _SIZES:
        for place, statement in _statements(stack, kind, argument):
            for action in statement.actions:
                if not _may_exist(action):
                    yield place, f"{action!r} is not an action of a known service", "correct its spelling"


def _may_exist(action: str) -> bool:
    prefix, _, name = action.partition(":")
    return action == "*" or (prefix in _SERVICE_PREFIXES and bool(re.fullmatch(r"[A-Za-z]+|\*", name)))


@limit(
    what="a role's trust names services or roles, sts:AssumeRole and no resource",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
)
def roles_have_trust(stack: Configuration) -> Iterator[Found]:
    for place, statement in _statements(stack, "aws_iam_role", "assume_role_policy"):
        if not _is_trust(statement):
            hint = "name a service or a role, sts:AssumeRole and no resource"
            yield place, f"{statement.sid or 'a statement'} is no trust in a service or a role", hint


_TRUSTED = re.compile(r"[a-z0-9-]+\.amazonaws\.com|arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")


def _is_trust(statement: Statement) -> bool:
    named = [name for names in (statement.principals or {}).values() for name in names]
    return (
        bool(named)
        and all(map(_TRUSTED.fullmatch, named))
        and statement.actions == ("sts:AssumeRole",)
        and not (statement.resources or statement.but_principals or statement.but_actions)
    )


@limit(what="a user has at most 10 managed policies", source=IAM_QUOTAS)
def policies_of_a_user(stack: Configuration) -> Iterator[Found]:
    users = [
        stack.resource_of(arguments["user"], "aws_iam_user")
        for arguments in stack.resources("aws_iam_user_policy_attachment").values()
    ]
    for name in stack.resources("aws_iam_user"):
        if (count := users.count(name)) > 10:
            hint = (
                "give beginnings of names that are this deployment's alone in prd.codecommit.own_prefixes, "
                "or divide the repositories among deployments"
            )
            yield f"aws_iam_user.{name}.name", f"{count} managed policies for this user, AWS attaches 10", hint


LIMITS = (
    policies_are_documents,
    *(_size(*place, *most) for place, most in _SIZES.items()),
    actions_exist,
    roles_have_trust,
    policies_of_a_user,
)
