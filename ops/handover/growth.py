"""Finds what becomes longer with the next member of a collection, from the stack that has one.

A list of a single member may be a list of all, or of this one alone. The stack with the next member tells.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, Growth, ObjectExpr, Template, TupleExpr
from ops.handover.metadata import TopLevelBlock
from ops.handover.printing import expression as written
from ops.handover.references import address
from terraform.templates import Literal


def with_growth(blocks: Sequence[TopLevelBlock], larger: Sequence[TopLevelBlock]) -> list[TopLevelBlock]:
    """The blocks, where each list and object says what it has beside its items in the larger stack."""
    others = {address(it.block): it.block for it in larger if it.block.labels}
    local_values = {
        name: it for found in larger if found.block.type == "locals" for name, it in found.block.arguments.items()
    }
    others[address(Block("locals"))] = Block("locals", arguments=local_values)
    return [
        replace(it, block=_grown(it.block, others[address(it.block)]), next_lines=_lines(others[address(it.block)]))
        if address(it.block) in others
        else it
        for it in blocks
    ]


def _lines(block: Block) -> frozenset[str]:
    """The lines of all texts in a block that have several."""
    templates = (it for it in block.expressions() if isinstance(it, Template))
    literals = (part.text for it in templates for part in it.parts if isinstance(part, Literal))
    return frozenset(line for text in literals if "\n" in text for line in text.split("\n"))


def _grown(block: Block, other: Block) -> Block:
    arguments = {
        name: _compared(it, other.arguments[name]) if name in other.arguments else it
        for name, it in block.arguments.items()
    }
    pairs = _pairs(block.blocks, other.blocks)
    inner = tuple(own if its is None else _grown(own, its) for own, its in pairs)
    return replace(block, arguments=arguments, blocks=inner)


def _pairs(own: Sequence[Block], others: Sequence[Block]) -> Iterator[tuple[Block, Block | None]]:
    """Each nested block with the first other one that it may have become: one with the same arguments or more items."""
    rest = list(others)
    for block in own:
        found = next((it for it in rest if _may_become(block, it)), None)
        if found is not None:
            rest.remove(found)
        yield block, found


def _may_become(block: Block, other: Block) -> bool:
    return (block.type, block.labels, block.arguments.keys()) == (
        other.type,
        other.labels,
        other.arguments.keys(),
    ) and all(_is_in(it, other.arguments[name]) for name, it in block.arguments.items())


def _is_in(own: Expression, other: Expression) -> bool:
    """Whether an expression is the same as another one, or a list of which the other one has all items."""
    match own, other:
        case TupleExpr(items), TupleExpr(others):
            return {*items} <= {*others}
        case ObjectExpr(), ObjectExpr():
            return True
    return own == other


def _compared(own: Expression, other: Expression) -> Expression:
    """The expression with what the other one has more, if that has all of it."""
    match own, other:
        case TupleExpr(items), TupleExpr(others):
            if len(items) == len(others):
                return TupleExpr(tuple(_compared(*it) for it in zip(items, others, strict=True)))
            more = frozenset(others) - frozenset(items)
            return TupleExpr(items, Growth(items, more)) if more and {*items} <= {*others} else own
        case ObjectExpr(items), ObjectExpr(others):
            known = {key.text: it for key, it in others if key.text is not None}
            keys = [key.text for key, _ in items]
            compared = ((key, _compared(it, known.get(key.text or "", it))) for key, it in items)
            new_keys = known.keys() - {*keys} if all(key in known for key in keys) else set()
            alike = (
                key for key in new_keys if any(known[key] == it or is_next(known[key], it, key) for _, it in items)
            )
            empty = (key for key in new_keys if known[key] == TupleExpr(()))
            return ObjectExpr(tuple(compared), frozenset(new_keys), frozenset(alike), frozenset(empty))
    return own


def is_next(item: Expression, own: Expression, key: str) -> bool:
    """Whether an item differs from another one in a part alone, where it has the key."""
    source, other = written(item), written(own)
    ends = ((source[: it.start()], source[it.end() :]) for it in re.finditer(re.escape(key), source))
    return any(
        other.startswith(before) and other.endswith(behind) and len(other) > len(before) + len(behind)
        for before, behind in ends
    )
