"""Writes every list of a stack's members as a loop over one local value, which has all that the stack says of each.

A stack says itself which members it lists in JSON. `jsonencode({ mirrors = { a = { target = "x" } } })` becomes
`jsonencode({ mirrors = local.mirrors })`, and a set of ARNs `[for mirror in local.mirrors : "arn:…:${mirror.target}"]`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.handover.edit_places import MemberList
from ops.handover.hcl import (
    Block,
    Expression,
    FunctionCall,
    ObjectExpr,
    TupleExpr,
    Verbatim,
    within,
)
from ops.handover.lists_in_texts import KeyList
from ops.handover.metadata import Collection, TopLevelBlock
from ops.handover.printing import expression
from ops.handover.references import addresses_in, is_constant
from ops.handover.style.collection_entries import (
    DEFINED_LATER,
    PLAIN,
    Entries,
    as_quoted,
    attribute_of_arns,
    entries_of,
    loop_over_arns,
    loop_over_attribute,
    names_of,
    one_of,
)
from ops.handover.style.keys import TAKEN
from ops.handover.style.local_values import local_values, with_changed_sets, with_changed_values, with_local_values
from ops.handover.style.marked_keys import HERE, with_key_in_text


@dataclass(frozen=True, kw_only=True)
class Collected:
    """A collection with its members, and with the names in each of its lists, in Terraform's order."""

    collection: Collection
    entries: ObjectExpr
    lists: Mapping[str, Sequence[str]]

    @property
    def local_value(self) -> TopLevelBlock:
        """The local value. What changes in a member's values before `with_collections` changes in it, too."""
        block = Block("locals", arguments={self.collection.name: self.entries})
        # Other local values are not written into a block that is another one's: this one is taken away later.
        return TopLevelBlock(block=block, collection=self.collection, same_file_as="")

    @property
    def member_list(self) -> MemberList:
        """Where members are added, for the README."""
        keys = [key.text or "" for key, _ in self.entries.items]
        return MemberList(address=f"local.{self.collection.name}", what=self.collection.name, keys=keys)

    def key_lists(self, blocks: Sequence[TopLevelBlock]) -> list[KeyList]:
        """The lists that texts may have loops over: those that `blocks` define."""
        defined = local_values(blocks)
        return [
            KeyList(name=name, key_name=one_of(name), keys=keys, expression=f"local.{name}")
            for name, keys in self.lists.items()
            if name in defined
        ]


def collected(collections: Sequence[Collection], blocks: Sequence[TopLevelBlock]) -> list[Collected]:
    """The collections with constants alone that the stack's JSON has in one form."""
    taken = {*local_values(blocks), *TAKEN, *DEFINED_LATER}
    found = []
    for it in collections:
        names = [it.name, one_of(it.name), *it.lists, *map(one_of, it.lists)]
        forms = [entries_of(value) for value in _listed(it.name, blocks)]
        if not forms or any(form != forms[0] for form in forms) or len({*names} - taken) < len(names):
            continue
        entries = forms[0]
        if not all(is_constant(value) for entry in entries.values() for value in entry.values()):
            continue
        lists = {name: _names(entries, attributes) for name, attributes in it.lists.items()}
        if entries and all(lists.values()):
            value = next(_listed(it.name, blocks))
            found.append(Collected(collection=it, entries=value, lists=lists))
    return found


