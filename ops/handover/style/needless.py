"""Leaves out what says nothing: arguments that are null, the iterator that a dynamic block has anyway, and `join` of
constant texts, which cdktf's functions write.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, Template, Verbatim, text
from ops.handover.metadata import TopLevelBlock
from ops.handover.style.local_values import with_changed_values
from terraform.templates import Interpolation, Literal

_JOIN = re.compile(r'\s*join\("([^"\\$%]*)",\s*\[\s*((?:"[^"\\$%]*",?\s*)+)\]\)\s*')
_TEXT = re.compile('"([^"]*)"')

# Null is no value for these, or means something.
_META = ("count", "for_each", "provider", "depends_on")
_OWN_MEANING = ("lifecycle", "provisioner", "connection")


def without_needless(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks without these arguments. To a provider, null is the same as no argument."""
    blocks = [with_changed_values(it, _joined) for it in blocks]
    return [replace(it, block=_changed(it.block)) if it.block.type in ("resource", "data") else it for it in blocks]


def _joined(expression: Expression) -> Expression:
    """A text with constants in place of `join` of these: `a-b` for `${join("-", ["a", "b"])}`."""
    if isinstance(expression, Verbatim):
        found = _constant(expression.source)
        return expression if found is None else text(found)
    if not isinstance(expression, Template):
        return expression
    constants = [_constant(it.source) if isinstance(it, Interpolation) else None for it in expression.parts]
    known = zip(expression.parts, constants, strict=True)
    parts = (it if constant is None else Literal(constant) for it, constant in known)
    return Template(tuple(it for it in parts if it != Literal("")))


def _constant(source: str) -> str | None:
    """What `join` of constant texts without escapes returns."""
    match = _JOIN.fullmatch(source)
    return match[1].join(_TEXT.findall(match[2])) if match else None


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
