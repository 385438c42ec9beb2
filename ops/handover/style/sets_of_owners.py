"""Writes sets of ARNs as loops, in blocks that iterate over a local value whose members, the owners, have some each.

`resources = each.value.repository_arns` becomes `resources = [for mirror in each.value.mirrors :
"arn:…:${mirror.target}"]`. What the owners say in this other form is left out of the local value.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from ops.handover.hcl import NULL, Block, Expression, ObjectExpr, Template, TupleExpr, Verbatim, text
from ops.handover.metadata import Collection, TopLevelBlock
from ops.handover.scopes import code_of, hides
from ops.handover.strings import joined
from ops.handover.style.collection_entries import (
    Entries,
    as_quoted,
    attribute_of_arns,
    loop_over_arns,
    loop_over_attribute,
    one_of,
)
from ops.handover.style.keys import local_name, source_of
from ops.handover.style.local_values import local_values, uses_of_attribute
from terraform.templates import Interpolation, Part

_ATTRIBUTE = re.compile(r"each\.value\.([A-Za-z_]\w*)", re.ASCII)
_IF = re.compile(rf"{_ATTRIBUTE.pattern} \? \[1\] : \[\]", re.ASCII)
_UNLESS_NULL = re.compile(rf"{_ATTRIBUTE.pattern} == null \? \[\] : \[1\]", re.ASCII)
_WHOLE_ENTRY = re.compile(r"(?<![\w.-])each\.value(?!\.)")
_TRUE, _FALSE = Verbatim("true"), Verbatim("false")

_Owners = frozenset[int] | None
"""The numbers of the owners whose block has something; None if that is not known."""
_ChangeOfSet = Callable[[Expression, _Owners], Expression]


def with_sets_of_owners(
    blocks: Sequence[TopLevelBlock], collection: Collection, owners: str, entries: Mapping[str, Entries]
) -> Sequence[TopLevelBlock]:
    """The blocks with loops over the members of each owner in `local.OWNERS`. `entries` are those of the collection."""
    iterating = [it for it in blocks if local_name(it.block.arguments.get("for_each", NULL)) == owners]
    if any(hides(it.block) for it in iterating):
        return blocks
    sets = _SetsOfOwners(collection, entries, local_values(blocks), owners)
    for it in iterating:
        sets.see(it.block)
    changed = [replace(it, block=sets.changed(it.block)) if it in iterating else it for it in blocks]
    return _without_unused(blocks, changed, owners)


class _SetsOfOwners:
    def __init__(
        self,
        collection: Collection,
        entries: Mapping[str, Entries],
        values: Mapping[str, Expression],
        owners: str,
    ) -> None:
        self._collection = collection
        self._entries = list(entries.values())
        self._members = f"each.value.{collection.name}"
        self._local_values = values
        self._columns = dict(_columns(values[owners]))
        self._columns["each.key"] = [text(key) for key in entries]
        self._all = frozenset(range(len(entries)))
        self._candidates = 0

    def see(self, block: Block) -> None:
        """Count the sets in a block that may be all values of an attribute: of several, it is not known which are."""

        def count(it: Expression, owners: _Owners) -> Expression:
            arns = self._arns(it)
            self._candidates += arns is None or owners is None or self._attribute(arns, owners) is not None
            return it

        self._with_sets(block, self._all, count)

    def changed(self, block: Block) -> Block:
        """A block with loops over the members of its owner."""
        return self._with_sets(block, self._all, self._loop)

    def _loop(self, it: Expression, owners: _Owners) -> Expression:
        arns = self._arns(it)
        if arns is None or owners is None:
            return it
        attribute = self._attribute(arns, owners) if self._candidates == 1 else None
        if attribute is not None:
            return Verbatim(loop_over_attribute(self._collection, attribute, self._members))
        written = {
            loop_over_arns(self._collection, self._entries[one], set(map(as_quoted, arns[one])), self._members)
            for one in owners
        }
        loop = written.pop() if len(written) == 1 else None
        return it if loop is None else Verbatim(loop)

    def _attribute(self, arns: Sequence[Sequence[Template]], owners: frozenset[int]) -> str | None:
        """The attribute of which each of these owners has all values, and each other one has none."""
        if not all(arns[number] for number in owners):
            return None
        found = []
        for number, entries in enumerate(self._entries):
            resolved = {key: {name: self._resolved(it) for name, it in entry.items()} for key, entry in entries.items()}
            own = {as_quoted(self._resolved(it)) for it in arns[number]} if number in owners else set()
            found.append(attribute_of_arns(self._collection, resolved, own))
        return found[0] if len({*found}) == 1 else None

    def _arns(self, it: Expression) -> list[list[Template]] | None:
        """The texts in a set of each owner; None if they are not known."""
        found = []
        for number in range(len(self._entries)):
            value = self._columns[source_of(it)][number] if source_of(it) in self._columns else it
            items = value.items if isinstance(value, TupleExpr) else () if value == NULL else None
            if items is None:
                return None
            texts = [self._of_owner(one, number) for one in items if isinstance(one, Template)]
            known = [one for one in texts if one is not None and as_quoted(one)]
            if len(known) < len(items):
                return None
            found.append(known)
        return found

    def _of_owner(self, template: Template, number: int) -> Template | None:
        """A text with the owner's values in place of `each`; None if they are not known. Other references stay."""
        parts: list[Part] = []
        for part in template.parts:
            source = part.source.strip() if isinstance(part, Interpolation) else ""
            value = self._columns[source][number] if source in self._columns else None
            if isinstance(value, Template):
                parts += value.parts
            elif "each.value" in source:
                return None
            else:
                parts.append(part)
        return Template(tuple(joined(parts)))

    def _resolved(self, it: Expression) -> Expression:
        """A text with the values of the local values in it, as far as these are texts."""
        if not isinstance(it, Template):
            return it
        parts: list[Part] = []
        for part in it.parts:
            name = part.source.strip().removeprefix("local.") if isinstance(part, Interpolation) else ""
            value = self._resolved(self._local_values[name]) if name in self._local_values else None
            parts += value.parts if isinstance(value, Template) else [part]
        return Template(tuple(joined(parts)))

    def _with_sets(self, block: Block, owners: _Owners, change: _ChangeOfSet) -> Block:
        owners = self._with_block(block, owners)
        arguments = {name: change(it, owners) if name in block.sets else it for name, it in block.arguments.items()}
        inner = tuple(self._with_sets(it, owners, change) for it in block.blocks)
        return self._decided(replace(block, arguments=arguments, blocks=inner))

    def _decided(self, block: Block) -> Block:
        """A dynamic block with a loop over an attribute, on the condition that one of the members has the attribute."""
        one = one_of(self._collection.name)
        for attribute in self._collection.arns.values() if block.type == "dynamic" else ():
            loop = Verbatim(loop_over_attribute(self._collection, attribute, self._members))
            if any(it == loop for content in block.blocks for it in content.arguments.values()):
                decides = f"anytrue([for {one} in {self._members} : {one}.{attribute} != null]) ? [1] : []"
                return replace(block, arguments={**block.arguments, "for_each": Verbatim(decides)})
        return block

    def _with_block(self, block: Block, owners: _Owners) -> _Owners:
        """The owners, of these, whose block has this nested block."""
        if block.type != "dynamic" or owners is None:
            return owners
        source = source_of(block.arguments["for_each"])
        if (it := _IF.fullmatch(source)) is not None:
            return self._whose(it[1], owners, _is_true)
        if (it := _UNLESS_NULL.fullmatch(source)) is not None:
            return self._whose(it[1], owners, _is_not_null)
        return None

    def _whose(self, attribute: str, owners: frozenset[int], decide: Callable[[Expression], bool | None]) -> _Owners:
        """The owners, of these, whose value of an attribute decides for the block; None if one value is not known."""
        decided = [decide(it) for it in self._columns.get(f"each.value.{attribute}", [])]
        return None if None in decided or not decided else frozenset(one for one in owners if decided[one])


