"""Merges similar resources into one block with `for_each`, and removes cdktf's hashes from names.

References follow, and `moved` blocks record every new address of a resource.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from ops.handover.addresses import instance, type_and_name
from ops.handover.axes import Axes
from ops.handover.cycles import dependencies, in_cycles, reachable
from ops.handover.digests import with_digests
from ops.handover.edit_places import MemberList
from ops.handover.given import Given
from ops.handover.grouping import Grouping, Rejected, ResourceGroup
from ops.handover.hcl import Block
from ops.handover.items import with_elements
from ops.handover.keeping import Keeping, kept_names
from ops.handover.known_values import never_null
from ops.handover.likeness import unlike
from ops.handover.metadata import TopLevelBlock
from ops.handover.moves import asked_moves, counted_addresses, moved_blocks, moves
from ops.handover.names import renamed
from ops.handover.references import NewAddresses, address, addresses_in, redirected
from ops.handover.texts import TextFiles
from ops.handover.unifying import UnifiedGroup, unify

# Terraform reads these during the apply if something that their `depends_on` names changes.
_READ_LATE = frozenset({"data", "ephemeral", "module"})


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """The blocks of a stack, and the new addresses of its resources and data sources by their old ones.

    given: what the next handover must know.
    members: where the keys of merged resources are listed.
    left_out: variables for items over which nothing iterates after all.
    """

    blocks: Sequence[TopLevelBlock]
    addresses: Mapping[str, str]
    given: Given
    members: Sequence[MemberList]
    left_out: Set[str]


def with_repetition(blocks: Sequence[TopLevelBlock], texts: TextFiles, given: Given, *, stack: str) -> Repeated:
    """The stack with similar resources merged and names shortened, as far as possible as they were `given`.

    Files for merged texts go to `texts`. Of examples, nothing is written: they show what differs between a single
    member and the next.
    """
    blocks = with_elements(with_digests(blocks))
    followed = dict(asked_moves(blocks))
    owners = {followed.get(old, old): new for old, new in given.addresses.items()}
    short = kept_names(blocks, renamed(blocks, owners), given)
    grouping = Grouping(blocks, short)
    keeping = Keeping(blocks, given)
    variables = never_null(it.block for it in blocks)
    awaited = _awaited(blocks)
    rejected: Rejected = set()
    without_keys: set[str] = set()
    while True:
        groups = keeping.groups(grouping.candidates(rejected))
        groups = [replace(it, one_for_all=it.address in without_keys) for it in groups]
        addresses = _addresses(groups, short)
        unified = [(group, unify(group, _members(group, addresses), variables)) for group in groups]
        failed = [group for group, merged in unified if merged is None]
        made = [merged for _, merged in unified if merged is not None]
        keyless = {it.group.address for it in made if it.group.kind == "data" and not it.differs}
        unwanted = [it for it in unlike(made, grouping.failed) if not keeping.is_kept(it)]
        unshared = [it for it in _with_lonely_variables(blocks, made) if it not in failed]
        bad = failed or unwanted or unshared or _in_cycle(blocks, groups, addresses) or _partly_awaited(groups, awaited)
        if not bad and keyless == without_keys:
            return _put_together(blocks, made, addresses, texts, given, stack)
        without_keys = keyless
        grouping.failed += [it for it in failed if not keeping.is_kept(it)]
        for group in bad:
            if keeping.is_kept(group) and group.items is not None:
                keeping.leave_variable(group)
            elif keeping.is_kept(group):
                keeping.reduce(group, _members(group, addresses))
            elif group.place is not None:
                rejected.add((group.place, keeping.proposed_keys(group)))


def _members(group: ResourceGroup, addresses: NewAddresses) -> dict[str, Block]:
    return {key: redirected(it.block, addresses) for key, it in group.members.items()}


def _addresses(groups: Sequence[ResourceGroup], renamed: Mapping[str, str]) -> NewAddresses:
    instances, blocks = dict(renamed), dict(renamed)
    for group in groups:
        for key, found in group.members.items():
            instances[address(found.block)] = group.address if group.one_for_all else instance(group.address, key)
            blocks[address(found.block)] = group.address
    return NewAddresses(instances=instances, blocks=blocks)


def _in_cycle(
    blocks: Sequence[TopLevelBlock], groups: Sequence[ResourceGroup], addresses: NewAddresses
) -> list[ResourceGroup]:
    """The group that is least likely to be one, of those whose merging creates a dependency cycle."""
    circular = in_cycles(dependencies(_relabelled(found.block, addresses) for found in blocks))
    return [group for group in groups if group.address in circular][-1:]


def _awaited(blocks: Sequence[TopLevelBlock]) -> list[set[str]]:
    """What must be applied before a block with `depends_on` is read, for each data source and module.

    https://developer.hashicorp.com/terraform/language/data-sources#dependencies
    """
    inner = (it for found in blocks for it in (found.block, *found.block.blocks))
    waiting = [it for it in inner if it.type in _READ_LATE and "depends_on" in it.arguments]
    if not waiting:
        return []
    needs = dependencies(it.block for it in blocks)
    named = (addresses_in(Block("", arguments={"it": it.arguments["depends_on"]})) & needs.keys() for it in waiting)
    return [one.union(*(reachable(needs, it) for it in one)) for one in named]


def _partly_awaited(groups: Sequence[ResourceGroup], awaited: Sequence[set[str]]) -> list[ResourceGroup]:
    """Groups of which some members must be applied before something is read: merged, it would wait for all."""
    members = {it.address: {address(found.block) for found in it.members.values()} for it in groups}
    return [it for it in groups if any(0 < len(members[it.address] & one) < len(it.members) for one in awaited)]


def _with_lonely_variables(blocks: Sequence[TopLevelBlock], made: Sequence[UnifiedGroup]) -> list[ResourceGroup]:
    """Groups that iterate over a variable of which other resources would not follow a change."""
    iterating = [it.group for it in made if it.group.items is not None]
    following = {id(member) for it in iterating for member in it.members.values()}
    own = {it.block.labels[0] for it in blocks if it.is_for_items}
    others = {it.item.variable for it in blocks if it.item is not None and id(it) not in following}
    return [it for it in iterating if it.items is not None and it.items.variable in own & others]


def _relabelled(block: Block, addresses: NewAddresses) -> Block:
    """The block under the address of the block that it becomes or joins."""
    new = addresses.blocks.get(address(block))
    labels = block.labels if new is None else (block.labels[0], type_and_name(new)[1])
    return replace(redirected(block, addresses), labels=labels)


def _put_together(
    blocks: Sequence[TopLevelBlock],
    unified: Sequence[UnifiedGroup],
    addresses: NewAddresses,
    texts: TextFiles,
    given: Given,
    stack: str,
) -> Repeated:
    unified = [it for it in unified if it.group.examples != it.group.keys]
    waiting = {id(member): it for it in unified for member in it.group.members.values()}
    blocks = [it for it in blocks if not it.is_example]
    axes = Axes(unified, blocks, texts)
    written: list[TopLevelBlock] = []
    done: set[str] = set()
    iterated = {it.group.items.variable for it in unified if it.group.items is not None}
    left_out = {it.block.labels[0] for it in blocks if it.is_for_items} - iterated
    for found in blocks:
        if found.block.type == "moved" or (found.is_for_items and found.block.labels[0] in left_out):
            continue
        merged = waiting.get(id(found))
        if merged is None:
            written.append(_renamed(found, addresses))
        elif merged.group.address not in done:
            done.add(merged.group.address)
            written += axes.written(found, merged)
    own = [address(found.block) for found in blocks if found.block.type in ("resource", "data")]
    now = {old: addresses.instances.get(old, old) for old in own}
    steps = moves(blocks, now, given, stack=stack)
    return Repeated(
        blocks=[*written, *moved_blocks(blocks, steps)],
        addresses=now,
        given=given.followed_by(now, steps, counted_addresses(blocks)),
        members=axes.lists,
        left_out=left_out,
    )


def _renamed(found: TopLevelBlock, addresses: NewAddresses) -> TopLevelBlock:
    block = found.block
    if block.type == "removed":
        return found  # its address is older than the JSON
    new = addresses.instances.get(address(block))
    block = redirected(block, addresses)
    if new is not None:
        block = replace(block, labels=(block.labels[0], type_and_name(new)[1]))
    return replace(found, block=block)
