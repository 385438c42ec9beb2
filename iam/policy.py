"""IAM policy documents as typed statements; what is not understood is refused, never skipped.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal

Network = IPv4Network | IPv6Network

WITH_VARIABLES = "2012-10-17"
"""The version of the policy language that replaces `${…}`; the one before takes it as it stands."""

_VERSIONS = ("2008-10-17", WITH_VARIABLES)


class UnsupportedError(Exception):
    """Something that is not evaluated here, and where it stands; nothing may be concluded from the policy."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place}: {what}")
        self.place = place
        self.what = what


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One key of one operator: `StringEquals` without its set prefix and its `IfExists`, the key in lower case."""

    operator: str
    quantifier: Literal["ForAllValues", "ForAnyValue"] | None
    if_exists: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement. `principals` are by type (`AWS`, `Service`, …, `*`), and None in an identity's policy.

    `place` names the policy and the statement, for people.
    """

    place: str
    allows: bool
    actions: tuple[str, ...]
    but_actions: bool
    """Whether `actions` are a NotAction; so for `but_resources` and `but_principals`."""
    resources: tuple[str, ...]
    but_resources: bool
    principals: Mapping[str, tuple[str, ...]] | None
    but_principals: bool
    conditions: tuple[Condition, ...]
    has_variables: bool
    """Whether the version of the policy makes `${…}` a variable."""

    @cached_property
    def named_actions(self) -> frozenset[str]:
        """The actions without a wildcard, in lower case: AWS does not look at theirs."""
        return frozenset(action.lower() for action in self.actions if not has_wildcard(action))

    @cached_property
    def action_patterns(self) -> tuple[str, ...]:
        """The actions with a wildcard, in lower case."""
        return tuple(action.lower() for action in self.actions if has_wildcard(action))

    @cached_property
    def named_resources(self) -> frozenset[str]:
        """The resources without a wildcard or a variable."""
        return frozenset(resource for resource in self.resources if not _varies(resource))

    @cached_property
    def resource_patterns(self) -> tuple[str, ...]:
        """The resources with a wildcard or a variable."""
        return tuple(resource for resource in self.resources if _varies(resource))


def has_wildcard(text: str) -> bool:
    """Whether a pattern may mean more than one text."""
    return "*" in text or "?" in text


