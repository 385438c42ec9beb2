"""IAM policy documents as typed statements; what is not understood is refused, never skipped.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from iam.conditions import NULL
from iam.matching import ANYTHING, ONE_CHARACTER
from iam.operators import OPERATORS, boolean
from iam.statements import Condition, Policy, Statement, UnsupportedError, has_wildcard
from iam.variables import pieces
from terraform.arns import Arn
from terraform.output import without_repetition

WITH_VARIABLES = "2012-10-17"
"""The version of the policy language that replaces `${…}`; the earlier one takes it literally."""

_VERSIONS = ("2008-10-17", WITH_VARIABLES)

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_SEVERAL_VALUES = ("aws:calledvia", "aws:principalorgpaths", "aws:resourceorgpaths", "aws:tagkeys")

_ADDRESS_KEYS = ("aws:sourceip", "aws:vpcsourceip")

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

_PRINCIPALS = {
    "*": r"\*",
    "AWS": r"\*|\d{12}|arn:[a-z-]+:(iam|sts)::\d{12}:[^*?]+",
    "Service": r"[a-z0-9.-]+\.amazonaws\.com",
}


def parse(document: str | Mapping[str, Any], name: str) -> Policy:
    """The policy `name` from its JSON; raises UnsupportedError for what cannot be evaluated."""
    policy = read(document, name)
    for statement in policy.statements:
        _check(statement)
    return policy


def read(document: object, name: str) -> Policy:
    """The policy `name` as it is written: its values may be ones that cannot be evaluated.

    It may be shown and compared, not evaluated. Raises UnsupportedError for a document of another form.
    """
    if isinstance(document, str):
        try:
            document = json.loads(document, object_pairs_hook=without_repetition)
        except (ValueError, RecursionError) as error:
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
            _statement(statement, name, number, has_variables=version == WITH_VARIABLES)
            for number, statement in enumerate(statements, 1)
        ),
    )


def _statement(statement: object, policy: str, number: int, *, has_variables: bool) -> Statement:
    if not isinstance(statement, Mapping):
        raise UnsupportedError(f"{policy}, statement {number}", "is no JSON object")
    place = f"{policy}, statement {statement.get('Sid') or number}"
    if unknown := sorted(statement.keys() - _ELEMENTS):
        raise UnsupportedError(place, f"{', '.join(map(repr, unknown))} in a statement")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise UnsupportedError(place, f"effect {effect!r}")
    actions, but_actions = _one_of(statement, "Action", place)
    if actions is None:
        raise UnsupportedError(place, "neither Action nor NotAction")
    resources, but_resources = _one_of(statement, "Resource", place)
    principals, but_principals = _one_of(statement, "Principal", place)
    return Statement(
        place=place,
        sid=str(statement.get("Sid") or ""),
        allows=effect == "Allow",
        actions=_texts(actions, f"{place}, actions"),
        but_actions=but_actions,
        resources=() if resources is None else _texts(resources, f"{place}, resources"),
        but_resources=but_resources,
        principals=_principals(principals, place),
        but_principals=but_principals,
        conditions=_conditions(statement.get("Condition", {}), place),
        has_variables=has_variables,
    )


def _one_of(statement: Mapping[str, Any], element: str, place: str) -> tuple[Any, bool]:
    """The value of an element or of its `Not…`, and whether it is the latter's."""
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


def _principals(value: object, place: str) -> Mapping[str, tuple[str, ...]] | None:
    if value is None:
        return None
    if value == "*":
        return {"*": ("*",)}
    if not isinstance(value, Mapping) or not value:
        raise UnsupportedError(place, f"principal {value!r}")
    if "*" in value:
        raise UnsupportedError(place, "principals of type '*'")
    return {kind: _texts(named, f"{place}, principals") for kind, named in value.items()}


def _conditions(value: object, place: str) -> tuple[Condition, ...]:
    return tuple(
        _condition(operator, key, wanted, place)
        for operator, keys in _keys(value, place).items()
        for key, wanted in _keys(keys, f"{place}, {operator}").items()
    )


