"""Finds resources of one type whose construct paths differ in one step or in a part of one step: the key.

A step is the key of a *collection* if everything else below the same parent is alike: `mirrors/*`. Groups with the same
keys form an *axis*, such as the zones of a network.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ops.handover.hcl import Block
from ops.handover.items import KEY, ItemGroup, Items, item_groups
from ops.handover.metadata import TopLevelBlock
from ops.handover.names import in_snake_case, without_type
from ops.handover.references import address, declared
from ops.handover.scopes import hides
from terraform.patterns import NAME

_LOWER = r"[^\W\dA-Z_]"
_TOKENS = re.compile(rf"[A-Z]+(?!{_LOWER})|[A-Z]?{_LOWER}+|\d+")
_LONGEST_KEY = 3

# A zone's letter or name, or a number.
_ENUMERATOR = re.compile(r"[a-z]|(az-?)?\d+[a-z]?|([a-z]+-)+\d[a-z]")

Steps = tuple[str, ...]


@dataclass(frozen=True, order=True)
class PathPattern:
    """What the members of a group share. One of the steps has a `*`, which stands for the key, or two of a pair."""

    kind: str
    type: str
    steps: Steps

    @property
    def is_whole_step(self) -> bool:
        return KEY in self.steps

    @property
    def parent(self) -> Steps:
        """The steps before a key that is a whole step."""
        return self.steps[: self.steps.index(KEY)]

    @property
    def words(self) -> str:
        """The path without the key."""
        rest = "_".join(step.replace(KEY, "") for step in self.steps)
        return re.sub(r"[\W_]+", "_", rest).strip("_")


@dataclass(frozen=True)
class ResourceGroup:
    """Resources or data sources of one type that may become one block, by key.

    place: what the members' paths share; None for a group that is kept from an earlier handover.
    in_collection: whether the key is a step of a collection, or counts members.
    one_for_all: whether all members become one data source without keys.
    items: what the group is to iterate over, if that is a variable.
    """

    kind: str
    type: str
    name: str
    members: Mapping[str, TopLevelBlock]
    place: PathPattern | None = None
    in_collection: bool = True
    one_for_all: bool = False
    items: Items | None = None

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.members)

    @property
    def examples(self) -> frozenset[str]:
        """The keys of members that are examples."""
        return frozenset(key for key, it in self.members.items() if it.is_example)

    @property
    def address(self) -> str:
        return address(Block(self.kind, (self.type, self.name)))

    def largest_uniform(self) -> "list[ResourceGroup]":
        """The largest part of the group whose members have the same arguments, if that leaves some members out."""
        largest = _largest_uniform(self.members)
        return [replace(self, members=largest)] if 1 < len(largest) < len(self.members) else []


Rejected = set[tuple[PathPattern, frozenset[str]]]
"""Groups that cannot be, by their places and keys."""


class Grouping:
    """The groups that a stack's blocks may form."""

    def __init__(self, blocks: Sequence[TopLevelBlock], renamed: Mapping[str, str]) -> None:
        """`renamed` has blocks' new addresses."""
        self.failed: list[ResourceGroup] = []
        self._taken = {renamed.get(address(it.block), address(it.block)): id(it) for it in blocks}
        self._taken |= {taken: id(it) for it in blocks for taken in declared([it.block])}
        self._members: dict[PathPattern, dict[str, TopLevelBlock]] = {}
        repeatable = [it for it in blocks if _may_repeat(it)]
        for found in repeatable:
            for steps, key in _keys(_steps(found)):
                place = PathPattern(found.block.type, found.block.labels[0], steps)
                self._members.setdefault(place, {}).setdefault(key, found)
        self._members = {place: it for place, it in self._members.items() if len(it) > 1}
        self._collections = _collections(repeatable)
        self._item_groups = item_groups(repeatable)
        types: dict[frozenset[str], set[str]] = {}
        for place, members in self._members.items():
            types.setdefault(frozenset(members), set()).add(place.type)
        self._order = sorted(self._members, key=lambda place: self._rank(place, types))

    def candidates(self, rejected: Rejected) -> list[ResourceGroup]:
        """Groups of at least two, the likeliest first; no block is in two of them."""
        groups: list[ResourceGroup] = []
        used: set[int] = set()
        names: set[str] = set()
        for found in self._item_groups:
            group = self._for_items(found, names)
            own = {id(it) for it in found.members.values()}
            if group is not None and not own & used and (group.place, group.keys) not in rejected:
                groups.append(group)
                names.add(group.address)
                used |= own
        for place in self._order:
            members = {key: it for key, it in sorted(self._members[place].items()) if id(it) not in used}
            if len(members) > 2 and (place, frozenset(members)) in rejected:
                members = _largest_uniform(members)
            if len(members) < 2 or (place, frozenset(members)) in rejected:
                continue
            name = self._free_name(place, members, names)
            if name is None:
                continue
            group = ResourceGroup(place.kind, place.type, name, members, place, self._in_collection(place, members))
            groups.append(group)
            names.add(group.address)
            used |= {id(it) for it in members.values()}
        return groups

    def _for_items(self, found: ItemGroup, names: set[str]) -> ResourceGroup | None:
        place = PathPattern("resource", found.type, found.steps)
        name = self._free_name(place, found.members, names)
        if name is None:
            return None
        members = dict(sorted(found.members.items()))
        return ResourceGroup(place.kind, place.type, name, members, place, items=found.items)

    def _rank(self, place: PathPattern, types: Mapping[frozenset[str], set[str]]) -> tuple[object, ...]:
        members = self._members[place]
        support = len(types[frozenset(members)])
        in_collection = self._in_collection(place, members)
        is_numbered = KEY in place.steps[-1] and place.steps[-1] != KEY and in_collection
        return (
            not in_collection,
            -support,
            -len(members),
            not is_numbered,
            not place.is_whole_step,
            -len(place.words),
            place,
        )

    def _in_collection(self, place: PathPattern, members: Mapping[str, object]) -> bool:
        if place.is_whole_step:
            return place.parent in self._collections
        return all(_ENUMERATOR.fullmatch(key) for key in members)

    def _free_name(self, place: PathPattern, members: Mapping[str, TopLevelBlock], names: set[str]) -> str | None:
        """A name without the type's words, if it is free."""
        own = {id(it) for it in members.values()}
        words = in_snake_case(place.words)
        plural = words.rsplit("_", 1)[-1] + ("" if words.endswith("s") else "s")
        for name in (without_type(words, place.type) or plural, words):
            found = address(Block(place.kind, (place.type, name)))
            is_free = found not in names and self._taken.get(found, next(iter(own))) in own
            if is_free and re.fullmatch(NAME, name):
                return name
        return None


