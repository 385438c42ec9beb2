"""Finds lines of a text that are the same for every key of a local value, and writes them as a loop.

The lines `"batch": "known",` and `"website": "known",` become one line between `%{ for mirror in mirrors ~}` and
`%{ endfor ~}` in a template file, whose variable `mirrors` has the keys of `local.mirrors`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.handover.by_key import text_by_key
from ops.handover.hcl import Template
from ops.handover.strings import has_doubled_signs
from terraform.templates import Interpolation, Literal, Part, escaped


@dataclass(frozen=True, kw_only=True)
class KeyList:
    """The keys of a local value that blocks iterate over: in Terraform's order, and the expression of all of them.

    value_name, values: what else a line may have: one text for each key. expression_with_values: the map of both.
    next_key: the key of an example of the next member, which the lines of the stack with it have, too: `next_lines`.
    """

    name: str
    key_name: str
    keys: Sequence[str]
    expression: str
    value_name: str = ""
    values: Sequence[str] = ()
    expression_with_values: str = ""
    next_key: str = ""
    next_lines: frozenset[str] = frozenset()

    @property
    def texts(self) -> Mapping[str, Sequence[str]]:
        """What lines may have, by the loop's variables."""
        return {self.key_name: self.keys} | ({self.value_name: self.values} if self.value_name else {})


@dataclass(frozen=True, kw_only=True)
class Loop:
    """A text with a loop over a list of keys: the template's pieces before, within and after it.

    has_values: whether the lines have what belongs to the keys, too.
    """

    over: KeyList
    before: Sequence[Part]
    line: str
    after: Sequence[Part]
    has_values: bool

    @property
    def expression(self) -> str:
        """What the template gets as the list's name."""
        return self.over.expression_with_values if self.has_values else self.over.expression

    @property
    def opening(self) -> str:
        """The line that the loop starts with. The marker `~` removes the line's end."""
        names = f"{self.over.key_name}, {self.over.value_name}" if self.has_values else self.over.key_name
        return f"%{{ for {names} in {self.over.name} ~}}\n"

    @property
    def closing(self) -> str:
        """The line that it ends with."""
        return "%{ endfor ~}\n"


def looped(template: Template, lists: Sequence[KeyList]) -> Loop | None:
    """The text with a loop in place of the first lines, one for each key of a list, that differ in the key alone."""
    for index, part in enumerate(template.parts):
        if not isinstance(part, Literal) or has_doubled_signs(part) or "\r" in part.text:
            continue
        lines = part.text.splitlines(keepends=True) if not _has_other_line_ends(part.text) else []
        for start, over in _places(lines, lists, is_first=index == 0):
            end = start + len(over.keys)
            line = text_by_key([it[:-1] for it in lines[start:end]], over.texts)
            if line is not None and Interpolation(over.key_name) in line and _goes_on(line, over):
                return Loop(
                    over=over,
                    before=[*template.parts[:index], *_literal(lines[:start])],
                    line="".join(escaped(it.text) if isinstance(it, Literal) else f"${{{it.source}}}" for it in line),
                    after=[*_literal(lines[end:]), *template.parts[index + 1 :]],
                    has_values=Interpolation(over.value_name) in line,
                )
    return None


def _goes_on(line: Sequence[Part], over: KeyList) -> bool:
    """Whether the next member has such a line, as far as it is known."""
    text = "".join(it.text if isinstance(it, Literal) else over.next_key for it in line)
    return not over.next_key or text in over.next_lines


def _places(lines: Sequence[str], lists: Sequence[KeyList], *, is_first: bool) -> Iterator[tuple[int, KeyList]]:
    """The whole lines that may be those of a list: each has its key."""
    # The first line may go on behind an expression.
    for start in range(not is_first, len(lines)):
        for over in lists:
            rows = lines[start : start + len(over.keys)]
            if len(rows) == len(over.keys) and all(
                key in row and row.endswith("\n") for key, row in zip(over.keys, rows, strict=True)
            ):
                yield start, over


def _literal(lines: Sequence[str]) -> list[Part]:
    return [Literal("".join(lines))] if lines else []


def _has_other_line_ends(text: str) -> bool:
    return re.search("[\v\f\x1c-\x1e\x85\u2028\u2029]", text) is not None
