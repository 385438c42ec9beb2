"""What the expressions of several members have in common."""

import re
from collections.abc import Sequence
from typing import TypeVar

from ops.handover.hcl import Expression, FunctionCall, ObjectExpr, Template, TupleExpr
from ops.handover.json_strings import as_jsonencode
from ops.handover.names import identifier

# Arguments whose names say little without the block that they are in.
GENERIC = {
    "actions",
    "arn",
    "id",
    "identifiers",
    "key",
    "name",
    "resources",
    "test",
    "type",
    "value",
    "values",
    "variable",
}

# A line of a text such as `NAME: "value"` or `export NAME=value`, up to the value.
_NAMED_LINE = re.compile(r"""(\s*(?:export |- )?([A-Za-z_]\w*)\s*[:=]\s*["']?)""", re.ASCII)

_Kind = TypeVar("_Kind")
_Column = tuple[tuple[Template, ...], tuple[Expression, ...]]


def all_of(kind: type[_Kind], members: Sequence[object]) -> list[_Kind]:
    """The members, if all are of this kind; otherwise nothing."""
    found = [it for it in members if isinstance(it, kind)]
    return found if len(found) == len(members) else []


def are_same_set(members: Sequence[Expression]) -> bool:
    """Whether all are tuples that differ in the order of their items at most."""
    tuples = all_of(TupleExpr, members)
    return bool(tuples) and len({frozenset(it.items) for it in tuples}) == 1


def jsonencoded(members: Sequence[Expression]) -> list[FunctionCall]:
    """The members as `jsonencode(…)`, each of which evaluates to exactly the same string; nothing if one cannot be."""
    calls = [as_jsonencode(it) for it in members if isinstance(it, Template)]
    found = [it for it in calls if it is not None]
    return found if len(found) == len(members) else []


def columns_of(members: Sequence[ObjectExpr]) -> list[_Column]:
    """The keys and the values that belong together: those of one name, then the others as they follow each other.

    Nothing if the objects differ in size.
    """
    if len({len(it.items) for it in members}) != 1:
        return []
    common = [key for key, _ in members[0].items if all(key in dict(it.items) for it in members)]
    named: list[_Column] = [((key,) * len(members), tuple(dict(it.items)[key] for it in members)) for key in common]
    others = zip(*([it for it in member.items if it[0] not in common] for member in members), strict=True)
    return [*named, *((tuple(key for key, _ in row), tuple(value for _, value in row)) for row in others)]


def named_line(column: Sequence[str]) -> tuple[str, str, str] | None:
    """Of lines `NAME: "value"` that differ in the value alone: what is in front of it, its name, and what is behind."""
    named = _NAMED_LINE.match(column[0])
    if named is None or not all(line.startswith(named[1]) for line in column):
        return None
    end = next((quote for quote in "\"'" if all(line.endswith(quote) for line in column)), "")
    if any(len(line) < len(named[1]) + len(end) for line in column):
        return None
    return named[1], identifier(named[2].lower()), end
