"""Writes how a stack's names begin once, as `local.name`: `name = "${local.name}-alerts"`."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ops.handover.hcl import Block, Expression, ObjectExpr, Template
from ops.handover.metadata import TopLevelBlock
from ops.handover.style.local_values import local_values, with_changed_values, with_local_values
from terraform.templates import Interpolation, Literal, Part

_LOCAL = "name"
_LEAST_USES = 4

_ARGUMENT = re.compile(r"name|\w+_name|Name|bucket")
_BEGINNING = re.compile(r"[A-Za-z][\w.]*-[\w.]+")


def with_name(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with a reference in place of the words with which most names begin, wherever these words stand."""
    beginning = beginning_of_names(blocks)
    if beginning is None or _LOCAL in local_values(blocks):
        return blocks
    # A sign in front of a reference would escape it.
    word = re.compile(rf"(?<![\w.$%-]){re.escape(beginning)}(?![\w.])")

    def change(it: Expression) -> Expression:
        if not isinstance(it, Template) or any(isinstance(part, Literal) and " " in part.text for part in it.parts):
            return it
        return Template(tuple(part for old in it.parts for part in _changed(old, word)))

    changed = [with_changed_values(found, change) for found in blocks]
    return with_local_values(changed, {_LOCAL: Template((Literal(beginning),))})


def beginning_of_names(blocks: Sequence[TopLevelBlock]) -> str | None:
    """The words with which most names of a stack's resources begin."""
    return _beginning([it for found in blocks if found.block.type == "resource" for it in _names(found.block)])


def _changed(part: Part, word: re.Pattern[str]) -> Iterator[Part]:
    if not isinstance(part, Literal):
        yield part
        return
    first, *others = word.split(part.text)
    yield from [Literal(first)] * bool(first)
    for it in others:
        yield Interpolation(f"local.{_LOCAL}")
        yield from [Literal(it)] * bool(it)


def _beginning(names: Sequence[str]) -> str | None:
    """The longest beginning of all names that begin with the most frequent two words."""
    uses = Counter(it for name in names for it in _beginnings(name))
    short = {it: count for it, count in uses.items() if it.count("-") == 1}
    if not short or max(short.values()) < _LEAST_USES:
        return None
    # The first in the alphabet, where two are as frequent.
    best = min(short, key=lambda it: (-short[it], it))
    return max((it for it in uses if it.startswith(best) and uses[it] == short[best]), key=len)


def _beginnings(name: str) -> Iterator[str]:
    words = name.split("-")
    if _BEGINNING.match(name):
        yield from ("-".join(words[:count]) for count in range(2, len(words) + 1) if words[count - 1])


def _names(block: Block) -> Iterator[str]:
    """The texts with which a resource's names begin, up to a reference."""
    for argument, value in block.arguments.items():
        match value:
            case Template(parts=(Literal(text), *rest)) if _ARGUMENT.fullmatch(argument):
                # What stands before a reference is whole up to its last hyphen.
                yield text.rpartition("-")[0] if rest else text
            case ObjectExpr(items):
                yield from _names(Block("", arguments={key.text: it for key, it in items if key.text}))
    for inner in block.blocks:
        yield from _names(inner)
