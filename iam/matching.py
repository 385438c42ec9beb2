"""Whether a statement's actions, resources and principals include those of a request."""

import re
from functools import cache

from iam.operators import compiled
from iam.requests import Principal, Request
from iam.statements import Statement, UnsupportedError
from iam.variables import EscapedCharacter, PolicyVariable, pieces

ANYTHING = "\ue000"
"""In a request, stands for any text: a `*` matches it, and a `?` does not. Policies with it are refused."""

ONE_CHARACTER = "\ue001"
"""In a request, stands for any one character. Policies with it are refused."""


class UnresolvedError(Exception):
    """A policy variable without a value and without a default."""


def names_action(statement: Statement, action: str) -> bool:
    """Whether an action, in lower case, is among those in a statement's Action or NotAction."""
    return action in statement.named_actions or any(
        pattern == "*" or compiled(_wildcards(pattern)).fullmatch(action) for pattern in statement.action_patterns
    )


def names_resource(statement: Statement, arn: str) -> bool:
    """Whether a statement may apply to a resource; where a variable decides, it may."""
    if any("${" in pattern for pattern in statement.resource_patterns):
        return True
    nobody = Request(principal=Principal(kind="anonymous"), action="", resource=arn)
    return matches_resource(statement, nobody)


def matches_resource(statement: Statement, request: Request) -> bool:
    """Whether a statement's Resource or NotResource includes the request's resource."""
    matches = [
        compiled(head + filled(tail, statement, request, wildcards=True)).fullmatch(request.resource)
        for head, tail in map(_split, statement.resource_patterns)
    ]
    return (request.resource in statement.named_resources or any(matches)) != statement.but_resources


@cache
def _split(pattern: str) -> tuple[str, str]:
    """A resource's pattern as a regular expression of its first five parts, and the text of the last.

    In the first five, a wildcard stays within its part, except a `*` at the part's end.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    *first, last = pattern.split(":", 5)
    if len(first) < 5:
        first, last = [*first, last], ""
    bounded = "".join(
        re.sub(r"\\\*", "[^:]*", re.sub(r"\\\*$", ".*", re.escape(part))).replace(r"\?", f"[^:{ANYTHING}]") + ":"
        for part in first
    )
    return (bounded, last) if last or pattern.count(":") >= 5 else (bounded[:-1], "")


def matches_principal(statement: Statement, principal: Principal) -> bool:
    """Whether a statement's Principal or NotPrincipal includes `principal`."""
    itself = any(_is_named(kind, name, principal) for kind, name in _entries(statement))
    account = any(_is_account(kind, name, principal) for kind, name in _entries(statement))
    if statement.but_principals and principal.kind in ("user", "role") and itself != account:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        raise UnsupportedError(statement.place, "whom a NotPrincipal means that names a principal or its account alone")
    return (itself or account) != statement.but_principals


def is_delegated(statement: Statement, principal: Principal) -> bool:
    """Whether a statement names the principal's account, whose own policies then decide, and not the principal."""
    if statement.but_principals or statement.principals is None:
        return False
    return not any(_is_named(kind, name, principal) for kind, name in _entries(statement))


def _entries(statement: Statement) -> list[tuple[str, str]]:
    return [(kind, name) for kind, names in (statement.principals or {}).items() for name in names]


def _is_named(kind: str, name: str, principal: Principal) -> bool:
    """Whether an entry of a Principal element is the principal itself, or everybody."""
    if name == "*":
        return True
    if kind == "Service":
        return principal.kind == "service" and principal.name == name
    return principal.kind in ("user", "role") and principal.name == name


def _is_account(kind: str, name: str, principal: Principal) -> bool:
    """Whether an entry of a Principal element is the principal's account, or everybody."""
    if name == "*":
        return True
    if kind == "Service" or principal.kind not in ("user", "role"):
        return False
    return name == principal.account or bool(re.fullmatch(rf"arn:[a-z-]+:iam::{principal.account}:root", name))


def filled(text: str, statement: Statement, request: Request, *, wildcards: bool) -> str:
    """A statement's text as a regular expression, its variables replaced by the request's values.

    Wildcards in those values are plain text. Raises UnresolvedError for a variable without a value.
    """
    translate = _wildcards if wildcards else re.escape
    if not statement.has_variables or "${" not in text:
        return translate(text)
    return "".join(
        translate(piece) if isinstance(piece, str) else re.escape(_resolved(piece, statement, request))
        for piece in pieces(text, statement.place)
    )


def _resolved(piece: PolicyVariable | EscapedCharacter, statement: Statement, request: Request) -> str:
    if isinstance(piece, EscapedCharacter):
        return piece.text
    value = request.value(piece.key, statement.place)
    value = piece.default if value is None else value
    if value is None:
        raise UnresolvedError
    return value


@cache
def _wildcards(text: str) -> str:
    return "".join({"*": ".*", "?": f"[^{ANYTHING}]"}.get(character) or re.escape(character) for character in text)
