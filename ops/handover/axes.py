"""Writes the keys of groups, and what differs between their members, as local values: one for each axis.

An axis is a set of keys, such as the mirrors of a bridge. Every group with these keys iterates over one local value, so
that a member is added in one place.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ops.handover.edit_places import MemberList
from ops.handover.grouping import ResourceGroup
from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim, text
from ops.handover.items import OTHER, Items
from ops.handover.members import GENERIC
from ops.handover.metadata import TopLevelBlock
from ops.handover.names import KEYWORDS, identifier
from ops.handover.nested import ids_in
from ops.handover.printing import expression
from ops.handover.references import addresses_in, is_free_of_resources, with_code
from ops.handover.style.keys import key_name
from ops.handover.texts import TextFiles
from ops.handover.unifying import UnifiedGroup
from terraform.templates import Literal

_VALUE = re.compile(r"each\.value\.(\w+)")
_MAY_REFER = ("data", "locals", "module", "output", "resource")


class Axes:
    """The local values and blocks of a stack's groups."""

    def __init__(self, unified: Sequence[UnifiedGroup], blocks: Sequence[TopLevelBlock], texts: TextFiles) -> None:
        self._texts = texts
        self._blocks = blocks
        self._locals: dict[str, Expression] = {
            name: it for found in blocks if found.block.type == "locals" for name, it in found.block.arguments.items()
        }
        by_keys: dict[tuple[str, ...], list[UnifiedGroup]] = {}
        order = {id(it): number for number, it in enumerate(blocks)}  # without examples
        for it in sorted(
            unified, key=lambda it: min(order.get(id(one), len(order)) for one in it.group.members.values())
        ):
            if it.group.items is None:
                by_keys.setdefault(tuple(it.group.members), []).append(it)
        self._shared = {keys: _Shared(groups) for keys, groups in by_keys.items() if len(groups) > 1}
        self.lists: list[MemberList] = []

    def written(self, first: TopLevelBlock, unified: UnifiedGroup) -> Iterator[TopLevelBlock]:
        """The block of a group in place of its first member, after the local values that it is the first to need."""
        block = self._with_files(unified)
        if unified.group.one_for_all:
            yield replace(first, block=block)
            return
        items = unified.group.items
        shared = self._shared.get(tuple(unified.group.members) if items is None else items.others)
        if items is not None:
            new, for_each, block = self._of_items(shared, items, unified.group, block)
        elif shared is None:
            new, for_each, block = self._alone(unified, block)
        else:
            new, for_each, block = self._of_axis(shared, unified, block)
        for name, value in new.items():
            own_file = unified.group.address if shared is None or name != shared.local else None
            yield TopLevelBlock(block=Block("locals", arguments={name: value}), path=first.path, same_file_as=own_file)
        block = replace(block, arguments={"for_each": for_each, **block.arguments})
        yield replace(first, block=block, next_key=min(unified.group.examples, default=""))

    def _alone(self, unified: UnifiedGroup, block: Block) -> tuple[dict[str, Expression], Expression, Block]:
        """For a group with keys of its own: new local values, `for_each`, and the block."""
        group = unified.group
        new: dict[str, Expression] = {}
        if not unified.values:
            if not self._is_listed_elsewhere(group):
                self._listed(group.address, group)
                return {}, _set(group), block
            name = self._local(new, group.name, _set(group))
            self._listed(f"local.{name}", group)
            return new, Verbatim(f"local.{name}"), block
        flat = len(unified.values) == 1 and not group.examples
        places = {it: "each.value" if flat else f"each.value.{it}" for it in unified.values}
        block = _with_values(block, places)
        name = self._local(new, group.name, _by_key(group, unified.values, flat=flat))
        self._listed(f"local.{name}", group)
        return new, Verbatim(f"local.{name}"), block

    def _is_listed_elsewhere(self, group: ResourceGroup) -> bool:
        """Whether another block has the key of each member as a word of its texts."""
        own = {id(it) for it in group.members.values()}
        keys = [key for key in group.members if key not in group.examples]
        words = [re.compile(rf"(?<![\w.-]){re.escape(key)}(?![\w.-])") for key in keys]
        others = (it.block for it in self._blocks if id(it) not in own and it.block.type in _MAY_REFER)
        return any(all(any(map(word.search, texts)) for word in words) for texts in map(_literals, others))

    def _of_items(
        self, shared: "_Shared | None", items: Items, group: ResourceGroup, block: Block
    ) -> tuple[dict[str, Expression], Expression, Block]:
        """The same for a group that iterates over a variable, or over all pairs of its items and other keys."""
        if not items.others:
            return {}, Verbatim(f"toset(var.{items.variable})"), block
        new = {} if shared is None else self._axis(shared)
        known = dict.fromkeys(items.pairs[it][0] for it in group.members if it not in group.examples)
        others = expression(TupleExpr(tuple(map(text, known))))
        other = OTHER
        if shared is not None:
            of_axis = Verbatim(f"local.{shared.local}")
            others = f"keys({of_axis.source})" if shared.attributes else of_axis.source
            other = key_name(of_axis)
        if other == items.argument or other in KEYWORDS:
            other = OTHER
        for_each = (
            f"{{ for pair in setproduct({others}, var.{items.variable}) : "
            f'"${{pair[0]}}/${{pair[1]}}" => {{ {other} = pair[0], {items.argument} = pair[1] }} }}'
        )
        return new, Verbatim(for_each), _with_values(block, {OTHER: f"each.value.{other}"})

    def _axis(self, shared: "_Shared") -> dict[str, Expression]:
        """The local value of an axis, if no group needed it before."""
        if shared.local:
            return {}
        shared.local = self._free(shared.name, f"{shared.name}_by_name")
        group = shared.group
        value = _by_key(group, shared.attributes) if shared.attributes else _set(group)
        self._locals[shared.local] = value
        if shared.is_collection:
            ids = [one for values in shared.attributes.values() for it in values for one in ids_in(it)]
            self._listed(f"local.{shared.local}", group, shared.name, ids)
        return {shared.local: value}

    def _of_axis(
        self, shared: "_Shared", unified: UnifiedGroup, block: Block
    ) -> tuple[dict[str, Expression], Expression, Block]:
        """The same for a group whose keys others have, too. References get a local value of their own."""
        group = unified.group
        new = self._axis(shared)
        places = {}
        for name, values in unified.values.items():
            attribute = shared.attribute(unified, name)
            if attribute is None:
                own = self._local(new, f"{unified.group.name}_{name}", _by_key(group, {name: values}, flat=True))
                places[name] = f"local.{own}[each.key]"
            else:
                places[name] = f"each.value.{attribute}"
        return new, Verbatim(f"local.{shared.local}"), _with_values(block, places)

    def _local(self, new: dict[str, Expression], wanted: str, value: Expression) -> str:
        """The name of a local value; one that is free, or already has this value."""
        names = (f"{wanted}_{number}" if number > 1 else wanted for number in range(1, 1000))
        name = next(it for it in names if self._locals.get(it, value) == value)
        if name not in self._locals:
            self._locals[name] = new[name] = value
        return name

    def _free(self, *names: str) -> str:
        numbered = (f"{names[-1]}{number}" for number in range(2, 1000))
        return next(name for name in (*names, *numbered) if name not in self._locals)

    def _listed(self, address: str, group: ResourceGroup, what: str = "", ids: Sequence[str] = ()) -> None:
        keys = [key for key in group.members if key not in group.examples]
        self.lists.append(MemberList(address=address, what=(what or group.name).replace("_", " "), keys=keys, ids=ids))

    def _with_files(self, unified: UnifiedGroup) -> Block:
        block = unified.block
        for placeholder, (argument, content) in unified.files.items():
            path = self._texts.template_file(f"{argument}/{unified.group.name}", content, argument)
            block = block.mapped(_exchange(placeholder, path))
        for placeholder, (argument, contents) in unified.files_by_key.items():
            all_keys = zip(unified.group.members, contents, strict=True)
            by_key = {key: it for key, it in all_keys if key not in unified.group.examples}
            path = self._texts.files_by_key(f"{argument}/{unified.group.name}", by_key, argument)
            block = block.mapped(_exchange(placeholder, path))
        return block