def _keys(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnsupportedError(place, "conditions that are no JSON object")
    if len({key.lower() for key in value}) < len(value):
        raise UnsupportedError(place, "a key is written twice")
    return value


def _condition(operator: str, key: str, value: object, place: str) -> Condition:
    place = f"{place}, {operator} {key}"
    parts = re.fullmatch(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", operator)
    if not parts:
        raise UnsupportedError(place, f"operator {operator!r}")
    values = tuple(_plain(item, place) for item in (value if isinstance(value, list) else [value]))
    if not values:
        raise UnsupportedError(place, "an empty list")
    return Condition(
        operator=parts[2],
        quantifier=parts[1],  # type: ignore[arg-type]  # the pattern admits no other
        if_exists=bool(parts[3]),
        key=key.lower(),
        values=values,
        written_key=key,
    )


def _plain(value: object, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise UnsupportedError(place, f"value {value!r}")


def _check(statement: Statement) -> None:
    """Raise UnsupportedError for a value that cannot be evaluated."""
    place = statement.place
    for pattern in statement.resources:
        _check_resource(pattern, place)
    for pattern in statement.actions:
        if pattern != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+", pattern):
            raise UnsupportedError(place, f"action {pattern!r}")
    for pattern in statement.resources if statement.has_variables else ():
        pieces(pattern, place)
        if "${" in ":".join(pattern.split(":", 5)[:5]):
            raise UnsupportedError(place, f"a variable before the fifth colon of {pattern!r}")
    _check_principals(statement.principals or {}, place)
    for condition in statement.conditions:
        _check_condition(condition, f"{place}, {condition.written}", has_variables=statement.has_variables)


# Services whose resources have no type before their name.
_WITHOUT_TYPES = ("codecommit", "execute-api", "s3", "sns", "sqs", "events")


def _check_resource(pattern: str, place: str) -> None:
    """Refuse what AWS completes, ignores or matches otherwise than it reads.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if pattern == "*":
        return
    if ANYTHING in pattern or ONE_CHARACTER in pattern:
        raise UnsupportedError(place, f"resource {pattern!r}")
    try:
        named = Arn.of(pattern)
    except ValueError:
        raise UnsupportedError(place, f"resource {pattern!r}, an ARN of fewer than six parts") from None
    if not re.fullmatch(r"arn:aws(-[a-z]+)*:[a-z0-9-]+", ":".join(named[:3])):
        raise UnsupportedError(place, f"resource {pattern!r}, whose service is not written out in lower case")
    type_, separator, _ = re.match(r"([^/:]*)([/:]?)(.*)", named.resource, re.DOTALL).groups()  # type: ignore[union-attr]
    if separator and named.service not in _WITHOUT_TYPES and has_wildcard(type_):
        raise UnsupportedError(place, f"resource {pattern!r}, with a wildcard in its type")


def _check_principals(principals: Mapping[str, tuple[str, ...]], place: str) -> None:
    if unknown := sorted(principals.keys() - _PRINCIPALS.keys()):
        raise UnsupportedError(place, f"principals of type {', '.join(map(repr, unknown))}")
    for kind, named in principals.items():
        for name in named:
            if not re.fullmatch(_PRINCIPALS[kind], name):
                raise UnsupportedError(place, f"principal {name!r}")


def _check_condition(condition: Condition, place: str, *, has_variables: bool) -> None:
    is_null = condition.operator == NULL and not condition.quantifier and not condition.if_exists
    operator = OPERATORS.get(condition.operator)
    if operator is None and not is_null:
        raise UnsupportedError(place, f"operator {condition.written.split()[0]!r}")
    if condition.quantifier == "ForAnyValue" and condition.if_exists:
        raise UnsupportedError(place, "what ForAnyValue with IfExists means where the key is missing")
    if condition.key in _SEVERAL_VALUES and condition.quantifier is None and not is_null:
        raise UnsupportedError(place, "a key of several values without a set operator")
    if condition.key in _ADDRESS_KEYS and condition.operator not in ("IpAddress", "NotIpAddress", NULL):
        raise UnsupportedError(place, "an address that is compared as a text")
    for value in condition.values:
        if ANYTHING in value or ONE_CHARACTER in value:
            raise UnsupportedError(place, f"value {value!r}")
        if has_variables and operator is not None and operator.has_variables:
            pieces(value, place)
        try:
            _ = boolean(value) if operator is None else operator.read(value)
        except ValueError as error:
            raise UnsupportedError(place, f"value {value!r}") from error