def _varies(text: str) -> bool:
    return has_wildcard(text) or "${" in text


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy under the name that people find it by."""

    name: str
    statements: tuple[Statement, ...]


def parse(document: str | Mapping[str, Any], name: str) -> Policy:
    """The policy `name` from its JSON; raises UnsupportedError for what is not understood."""
    if isinstance(document, str):
        try:
            document = json.loads(document, object_pairs_hook=_no_repetition)
        except ValueError as error:
            raise UnsupportedError(name, f"is no JSON: {error}") from error
    if not isinstance(document, Mapping):
        raise UnsupportedError(name, "is no JSON object")
    if unknown := sorted(document.keys() - {"Version", "Id", "Statement"}):
        raise UnsupportedError(name, f"{', '.join(map(repr, unknown))} in a policy")
    version = document.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        raise UnsupportedError(name, f"version {version!r}")
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list):
        raise UnsupportedError(name, "has no statements")
    return Policy(
        name=name,
        statements=tuple(
            _statement(statement, f"{name}, statement {_called(statement, number)}", version == WITH_VARIABLES)
            for number, statement in enumerate(statements, 1)
        ),
    )


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is written twice")
    return found


def _called(statement: object, number: int) -> str:
    sid = statement.get("Sid") if isinstance(statement, Mapping) else None
    return str(sid) if sid else str(number)


_ELEMENTS = frozenset(
    (
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    )
)


def _statement(statement: object, place: str, has_variables: bool) -> Statement:
    if not isinstance(statement, Mapping):
        raise UnsupportedError(place, "is no JSON object")
    if unknown := sorted(statement.keys() - _ELEMENTS):
        raise UnsupportedError(place, f"{', '.join(map(repr, unknown))} in a statement")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise UnsupportedError(place, f"effect {effect!r}")
    actions, but_actions = _one_of(statement, "Action", place)
    if actions is None:
        raise UnsupportedError(place, "neither Action nor NotAction")
    resources, but_resources = _one_of(statement, "Resource", place)
    principals, but_principals = _principals(statement, place)
    action_patterns = _texts(actions, f"{place}, actions")
    for pattern in action_patterns:
        if pattern != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+", pattern):
            raise UnsupportedError(place, f"action {pattern!r}")
    resource_patterns = _texts(resources, f"{place}, resources") if resources is not None else ()
    if has_variables:
        for pattern in resource_patterns:
            pieces(pattern, place)
            if "${" in ":".join(pattern.split(":", 5)[:5]):
                raise UnsupportedError(place, f"a variable before the fifth colon of {pattern!r}")
    return Statement(
        place=place,
        allows=effect == "Allow",
        actions=action_patterns,
        but_actions=but_actions,
        resources=resource_patterns,
        but_resources=but_resources,
        principals=principals,
        but_principals=but_principals,
        conditions=_conditions(statement.get("Condition", {}), place, has_variables),
        has_variables=has_variables,
    )


def _one_of(statement: Mapping[str, Any], element: str, place: str) -> tuple[Any, bool]:
    """An element's value, or that of its `Not…`, and whether it is the latter."""
    if element in statement and f"Not{element}" in statement:
        raise UnsupportedError(place, f"both {element} and Not{element}")
    negated = f"Not{element}" in statement
    return statement.get(f"Not{element}" if negated else element), negated


def _texts(value: object, place: str) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise UnsupportedError(place, "an empty list")
    for item in listed:
        if not isinstance(item, str) or not item:
            raise UnsupportedError(place, f"{item!r} is no text")
    return tuple(listed)


def _principals(statement: Mapping[str, Any], place: str) -> tuple[Mapping[str, tuple[str, ...]] | None, bool]:
    value, negated = _one_of(statement, "Principal", place)
    if value is None:
        return None, False
    if value == "*":
        return {"*": ("*",)}, negated
    if not isinstance(value, Mapping) or not value:
        raise UnsupportedError(place, f"principal {value!r}")
    if unknown := sorted(value.keys() - {"AWS", "Service"}):
        raise UnsupportedError(place, f"principals of type {', '.join(map(repr, unknown))}")
    found = {kind: _texts(named, f"{place}, principals") for kind, named in value.items()}
    for kind, named in found.items():
        for name in named:
            if not re.fullmatch(_PRINCIPALS[kind], name):
                raise UnsupportedError(place, f"principal {name!r}")
    return found, negated


_PRINCIPALS = {
    "AWS": r"\*|\d{12}|arn:[a-z-]+:(iam|sts)::\d{12}:[^*?]+",
    "Service": r"[a-z0-9.-]+\.amazonaws\.com",
}


def _conditions(value: object, place: str, has_variables: bool) -> tuple[Condition, ...]:
    if not isinstance(value, Mapping):
        raise UnsupportedError(place, "conditions that are no JSON object")
    return tuple(
        _condition(operator, key, wanted, f"{place}, {operator} {key}", has_variables)
        for operator, keys in value.items()
        for key, wanted in _keys(keys, f"{place}, {operator}").items()
    )