class _Shared:
    """The local value of an axis. An attribute that differs between groups is named after its group.

    is_collection: whether somebody may add a key. Parts of one thing, such as its old and new URL, are no collection.
    """

    def __init__(self, groups: Sequence[UnifiedGroup]) -> None:
        self.is_collection = any(it.group.in_collection for it in groups)
        self.local = ""
        self.group = groups[0].group
        self.name = _axis_name(groups)
        self._names: dict[tuple[str, str], str] = {}
        self.attributes: dict[str, Sequence[Expression]] = {}
        columns = [
            (it.group, name, tuple(values))
            for it in groups
            for name, values in it.values.items()
            if all(is_free_of_resources(value) for value in values)
        ]
        self._add(columns)

    def _add(self, columns: Sequence[tuple[ResourceGroup, str, tuple[Expression, ...]]]) -> None:
        """Name every column. Those of one name that differ are named after their groups, too."""
        known: dict[tuple[Expression, ...], str] = {}
        names = _agreed(columns)
        for (group, own, values), name in zip(columns, names, strict=True):
            others = [other for (other, _, _), its in zip(columns, names, strict=True) if its == name]
            is_same = len({its for (_, _, its), other in zip(columns, names, strict=True) if other == name}) == 1
            attribute = name if is_same and name not in GENERIC else f"{_distinct(group, others)}_{name}"
            attribute = self._free([attribute, f"{group.type}_{group.name}_{name}"], values)
            if _is_one_thing(values):
                attribute = known.setdefault(values, attribute)
            self.attributes[attribute] = values
            self._names[group.address, own] = attribute

    def _free(self, names: Sequence[str], values: Sequence[Expression]) -> str:
        """The first of these names that no other values have, or the last with a number."""
        numbered = (f"{names[-1]}_{number}" for number in itertools.count(2))
        return next(it for it in itertools.chain(names, numbered) if self.attributes.get(it, values) == values)

    def attribute(self, unified: UnifiedGroup, name: str) -> str | None:
        """The attribute's name; None if its values refer to resources, which the local value does not contain."""
        return self._names.get((unified.group.address, name))