def with_collections(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with loops over the local values of collections. A local value that nothing needs is left out."""
    for found in [it for it in blocks if it.collection is not None]:
        if found.collection is not None:
            rest = [it for it in blocks if it is not found]
            value = found.block.arguments[found.collection.name]
            blocks = _with_collection(rest, found.collection, value)
    return blocks


def _with_collection(
    blocks: Sequence[TopLevelBlock], collection: Collection, value: Expression
) -> Sequence[TopLevelBlock]:
    entries = entries_of(value)
    if not entries:
        return blocks
    change = _LoopsOverMembers(collection, entries, _sets(blocks))
    changed = [change.changed(it) for it in blocks]
    used = {name for it in changed for name in addresses_in(it.block)}
    if f"local.{collection.name}" not in used:
        return blocks
    lists = {name: Verbatim(change.list_of(name)) for name in collection.lists if f"local.{name}" in used}
    return with_local_values(changed, {collection.name: value, **lists}, last=True)


class _LoopsOverMembers:
    def __init__(self, collection: Collection, entries: Entries, sets: Mapping[frozenset[str], int]) -> None:
        self._collection = collection
        self._sets = sets
        self._entries = entries
        self._all = f"local.{collection.name}"
        self._one = one_of(collection.name)

    def changed(self, found: TopLevelBlock) -> TopLevelBlock:
        """A block with loops."""
        found = with_changed_values(with_changed_sets(found, self._set), self._object)
        return with_changed_values(found, self._output) if found.block.type == "output" else found

    def list_of(self, name: str) -> str:
        """One of the collection's lists."""
        lists = [f"keys({self._all})"]
        for attribute, start in self._collection.lists[name].items():
            lists.append(f'[for {self._one} in {self._all} : "{start}${{{self._one}.{attribute}}}"]')
        return f"toset(concat({', '.join(lists)}))"

    def _object(self, it: Expression) -> Expression:
        return Verbatim(self._all) if isinstance(it, ObjectExpr) and entries_of(it) == self._entries else it

    def _set(self, it: Expression) -> Expression:
        """A set of ARNs, one for each member."""
        if not isinstance(it, TupleExpr) or not it.items or len(it.items) != len({*it.items}):
            return it
        arns = frozenset(map(as_quoted, it.items))
        # Where another set has the same ARNs, it is not known which of them are those of the members.
        attribute = attribute_of_arns(self._collection, self._entries, arns) if self._sets[arns] == 1 else None
        if attribute is not None:
            return Verbatim(loop_over_attribute(self._collection, attribute, self._all))
        loop = loop_over_arns(self._collection, self._entries, arns, self._all)
        return it if loop is None else Verbatim(loop)

    def _output(self, it: Expression) -> Expression:
        """A map with a value for each name in one of the lists, or with the same value for each key."""
        if not isinstance(it, ObjectExpr):
            return it
        keys = [key.text or "" for key, _ in it.items]
        if sorted(keys) == sorted(self._entries) and len({value for _, value in it.items}) == 1:
            value = expression(it.items[0][1])
            return it if "\n" in value else self._map(f"keys({self._all})", self._one, value)
        for name, attributes in self._collection.lists.items():
            texts = {with_key_in_text(value, key) for key, (_, value) in zip(keys, it.items, strict=True)}
            if sorted(keys) == _names(self._entries, attributes) and len(texts) == 1:
                text = texts.pop()
                if text is not None and text.count(HERE) == 1:
                    return self._map(f"local.{name}", one_of(name), text.replace(HERE, one_of(name)))
        return it

    def _map(self, over: str, one: str, value: str) -> Expression:
        return Verbatim(f"{{ for {one} in {over} : {one} => {value} }}")


def _sets(blocks: Sequence[TopLevelBlock]) -> Counter[frozenset[str]]:
    """How often each set of texts stands in the stack."""
    found = Counter[frozenset[str]]()

    def see(it: Expression) -> Expression:
        if isinstance(it, TupleExpr):
            found[frozenset(map(as_quoted, it.items))] += 1
        return it

    for block in blocks:
        with_changed_sets(block, see)
    return found


def _listed(name: str, blocks: Sequence[TopLevelBlock]) -> Iterator[ObjectExpr]:
    """The objects with this name in JSON that resources have."""
    for found in blocks:
        for it in found.block.expressions() if found.block.type == "resource" else ():
            if isinstance(it, FunctionCall) and it.function == "jsonencode":
                for inner in within(it):
                    if isinstance(inner, ObjectExpr):
                        yield from (one for key, one in inner.items if key.text == name and isinstance(one, ObjectExpr))


def _names(entries: Entries, starts: Mapping[str, str]) -> list[str]:
    """The names in a list, in Terraform's order; nothing if one of them is not known."""
    return sorted(names_of(entries, starts)) if all(map(PLAIN.fullmatch, starts.values())) else []
