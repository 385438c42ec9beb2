"""Shows how values change, as Markdown: short ones on one line, long texts as a diff."""

from collections.abc import Sequence
from textwrap import indent

from ops.review.differences import AttributeDifference, differences
from ops.review.long_texts import changed_lines, is_long, shortened
from ops.review.rule import ReviewedChange
from ops.review.text import block, code, count
from ops.review.text import change as changed
from ops.review.translatable import Joined, said
from terraform.plan_values import KnownAfterApply

_MOST_ATTRIBUTES = 8
_MOST_LINES = 40


def configured_differences(change: ReviewedChange) -> list[AttributeDifference]:
    """What changes, without the attributes that AWS alone decides: before an apply they are always unknown."""
    return [
        found
        for found in differences(change)
        if not isinstance(found.after, KnownAfterApply) or change.is_configured(found.name)
    ]


def listed(found: Sequence[AttributeDifference]) -> list[str]:
    """An entry for each of the first differences, and one that counts the others."""
    entries = [shown(difference) for difference in found[:_MOST_ATTRIBUTES]]
    more = len(found) - _MOST_ATTRIBUTES
    return [*entries, said("and {attributes} more", attributes=count(more, "attribute"))] if more > 0 else entries


def shown(found: AttributeDifference) -> str:
    """One difference; a text of many lines becomes a diff below the name."""
    if not is_text(found):
        return Joined(": ", (code(found.path), changed(found.before, found.after)))
    lines = shortened(changed_lines(found.before, found.after), _MOST_LINES)
    if not lines:
        return said("{attribute}: the same text, written differently", attribute=code(found.path))
    diff = block("\n".join(lines), "diff")
    return f"{code(found.path)}:\n{diff}"


def is_text(found: AttributeDifference) -> bool:
    """Whether a text of many lines changes, and both sides are known."""
    sides = (found.before, found.after)
    return any(map(is_long, sides)) and all(isinstance(side, str | None) for side in sides)


def items(entries: Sequence[str]) -> str:
    """Entries as a list below an item of another list; each line after the first of an entry is indented."""
    inside = (indent(entry, "    ").lstrip() if "\n" in entry else entry for entry in entries)
    return Joined("", (part for entry in inside for part in ("\n  - ", entry)))
