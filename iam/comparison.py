"""Compares IAM policies by their statements: which action, resource, principal or condition comes or goes."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from iam import documents
from iam.conditions import NULL
from iam.statements import Condition, Statement, UnsupportedError

ATTRIBUTES = frozenset(
    {"policy", "assume_role_policy", "inline_policy", "access_policy", "resource_policy", "policy_document"}
)
"""Attributes of AWS resources that hold a policy as JSON."""

Element = Literal["Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Version"]

WORLD = frozenset({"0.0.0.0/0", "::/0"})


@dataclass(frozen=True, kw_only=True)
class StatementDifference:
    """One thing that comes (`is_added`) or goes; with `widens`, something may be allowed that was not.

    `part` is where in `statement`: an element, a condition, or None for the statement as a whole. `value` is the value
    that comes or goes there, None where the part does as a whole.
    """

    statement: Statement
    part: Element | Condition | None
    value: str | None
    is_added: bool
    widens: bool


def statements(text: object) -> list[Statement] | None:
    """The statements of a policy in JSON, their values sorted, so that statements of the same meaning are equal.

    None where the text is no policy, and where it is one that `not_understood` says more of.
    """
    try:
        return [_sorted(statement) for statement in documents.read(text, "the policy").statements]
    except UnsupportedError:
        return None


def not_understood(text: object) -> UnsupportedError | None:
    """Why the statements of a policy cannot be read; None where they can, and where the text is no policy."""
    try:
        document = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or "Statement" not in document:
        return None
    try:
        documents.read(text, "the policy")
    except UnsupportedError as error:
        return error
    return None


def compared(before: Collection[Statement], after: Collection[Statement]) -> list[StatementDifference]:
    """How the second list of statements differs from the first, what widens first."""
    gone = [statement for statement in before if statement not in after]
    new = [statement for statement in after if statement not in before]
    found: list[StatementDifference] = []
    for was in list(gone):
        same = [now for now in new if (now.sid, now.allows) == (was.sid, was.allows)]
        if len(same) == 1 and (was.sid or len(gone) == len(new) == 1):
            found += _within(was, same[0])
            gone.remove(was)
            new.remove(same[0])
    found += [_difference(statement, None, None, is_added=False, widens=not statement.allows) for statement in gone]
    found += [_difference(statement, None, None, is_added=True, widens=statement.allows) for statement in new]
    return sorted(found, key=lambda difference: not difference.widens)


def to_the_world(statement: Statement) -> bool:
    """Whether an Allow is for everybody, without a condition that names who, or from where."""
    if not statement.allows or statement.but_principals:
        return False
    named = statement.principals or {}
    if "*" not in named and "*" not in named.get("AWS", ()):
        return False
    return not any(_narrows(condition) for condition in statement.conditions)


# Condition keys that say who, or from where.
_NARROWING = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "elasticfilesystem:accessedviamounttarget",
    "kms:calleraccount",
    "kms:viaservice",
}


def _narrows(condition: Condition) -> bool:
    """Whether a condition fails for requests of others: not where it also holds without the key."""
    holds_without_key = condition.if_exists or condition.quantifier == "ForAllValues" or condition.operator == NULL
    return (
        condition.key in _NARROWING
        and "Not" not in condition.operator
        and not holds_without_key
        and not {"*", "false", *WORLD} & set(condition.values)
    )


def open_conditions(statement: Statement) -> list[Condition]:
    """Conditions that every address meets, or from which a Deny exempts every address, with just those values."""
    return [
        replace(condition, values=worldwide)
        for condition in statement.conditions
        if (worldwide := tuple(value for value in condition.values if value in WORLD))
        and statement.allows != (condition.operator == "NotIpAddress")
    ]


def elements(statement: Statement) -> dict[Element, frozenset[str]]:
    """The values of each element that a statement has; a principal with its type, as in `AWS:*`."""
    found: dict[Element, frozenset[str]] = {
        "NotAction" if statement.but_actions else "Action": frozenset(statement.actions)
    }
    if statement.resources:
        found["NotResource" if statement.but_resources else "Resource"] = frozenset(statement.resources)
    if statement.principals is not None:
        found["NotPrincipal" if statement.but_principals else "Principal"] = frozenset(
            name if kind == "*" else f"{kind}:{name}" for kind, names in statement.principals.items() for name in names
        )
    return found


def _sorted(statement: Statement) -> Statement:
    """The statement with its values sorted, and without its place, which says nothing about its meaning."""
    return replace(
        statement,
        place="",
        actions=_unique(statement.actions),
        resources=_unique(statement.resources),
        principals=statement.principals and {kind: _unique(names) for kind, names in statement.principals.items()},
        conditions=tuple(
            sorted(
                (replace(condition, values=_unique(condition.values)) for condition in statement.conditions),
                key=_test,
            )
        ),
        # Without a variable, both versions of the language mean the same.
        has_variables=statement.has_variables
        and any("${" in text for text in (*statement.resources, *(v for c in statement.conditions for v in c.values))),
    )


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _test(condition: Condition) -> tuple[str, ...]:
    """What a condition tests, without the values it wants."""
    return condition.operator, condition.quantifier or "", str(condition.if_exists), condition.key


def _difference(
    statement: Statement, part: Element | Condition | None, value: str | None, *, is_added: bool, widens: bool
) -> StatementDifference:
    return StatementDifference(statement=statement, part=part, value=value, is_added=is_added, widens=widens)


def _within(was: Statement, now: Statement) -> Iterator[StatementDifference]:
    """How one statement changed. More in an Allow is wider, less in a Deny; a Not… element inverts that."""
    old_elements, new_elements = elements(was), elements(now)
    for element in sorted(old_elements.keys() | new_elements.keys()):
        old, new = old_elements.get(element, frozenset()), new_elements.get(element, frozenset())
        more_is_wider = was.allows != element.startswith("Not")
        is_whole = not old or not new
        for value in sorted(new - old):
            yield _difference(was, element, value, is_added=True, widens=more_is_wider or is_whole)
        for value in sorted(old - new):
            yield _difference(was, element, value, is_added=False, widens=not more_is_wider or is_whole)
    if was.has_variables != now.has_variables:
        yield _difference(was, "Version", documents.WITH_VARIABLES, is_added=now.has_variables, widens=True)
    old_conditions, new_conditions = ({_test(c): c for c in each.conditions} for each in (was, now))
    for test in sorted(old_conditions.keys() | new_conditions.keys()):
        if test not in new_conditions:
            yield _difference(was, old_conditions[test], None, is_added=False, widens=was.allows)
        elif test not in old_conditions:
            yield _difference(was, new_conditions[test], None, is_added=True, widens=not was.allows)
        else:
            yield from _within_condition(was, old_conditions[test], new_conditions[test])


def _within_condition(statement: Statement, was: Condition, now: Condition) -> Iterator[StatementDifference]:
    old, new = set(was.values), set(now.values)
    # A Deny "unless from here" exempts one address more: that is wider, as one more in an Allow "from here" is.
    more_is_wider = statement.allows != ("Not" in was.operator)
    if "IpAddress" in was.operator:
        # A part of a network that was listed changes nothing.
        for value in sorted(new - old):
            yield _difference(statement, now, value, is_added=True, widens=more_is_wider and not covered(value, old))
        for value in sorted(old - new):
            yield _difference(
                statement, now, value, is_added=False, widens=not more_is_wider and not covered(value, new)
            )
        return
    is_ordered = was.operator.startswith(("Numeric", "Date", "Bool", "Null"))
    for value in sorted(new - old):
        yield _difference(statement, now, value, is_added=True, widens=more_is_wider or is_ordered)
    for value in sorted(old - new):
        yield _difference(statement, now, value, is_added=False, widens=not more_is_wider or is_ordered)


def covered(network: str, by: Iterable[str]) -> bool:
    """Whether every address of a network is in one of the others."""
    try:
        inner = ip_network(network, strict=False)
        outer = [ip_network(other, strict=False) for other in by]
    except ValueError:
        return False
    if isinstance(inner, IPv4Network):
        return any(isinstance(other, IPv4Network) and inner.subnet_of(other) for other in outer)
    return any(isinstance(other, IPv6Network) and inner.subnet_of(other) for other in outer)