def _is_true(value: Expression) -> bool | None:
    """Whether a value is true; None if that is not known. A text may be true, too."""
    return value == _TRUE if value in (_TRUE, _FALSE) else None


def _is_not_null(value: Expression) -> bool | None:
    """Whether a value is not null; None if that is not known."""
    is_constant_text = isinstance(value, Template) and value.expression is None
    return value != NULL if value == NULL or is_constant_text or isinstance(value, TupleExpr | ObjectExpr) else None


def _columns(value: Expression) -> Iterator[tuple[str, list[Expression]]]:
    """The values of each attribute of all owners, by the expression of it."""
    entries = [
        {name.text or "": one for name, one in it.items} if isinstance(it, ObjectExpr) else {}
        for _, it in (value.items if isinstance(value, ObjectExpr) else ())
    ]
    for name in dict.fromkeys(name for entry in entries for name in entry):
        yield f"each.value.{name}", [entry.get(name, NULL) for entry in entries]


def _without_unused(
    before: Sequence[TopLevelBlock], blocks: Sequence[TopLevelBlock], owners: str
) -> Sequence[TopLevelBlock]:
    """The blocks, without the attributes of the owners that something referred to in `before`, and nothing does now."""
    value = local_values(blocks)[owners]
    if not isinstance(value, ObjectExpr) or _has_whole_entries(blocks, owners):
        return blocks
    names = {name.text or "" for _, it in value.items if isinstance(it, ObjectExpr) for name, _ in it.items}
    unused = {it for it in names if uses_of_attribute(it, before) and not uses_of_attribute(it, blocks)}
    kept = {owners: ObjectExpr(tuple((key, _without(it, unused)) for key, it in value.items))}
    return [
        replace(it, block=replace(it.block, arguments={**it.block.arguments, **kept}))
        if it.block.type == "locals" and owners in it.block.arguments
        else it
        for it in blocks
    ]


def _has_whole_entries(blocks: Sequence[TopLevelBlock], owners: str) -> bool:
    """Whether something may need all that an entry of the owners has."""
    of_owners = re.compile(rf"(?<![\w.-])(?<!keys\()local\.{re.escape(owners)}(?![\w-])")
    iterated = f"local.{owners}"
    return any(
        of_owners.search(source)
        or (local_name(found.block.arguments.get("for_each", NULL)) == owners and _WHOLE_ENTRY.search(source))
        for found in blocks
        for it in found.block.expressions()
        if source_of(it) != iterated
        for source, _ in code_of(it)
    )


def _without(entry: Expression, names: Set[str]) -> Expression:
    if not isinstance(entry, ObjectExpr):
        return entry
    return ObjectExpr(tuple((key, it) for key, it in entry.items if key.text not in names))
