"""Orders a block's arguments as people write them: what it belongs to, what it is, then what it does."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.handover.hcl import Block, Expression, ObjectExpr, Template, Verbatim

_FILE = Path(__file__).with_name("argument_order.json")


def in_usual_order(block: Block, names: Sequence[str], path: str) -> list[str]:
    """These arguments of a block in their usual order; those of which none is known keep theirs.

    `path` names the block: its type, and those of the blocks within that lead to it.
    """
    types, others = _data().types, _data().others
    if path in types:
        return sorted(names, key=lambda it: types[path].get(it, len(types[path])))
    own_type = path.partition("/")[0]
    unknown = others["*"]

    def rank(name: str) -> tuple[int, int]:
        known = others.get(name, unknown)
        belongs = known > others["variable"] and _is_part_of(block.arguments[name], own_type)
        return (others["variable"] if belongs else known), belongs

    return sorted(names, key=rank)


def path_of(block: Block, around: str = "") -> str:
    """The path of a block within the block that has the path `around`."""
    if block.type == "content":
        return around
    own = block.labels[0] if block.type in ("resource", "data", "ephemeral", "dynamic") else block.type
    return f"{around}/{own}" if around else own


def with_usual_keys(value: Expression) -> Expression:
    """An object of JSON, of which the order has no meaning, with its keys in their usual order."""
    if not isinstance(value, ObjectExpr):
        return value
    ranks = _data().in_json
    return ObjectExpr(tuple(sorted(value.items, key=lambda item: ranks.get(item[0].text or "", len(ranks)))))


def _is_part_of(value: Expression, type: str) -> bool:
    """Whether a value refers to what resources of this type are parts of: its type is the beginning of theirs."""
    match value:
        case Verbatim(source):
            referred = source
        case Template():
            referred = value.expression or ""
        case _:
            return False
    referred = referred.removeprefix("data.").partition(".")[0]
    return "_" in referred and type.startswith(f"{referred}_")


@dataclass(frozen=True, kw_only=True)
class _Orders:
    """The rank of each argument, by type, and in other types; and that of keys in JSON."""

    types: Mapping[str, Mapping[str, int]]
    others: Mapping[str, int]
    in_json: Mapping[str, int]


@functools.cache
def _data() -> _Orders:
    data: Mapping[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return _Orders(
        types={path: _ranks(order) for path, order in data["types"].items()},
        others=_ranks(" ".join(data["others"])),
        in_json=_ranks(data["keys_in_json"]),
    )


def _ranks(order: str) -> dict[str, int]:
    return {name: rank for rank, name in enumerate(order.split())}