def _steps(found: TopLevelBlock) -> Steps:
    steps = tuple(step for step in found.path if step not in ("Default", "Resource", ""))
    return steps or (found.block.labels[1],)


def _may_repeat(found: TopLevelBlock) -> bool:
    block = found.block
    if block.type not in ("resource", "data") or block.labels[0] == "terraform_remote_state":
        return False
    return not {"count", "for_each"} & block.arguments.keys() and not hides(block)


def _keys(steps: Steps) -> Iterator[tuple[Steps, str]]:
    """Every way to split a path into the rest and the key."""
    for index, step in enumerate(steps):
        before, after = steps[:index], steps[index + 1 :]
        if before or after:
            yield (*before, KEY, *after), step
        for start, end in _spans(step):
            yield (*before, step[:start] + KEY + step[end:], *after), step[start:end]


def _spans(step: str) -> set[tuple[int, int]]:
    """The parts of a step that may be a key: up to three words, but not all."""
    found = set()
    for pattern in (_TOKENS, re.compile(r"[^\W_]+")):
        tokens = list(pattern.finditer(step))
        for first in range(len(tokens)):
            for last in range(first, min(first + _LONGEST_KEY, len(tokens))):
                found.add((tokens[first].start(), tokens[last].end()))
    return found - {(0, len(step))}


def _collections(blocks: Sequence[TopLevelBlock]) -> set[Steps]:
    """The paths of constructs that have at least two children, all of them alike, and no resource of their own."""
    below: dict[Steps, dict[str, set[object]]] = {}
    own: set[Steps] = set()
    for found in blocks:
        steps = _steps(found)
        own.add(steps)
        for index in range(1, len(steps)):
            shape = (found.block.type, found.block.labels[0], steps[index + 1 :])
            below.setdefault(steps[:index], {}).setdefault(steps[index], set()).add(shape)
    return {
        parent
        for parent, children in below.items()
        if parent not in own and len(children) > 1 and _are_alike(list(children.values()))
    }


def _are_alike(shapes: Sequence[set[object]]) -> bool:
    common = set.intersection(*shapes)
    return bool(common) and 2 * len(common) >= len(set.union(*shapes))


def _largest_uniform(members: Mapping[str, TopLevelBlock]) -> dict[str, TopLevelBlock]:
    """The most members that have the same arguments and nested blocks."""
    by_shape: dict[object, dict[str, TopLevelBlock]] = {}
    for key, member in members.items():
        shape = (frozenset(member.block.arguments), _nested(member.block))
        by_shape.setdefault(shape, {})[key] = member
    return max(by_shape.values(), key=len)


def _nested(block: Block) -> tuple[str, ...]:
    """The nested blocks by type."""
    inner = (part for it in block.blocks for part in (it.type, *it.labels, *_nested(it)))
    return ("{", *inner, "}")
