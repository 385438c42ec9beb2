"""Merges similar resources into one block with `for_each`, and removes cdktf's hashes from names.

References follow, and a `moved` block records every new address of a resource.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ops.handover.given import Given
from ops.handover.grouping import ResourceGroup, candidates
from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, TupleExpr, Verbatim, text
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import NewAddresses, address, addresses_in, redirected
from ops.handover.strings import quoted
from ops.handover.texts import TextFiles
from ops.handover.unifying import UnifiedGroup, unify

_HASH = re.compile(r"_[0-9A-F]{8}$")


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """The blocks of a stack, and the new addresses of its resources and data sources by their old ones."""

    blocks: Sequence[TopLevelBlock]
    addresses: Mapping[str, str]


def with_repetition(blocks: Sequence[TopLevelBlock], texts: TextFiles, given: Given) -> Repeated:
    """The stack with similar resources merged and hashes removed. Template files for merged texts go to `texts`."""
    renamed = _without_hashes(blocks, given)
    groups = candidates(blocks, renamed)
    while True:
        addresses = _addresses(groups, renamed)
        unified: list[UnifiedGroup] = []
        for group in groups:
            members = {key: redirected(found.block, addresses) for key, found in group.members.items()}
            merged = unify(group, members)
            if merged is None:
                groups = [it for it in groups if it is not group] + group.largest_uniform()
                break
            unified.append(merged)
        else:
            in_cycles = _in_cycles(blocks, groups, addresses)
            if not in_cycles:
                return _put_together(blocks, unified, addresses, texts)
            groups = [group for group in groups if group.address not in in_cycles]


def _without_hashes(blocks: Sequence[TopLevelBlock], given: Given) -> dict[str, str]:
    """The new addresses of blocks whose names cdktf made, where no other block has, had or gets the same address."""
    before = {new: old for old, new in given.addresses.items()}
    taken = {address(found.block) for found in blocks}
    wanted: dict[str, list[str]] = {}
    for found in blocks:
        if found.generated_name and found.block.type in ("resource", "data") and _HASH.search(found.block.labels[1]):
            kind, name = found.block.labels
            new = address(replace(found.block, labels=(kind, _HASH.sub("", name))))
            wanted.setdefault(new, []).append(address(found.block))
    return {
        old[0]: new
        for new, old in wanted.items()
        if len(old) == 1 and new not in taken and before.get(new, old[0]) == old[0]
    }


def _addresses(groups: Sequence[ResourceGroup], renamed: Mapping[str, str]) -> NewAddresses:
    instances, blocks = dict(renamed), dict(renamed)
    for group in groups:
        for key, found in group.members.items():
            instances[address(found.block)] = f"{group.address}[{quoted(key)}]"
            blocks[address(found.block)] = group.address
    return NewAddresses(instances=instances, blocks=blocks)


def _in_cycles(blocks: Sequence[TopLevelBlock], groups: Sequence[ResourceGroup], addresses: NewAddresses) -> set[str]:
    """The addresses of groups whose merging creates a dependency cycle."""
    dependencies: dict[str, set[str]] = {}
    for found in blocks:
        own = addresses.blocks.get(address(found.block), address(found.block))
        dependencies.setdefault(own, set()).update(addresses_in(redirected(found.block, addresses)))

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(dependencies.get(start, ()))
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += dependencies.get(one, ())
        return seen

    return {group.address for group in groups if group.address in reachable(group.address)}


def _put_together(
    blocks: Sequence[TopLevelBlock], unified: Sequence[UnifiedGroup], addresses: NewAddresses, texts: TextFiles
) -> Repeated:
    waiting = {id(member): it for it in unified for member in it.group.members.values()}
    local_values: dict[str, Expression] = {
        name: it for found in blocks if found.block.type == "locals" for name, it in found.block.arguments.items()
    }
    written: list[TopLevelBlock] = []
    done: set[str] = set()
    for found in blocks:
        merged = waiting.get(id(found))
        if merged is None:
            written.append(_renamed(found, addresses))
        elif merged.group.address not in done:
            done.add(merged.group.address)
            written += _with_for_each(found, merged, local_values, texts)
    moved = {old: new for old, new in addresses.instances.items() if not old.startswith("data.")}
    written += [
        TopLevelBlock(block=Block("moved", arguments={"from": Verbatim(old), "to": Verbatim(new)}))
        for old, new in sorted(moved.items())
    ]
    own = [address(found.block) for found in blocks if found.block.type in ("resource", "data")]
    return Repeated(blocks=written, addresses={old: addresses.instances.get(old, old) for old in own})


def _renamed(found: TopLevelBlock, addresses: NewAddresses) -> TopLevelBlock:
    block = found.block
    if block.type in ("moved", "removed"):
        return found  # their addresses are older than the JSON
    new = addresses.instances.get(address(block))
    block = redirected(block, addresses)
    if new is not None:
        block = replace(block, labels=(block.labels[0], new.split(".")[-1]))
    return replace(found, block=block)


def _with_for_each(
    first: TopLevelBlock, unified: UnifiedGroup, local_values: dict[str, Expression], texts: TextFiles
) -> Iterator[TopLevelBlock]:
    """The block of a group in place of its first member, after the local value it takes its values from, if any."""
    group, block = unified.group, unified.block
    for placeholder, (argument, content) in unified.files.items():
        path = texts.template_file(f"{argument}/{group.name}", content, argument)
        block = block.mapped(_exchange(placeholder, path))
    for_each: Expression
    if not unified.values:
        for_each = FunctionCall("toset", (TupleExpr(tuple(text(key) for key in group.members)),))
    else:
        if len(unified.values) == 1:
            (name,) = unified.values
            block = block.mapped(_exchange(Verbatim(f"each.value.{name}"), Verbatim("each.value")))
        values = _values_by_key(unified)
        name = _free_name(group, values, local_values)
        if name not in local_values:
            local_values[name] = values
            yield TopLevelBlock(
                block=Block("locals", arguments={name: values}), path=first.path, same_file_as=group.address
            )
        for_each = Verbatim(f"local.{name}")
    yield replace(first, block=replace(block, arguments={"for_each": for_each, **block.arguments}))


def _exchange(old: Expression, new: Expression) -> Callable[[Expression], Expression]:
    return lambda it: new if it == old else it


def _values_by_key(unified: UnifiedGroup) -> ObjectExpr:
    """The members' values by key: an object for each member, or its one value."""
    rows: list[Expression] = [
        row[0] if len(row) == 1 else ObjectExpr(tuple(zip(map(text, unified.values), row, strict=True)))
        for row in zip(*unified.values.values(), strict=True)
    ]
    return ObjectExpr(tuple(zip(map(text, unified.group.members), rows, strict=True)))


def _free_name(group: ResourceGroup, values: Expression, local_values: Mapping[str, Expression]) -> str:
    """A local value's name that is free, or already has these values."""
    name = re.sub(r"\W", "_", group.name)
    others = (f"{name}_{group.type.removeprefix('aws_')}{number or ''}" for number in itertools.count())
    return next(it for it in itertools.chain([name], others) if local_values.get(it, values) == values)
