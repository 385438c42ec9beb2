"""Keeps the addresses that earlier handovers gave: a resource in a block with `for_each` stays there under its key."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from ops.handover.addresses import instance, is_of_data, type_and_name
from ops.handover.given import Given
from ops.handover.grouping import PathPattern, ResourceGroup
from ops.handover.hcl import Block
from ops.handover.known_values import never_null
from ops.handover.metadata import TopLevelBlock
from ops.handover.moves import asked_moves, named_in_moves
from ops.handover.references import address
from ops.handover.unifying import unify


def kept_names(blocks: Sequence[TopLevelBlock], wanted: Mapping[str, str], given: Given) -> dict[str, str]:
    """The new addresses of blocks outside groups: as they were given, else as `wanted`, if no resource had that."""
    found = {old: new for old, new in wanted.items() if is_of_data(old)}
    named = named_in_moves(blocks)
    source = {new: old for old, new in asked_moves(blocks)}
    for block in (it.block for it in blocks if it.block.type == "resource"):
        old = address(block)
        before = given.place(old)
        new = wanted.get(old, old)
        if before is not None and before.key is None:
            new = before.block
        elif before is not None and "count" in block.arguments:
            new = old  # no other name has a move from every instance
        elif not given.is_free(new, old, source.get(old)) or new in given.groups or new in named:
            new = old
        if new != old:
            found[old] = new
    return found


class Keeping:
    """The groups of a stack, as far as possible as they were given."""

    def __init__(self, blocks: Sequence[TopLevelBlock], given: Given) -> None:
        self._given = given
        self._variables = never_null(it.block for it in blocks)
        self._kept = _given_groups(blocks, given)
        self._apart: set[tuple[str, str]] = set()
        self._without_variable: set[str] = set()
        self._proposals: dict[tuple[PathPattern | None, frozenset[str]], frozenset[str]] = {}

    def groups(self, proposed: Sequence[ResourceGroup]) -> list[ResourceGroup]:
        """The groups that were given, with new members from `proposed`, and those of `proposed` that are new."""
        kept = {own: self._without_apart(group, group.members) for own, group in self._kept.items()}
        others: list[ResourceGroup] = []
        for group in proposed:
            if group.kind == "data" or not self._given.addresses:
                others.append(group)  # no state has data sources
                continue
            new = {key: it for key, it in group.members.items() if address(it.block) not in self._given.addresses}
            own = self._own_group(group, kept)
            if own is not None:
                joined = self._without_apart(own, {**self._free(own, new), **own.members})
                is_whole = joined.keys == group.keys and own.address not in self._without_variable
                items = group.items if is_whole else None
                kept[own.address] = replace(joined, place=group.place, in_collection=group.in_collection, items=items)
                continue
            replaced = self._replaced(group, kept)
            alone = self._standing_alone(group)
            ids = {id(it) for old in replaced for it in old.members.values()}
            again = {key: it for key, it in group.members.items() if id(it) in ids}
            members = self._free(group, {**alone, **again, **new})
            is_new = members.keys() & new.keys() and len(members) > 1
            is_whole = group.items is not None and members.keys() == group.keys
            if (is_new or is_whole) and group.address not in self._taken:
                for old in replaced:
                    del kept[old.address]
                others.append(replace(group, members=dict(sorted(members.items()))))
                self._proposals[group.place, others[-1].keys] = group.keys
        return [*(it for it in kept.values() if it.members), *others]

    def leave_variable(self, group: ResourceGroup) -> None:
        """Let a kept group list its keys itself."""
        self._without_variable.add(group.address)

    def is_kept(self, group: ResourceGroup) -> bool:
        return group.address in self._kept

    def proposed_keys(self, group: ResourceGroup) -> frozenset[str]:
        """The keys of the proposed group that a new one was made from."""
        return self._proposals.get((group.place, group.keys), group.keys)

    def reduce(self, group: ResourceGroup, members: Mapping[str, Block]) -> None:
        """Leave out of a kept group what does not fit into one block: first of all its new members."""
        fitting = self._part_that_fits(group, members)
        self._apart |= {(group.address, key) for key in group.members if key not in fitting}

    def _part_that_fits(self, group: ResourceGroup, members: Mapping[str, Block]) -> Set[str]:
        before = {key: it for key, it in group.members.items() if self._was_given(group, key)}
        if not before or len(members) == 1:
            return set()
        known = replace(group, members=before)
        (uniform,) = known.largest_uniform() or [known]
        first = next(iter(uniform.members))
        pairs = {key: {first: members[first], key: it} for key, it in members.items()}
        fitting = {key for key, pair in pairs.items() if unify(group, pair, self._variables) is not None}
        for keys in (fitting, fitting & before.keys()):
            part = {key: it for key, it in members.items() if key in keys}
            if part and keys != members.keys() and unify(group, part, self._variables):
                return keys
        return {first}

    def _without_apart(self, group: ResourceGroup, members: Mapping[str, TopLevelBlock]) -> ResourceGroup:
        left = {key: it for key, it in sorted(members.items()) if (group.address, key) not in self._apart}
        return replace(group, members=left)

    def _own_group(self, group: ResourceGroup, kept: Mapping[str, ResourceGroup]) -> ResourceGroup | None:
        """The kept group that a proposed one continues: the largest that has the same members under the same keys."""
        found: dict[str, bool] = {}
        for key, member in group.members.items():
            before = self._given.place(address(member.block))
            if before is not None and before.key is not None and before.block in kept:
                found[before.block] = found.get(before.block, True) and before.key == key
        fitting = [kept[it] for it, fits in found.items() if fits]
        if not found and group.address in kept:
            fitting = [kept[group.address]]
        return max(fitting, key=lambda it: len(it.members), default=None)

    def _replaced(self, group: ResourceGroup, kept: Mapping[str, ResourceGroup]) -> list[ResourceGroup]:
        """The kept groups that become one with pairs: those that have none but its members."""
        if group.items is None:
            return []
        own = {id(it) for it in group.members.values()}
        return [it for it in kept.values() if it.members and {id(one) for one in it.members.values()} <= own]

    def _free(self, group: ResourceGroup, members: Mapping[str, TopLevelBlock]) -> dict[str, TopLevelBlock]:
        """The members whose addresses in the group no other resource had."""
        return {
            key: it
            for key, it in members.items()
            if self._given.is_free(instance(group.address, key), address(it.block))
        }

    def _standing_alone(self, group: ResourceGroup) -> dict[str, TopLevelBlock]:
        places = {key: self._given.place(address(it.block)) for key, it in group.members.items()}
        return {key: group.members[key] for key, it in places.items() if it is not None and it.key is None}

    def _was_given(self, group: ResourceGroup, key: str) -> bool:
        return self._given.addresses.get(address(group.members[key].block)) == instance(group.address, key)

    @property
    def _taken(self) -> Set[str]:
        return self._kept.keys() | self._given.blocks


def _given_groups(blocks: Sequence[TopLevelBlock], given: Given) -> dict[str, ResourceGroup]:
    """The groups with the members that they were given, by address."""
    members: dict[str, dict[str, TopLevelBlock]] = {}
    for found in blocks:
        before = given.place(address(found.block)) if found.block.type == "resource" else None
        if before is not None and before.key is not None and not {"count", "for_each"} & found.block.arguments.keys():
            members.setdefault(before.block, {})[before.key] = found
    return {
        own: ResourceGroup("resource", *type_and_name(own), dict(sorted(it.items()))) for own, it in members.items()
    }
