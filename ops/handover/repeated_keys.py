"""Finds names that stand twice in one block or object of HCL, which a merge by lines can cause."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ops.handover.expressions import Syntax, file_syntax

_UNIQUE = {"resource", "data", "ephemeral", "variable", "output", "module", "check"}
"""Top-level blocks of which a stack has one for all their labels."""

_Place = tuple[str, ...]


@dataclass(frozen=True)
class Repetition:
    """A name with the lines of its first and its second place, counted from 0; the last line is included."""

    name: str
    first: tuple[int, int]
    second: tuple[int, int]


def repeated(text: str, *others: str) -> Iterator[Repetition]:
    """The names that stand twice in one block or object of `text`, and do not in one of the `others`."""
    known = {place for other in others for place, found in _lines(text=other).items() if len(found) > 1}
    now = _lines(text)
    twice = {place for place, lines in now.items() if len(lines) > 1}
    for place, lines in now.items():
        is_outermost = not any(place[:length] in twice for length in range(1, len(place)))
        if place in twice and place not in known and is_outermost:
            yield Repetition(place[-1], lines[0], lines[1])


def _lines(text: str) -> dict[_Place, list[tuple[int, int]]]:
    """The lines of each name, by the names around it and its own."""
    found: dict[_Place, list[tuple[int, int]]] = defaultdict(list)
    for place, syntax in _named(file_syntax(text), ()):
        node = syntax.nodes[0]
        found[place].append((node.start_point.row, node.end_point.row))
    return found


def _named(syntax: Syntax, place: _Place) -> Iterator[tuple[_Place, Syntax]]:
    inner = place
    match syntax:
        case Syntax(kind="attribute" | "object_elem", children=[name, *_]):
            inner = (*place, name.text.strip('"'))
            yield inner, syntax
        case Syntax(kind="block"):
            head = [it.text.strip('"') for it in syntax.children if it.kind in ("identifier", "string_lit")]
            inner = (*place, " ".join(head))
            if not place and head[0] in _UNIQUE:
                yield inner, syntax
            else:
                inner = (*inner, str(syntax.nodes[0].start_point.row))  # blocks of one type may follow each other
    for child in syntax.children:
        yield from _named(child, inner)
