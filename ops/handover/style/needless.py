"""Leaves out what says nothing: arguments that are null, and the iterator that a dynamic block has anyway."""

from collections.abc import Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Template, Verbatim
from ops.handover.metadata import TopLevelBlock
from terraform.templates import Interpolation

# Null is no value for these, or means something.
_META = ("count", "for_each", "provider", "depends_on")
_OWN_MEANING = ("lifecycle", "provisioner", "connection")


def without_needless(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks without these arguments. To a provider, null is the same as no argument."""
    return [replace(it, block=_changed(it.block)) if it.block.type in ("resource", "data") else it for it in blocks]


def _changed(block: Block) -> Block:
    arguments = {name: it for name, it in block.arguments.items() if name in _META or _source(it) != "null"}
    if block.type == "dynamic" and _source(block.arguments.get("iterator")) == block.labels[0]:
        del arguments["iterator"]
    return replace(
        block,
        arguments=arguments,
        blocks=tuple(it if it.type in _OWN_MEANING else _changed(it) for it in block.blocks),
    )


def _source(value: object) -> str | None:
    match value:
        case Verbatim(source) | Template(parts=(Interpolation(source),)):
            return source
    return None
