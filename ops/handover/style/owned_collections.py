"""Writes what lists the members of a collection as loops, where each member of a local value has some of them.

A build for each space has mirrors of its own, so that `local.spaces` says of each space which mirrors it has. A set of
ARNs of these becomes `[for mirror in each.value.mirrors : "arn:…:${mirror.target}"]`, and an output by mirror
`merge([for name, space in local.spaces : { for mirror in keys(space.mirrors) : mirror => … }]...)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ops.handover.by_key import expression_by_key
from ops.handover.edit_places import MemberList
from ops.handover.hcl import NULL, Expression, ObjectExpr, Verbatim
from ops.handover.lists_in_texts import KeyList
from ops.handover.metadata import Collection, TopLevelBlock
from ops.handover.printing import expression
from ops.handover.references import addresses_in, is_constant
from ops.handover.style.collection_entries import DEFINED_LATER, PLAIN, Entries, entries_of, names_of, one_of
from ops.handover.style.keys import TAKEN, is_free
from ops.handover.style.local_values import local_values, with_changed_values, with_local_values
from ops.handover.style.sets_of_owners import with_sets_of_owners

_NAME = "name"
"""The variable for an owner's key in a loop."""

_OWNER = "{key}"
"""Stands for an owner's key in what the names in a list start with."""


@dataclass(frozen=True, kw_only=True)
class Owned:
    """A collection whose members are divided among owners: the members of a local value, each with some of them.

    owners: the name of that local value. entries: the collection's members by the owner's key. lists: the owner's key
    for each name in the collection's lists. is_known: whether all this may be written as loops.
    """

    collection: Collection
    owners: str
    entries: Mapping[str, Entries]
    lists: Mapping[str, Mapping[str, str]]
    is_known: bool

    @property
    def member_list(self) -> MemberList:
        """Where members are added, for the README."""
        keys = [key for own in self.entries.values() for key in own]
        name = self.collection.name
        return MemberList(address=f"local.{self.owners}", what=name, keys=keys, within=name)

    def key_lists(self, blocks: Sequence[TopLevelBlock]) -> list[KeyList]:
        """The lists that texts may have loops over: those that `blocks` define. Each name has its owner's key."""
        defined = local_values(blocks)
        return [
            KeyList(
                name=name,
                key_name=one_of(name),
                keys=sorted(found),
                expression=f"keys(local.{name})",
                value_name=one_of(self.owners),
                values=[found[it] for it in sorted(found)],
                expression_with_values=f"local.{name}",
            )
            for name, found in self.lists.items()
            if self.is_known and name in defined
        ]


def owned(collections: Sequence[Collection], blocks: Sequence[TopLevelBlock]) -> list[Owned]:
    """The collections of which each member of a local value has some members.

    Where two local values could be the owners, it is not known which of them is.
    """
    found: list[Owned] = []
    for it in collections:
        own = [one for name in local_values(blocks) if (one := _owned(it, name, blocks)) is not None]
        found += own if len(own) == 1 else (replace(one, is_known=False) for one in own)
    return found


def _owned(collection: Collection, name: str, blocks: Sequence[TopLevelBlock]) -> Owned | None:
    value = local_values(blocks)[name]
    owners = value.items if isinstance(value, ObjectExpr) else ()
    entries = {
        key.text or "": entries_of({one.text: own for one, own in it.items}.get(collection.name, NULL))
        for key, it in owners
        if isinstance(it, ObjectExpr)
    }
    keys = [key for own in entries.values() for key in own]
    shapes = {frozenset(it) for own in entries.values() for it in own.values()}
    if len(entries) < len(owners) or not all(entries.values()) or len({*keys}) < len(keys) or len(shapes) != 1:
        return None
    lists = {one: _names(entries, attributes) for one, attributes in collection.lists.items()}
    values = (one for own in entries.values() for entry in own.values() for one in entry.values())
    is_known = all(lists.values()) and all(map(is_constant, values)) and _has_free_names(collection, name, blocks)
    return Owned(collection=collection, owners=name, entries=entries, lists=lists, is_known=is_known)


def _has_free_names(collection: Collection, owners: str, blocks: Sequence[TopLevelBlock]) -> bool:
    lists = collection.lists
    names = [_NAME, one_of(owners), collection.name, one_of(collection.name), *lists, *map(one_of, lists)]
    taken = {*local_values(blocks), *TAKEN, *(name for name in DEFINED_LATER if name != _NAME)}
    return len({*names} - taken) == len(names) and owners not in TAKEN


def with_owners(blocks: Sequence[TopLevelBlock], found: Sequence[Owned]) -> Sequence[TopLevelBlock]:
    """The blocks, with `owned` in those that have the local value of owners, if all is known of their members."""
    for it in found:
        if it.is_known:
            blocks = [
                replace(one, owned=(*one.owned, it.collection))
                if one.block.type == "locals" and it.owners in one.block.arguments
                else one
                for one in blocks
            ]
    return blocks