def _agreed(columns: Sequence[tuple[ResourceGroup, str, tuple[Expression, ...]]]) -> list[str]:
    """The name of each column: if others of its name differ, that of an equal column without such others."""
    values_of: dict[str, set[tuple[Expression, ...]]] = {}
    for _, name, values in columns:
        values_of.setdefault(name, set()).add(values)
    clear = {
        values: name
        for _, name, values in columns
        if len(values_of[name]) == 1 and name not in GENERIC and _is_one_thing(values)
    }
    return [name if len(values_of[name]) == 1 else clear.get(values, name) for _, name, values in columns]


def _is_one_thing(values: Sequence[Expression]) -> bool:
    """Whether another column of these values is about the same thing: they are texts that differ for every key."""
    return len(set(values)) == len(values) and all(isinstance(it, Template) for it in values)


def _axis_name(groups: Sequence[UnifiedGroup]) -> str:
    """What the keys are: `zones`, or the step before them that is connected with the most others."""
    keys = groups[0].group.members
    if all(re.fullmatch(r"[a-z]|.*\d[a-z]|az-?\d", key) for key in keys):
        return "zones"
    parents = {it.group.address: _parent(it.group) for it in groups}
    links: dict[str, set[str]] = {parent: set() for parent in parents.values()}
    for it in groups:
        for other in addresses_in(it.block) & parents.keys():
            links[parents[other]].add(parents[it.group.address])
            links[parents[it.group.address]].add(parents[other])
    types = Counter(parents.values())
    name = min(links, key=lambda parent: (-len(links[parent]), -types[parent], parent))
    return identifier(name if name.endswith("s") else f"{name}s")


def _parent(group: ResourceGroup) -> str:
    steps = group.place.parent if group.place is not None and group.place.is_whole_step else ()
    return "_".join(_words(steps[-1])) if steps else group.name


def _distinct(group: ResourceGroup, others: Sequence[ResourceGroup]) -> str:
    """The words of a group's name that others do not have; of a single one, those after its first."""
    words = _words(group.name)
    common = set(words).intersection(*(_words(other.name) for other in others)) if len(others) > 1 else {words[0]}
    return identifier("_".join(word for word in words if word not in common) or group.name)


def _words(name: str) -> list[str]:
    return re.sub(r"\W+", "_", name).strip("_").split("_")


def _literals(block: Block) -> list[str]:
    """The texts in a block, without those in its references."""
    templates = (it for it in block.expressions() if isinstance(it, Template))
    return [part.text for it in templates for part in it.parts if isinstance(part, Literal)]


def _set(group: ResourceGroup) -> Expression:
    keys = (text(key) for key in group.members if key not in group.examples)
    return FunctionCall("toset", (TupleExpr(tuple(keys)),))


def _by_key(group: ResourceGroup, values: Mapping[str, Sequence[Expression]], *, flat: bool = False) -> ObjectExpr:
    """The members' values by key: an object for each member, or its one value if that may be `flat`."""
    rows: list[Expression] = [
        row[0] if flat and len(row) == 1 else ObjectExpr(tuple(zip(map(text, values), row, strict=True)))
        for row in zip(*values.values(), strict=True)
    ]
    members = zip(group.members, rows, strict=True)
    return ObjectExpr(tuple((text(key), row) for key, row in members if key not in group.examples))


def _with_values(block: Block, places: Mapping[str, str]) -> Block:
    """The block with its `each.value.NAME` elsewhere."""

    def moved(source: str) -> str:
        return _VALUE.sub(lambda match: places.get(match[1], match[0]), source)

    return block.mapped(lambda it: with_code(it, moved))


def _exchange(old: Expression, new: Expression) -> Callable[[Expression], Expression]:
    return lambda it: new if it == old else it
