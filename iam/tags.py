"""Conditions on the tags of the resource that a request is about.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

from iam.conditions import holds
from iam.matching import names_resource
from iam.model import Resource
from iam.requests import Principal, Request
from iam.sources import RequestSource
from iam.statements import Condition, Statement

KEY = "aws:resourcetag/"
"""How such a condition's key starts, in lower case; the tag's key follows, whose case AWS ignores there."""

OURS = f"{KEY}kakehashi:"
"""How the keys start of tags that Terraform alone sets."""


def on(source: RequestSource, tags: Mapping[str, str | None] | None, asked: Iterable[str]) -> RequestSource:
    """A source's requests on a resource with these tags, for policies that ask for the keys `asked`.

    A tag that is not known is neither in the request nor absent, so that a condition on it is refused.
    """
    if tags is None:
        return source
    known = {f"{KEY}{key.lower()}": value for key, value in tags.items()}
    return replace(
        source,
        context={**source.context, **{key: value for key, value in known.items() if value is not None}},
        absent=source.absent | (frozenset(asked) - known.keys()),
    )


def seen(tags: Mapping[str, str | None] | None, asked: Iterable[str]) -> Hashable:
    """What policies that ask for the keys `asked` see of a resource's tags."""
    wanted = set(asked)
    return None if tags is None else tuple(one for one in tags.items() if f"{KEY}{one[0].lower()}" in wanted)


def asked(statements: Iterable[Statement]) -> frozenset[str]:
    """The keys of tags that statements ask for."""
    return frozenset(condition.key for statement in statements for condition in conditions(statement))


def conditions(statement: Statement) -> list[Condition]:
    """The conditions of a statement on a resource's tags."""
    return [condition for condition in statement.conditions if condition.key.startswith(KEY)]


def may_apply(statement: Statement, repository: Resource) -> bool:
    """Whether a statement may apply to a repository: by its name and its tags. Raises UnsupportedError."""
    if not names_resource(statement, repository.arn):
        return False
    of_tags = conditions(statement)
    tags = repository.tags
    known = {f"{KEY}{key.lower()}": value for key, value in (tags or {}).items()}
    request = Request(
        principal=Principal(kind="anonymous"),
        action="",
        resource=repository.arn,
        context={key: value for key, value in known.items() if value is not None},
        absent=frozenset() if tags is None else asked([statement]) - known.keys(),
    )
    return all(holds(condition, statement, request) for condition in of_tags)


def are_demanded(statement: Statement) -> bool:
    """Whether a statement applies only to resources that have a tag of ours with a value that it names."""
    return any(
        condition.operator == "StringEquals"
        and not (condition.if_exists or condition.quantifier)
        and condition.key.startswith(OURS)
        and not any("${" in value for value in condition.values)
        for condition in conditions(statement)
    )
