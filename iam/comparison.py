"""Compares IAM policies by what they say: which action, resource, principal or address comes or goes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from ops.review.text import code

ATTRIBUTES = frozenset(
    {"policy", "assume_role_policy", "inline_policy", "access_policy", "resource_policy", "policy_document"}
)
"""Attributes of AWS resources that hold a policy as JSON."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that a policy says and did not say, or no longer says.

    `what` is for people, with the IAM words in backquotes; `widens`: it may allow something that was not allowed.
    """

    what: str
    widens: bool


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement, each element as a set; conditions by operator and key."""

    sid: str
    denies: bool
    elements: Mapping[str, frozenset[str]] = field(default_factory=dict)
    conditions: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How people find it in the policy."""
        effect = "Deny" if self.denies else "Allow"
        return f"{code(self.sid)} ({effect})" if self.sid else f"{effect} of {_listed(self._first())}"

    def _first(self) -> frozenset[str]:
        return self.elements.get("Action") or self.elements.get("NotAction") or frozenset({"nothing"})


def statements(text: Any) -> list[Statement] | None:
    """The statements of a policy in JSON; None where the text is no policy."""
    try:
        document = json.loads(text) if isinstance(text, str) else text
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(document, dict) or "Statement" not in document:
        return None
    found = document["Statement"]
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(statement, dict) for statement in listed):
        return None
    return [_statement(statement) for statement in listed]


def compared(before: list[Statement], after: list[Statement]) -> list[Difference]:
    """What the second list of statements says otherwise than the first, what widens first."""
    rest_before = [statement for statement in before if statement not in after]
    rest_after = [statement for statement in after if statement not in before]
    differences: list[Difference] = []
    for was in list(rest_before):
        same = [
            now
            for now in rest_after
            if (now.sid, now.denies) == (was.sid, was.denies) and (was.sid or len(rest_before) == len(rest_after) == 1)
        ]
        if len(same) == 1:
            differences += _within(was, same[0])
            rest_before.remove(was)
            rest_after.remove(same[0])
    for was in rest_before:
        differences += [Difference(what=f"{was.name} is gone{_summary(was)}", widens=was.denies)]
    for now in rest_after:
        differences += [Difference(what=f"{now.name} is new{_summary(now)}", widens=not now.denies)]
    return sorted(differences, key=lambda difference: (not difference.widens, difference.what))


def to_the_world(statement: Statement) -> bool:
    """Whether an Allow is for everybody, without a condition that names who, or from where."""
    if statement.denies or not statement.elements.get("Principal", frozenset()) & {"*", "AWS:*"}:
        return False
    narrowing = (
        values
        for (operator, key), values in statement.conditions.items()
        if "Not" not in operator and "IfExists" not in operator and key.lower() in _NARROWING
    )
    return not any(values and not values & {"*", "0.0.0.0/0", "::/0"} for values in narrowing)


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
    "kms:calleraccount",
    "kms:viaservice",
}


def open_conditions(statement: Statement) -> list[str]:
    """Conditions on addresses that every address meets, or that a Deny exempts every address from."""
    return [
        f"{code(f'{operator} {key}')} names {code(value)}"
        for (operator, key), values in sorted(statement.conditions.items())
        for value in sorted(values & {"0.0.0.0/0", "::/0"})
        if statement.denies == ("NotIpAddress" in operator)
    ]


def _statement(raw: dict[str, Any]) -> Statement:
    elements: dict[str, frozenset[str]] = {}
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if element in raw:
            elements[element] = frozenset(_texts(raw[element]))
    for element in ("Principal", "NotPrincipal"):
        if element in raw:
            elements[element] = frozenset(_principals(raw[element]))
    conditions = {}
    block = raw.get("Condition")
    for operator, keys in block.items() if isinstance(block, dict) else ():
        for key, values in keys.items() if isinstance(keys, dict) else ():
            conditions[(str(operator), str(key))] = frozenset(_texts(values))
    return Statement(
        sid=str(raw.get("Sid") or ""),
        denies=raw.get("Effect") == "Deny",
        elements=elements,
        conditions=conditions,
    )


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in values]


def _principals(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for kind, names in value.items():
            yield from (f"{kind}:{name}" for name in _texts(names))
    else:
        yield from _texts(value)


def _within(was: Statement, now: Statement) -> Iterator[Difference]:
    """How one statement changed. In an Allow, more is wider; in a Deny, less; the Not… elements turn it round."""
    for element in sorted(was.elements.keys() | now.elements.keys()):
        old, new = was.elements.get(element, frozenset()), now.elements.get(element, frozenset())
        more_is_wider = (not was.denies) != element.startswith("Not")
        word = _WORDS[element]
        appears = element not in was.elements or element not in now.elements
        for value in sorted(new - old):
            what = f"{was.name}: {word} {code(value)} added"
            yield Difference(what=what, widens=more_is_wider or appears)
        for value in sorted(old - new):
            what = f"{was.name}: {word} {code(value)} removed"
            yield Difference(what=what, widens=not more_is_wider or appears)
    for place in sorted(was.conditions.keys() | now.conditions.keys()):
        yield from _condition(was, now, place)


def _condition(was: Statement, now: Statement, place: tuple[str, str]) -> Iterator[Difference]:
    operator, key = place
    shown = f"condition {code(f'{operator} {key}')}"
    if place not in now.conditions:
        values = _listed(was.conditions[place])
        yield Difference(what=f"{was.name}: {shown} of {values} removed", widens=not was.denies)
        return
    if place not in was.conditions:
        values = _listed(now.conditions[place])
        yield Difference(what=f"{was.name}: {shown} of {values} added", widens=was.denies)
        return
    old, new = was.conditions[place], now.conditions[place]
    if "IpAddress" in operator:
        yield from _addresses(was.name, shown, old, new, is_exempt=was.denies == ("Not" in operator))
        return
    # A Deny "unless from here" exempts one address more: that is wider, as one more in an Allow "from here" is.
    more_is_wider = was.denies == ("Not" in operator)
    ordered = operator.removesuffix("IfExists").startswith(("Numeric", "Date", "Bool", "Null"))
    for value in sorted(new - old):
        yield Difference(what=f"{was.name}: {code(value)} added to {shown}", widens=more_is_wider or ordered)
    for value in sorted(old - new):
        yield Difference(what=f"{was.name}: {code(value)} removed from {shown}", widens=not more_is_wider or ordered)


def _addresses(
    name: str, shown: str, old: frozenset[str], new: frozenset[str], *, is_exempt: bool
) -> Iterator[Difference]:
    """How a list of networks changes: a part of what was in it is no news."""
    for value in sorted(new - old):
        yield Difference(what=f"{name}: {code(value)} added to {shown}", widens=is_exempt and not covered(value, old))
    for value in sorted(old - new):
        widens = not is_exempt and not covered(value, new)
        yield Difference(what=f"{name}: {code(value)} removed from {shown}", widens=widens)


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


_WORDS = {
    "Action": "action",
    "NotAction": "excepted action",
    "Resource": "resource",
    "NotResource": "excepted resource",
    "Principal": "principal",
    "NotPrincipal": "excepted principal",
}
_MOST_SHOWN = 6


def _summary(statement: Statement) -> str:
    parts = [f"{_WORDS[element]} {_listed(values)}" for element, values in sorted(statement.elements.items()) if values]
    parts += [
        f"{code(f'{operator} {key}')} {_listed(values)}"
        for (operator, key), values in sorted(statement.conditions.items())
    ]
    return f": {'; '.join(parts)}" if parts else ""


def _listed(values: frozenset[str]) -> str:
    shown = [code(value) for value in sorted(values)[:_MOST_SHOWN]]
    more = [f"{len(values) - _MOST_SHOWN} more"] if len(values) > _MOST_SHOWN else []
    return ", ".join([*shown, *more])
