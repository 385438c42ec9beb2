"""Shows the statements of IAM policies, and how they differ, as Markdown."""

from collections.abc import Iterable

from iam.comparison import Element, StatementDifference, elements
from iam.statements import Condition, Statement
from ops.review.text import code
from ops.review.translatable import Joined, said

_WORDS: dict[Element, str] = {
    "Action": "action",
    "NotAction": "excepted action",
    "Resource": "resource",
    "NotResource": "excepted resource",
    "Principal": "principal",
    "NotPrincipal": "excepted principal",
    "Version": "version",
}
_CONDITION_ADDED = "{statement}: condition {condition} of {values} added"
_CONDITION_REMOVED = "{statement}: condition {condition} of {values} removed"
_VALUE_ADDED = "{statement}: {value} added to condition {condition}"
_VALUE_REMOVED = "{statement}: {value} removed from condition {condition}"
_MOST_SHOWN = 6
_LONGEST_BRIEF = 40  # characters of a value


def name(statement: Statement) -> str:
    """How people find a statement in its policy."""
    effect = "Allow" if statement.allows else "Deny"
    if statement.sid:
        return f"{code(statement.sid)} ({effect})"
    return said("{effect} of {actions}", effect=effect, actions=_listed(statement.actions))


def difference(found: StatementDifference) -> str:
    """One difference between two policies."""
    statement, part = name(found.statement), found.part
    if part is None:
        template = "{statement} is new: {summary}" if found.is_added else "{statement} is gone: {summary}"
        return said(template, statement=statement, summary=_summary(found.statement))
    if not isinstance(part, Condition):
        return _part(found, statement, code(found.value or ""))
    condition = code(part.written)
    if found.value is None:
        template = _CONDITION_ADDED if found.is_added else _CONDITION_REMOVED
        return said(template, statement=statement, condition=condition, values=_listed(part.values))
    template = _VALUE_ADDED if found.is_added else _VALUE_REMOVED
    return said(template, statement=statement, value=code(found.value), condition=condition)


def brief(found: StatementDifference) -> str:
    """One difference between two policies, without the values of a whole statement or condition."""
    statement, part = name(found.statement), found.part
    if part is None:
        return said("{statement} is new" if found.is_added else "{statement} is gone", statement=statement)
    value = code(found.value or "", most=_LONGEST_BRIEF)
    if not isinstance(part, Condition):
        return _part(found, statement, value)
    if found.value is None:
        template = (
            "{statement}: condition {condition} added"
            if found.is_added
            else "{statement}: condition {condition} removed"
        )
        return said(template, statement=statement, condition=code(part.written))
    template = "{statement}: {value} added to {key}" if found.is_added else "{statement}: {value} removed from {key}"
    return said(template, statement=statement, value=value, key=code(part.written_key))


def _part(found: StatementDifference, statement: str, value: str) -> str:
    template = "{statement}: {element} {value} added" if found.is_added else "{statement}: {element} {value} removed"
    element = said(_WORDS[found.part]) if found.part in _WORDS else ""
    return said(template, statement=statement, element=element, value=value)


def _summary(statement: Statement) -> str:
    return Joined(
        "; ",
        (
            *(
                Joined(" ", (said(_WORDS[element]), _listed(values)))
                for element, values in sorted(elements(statement).items())
            ),
            *(Joined(" ", (code(found.written), _listed(found.values))) for found in statement.conditions),
        ),
    )


def _listed(values: Iterable[str]) -> str:
    found = sorted(values)
    more = [said("{number} more", number=len(found) - _MOST_SHOWN)] if len(found) > _MOST_SHOWN else []
    return Joined(", ", [*map(code, found[:_MOST_SHOWN]), *more])
