"""Where the README of a stack says that something is added, changed or removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ops.handover.hcl import Block
from ops.handover.references import address


@dataclass(frozen=True, kw_only=True)
class EditPlace:
    """`name` in `file` lists all of `what`: `local.mirrors` in `locals.tf` lists the mirrors."""

    file: str
    name: str
    what: str


def located(names: Iterable[tuple[str, str]], files: Mapping[str, Sequence[Block]]) -> list[EditPlace]:
    """The places for pairs of a name and what it lists, where the name is an address or that of a local value."""
    where = {address(block): file for file, blocks in files.items() for block in blocks}
    for file, blocks in files.items():
        where |= {f"local.{name}": file for block in blocks if block.type == "locals" for name in block.arguments}
    return [EditPlace(file=where[name], name=name, what=what) for name, what in names if name in where]
