"""Shows the statements of IAM policies, and how they differ, as Markdown."""

from collections.abc import Iterable

from iam.comparison import Element, StatementDifference, elements
from iam.statements import Condition, Statement
from ops.review.text import code

_WORDS: dict[Element, str] = {
    "Action": "action",
    "NotAction": "excepted action",
    "Resource": "resource",
    "NotResource": "excepted resource",
    "Principal": "principal",
    "NotPrincipal": "excepted principal",
    "Version": "version",
}
_MOST_SHOWN = 6
_LONGEST_BRIEF = 40  # characters of a value


def name(statement: Statement) -> str:
    """How people find a statement in its policy."""
    effect = "Allow" if statement.allows else "Deny"
    return f"{code(statement.sid)} ({effect})" if statement.sid else f"{effect} of {_listed(statement.actions)}"


def difference(found: StatementDifference) -> str:
    """One difference between two policies."""
    statement, part = name(found.statement), found.part
    direction = "added" if found.is_added else "removed"
    if part is None:
        return f"{statement} is {'new' if found.is_added else 'gone'}: {_summary(found.statement)}"
    if not isinstance(part, Condition):
        return f"{statement}: {_WORDS[part]} {code(found.value or '')} {direction}"
    condition = f"condition {code(part.written)}"
    if found.value is None:
        return f"{statement}: {condition} of {_listed(part.values)} {direction}"
    return f"{statement}: {code(found.value)} {direction} {'to' if found.is_added else 'from'} {condition}"


def brief(found: StatementDifference) -> str:
    """One difference between two policies, without the values of a whole statement or condition."""
    statement, part = name(found.statement), found.part
    direction = "added" if found.is_added else "removed"
    if part is None:
        return f"{statement} is {'new' if found.is_added else 'gone'}"
    value = code(found.value or "", most=_LONGEST_BRIEF)
    if not isinstance(part, Condition):
        return f"{statement}: {_WORDS[part]} {value} {direction}"
    if found.value is None:
        return f"{statement}: condition {code(part.written)} {direction}"
    return f"{statement}: {value} {direction} {'to' if found.is_added else 'from'} {code(part.written_key)}"


def _summary(statement: Statement) -> str:
    return "; ".join(
        (
            *(f"{_WORDS[element]} {_listed(values)}" for element, values in sorted(elements(statement).items())),
            *(f"{code(condition.written)} {_listed(condition.values)}" for condition in statement.conditions),
        )
    )


def _listed(values: Iterable[str]) -> str:
    found = sorted(values)
    more = [f"{len(found) - _MOST_SHOWN} more"] if len(found) > _MOST_SHOWN else []
    return ", ".join([*map(code, found[:_MOST_SHOWN]), *more])
