"""Reads the blocks of a file in HCL as it stands in the folder, by the grammar."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ops.handover.expressions import Syntax, file_syntax
from terraform.templates import TemplateError, rewritten

Move = tuple[str, str]
"""The old and the new address of a `moved` block."""


@dataclass(frozen=True)
class WrittenBlock:
    """A block at the top of a file.

    arguments: their expressions, as they are written, but without white space outside of strings.
    is_plain: whether it has neither comments nor blocks.
    """

    type: str
    labels: tuple[str, ...]
    arguments: Mapping[str, str]
    is_plain: bool
    text: str


def written_blocks(text: str) -> list[WrittenBlock]:
    """The blocks of a file. Of a file that is not valid, those that can be found."""
    return [_block(it) for it in _top(file_syntax(text)) if it.kind == "block"]


def is_valid_file(text: str) -> bool:
    """Whether the grammar can read all of a file."""
    return not file_syntax(text).nodes[0].has_error


def moves_in(text: str) -> dict[Move, str] | None:
    """The `moved` blocks of a file as they are written; None for a file with anything else, such as a comment."""
    top = list(_top(file_syntax(text)))
    if not is_valid_file(text) or any(it.kind != "block" for it in top):
        return None
    found: dict[Move, str] = {}
    for it in map(_block, top):
        if (it.type, it.labels) != ("moved", ()) or not it.is_plain or it.arguments.keys() != {"from", "to"}:
            return None
        found[it.arguments["from"], it.arguments["to"]] = f"{it.text}\n"
    return found


def _top(file: Syntax) -> Iterator[Syntax]:
    """What stands at the top of a file."""
    for child in file.children:
        yield from child.children if child.kind == "body" else [child]


def _block(syntax: Syntax) -> WrittenBlock:
    type_, *labels = (it.text.strip('"') for it in syntax.children if it.kind in ("identifier", "string_lit"))
    inside = [it for child in syntax.children for it in (child.children if child.kind == "body" else [child])]
    expressions = (it.children for it in inside if it.kind == "attribute")
    return WrittenBlock(
        type=type_,
        labels=tuple(labels),
        arguments={name.text: _without_space(value.text) for name, _, value in expressions},
        is_plain=not any(it.kind in ("block", "comment") for child in inside for it in child.within()),
        text=syntax.text,
    )


def _without_space(source: str) -> str:
    try:
        return rewritten(source, lambda code: re.sub(r"\s+", "", code))
    except TemplateError:
        return source
