"""Writes the local values of a file as one block: those that others refer to first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, ObjectExpr, Template, Verbatim
from ops.handover.references import addresses_in

_FIRST = ("name", "title", "description")
_FLAGS = (Verbatim("true"), Verbatim("false"))


def with_one_locals_block(blocks: Sequence[Block]) -> list[Block]:
    """A file's blocks with one block of local values, where the first stood. Those with comments stay apart."""
    found = [it for it in blocks if it.type == "locals" and not it.comments and not it.reason]
    if not found:
        return list(blocks)
    values = {name: _with_ordered_members(value) for block in found for name, value in block.arguments.items()}
    one = replace(found[0], arguments={name: values[name] for name in _in_order(values)})
    return [one if it is found[0] else it for it in blocks if it is found[0] or not any(it is other for other in found)]


def _in_order(values: Mapping[str, Expression]) -> list[str]:
    """The names, each after those that its value refers to, and otherwise as they are."""
    ordered: dict[str, None] = {}
    seen: set[str] = set()

    def write(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        referred = addresses_in(Block("locals", arguments={name: values[name]}))
        for needed in values:
            if f"local.{needed}" in referred:
                write(needed)
        ordered[name] = None

    for name in values:
        write(name)
    return list(ordered)


def _with_ordered_members(value: Expression) -> Expression:
    """A map of objects that are alike, with what describes each object first, and its flags last."""
    if not isinstance(value, ObjectExpr) or not value.items:
        return value
    members = [it for _, it in value.items if isinstance(it, ObjectExpr)]
    shapes = {tuple(key for key, _ in it.items) for it in members}
    if len(members) < len(value.items) or len(shapes) > 1:
        return value
    flags = {key for member in members for key, it in member.items if it in _FLAGS}
    return ObjectExpr(
        tuple(
            (name, ObjectExpr(tuple(sorted(it.items, key=lambda item: _rank(item[0], flags)))))
            for name, it in value.items
            if isinstance(it, ObjectExpr)
        )
    )


def _rank(key: Template, flags: set[Template]) -> int:
    if key.text in _FIRST:
        return _FIRST.index(key.text)
    return len(_FIRST) + (key in flags)
