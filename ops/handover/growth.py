"""Finds what becomes longer with the next member of a collection, from the stack that has one.

A list of a single member may be a list of all, or of this one alone. The stack with the next member tells.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, Growth, ObjectExpr, TupleExpr
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import address


def with_growth(blocks: Sequence[TopLevelBlock], larger: Sequence[TopLevelBlock]) -> list[TopLevelBlock]:
    """The blocks, where each list and object says what it has beside its items in the larger stack."""
    others = {address(it.block): it.block for it in larger if it.block.labels}
    local_values = {
        name: it for found in larger if found.block.type == "locals" for name, it in found.block.arguments.items()
    }
    others[address(Block("locals"))] = Block("locals", arguments=local_values)
    return [
        replace(it, block=_grown(it.block, others[address(it.block)])) if address(it.block) in others else it
        for it in blocks
    ]


def _grown(block: Block, other: Block) -> Block:
    arguments = {
        name: _compared(it, other.arguments[name]) if name in other.arguments else it
        for name, it in block.arguments.items()
    }
    pairs = _pairs(block.blocks, other.blocks)
    inner = tuple(own if its is None else _grown(own, its) for own, its in pairs)
    return replace(block, arguments=arguments, blocks=inner)


def _pairs(own: Sequence[Block], others: Sequence[Block]) -> Iterator[tuple[Block, Block | None]]:
    """Each nested block with the first other one that has the same arguments, but for lists and objects."""
    rest = list(others)
    for block in own:
        found = next((it for it in rest if _likeness(it) == _likeness(block)), None)
        if found is not None:
            rest.remove(found)
        yield block, found


def _likeness(block: Block) -> tuple[str, tuple[str, ...], Mapping[str, Expression]]:
    plain = {name: it for name, it in block.arguments.items() if not isinstance(it, TupleExpr | ObjectExpr)}
    return block.type, block.labels, plain


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
            new_keys = frozenset(known.keys() - {*keys}) if all(key in known for key in keys) else frozenset()
            return ObjectExpr(tuple(compared), new_keys)
    return own
