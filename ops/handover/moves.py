"""The `moved` blocks that keep a state's resources, whichever of its addresses a resource has there.

A resource may still have the address that it has in the JSON, one that an earlier handover gave it, or one that a
`moved` block in the JSON leads from. All of these form one line that ends at the address in the HCL.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from errors import Problem, RefusedError
from ops.handover.addresses import is_of_data, is_whole, place, split
from ops.handover.given import Given
from ops.handover.hcl import Block, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import address


def moved_blocks(blocks: Sequence[TopLevelBlock], steps: Mapping[str, str]) -> list[TopLevelBlock]:
    """The blocks for the moves, with the comments of those in the JSON."""
    before = {_ends(it.block): it for it in blocks if it.block.type == "moved"}
    return [
        before.get(
            (old, new), TopLevelBlock(block=Block("moved", arguments={"from": Verbatim(old), "to": Verbatim(new)}))
        )
        for old, new in steps.items()
    ]


def counted_addresses(blocks: Sequence[TopLevelBlock]) -> frozenset[str]:
    """The addresses of resources that have instances by number."""
    return _addresses_with(blocks, "count")


def asked_moves(blocks: Sequence[TopLevelBlock]) -> list[tuple[str, str]]:
    """The old and the new address of each `moved` block of the JSON."""
    return [_ends(found.block) for found in blocks if found.block.type == "moved"]


def named_in_moves(blocks: Sequence[TopLevelBlock]) -> frozenset[str]:
    """The addresses that a state may still have: those that the JSON moves resources from, or lets Terraform forget."""
    asked = (it.block for it in blocks if it.block.type in ("moved", "removed"))
    return frozenset(_source(block, argument) for block in asked for argument in ("from", "to"))


@dataclass
class _Line:
    """The addresses that one resource may have in a state, in the order of the moves. needed: none of them may miss."""

    addresses: list[str]
    needed: set[str]


def moves(blocks: Sequence[TopLevelBlock], now: Mapping[str, str], given: Given, *, stack: str) -> dict[str, str]:
    """The new addresses by the old ones, for every step. `now` has the addresses in the HCL by those in the JSON.

    Raises RefusedError for addresses that Terraform cannot move so that every resource stays the same.
    """
    lines = dict(_lines(blocks, now, given))
    counted = _addresses_with(blocks, "count")
    steps = _asked(asked_moves(blocks), lines, now, given)
    _leave_to_one_line(lines)
    steps += _counted(lines, counted, now, given)
    steps += [step for line in lines.values() for step in pairwise(line.addresses)]
    _check(steps, now, counted | _addresses_with(blocks, "for_each"), stack)
    return dict(sorted(steps))


def _lines(blocks: Sequence[TopLevelBlock], now: Mapping[str, str], given: Given) -> Iterator[tuple[str, _Line]]:
    """The line of every resource, by its address in the JSON, and of every resource that Terraform is to forget."""
    for found in blocks:
        block = found.block
        if block.type == "resource":
            own = address(block)
            end = now[own]
        elif block.type == "removed" and isinstance(block.arguments.get("from"), Verbatim):
            own = end = _source(block, "from")
        else:
            continue
        before = given.addresses.get(own, own)
        if place(before).key is not None and "for_each" in block.arguments:
            continue  # a `moved` block of the JSON says which key it gets, if it stays
        history = [it for it in given.history(before) if it != end]
        yield own, _Line([*history, end], {before, end} | ({own} & {*history}))


def _asked(
    asked: Sequence[tuple[str, str]], lines: Mapping[str, _Line], now: Mapping[str, str], given: Given
) -> list[tuple[str, str]]:
    """Adds the moves of the JSON to the lines; returns the steps of those that are not of whole resources."""
    waiting = dict(asked)
    while True:
        for old, new in waiting.items():
            line = lines.get(new) or next((it for it in lines.values() if new in it.addresses), None)
            if line is not None and is_whole(old):
                break
        else:
            break
        del waiting[old]
        history = [it for it in given.history(given.addresses.get(old, old)) if it not in line.addresses]
        position = line.addresses.index(new) if new in line.addresses else 0
        line.addresses[position:position] = history
        line.needed |= {*history[-1:]}
    return [step for old, new in waiting.items() for step in _single(old, new, lines, now, given)]


def _single(
    old: str, new: str, lines: Mapping[str, _Line], now: Mapping[str, str], given: Given
) -> Iterator[tuple[str, str]]:
    """The steps of a move from or to an instance, or of something in a module."""
    base, index = split(old)
    if base in lines:
        to_base, to_index = split(new)
        yield now[base] + index, (now[base] + to_index if to_base == base else new)
    else:
        history = given.history(given.addresses.get(base, base))
        yield from pairwise(history)
        yield history[-1] + index, new


def _counted(
    lines: Mapping[str, _Line], counted: Set[str], now: Mapping[str, str], given: Given
) -> Iterator[tuple[str, str]]:
    """The steps of resources that got or lost a `count`. Terraform takes them itself only where nothing else moves.

    Where one comes after the move of an instance, it becomes a part of the line.
    """
    for own in now.keys() & lines.keys() & given.addresses.keys():
        line = lines[own].addresses
        before = given.addresses[own]
        if len(line) == 1 or before not in line:
            continue
        step = (now[own], f"{now[own]}[0]") if own in counted else (f"{before}[0]", before)
        if step[0] in given.moves or (own in counted) != (own in given.counted):
            position = line.index(before)
            if own not in counted and position and place(line[position - 1]).key is not None:
                line.insert(position, step[0])
            else:
                yield step


def _leave_to_one_line(lines: Mapping[str, _Line]) -> None:
    """Leaves an address that is in several lines to the one that needs it, or to the first."""
    used = {it for line in lines.values() for it in line.needed}
    for line in lines.values():
        line.addresses = [it for it in line.addresses if it in line.needed or it not in used]
        used |= {*line.addresses}


def _check(steps: Sequence[tuple[str, str]], now: Mapping[str, str], repeated: Set[str], stack: str) -> None:
    """Refuses moves that Terraform refuses, and those after which it would destroy something.

    `repeated` are the addresses of blocks that have several instances in the JSON.
    """
    declared = Counter(new for own, new in now.items() if own not in repeated and not is_of_data(own))
    blocks = {place(it).block for it in declared if place(it).key is not None} | {now[it] for it in repeated}
    found = dict.fromkeys(it for it, count in declared.items() if count > 1 or it in blocks)
    sources: dict[str, str] = {}
    targets: dict[str, str] = {}
    for old, new in steps:
        is_declared = old in declared or (old in blocks and is_whole(new))
        if is_declared or sources.setdefault(old, new) != new or targets.setdefault(new, old) != old:
            found[old] = None
    if found:
        what = "is the address of another resource in the HCL, so no `moved` block can say what becomes of either"
        hint = "give the resource another name in the project, and synthesise again"
        raise RefusedError([Problem(where=f"{stack}: {it}", what=what, hint=hint) for it in found])


def _addresses_with(blocks: Sequence[TopLevelBlock], argument: str) -> frozenset[str]:
    found = (it.block for it in blocks if argument in it.block.arguments)
    return frozenset(address(block) for block in found if block.type in ("resource", "data"))


def _ends(block: Block) -> tuple[str, str]:
    return _source(block, "from"), _source(block, "to")


def _source(block: Block, argument: str) -> str:
    value = block.arguments.get(argument)
    return value.source if isinstance(value, Verbatim) else ""
