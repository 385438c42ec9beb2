"""Finds resources of which there is one for each item of a variable's list, or one for each key and each item.

Merged, they iterate over the variable: whoever adds an item to the list adds the resource. With keys of something
else, such as a file system for each mirror with a mount target in each subnet, they iterate over all pairs.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ops.handover.hcl import Block, Template, Verbatim
from ops.handover.metadata import ListItem, TopLevelBlock
from terraform.templates import Interpolation

KEY = "*"
OTHER = "key"
"""The name of the other key of a pair in `each.value`, until it gets one that says what it is."""

Steps = tuple[str, ...]


@dataclass(frozen=True)
class Items:
    """The items of a variable, or all pairs of one of the keys `others` and an item.

    argument: the argument that is the item.
    """

    variable: str
    argument: str
    values: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """The other key, which is empty if there are none, and the item, by the key in `for_each`."""
        if not self.others:
            return {it: ("", it) for it in self.values}
        return {f"{other}/{it}": (other, it) for other in self.others for it in self.values}

    @property
    def item(self) -> str:
        """The expression of the item in the block."""
        return f"each.value.{self.argument}" if self.others else "each.key"

    def keys(self, members: Iterable[str]) -> dict[str, list[str]]:
        """The expressions that stand for parts of the members' keys, each with its value for every member."""
        pairs = [self.pairs[it] for it in members]
        others = {f"each.value.{OTHER}": [it[0] for it in pairs]} if self.others else {}
        return {self.item: [it[1] for it in pairs], **others}

    def written_into(self, block: Block) -> Block:
        """A member whose argument is the item."""
        return replace(block, arguments={**block.arguments, self.argument: Verbatim(self.item)})

    def are_named_in(self, block: Block) -> bool:
        """Whether a text in the merged block still has one of the items, so that it is not for all of them."""
        literals = (repr(it) for it in block.expressions() if isinstance(it, Template | Verbatim))
        return any(value in literal for literal in literals for value in self.values)


def with_elements(blocks: Sequence[TopLevelBlock]) -> list[TopLevelBlock]:
    """The blocks with elements of lists, such as `var.subnet_ids[0]`, for variables that other places need anyway."""
    own = {it.block.labels[0] for it in blocks if it.is_for_items}
    return [
        found
        if found.item is None or found.item.variable in own
        else replace(found, block=_with_element(found, found.item))
        for found in blocks
    ]


def _with_element(found: TopLevelBlock, item: ListItem) -> Block:
    element = Template((Interpolation(f"var.{item.variable}[{item.items.index(item.value)}]"),))
    return replace(found.block, arguments={**found.block.arguments, item.argument: element})


@dataclass(frozen=True, kw_only=True)
class ItemGroup:
    """Resources for all items, by key. steps: their path, with `*` in place of what differs."""

    type: str
    steps: Steps
    items: Items
    members: Mapping[str, TopLevelBlock]


def item_groups(blocks: Sequence[TopLevelBlock]) -> list[ItemGroup]:
    """The groups that these blocks form, those for pairs first. A block may be in several."""
    found: dict[tuple[str, Steps, Items], dict[str, TopLevelBlock]] = {}
    for block in blocks:
        item = block.item
        if item is not None and (steps := _without_item(block.path, item.value)) is not None:
            place = (block.block.labels[0], steps, Items(item.variable, item.argument, item.items))
            found.setdefault(place, {})[item.value] = block
    single = [
        ItemGroup(type=type_, steps=steps, items=items, members=members)
        for (type_, steps, items), members in found.items()
    ]
    whole = [it for it in single if {*it.members} == {*it.items.values}]
    return [*_pairs(whole), *whole]


def _without_item(path: Steps, value: str) -> Steps | None:
    """The path with `*` in place of the item in its last step; None if the step does not name the item."""
    if not path:
        return None
    word = re.sub(r"\W", "_", value)
    step = re.sub(r"\W", "_", path[-1])
    start = step.find(word)
    return None if start < 0 else (*path[:-1], path[-1][:start] + KEY + path[-1][start + len(word) :])


def _pairs(groups: Sequence[ItemGroup]) -> Iterator[ItemGroup]:
    """The groups of which there is one for each key of something else: their paths differ in one step."""
    found: dict[tuple[str, Steps, Items], dict[str, ItemGroup]] = {}
    for group in groups:
        for index, step in enumerate(group.steps[:-1]):
            steps = (*group.steps[:index], KEY, *group.steps[index + 1 :])
            found.setdefault((group.type, steps, group.items), {})[step] = group
    for (type_, steps, items), by_other in found.items():
        if len(by_other) > 1 and items.argument != OTHER:
            pairs = replace(items, others=tuple(sorted(by_other)))
            members = {key: by_other[other].members[item] for key, (other, item) in pairs.pairs.items()}
            yield ItemGroup(type=type_, steps=steps, items=pairs, members=members)