def with_owned_collections(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with loops over the members that owners have."""
    for collection in [it for found in blocks for it in found.owned]:
        for it in owned([collection], blocks):
            blocks = _with_lists(with_sets_of_owners(blocks, collection, it.owners, it.entries), it)
    return blocks


def _with_lists(blocks: Sequence[TopLevelBlock], it: Owned) -> Sequence[TopLevelBlock]:
    """The blocks with loops in outputs, and the lists that these or texts need."""
    outputs = _Outputs(it)
    changed = [
        with_changed_values(found, outputs.changed) if found.block.type == "output" else found for found in blocks
    ]
    used = {name for found in changed for name in addresses_in(found.block)}
    lists = {name: _list(it, name) for name in it.lists if f"local.{name}" in used}
    return with_local_values(changed, lists, last=True)


class _Outputs:
    """Outputs that have a value for each member of a collection, or for each name in one of its lists."""

    def __init__(self, it: Owned) -> None:
        self._it = it
        self._owners = {key: owner for owner, own in it.entries.items() for key in own}

    def changed(self, value: Expression) -> Expression:
        """The map as a loop, if its values differ in the member's key, and in its owner's, alone."""
        if not isinstance(value, ObjectExpr):
            return value
        found = {key.text or "": it for key, it in value.items}
        it, one, owner = self._it, one_of(self._it.collection.name), one_of(self._it.owners)
        if found.keys() == self._owners.keys():
            text = _by_keys(found, self._owners, one, _NAME)
            if text is not None and is_free(owner, text):
                return _merged(it, f"for {one} in keys({owner}.{it.collection.name}) : {one} => {text}")
        for name, owners in it.lists.items():
            text = _by_keys(found, owners, one_of(name), owner) if found.keys() == owners.keys() else None
            if text is not None:
                has_owner = not is_free(owner, text)
                over = (
                    f"{one_of(name)}, {owner} in local.{name}" if has_owner else f"{one_of(name)} in keys(local.{name})"
                )
                return Verbatim(f"{{ for {over} : {one_of(name)} => {text} }}")
        return value


def _by_keys(found: Mapping[str, Expression], owners: Mapping[str, str], key_name: str, owner_name: str) -> str | None:
    """The text of all values with these names in place of the keys; None if they differ in more, or refer to a name."""
    values = list(found.values())
    if any(not is_free(name, expression(it)) for it in values for name in (key_name, owner_name)):
        return None
    of_owners = {owner_name: [owners[key] for key in found]}
    of_members = {key_name: list(found)}
    # Where a member is called like an owner, only one of the two orders finds what all have in common.
    for keys in (of_owners | of_members, of_members | of_owners):
        merged = expression_by_key(values, keys)
        text = "\n" if merged is None else expression(merged)
        if "\n" not in text:
            return text
    return None


def _list(it: Owned, name: str) -> Expression:
    """A map of the names in one of the collection's lists, with the owner's key of each."""
    one, members = one_of(it.collection.name), f"{one_of(it.owners)}.{it.collection.name}"
    lists = [f"keys({members})"]
    for attribute, start in it.collection.lists[name].items():
        start = start.replace(_OWNER, f"${{{_NAME}}}")
        lists.append(f'[for {one} in {members} : "{start}${{{one}.{attribute}}}"]')
    names = "".join(f"{each},\n" for each in lists)
    # `one` refuses a name that two owners have, where `merge` would take the last.
    by_owner = f"for {_NAME}, {one_of(it.owners)} in local.{it.owners} : {_NAME} => distinct(concat(\n{names}))"
    return Verbatim(
        f"{{\nfor {one_of(name)}, {it.owners} in transpose({{\n{by_owner}\n}}) : {one_of(name)} => one({it.owners})\n}}"
    )


def _merged(it: Owned, entries: str) -> Expression:
    """A map with the entries of all owners."""
    return Verbatim(f"merge([\nfor {_NAME}, {one_of(it.owners)} in local.{it.owners} : {{\n{entries}\n}}\n]...)")


def _names(entries: Mapping[str, Entries], starts: Mapping[str, str]) -> dict[str, str]:
    """The owner's key of each name in a list; nothing if one is not known, or several owners have it."""
    if not all(PLAIN.fullmatch(it.replace(_OWNER, "")) for it in starts.values()):
        return {}
    found: dict[str, str] = {}
    for owner, own in entries.items():
        names = names_of(own, {attribute: it.replace(_OWNER, owner) for attribute, it in starts.items()})
        if not names or names & found.keys():
            return {}
        found |= dict.fromkeys(names, owner)
    return found
