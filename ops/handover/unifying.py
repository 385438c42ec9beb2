"""Merges similar resources into one block for `for_each`."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from ops.handover.by_key import Keys, expression_by_key, noun, without_common_ends
from ops.handover.grouping import ResourceGroup
from ops.handover.hcl import (
    NULL,
    Block,
    Expression,
    FunctionCall,
    ObjectExpr,
    Template,
    TupleExpr,
    Verbatim,
    text,
)
from ops.handover.known_values import is_certain
from ops.handover.members import GENERIC, all_of, are_same_set, columns_of, jsonencoded, named_line
from ops.handover.names import identifier
from ops.handover.nested import aligned, deciding, dynamic, is_own, names_a_member, word
from ops.handover.references import is_constant, is_free_of_resources, is_reference
from ops.handover.scopes import PLACEHOLDER, hides
from ops.handover.strings import has_doubled_signs
from ops.handover.texts import is_long
from ops.handover.texts_by_key import TextsByKey, texts_by_key, written_by_key
from terraform.templates import Interpolation, Literal, escaped

_MOST_DYNAMIC = 3
_OWN_SCOPE = frozenset({"dynamic", "provisioner", "connection"})

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")


@dataclass(frozen=True)
class UnifiedGroup:
    """One block for all members of a group.

    values: what differs, one value for each member, by the name N of `each.value.N` in the block.
    shared: how many arguments are the same, or differ in the key alone.
    files: the argument and content of each template file, by the expression that stands for its path in the block.
    files_by_key: the argument and each member's text, by the expression that stands for reading the member's file.
    """

    group: ResourceGroup
    block: Block
    values: Mapping[str, Sequence[Expression]]
    shared: int
    files: Mapping[Verbatim, tuple[str, str]]
    files_by_key: Mapping[Verbatim, tuple[str, Sequence[str]]]

    @property
    def differs(self) -> bool:
        """Whether anything in the block depends on the key."""
        sources = (it.source for it in self.block.expressions() if isinstance(it, Verbatim))
        parts = (part for it in self.block.expressions() if isinstance(it, Template) for part in it.parts)
        inside = (part.source for part in parts if not isinstance(part, Literal))
        return bool(self.files_by_key) or any("each." in source for source in (*sources, *inside))


def unify(group: ResourceGroup, members: Mapping[str, Block], variables: Set[str]) -> UnifiedGroup | None:
    """One block for the members, or None if they differ in a way that needs separate blocks.

    `variables` are those that are never null.
    """
    items = group.items
    if items is not None and members.keys() != items.pairs.keys():
        return None
    keys = {"each.key": list(members)} if items is None else items.keys(members)
    own = [it if items is None else items.written_into(it) for it in members.values()]
    examples = frozenset(number for number, key in enumerate(members) if key in group.examples)
    merger = _Merger(keys, may_be_dynamic=group.in_collection, variables=variables, examples=examples)
    try:
        block = merger.blocks(own, ())
        if merger.dynamic:
            known = texts_by_key(block, keys, merger.values)
            again = _Merger(keys, may_be_dynamic=True, variables=variables, known=known, examples=examples)
            changed = again.blocks(own, ())
            if again.values.items() <= merger.values.items():
                merger, block = again, changed
    except _DifferentError:
        return None
    # Nothing but the list may need a change when somebody adds an item to it.
    by_key = merger.dynamic or merger.values or merger.files or merger.files_by_key
    if items is not None and (by_key or items.are_named_in(block)):
        return None
    block = replace(block, labels=(group.type, group.name))
    return UnifiedGroup(group, block, merger.values, merger.shared, merger.files, merger.files_by_key)


class _DifferentError(Exception):
    """The members differ in a way that needs separate blocks."""


class _Merger:
    def __init__(
        self,
        keys: Keys,
        *,
        may_be_dynamic: bool,
        variables: Set[str] = frozenset(),
        known: TextsByKey | None = None,
        examples: frozenset[int] = frozenset(),
    ) -> None:
        """may_be_dynamic: whether a nested block that some members lack may become a dynamic block.

        variables: those that are never null, so that such a value of a member tells that it has a block.
        known: texts that nested blocks of some members may have, too. examples: the positions of examples.
        """
        self._examples = examples
        self._keys = keys
        self._may_be_dynamic = may_be_dynamic
        self._variables = variables
        self._known = known or {}
        self._in_json = False
        self.dynamic = 0
        self.shared = 0
        self.values: dict[str, tuple[Expression, ...]] = {}
        self.files: dict[Verbatim, tuple[str, str]] = {}
        self.files_by_key: dict[Verbatim, tuple[str, Sequence[str]]] = {}

    def blocks(self, members: Sequence[Block | None], place: tuple[str, ...]) -> Block:
        """Blocks with the same nested blocks, merged. Some members may lack it."""
        present = [it for it in members if it is not None]
        first = present[0]
        # A finding accepted for one member is not accepted for all.
        if any(hides(it) or (it.comments, it.reason) != (first.comments, first.reason) for it in present):
            raise _DifferentError
        names = dict.fromkeys(name for member in present for name in member.arguments)
        # Terraform takes `ingress = []` or blocks, not both.
        if any(name in names for it in present for inner in it.blocks for name in (inner.type, *inner.labels)):
            raise _DifferentError
        arguments = {
            name: self._argument(
                [None if it is None else it.arguments.get(name, NULL) for it in members], (*place, name)
            )
            for name in names
        }
        rows = aligned(members)
        if rows is None:
            raise _DifferentError
        return replace(first, arguments=arguments, blocks=tuple(self._nested(row, members, place) for row in rows))

    def _nested(self, row: Sequence[Block | None], parents: Sequence[Block | None], place: tuple[str, ...]) -> Block:
        """Nested blocks, merged: into a dynamic block if only some members have it."""
        first = next(it for it in row if it is not None)
        words = {word(it) for it in row if it is not None}
        name = first.type if first.type in _OWN_SCOPE or len(words) > 1 else words.pop()
        inner = self.blocks(row, (*place, name))
        missing = [it is None and parent is not None for it, parent in zip(row, parents, strict=True)]
        if not any(missing):
            return inner
        having = {number for number, it in enumerate(row) if it is not None}
        of_examples = (keys[number] for keys in self._keys.values() for number in having)
        if having <= self._examples and names_a_member(inner, of_examples):
            raise _DifferentError
        self.dynamic += 1
        present = [it is not None for it in row]
        own = deciding(inner, present, self.values, self._variables)
        made = dynamic(inner, present, own) if self._may_be_dynamic else None
        if made is None or "lifecycle" in place or self.dynamic > _MOST_DYNAMIC:
            raise _DifferentError
        block, name, values = made
        if own is None and self.values.setdefault(name, values) != values:
            raise _DifferentError
        return block

    def _argument(self, members: Sequence[Expression | None], place: tuple[str, ...]) -> Expression:
        """An argument's values, merged. None stands for a member without the block."""
        best = self._name_of_block(members, place)
        present = [it for it in members if it is not None]
        if None not in members:
            return self._merged(present, place, best if place[-1] in GENERIC else ())
        rows = [number for number, it in enumerate(members) if it is not None]
        if (written := written_by_key(present, rows, self._known)) is not None:
            self.shared += 1
            return written
        or_null = [NULL if it is None else it for it in members]
        if all(it == present[0] for it in present):
            if best:
                return self._value(or_null, place, best)
            self.shared += 1
            return present[0]
        keys = {name: [values[row] for row in rows] for name, values in self._keys.items()}
        own = _Merger(keys, may_be_dynamic=False)
        by_key = expression_by_key(present, keys) or own._by_element(present, place)
        if by_key is not None and not (own.values or own.files or own.files_by_key):
            self.shared += 1
            return by_key
        return self._value(or_null, place, best)

    def _name_of_block(self, members: Sequence[Expression | None], place: tuple[str, ...]) -> Sequence[str]:
        """The nested block's name, if the argument has what is the members' own and tells who has the block.

        It must not depend on how many have the block: then people's own entries would lack the value that is read.
        """
        columns = [zip(members, keys, strict=True) for keys in self._keys.values()]
        are_own = any(it is not None and is_own(it, key) for column in columns for it, key in column)
        tell = NULL not in members and all(it is None or is_certain(it, self._variables) for it in members)
        return place[-2:-1] if self._may_be_dynamic and are_own and tell else ()

    def _merged(self, members: Sequence[Expression], place: tuple[str, ...], best: Sequence[str] = ()) -> Expression:
        if all(member == members[0] for member in members):
            self.shared += 1
            return members[0]
        if place[-1] == "depends_on" and are_same_set(members):
            return members[0]
        if place[-1] in ("depends_on", "provider", "ignore_changes"):
            raise _DifferentError
        merged = expression_by_key(members, self._keys)
        if merged is not None:
            self.shared += 1
            return merged
        merged = self._by_element(members, place)
        if merged is not None:
            return merged
        if "lifecycle" in place:
            raise _DifferentError
        if any(isinstance(member, Template) and is_long(member) for member in members):
            return self._json(members, place) or self._file(members, place)
        return self._value(members, place, best)

    def _value(self, members: Sequence[Expression], place: tuple[str, ...], best: Sequence[str] = ()) -> Expression:
        """`each.value.NAME`, with the `best` name or one after the place. Equal values share one name."""
        own_scope = _OWN_SCOPE & set(place)  # references may be to an iterator or `self`
        if not all(is_constant(it) or (not own_scope and is_reference(it)) for it in members):
            raise _DifferentError
        refers = [not is_free_of_resources(it) for it in members]
        if any(refers) and not all(refers):
            raise _DifferentError
        prefix, values, suffix = without_common_ends(members)
        shortest = 2 if place[-1] in GENERIC and len(place) > 1 else 1
        names = [identifier("_".join(place[-length:])) for length in range(shortest, len(place) + 1)]
        if prefix:
            names.insert(0, noun(prefix))
        numbered = (f"{names[-1]}_{number}" for number in range(2, 100))
        for name in (*best, *names, *numbered):
            if self.values.setdefault(name, values) == values:
                if not prefix:
                    return Verbatim(f"each.value.{name}")
                return Template((Literal(prefix), Interpolation(f"each.value.{name}"), *suffix))
        raise _DifferentError

    def _by_element(self, members: Sequence[Expression], place: tuple[str, ...]) -> Expression | None:
        """Calls, tuples and objects of the same form, merged element by element."""
        if calls := all_of(FunctionCall, members):
            return self._calls(calls, place)
        if tuples := all_of(TupleExpr, members):
            return self._tuples(tuples, place)
        if objects := all_of(ObjectExpr, members):
            return self._objects(objects, place)
        return None

    def _calls(self, members: Sequence[FunctionCall], place: tuple[str, ...]) -> Expression | None:
        first = members[0]
        if any(it.function != first.function or len(it.arguments) != len(first.arguments) for it in members):
            return None
        return FunctionCall(first.function, self._elements([it.arguments for it in members], place))

    def _tuples(self, members: Sequence[TupleExpr], place: tuple[str, ...]) -> Expression | None:
        if len({(len(it.items), it.growth is None) for it in members}) != 1:
            return None
        columns = list(zip(*(it.items for it in members), strict=True))
        # The next member's list of JSON may be longer.
        if (len(columns) > 1 or self._in_json) and all(is_constant(it) for it in members):
            by_key = [
                column[0] if len(set(column)) == 1 else expression_by_key(column, self._keys) for column in columns
            ]
            found = tuple(it for it in by_key if it is not None)
            return TupleExpr(found) if len(found) == len(columns) else None
        return TupleExpr(self._elements([it.items for it in members], place))

    def _objects(self, members: Sequence[ObjectExpr], place: tuple[str, ...]) -> Expression | None:
        columns = columns_of(members)
        keys = [expression_by_key(names, self._keys) for names, _ in columns]
        found = [it for it in keys if isinstance(it, Template)]
        if not columns or len(found) < len(columns):
            return None
        places = ((*place, identifier(key.text.lower())) if key.text else place for key in found)
        merged = (self._merged(values, place) for place, (_, values) in zip(places, columns, strict=True))
        return ObjectExpr(tuple(zip(found, merged, strict=True)))

    def _elements(self, rows: Sequence[Sequence[Expression]], place: tuple[str, ...]) -> tuple[Expression, ...]:
        return tuple(self._merged(column, place) for column in zip(*rows, strict=True))

    def _json(self, members: Sequence[Expression], place: tuple[str, ...]) -> Expression | None:
        """Strings of JSON as one `jsonencode(…)`, if their objects have more in common than not."""
        saved = self.shared, dict(self.values), dict(self.files), dict(self.files_by_key)
        was_in_json, self._in_json = self._in_json, True
        try:
            merged = self._calls(calls, place) if (calls := jsonencoded(members)) else None
        except _DifferentError:
            merged = None
        self._in_json = was_in_json
        if merged is None or len(self.values) - len(saved[1]) > self.shared - saved[0]:
            self.shared, self.values, self.files, self.files_by_key = saved
            return None
        return merged

    def _file(self, members: Sequence[Expression], place: tuple[str, ...]) -> Expression:
        """One template file for all long texts if only a few lines differ, otherwise a file for each."""
        saved = dict(self.values)
        try:
            return self._template_file(members, place)
        except _DifferentError:
            self.values = saved
        texts = [it.text for it in all_of(Template, members) if it.text is not None]
        keys = next(iter(self._keys.values()))
        if len(self._keys) > 1 or len(texts) != len(members) or not all(_FILE_NAME.fullmatch(key) for key in keys):
            raise _DifferentError
        path = next((it for it, (_, known) in self.files_by_key.items() if known == texts), None)
        if path is None:
            path = Verbatim(f"{PLACEHOLDER}s each.key {len(self.files_by_key)}>")  # no valid HCL
            self.files_by_key[path] = (place[-1], texts)
        return path

    def _template_file(self, members: Sequence[Expression], place: tuple[str, ...]) -> Expression:
        """A file for long texts that differ only in lines of the form `NAME: value`."""
        texts = [it.text for it in all_of(Template, members) if is_long(it) and it.text is not None]
        rows = [text.split("\n") for text in texts]
        if len(texts) != len(members) or len({len(row) for row in rows}) != 1:
            raise _DifferentError
        # Terraform drops a file's byte order mark.
        if any(has_doubled_signs(Literal(text)) or "\r" in text or text.startswith("\ufeff") for text in texts):
            raise _DifferentError
        variables: dict[str, Expression] = {}
        lines = [self._line(column, variables) for column in zip(*rows, strict=True)]
        path = Verbatim(f"{PLACEHOLDER} {len(self.files)}>")  # no valid HCL, so no other expression is equal to it
        self.files[path] = (place[-1], "\n".join(lines))
        values = ObjectExpr(tuple((text(name), value) for name, value in variables.items()))
        return FunctionCall("templatefile", (path, values))

    def _line(self, column: Sequence[str], variables: dict[str, Expression]) -> str:
        """One line of a template file. Adds its variable, if the members' lines differ."""
        if len(set(column)) == 1:
            return escaped(column[0])
        named = named_line(column)
        if named is None or named[1] in variables:
            raise _DifferentError
        start, name, end = named
        inside = [text(line[len(start) : len(line) - len(end)]) for line in column]
        variables[name] = expression_by_key(inside, self._keys) or self._value(inside, (name,))
        return f"{escaped(start)}${{{name}}}{end}"
