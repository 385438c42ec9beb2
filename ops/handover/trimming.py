"""Removes trim markers (`~`) from templates, and the text that they remove.

A marker removes the white space next to it on its own line, and the line's end. In a quoted string, where no line ends,
the same marker would also remove the white space of the lines before or after it.
https://developer.hashicorp.com/terraform/language/expressions/strings#whitespace-stripping
"""

import re
from collections.abc import Sequence

from terraform.templates import Interpolation, Literal, Part

# What Go's unicode.IsSpace accepts. Python's str.isspace also accepts \x1c to \x1f.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def without_trim_markers(parts: Sequence[Part]) -> tuple[Part, ...]:
    """A template that evaluates to the same value."""
    found = [_trimmed(parts, index) for index in range(len(parts))]
    kept = tuple(part for part in found if part != Literal(""))
    if len(kept) == 1 < len(found) and isinstance(kept[0], Interpolation):
        # Alone it would keep its own type; with text around it, even if that is removed, it becomes a string.
        return (Literal(" "), Interpolation(f"~{kept[0].source}"))
    return kept


def _trimmed(parts: Sequence[Part], index: int) -> Part:
    part = parts[index]
    if not isinstance(part, Literal):
        source = part.source
        return type(part)(source[source.startswith("~") : len(source) - source.endswith("~")])
    lines = re.findall(r"[^\n]*\n|[^\n]+", part.text)
    before = parts[index - 1] if index else part
    after = parts[index + 1] if index + 1 < len(parts) else part
    if not isinstance(before, Literal) and before.source.endswith("~"):
        lines[0] = lines[0].lstrip(_SPACE)
    if not isinstance(after, Literal) and after.source.startswith("~"):
        lines[-1] = lines[-1].rstrip(_SPACE)
    return Literal("".join(lines))
