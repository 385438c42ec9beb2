"""AWS's evaluation of a request: an explicit Deny first, then an Allow, else no.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Literal

from iam import policy as documents
from iam.policy import Condition, Escaped, Policy, Statement, UnsupportedError, Variable


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks: a user or role by its ARN, a service by its name (`codebuild.amazonaws.com`), or nobody known."""

    kind: Literal["user", "role", "service", "anonymous"]
    name: str = ""
    account: str | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for. `context` is by key, in any case, with one value or several.

    Keys that are neither in `context` nor in `absent` are unknown, and a condition on one raises UnsupportedError; with
    `absent` left out, every key that is not in `context` is absent.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    absent: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a request is allowed, and the statements that decided; none of them when nothing matched."""

    allowed: bool
    explicit: bool
    statements: tuple[Statement, ...] = ()

    @property
    def because(self) -> str:
        """The reason in words, naming policy and statement."""
        named = " and ".join(statement.place for statement in self.statements)
        if self.allowed:
            return f"allowed by {named}"
        return f"denied by {named}" if self.explicit else "nothing allows it"


def evaluate(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    resource: Sequence[Policy] = (),
    resource_account: str | None = None,
    resource_decides: bool = False,
) -> Decision:
    """The decision on `request` under the policies of its principal and of the resource.

    Within one account either kind may allow; from another account (`resource_account` differs from the principal's)
    both must. `resource_decides` is for resources whose own policy has to allow always: a role's trust, a key.
    Boundaries, session and organization policies are not part of this: a caller that has any must not ask.
    """
    context = _Context(request)
    by_identity = [statement for policy in identity for statement in policy.statements]
    by_resource = [statement for policy in resource for statement in policy.statements]
    for statement in by_identity:
        if statement.principals is not None:
            raise UnsupportedError(statement.place, "what a principal does in a policy of an identity")
        if not statement.resources:
            raise UnsupportedError(statement.place, "on what, without a resource in a policy of an identity")
    for statement in by_resource:
        if statement.principals is None:
            raise UnsupportedError(statement.place, "for whom, without a principal in a policy of a resource")

    denying = [s for s in (*by_identity, *by_resource) if not s.allows and _applies(s, request, context)]
    if denying:
        return Decision(allowed=False, explicit=True, statements=(denying[0],))
    own = next((s for s in by_identity if s.allows and _applies(s, request, context)), None)
    granting = [s for s in by_resource if s.allows and _applies(s, request, context)]
    direct = next((s for s in granting if not _only_through_account(s, request.principal)), None)
    granted = direct or next(iter(granting), None)

    foreign = resource_account is not None and request.principal.account != resource_account
    has_policies = request.principal.kind in ("user", "role")
    needed: list[Statement | None]
    if not has_policies:
        needed = [direct]
    elif foreign:
        needed = [own, granted]
    elif resource_decides:
        needed = [direct] if direct else [own, granted]
    else:
        needed = [own or direct]
    if any(statement is None for statement in needed):
        return Decision(allowed=False, explicit=False)
    return Decision(allowed=True, explicit=True, statements=tuple(s for s in needed if s is not None))


def _only_through_account(statement: Statement, principal: Principal) -> bool:
    """Whether a statement names the principal's account and not the principal, which leaves it to the account."""
    if statement.but_principals or statement.principals is None:
        return False
    return not any(
        _names(kind, name, principal, account=False) for kind, listed in statement.principals.items() for name in listed
    )


def _applies(statement: Statement, request: Request, context: "_Context") -> bool:
    try:
        return _matches(statement, request, context)
    except _UnresolvedError:
        # "Any attempt to match it fails and causes the statement to be invalid":
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
        return False


def _matches(statement: Statement, request: Request, context: "_Context") -> bool:
    if names_action(statement, request.action.lower()) == statement.but_actions:
        return False
    if statement.resources and not _resource(statement, request, context):
        return False
    if statement.principals is not None and _means(statement, request.principal) == statement.but_principals:
        return False
    return all(_holds(condition, context, statement) for condition in statement.conditions)


def _means(statement: Statement, principal: Principal) -> bool:
    """Whether `principal` is among those that a statement names, be it as Principal or as NotPrincipal."""
    entries = [(kind, name) for kind, names in (statement.principals or {}).items() for name in names]
    itself = any(_names(kind, name, principal, account=False) for kind, name in entries)
    account = any(_names(kind, name, principal, account=True) and name != principal.name for kind, name in entries)
    if statement.but_principals and principal.kind in ("user", "role") and itself != account:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        raise UnsupportedError(statement.place, "whom a NotPrincipal means that names a principal or its account alone")
    return itself or account


def _resource(statement: Statement, request: Request, context: "_Context") -> bool:
    matches = [
        _compiled(head + _expression(tail, context, statement, wildcards=True)).fullmatch(request.resource)
        for head, tail in map(_cut, statement.resource_patterns)
    ]
    return (request.resource in statement.named_resources or any(matches)) != statement.but_resources


def names_resource(statement: Statement, arn: str) -> bool:
    """Whether a resource is among those a statement means, as far as that can be told without a request."""
    if any("${" in pattern for pattern in statement.resource_patterns):
        return True
    nobody = Request(principal=Principal(kind="anonymous"), action="", resource=arn)
    return _resource(statement, nobody, _Context(nobody))


@cache
def _cut(pattern: str) -> tuple[str, str]:
    """A resource's pattern as an expression of its first five parts, and the text of the last.

    There a wildcard stays within its part, but for a `*` that ends it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    *first, last = pattern.split(":", 5)
    if len(first) < 5:
        first, last = [*first, last], ""
    bounded = "".join(
        re.sub(r"\\\*", "[^:]*", re.sub(r"\\\*$", ".*", re.escape(part))).replace(r"\?", "[^:]") + ":" for part in first
    )
    return (bounded, last) if last or pattern.count(":") >= 5 else (bounded[:-1], "")


def _names(kind: str, name: str, principal: Principal, *, account: bool) -> bool:
    """Whether an entry of a Principal element means `principal`; with `account`, also when it means its account."""
    if name == "*":
        return True
    if kind == "Service":
        return principal.kind == "service" and principal.name == name
    if principal.kind not in ("user", "role"):
        return False
    whole_account = name == principal.account or re.fullmatch(rf"arn:[a-z-]+:iam::{principal.account}:root", name)
    return bool(account and whole_account) or name == principal.name


def names_action(statement: Statement, action: str) -> bool:
    """Whether an action, in lower case, is among those that a statement names, be it as Action or as NotAction."""
    return action in statement.named_actions or any(
        pattern == "*" or _compiled(_wildcards(pattern)).fullmatch(action) for pattern in statement.action_patterns
    )


@cache
def _wildcards(text: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in text)


class _UnresolvedError(Exception):
    """A policy variable without a value and without a default."""


class _Context:
    """The values of a request's keys."""

    def __init__(self, request: Request) -> None:
        self._values = {
            key.lower(): (value,) if isinstance(value, str) else tuple(value) for key, value in request.context.items()
        }
        self._absent = None if request.absent is None else {key.lower() for key in request.absent}

    def of(self, key: str, place: str) -> tuple[str, ...] | None:
        """The values of `key`, None when the request does not have it."""
        if key in self._values:
            return self._values[key]
        if self._absent is not None and key not in self._absent:
            raise UnsupportedError(place, f"whether a request has {key!r}, and its value, is not known")
        return None

    def single(self, key: str, place: str) -> str | None:
        """The value of a key that may not have several."""
        values = self.of(key, place)
        if values is not None and len(values) != 1:
            raise UnsupportedError(place, f"{key!r} has {len(values)} values, and the policy takes it for one")
        return None if values is None else values[0]


def _expression(text: str, context: _Context, statement: Statement, *, wildcards: bool) -> str:
    """A policy's text as an expression, its variables replaced by the request's values, which are no patterns."""
    translate = _wildcards if wildcards else re.escape
    if not statement.has_variables or "${" not in text:
        return translate(text)
    return "".join(
        translate(piece)
        if isinstance(piece, str)
        else re.escape(piece.text if isinstance(piece, Escaped) else _resolved(piece, context, statement))
        for piece in documents.pieces(text, statement.place)
    )


@cache
def _compiled(expression: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | flags)


def _resolved(variable: Variable, context: _Context, statement: Statement) -> str:
    value = context.single(variable.key, statement.place)
    if value is None:
        value = variable.default
    if value is None:
        raise _UnresolvedError
    return value


def _holds(condition: Condition, context: _Context, statement: Statement) -> bool:
    """Whether one condition holds of a request.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    values = context.of(condition.key, statement.place)
    if condition.operator == "Null":
        if values == ("",):
            raise UnsupportedError(statement.place, f"whether an empty {condition.key!r} is null")
        return any(documents.boolean(wanted) == (not values) for wanted in condition.values)
    if values is None and condition.if_exists:
        return True
    negated = condition.operator in _NEGATED
    operator = _NEGATED.get(condition.operator, condition.operator)
    match = _MATCHES.get(operator, _compares)
    if condition.quantifier is None:
        if values is None:
            return negated
        if len(values) != 1:
            raise UnsupportedError(statement.place, f"{condition.key!r} has {len(values)} values, and no set operator")
        return match(operator, values[0], condition, context, statement) != negated
    # An empty text is an empty set: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    each = [
        match(operator, value, condition, context, statement) != negated
        for value in (() if values in (None, ("",)) else values or ())
    ]
    return all(each) if condition.quantifier == "ForAllValues" else any(each)


_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnLike",
    "ArnNotLike": "ArnLike",
}

_Match = Callable[[str, str, Condition, _Context, Statement], bool]


def _strings(operator: str, value: str, condition: Condition, context: _Context, statement: Statement) -> bool:
    flags = re.IGNORECASE if operator == "StringEqualsIgnoreCase" else 0
    expressions = [
        _expression(wanted, context, statement, wildcards=operator == "StringLike") for wanted in condition.values
    ]
    return any(_compiled(expression, flags).fullmatch(value) for expression in expressions)


def _arns(_: str, value: str, condition: Condition, context: _Context, statement: Statement) -> bool:
    """ArnEquals and ArnLike do the same: wildcards in each of the six parts for itself."""
    patterns = [
        [_expression(part, context, statement, wildcards=True) for part in _arn_pattern(wanted)]
        for wanted in condition.values
    ]
    try:
        parts = documents.arn(value)
    except ValueError:
        return False
    return any(
        all(_compiled(expression).fullmatch(part) for expression, part in zip(pattern, parts, strict=True))
        for pattern in patterns
    )


@cache
def _arn_pattern(text: str) -> list[str]:
    """The six parts of an ARN's pattern; the colons of its variables' keys are none of the ARN's."""
    hidden = re.sub(r"\$\{[^}]*\}", lambda variable: variable[0].replace(":", "\0"), text)
    return [part.replace("\0", ":") for part in documents.arn(hidden)]


def _addresses(_: str, value: str, condition: Condition, __: _Context, ___: Statement) -> bool:
    try:
        address = ip_address(value)
    except ValueError:
        return False
    networks = [documents.network(wanted) for wanted in condition.values]
    return any(network.version == address.version and address in network for network in networks)


def _booleans(_: str, value: str, condition: Condition, __: _Context, ___: Statement) -> bool:
    return value.lower() in condition.values


def _bytes(_: str, value: str, condition: Condition, __: _Context, ___: Statement) -> bool:
    try:
        return documents.binary(value) in [documents.binary(wanted) for wanted in condition.values]
    except ValueError:
        return False


def _compares(operator: str, value: str, condition: Condition, _: _Context, __: Statement) -> bool:
    """Numeric and Date operators."""
    kind, read = ("Numeric", documents.number) if operator.startswith("Numeric") else ("Date", documents.date)
    compare = _COMPARISONS[operator.removeprefix(kind)]
    try:
        given = read(value)
    except ValueError:
        return False
    return any(compare(given.compare(read(wanted))) for wanted in condition.values)


_COMPARISONS: dict[str, Callable[..., bool]] = {
    "Equals": lambda order: order == 0,
    "LessThan": lambda order: order < 0,
    "LessThanEquals": lambda order: order <= 0,
    "GreaterThan": lambda order: order > 0,
    "GreaterThanEquals": lambda order: order >= 0,
}

_MATCHES: dict[str, _Match] = {
    **dict.fromkeys(("StringEquals", "StringEqualsIgnoreCase", "StringLike"), _strings),
    **dict.fromkeys(("ArnEquals", "ArnLike"), _arns),
    "IpAddress": _addresses,
    "Bool": _booleans,
    "BinaryEquals": _bytes,
}
