"""Aligns the nested blocks of similar resources; one that only some have becomes dynamic."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, Template, Verbatim
from ops.handover.names import identifier
from ops.handover.references import addresses_in
from ops.handover.scopes import hides

# The first of these arguments with a constant text tells blocks of one type apart.
_NAMES = ("sid", "name", "id", "type", "variable", "key")

# Terraform's own blocks cannot be dynamic.
_NEVER_DYNAMIC = {"lifecycle", "provisioner", "connection", "dynamic", "content", "precondition", "postcondition"}

_Identity = tuple[str, tuple[str, ...], str, int]
_Row = list[Block | None]


def aligned(members: Sequence[Block | None]) -> list[_Row] | None:
    """Rows of nested blocks that are alike, one for each member or None, in an order that suits all; else None."""
    present = [it for it in members if it is not None]
    shapes = [[(it.type, it.labels) for it in member.blocks] for member in present]
    if all(shape == shapes[0] for shape in shapes):
        return [
            [None if member is None else member.blocks[index] for member in members] for index in range(len(shapes[0]))
        ]
    columns = [{} if member is None else _by_identity(member.blocks) for member in members]
    order: list[_Identity] = []
    for column in columns:
        position = 0
        for identity in column:
            if identity in order:
                if order.index(identity) < position:
                    return None
                position = order.index(identity) + 1
            else:
                order.insert(position, identity)
                position += 1
    return [[column.get(identity) for column in columns] for identity in order]


def dynamic(block: Block, present: Sequence[bool]) -> tuple[Block, str, tuple[Expression, ...]] | None:
    """A dynamic block in place of one that only some members have, the value that decides, and its name."""
    name = word(block)
    content = replace(block, type="content", comments=())
    chosen = Verbatim(f"each.value.{name} ? [1] : []")
    made = Block("dynamic", (block.type,), block.comments, {"for_each": chosen}, (content,))
    roots = (it.partition(".")[0] for it in addresses_in(content))
    if block.type in _NEVER_DYNAMIC or hides(made, roots):
        return None
    return made, name, tuple(Verbatim("true" if it else "false") for it in present)


def word(block: Block) -> str:
    """A nested block's name in snake case: `DecryptSshKey` as `decrypt_ssh_key`. Without a name it is the type."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _name(block) or block.type)
    return identifier(words.lower())


def _by_identity(blocks: Sequence[Block]) -> dict[_Identity, Block]:
    found: dict[_Identity, Block] = {}
    for block in blocks:
        number = 0
        while (identity := (block.type, block.labels, _name(block), number)) in found:
            number += 1
        found[identity] = block
    return found


def _name(block: Block) -> str:
    names = (block.arguments.get(name) for name in _NAMES)
    return next((it.text for it in names if isinstance(it, Template) and it.text), "")