def _keys(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnsupportedError(place, "conditions that are no JSON object")
    if len({key.lower() for key in value}) < len(value):
        raise UnsupportedError(place, "a key is written twice")
    return value


def _condition(operator: str, key: str, value: object, place: str, has_variables: bool) -> Condition:
    written = re.fullmatch(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", operator)
    if not written or written[2] not in _OPERATORS or (written[2] == "Null" and (written[1] or written[3])):
        raise UnsupportedError(place, f"operator {operator!r}")
    values = tuple(_plain(item, place) for item in (value if isinstance(value, list) else [value]))
    if not values:
        raise UnsupportedError(place, "an empty list")
    read = _OPERATORS[written[2]]
    for item in values:
        if has_variables and written[2].startswith(("String", "Arn")):
            pieces(item, place)
        try:
            read(item)
        except ValueError as error:
            raise UnsupportedError(place, f"value {item!r}") from error
    return Condition(
        operator=written[2],
        quantifier=written[1],  # type: ignore[arg-type]  # the pattern admits no other
        if_exists=bool(written[3]),
        key=key.lower(),
        values=values,
    )


def _plain(value: object, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise UnsupportedError(place, f"value {value!r}")


@dataclass(frozen=True)
class Variable:
    """A `${key, 'default'}`, the key in lower case."""

    key: str
    default: str | None


@dataclass(frozen=True)
class Escaped:
    """A `${*}`, `${?}` or `${$}`: the character itself."""

    text: str


_VARIABLE = re.compile(r"\s*([A-Za-z0-9:/._+=@-]+)\s*(?:,\s*'([^']*)'\s*)?")


@cache
def pieces(text: str, place: str = "") -> tuple[str | Variable | Escaped, ...]:
    """A text cut at its policy variables.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    found: list[str | Variable | Escaped] = []
    rest = text
    while (start := rest.find("${")) >= 0:
        end = rest.find("}", start)
        name = rest[start + 2 : end]
        if end < 0:
            raise UnsupportedError(place, f"a variable without end in {text!r}")
        found.append(rest[:start])
        if name in ("*", "?", "$"):
            found.append(Escaped(name))
        elif variable := _VARIABLE.fullmatch(name):
            found.append(Variable(variable[1].lower(), variable[2]))
        else:
            raise UnsupportedError(place, f"variable {name!r}")
        rest = rest[end + 1 :]
    found.append(rest)
    return tuple(piece for piece in found if piece != "")


def number(text: str) -> Decimal:
    """A number of a Numeric condition."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not value.is_finite():
        raise ValueError(text)
    return value


_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d))?)?")


@cache
def date(text: str) -> Decimal:
    """A date as seconds since 1970: of the forms of ISO 8601 that W3C names, or such seconds as they stand.

    A year alone could be either, and is refused.
    """
    if re.fullmatch(r"\d{5,}", text):
        return Decimal(text)
    written = _DATE.fullmatch(text)
    if not written:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, zone = written.groups()
    moment = f"{year}-{month}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    zone = "+00:00" if zone in (None, "Z") else zone
    seconds = (datetime.fromisoformat(moment + zone) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return Decimal(int(seconds)) + Decimal(f"0.{fraction or 0}")


@cache
def network(text: str) -> Network:
    """A network of an IpAddress condition, or an IPv4 address as a network of one.

    An IPv6 address alone is refused: the guide says that its prefix is 32 then, which nobody can mean.
    """
    found = ip_network(text, strict=False)
    if found.version == 6 and "/" not in text:
        raise ValueError(text)
    return found


def boolean(text: str) -> bool:
    """What Bool and Null compare with."""
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def binary(text: str) -> bytes:
    """What BinaryEquals compares, from Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def arn(text: str) -> list[str]:
    """The six parts of an ARN, the last with whatever colons it has."""
    parts = text.split(":", 5)
    if len(parts) != 6:
        raise ValueError(text)
    return parts


_OPERATORS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(
        (
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ),
        str,
    ),
    **{
        f"{kind}{comparison}": read
        for kind, read in (("Numeric", number), ("Date", date))
        for comparison in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    },
    **dict.fromkeys(("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"), arn),
    **dict.fromkeys(("IpAddress", "NotIpAddress"), network),
    **dict.fromkeys(("Bool", "Null"), boolean),
    "BinaryEquals": binary,
}
"""What reads an operator's values."""
