"""Aligns the nested blocks of similar resources; one that only some have becomes dynamic."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from ops.handover.hcl import NULL, Block, Expression, Template, TupleExpr, Verbatim, within
from ops.handover.known_values import is_certain
from ops.handover.names import identifier
from ops.handover.printing import expression as written
from ops.handover.references import addresses_in
from ops.handover.scopes import hides

# The first of these arguments with a constant text tells blocks of one type apart.
_NAMES = ("sid", "name", "id", "type", "variable", "key")

# What a name such as `aws:SourceIp` means is up to the provider. Blocks with different ones are different things.
_KINDS = ("variable",)

# Ids that AWS gives, and networks: they are of one thing, or of one place.
_OWN = re.compile(r"[a-z]+-[0-9a-f]{8}([0-9a-f]{9})?|\d+(\.\d+){3}/\d+")

# Terraform's own blocks cannot be dynamic.
_NEVER_DYNAMIC = {"lifecycle", "provisioner", "connection", "dynamic", "content", "precondition", "postcondition"}

_Identity = tuple[str, tuple[str, ...], str, int]
_Row = list[Block | None]


def aligned(members: Sequence[Block | None]) -> list[_Row] | None:
    """Rows of nested blocks that are alike, one for each member or None, in an order that suits all; else None."""
    present = [it for it in members if it is not None]
    shapes = [[(it.type, it.labels) for it in member.blocks] for member in present]
    if all(shape == shapes[0] for shape in shapes) and not _are_of_kinds(present):
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


def _are_of_kinds(members: Sequence[Block]) -> bool:
    """Whether blocks at the same position have different names that the provider gives."""
    return any(
        len({_text(it, name) for it in column}) > 1
        for column in zip(*(member.blocks for member in members), strict=True)
        for name in _KINDS
    )


def is_own(expression: Expression, key: str) -> bool:
    """Whether a value is one member's own, by what it looks like: an id, a network, or a variable with its key."""
    match expression:
        case TupleExpr(items):
            return any(is_own(it, key) for it in items)
        case Template() if expression.text is not None:
            return bool(_OWN.fullmatch(expression.text))
        case Template() if expression.expression is not None:
            name = expression.expression.removeprefix("var.")
            return name != expression.expression and f"_{identifier(key)}_" in f"_{name}_"
    return False


def ids_in(expression: Expression) -> Iterator[str]:
    """The texts in a value that are ids of one thing, or networks."""
    return (it.text for it in within(expression) if isinstance(it, Template) and it.text and _OWN.fullmatch(it.text))


def names_a_member(block: Block, keys: Iterable[str]) -> bool:
    """Whether a nested block has an id or a network, or the name of a member with one of these keys."""
    names = [re.escape(name) for key in keys for name in (key, identifier(key))]
    own = re.compile(rf"(?<![\w.-])({_OWN.pattern})(?![\w.-])|{'|'.join(names)}")
    return any(own.search(written(it)) for it in block.expressions())


def deciding(
    block: Block, present: Sequence[bool], values: Mapping[str, Sequence[Expression]], variables: Set[str]
) -> str | None:
    """The first of these values in a block that is null for exactly those without it, whatever people's values are.

    `variables` are those that are never null.
    """
    for it in block.arguments.values():
        name = it.source.removeprefix("each.value.") if isinstance(it, Verbatim) else ""
        found = values.get(name, ())
        if [one != NULL for one in found] == list(present) and all(is_certain(one, variables) for one in found):
            return name
    return None


def dynamic(
    block: Block, present: Sequence[bool], own: str | None = None
) -> tuple[Block, str, tuple[Expression, ...]] | None:
    """A dynamic block in place of one that only some members have, the value that decides, and its name.

    `own` is the name of a value in the block that is null for members without it: then it decides.
    """
    name = word(block)
    content = replace(block, type="content", comments=())
    chosen = Verbatim(f"each.value.{name} ? [1] : []" if own is None else f"each.value.{own} == null ? [] : [1]")
    made = Block("dynamic", (block.type,), block.comments, {"for_each": chosen}, (content,))
    roots = (it.partition(".")[0] for it in addresses_in(content))
    if block.type in _NEVER_DYNAMIC or hides(made, roots):
        return None
    return made, name, tuple(Verbatim("true" if it else "false") for it in present)


def word(block: Block) -> str:
    """A nested block's name in snake case: `DecryptSshKey` as `decrypt_ssh_key`. Without a name it is the type."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", (_name(block) or block.type).removeprefix("aws:"))
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
    return next((text for name in _NAMES if (text := _text(block, name))), "")


def _text(block: Block, name: str) -> str:
    it = block.arguments.get(name)
    return (it.text or "") if isinstance(it, Template) else ""
