"""Merges similar resources into one block for `for_each`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

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
    within,
)
from ops.handover.strings import has_doubled_signs, quoted
from ops.handover.texts import is_long
from terraform.patterns import WITH_INDEXES
from terraform.templates import Interpolation, Literal, Part, escaped

_EACH_KEY = Interpolation("each.key")
_CONSTANT = re.compile(r"null|true|false|-?[0-9][0-9.eE+-]*")

# A line of a text such as `NAME: "value"` or `export NAME=value`, up to the value.
_NAMED_LINE = re.compile(r"""(\s*(?:export |- )?([A-Za-z_]\w*)\s*[:=]\s*["']?)""")

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class UnifiedGroup:
    """One block for all members of a group.

    values: what differs, one value for each member, by the name N of `each.value.N` in the block.
    files: the argument and content of each template file, by the expression that stands for its path in the block.
    """

    group: ResourceGroup
    block: Block
    values: Mapping[str, Sequence[Expression]]
    files: Mapping[Verbatim, tuple[str, str]]


def unify(group: ResourceGroup, members: Mapping[str, Block]) -> UnifiedGroup | None:
    """One block for the members, or None if they differ in a way that needs separate blocks."""
    merger = _Merger(list(members), references=group.may_differ_in_references)
    try:
        block = merger.blocks(list(members.values()), ())
    except _DifferentError:
        return None
    return UnifiedGroup(group, replace(block, labels=(group.type, group.name)), merger.values, merger.files)


class _DifferentError(Exception):
    """The members differ in a way that needs separate blocks."""


class _Merger:
    def __init__(self, keys: list[str], *, references: bool) -> None:
        """references: whether members may refer to different resources."""
        self._keys = keys
        self._references = references
        self.values: dict[str, tuple[Expression, ...]] = {}
        self.files: dict[Verbatim, tuple[str, str]] = {}

    def blocks(self, members: Sequence[Block], place: tuple[str, ...]) -> Block:
        """Blocks with the same nested blocks, merged."""
        first = members[0]
        if any(member.comments != first.comments for member in members):
            raise _DifferentError  # a finding accepted for one member is not accepted for all
        names = dict.fromkeys(name for member in members for name in member.arguments)
        arguments = {
            name: self._merged([member.arguments.get(name, NULL) for member in members], (*place, name))
            for name in names
        }
        inner = [
            self.blocks([member.blocks[index] for member in members], (*place, it.type))
            for index, it in enumerate(first.blocks)
        ]
        return replace(first, arguments=arguments, blocks=tuple(inner))

    def _merged(self, members: Sequence[Expression], place: tuple[str, ...]) -> Expression:
        if all(member == members[0] for member in members):
            return members[0]
        if place[-1] in ("depends_on", "provider") or "lifecycle" in place:
            raise _DifferentError
        merged = self._by_key(members) or self._by_element(members, place)
        if merged is not None:
            return merged
        if not all(_is_constant(it) or (self._references and _is_reference(it)) for it in members):
            raise _DifferentError
        if any(isinstance(member, Template) and is_long(member) for member in members):
            return self._template_file(members, place)
        return self._value(members, place)

    def _value(self, members: Sequence[Expression], place: tuple[str, ...]) -> Verbatim:
        """`each.value.NAME`, named after the place. Equal values share one name."""
        values = tuple(members)
        for length in range(1, len(place) + 1):
            name = "_".join(place[-length:])
            if self.values.setdefault(name, values) == values:
                return Verbatim(f"each.value.{name}")
        raise _DifferentError

    def _by_key(self, members: Sequence[Expression]) -> Expression | None:
        """Expressions that differ in the key alone, with `each.key` in its place."""
        if verbatims := _all_of(Verbatim, members):
            source = self._source_by_key([it.source for it in verbatims])
            return None if source is None else Verbatim(source)
        parts = [it.parts for it in _all_of(Template, members)]
        if not parts or len({tuple(type(part) for part in one) for one in parts}) != 1:
            return None
        merged: list[Part] = []
        for column in zip(*parts, strict=True):
            part = self._part_by_key(column)
            if part is None:
                return None
            merged += part
        return Template(tuple(merged))

    def _part_by_key(self, column: Sequence[Part]) -> list[Part] | None:
        first = column[0]
        if all(part == first for part in column):
            return [first]
        if isinstance(first, Literal):
            return self._literal_by_key([part.text for part in column if isinstance(part, Literal)])
        source = self._source_by_key([part.source for part in column if not isinstance(part, Literal)])
        return None if source is None else [type(first)(source)]

    def _source_by_key(self, sources: list[str]) -> str | None:
        changed = {
            source.replace(f"[{quoted(key)}]", "[each.key]") for key, source in zip(self._keys, sources, strict=True)
        }
        return changed.pop() if len(changed) == 1 else None

    def _literal_by_key(self, texts: list[str]) -> list[Part] | None:
        first, key = texts[0], self._keys[0]
        position = first.find(key)
        while position >= 0:
            before, after = first[:position], first[position + len(key) :]
            # A `$` or `%` before an interpolation would escape it.
            if not before.endswith(("$", "%")) and texts == [f"{before}{it}{after}" for it in self._keys]:
                return [part for part in (Literal(before), _EACH_KEY, Literal(after)) if part != Literal("")]
            position = first.find(key, position + 1)
        return None

    def _by_element(self, members: Sequence[Expression], place: tuple[str, ...]) -> Expression | None:
        """Calls, tuples and objects of the same form, merged element by element."""
        if calls := _all_of(FunctionCall, members):
            return self._calls(calls, place)
        if tuples := _all_of(TupleExpr, members):
            return self._tuples(tuples, place)
        if objects := _all_of(ObjectExpr, members):
            return self._objects(objects, place)
        return None

    def _calls(self, members: Sequence[FunctionCall], place: tuple[str, ...]) -> Expression | None:
        first = members[0]
        if any(it.function != first.function or len(it.arguments) != len(first.arguments) for it in members):
            return None
        return FunctionCall(first.function, self._elements([it.arguments for it in members], place))

    def _tuples(self, members: Sequence[TupleExpr], place: tuple[str, ...]) -> Expression | None:
        if len({len(it.items) for it in members}) != 1 or all(_is_constant(it) for it in members):
            return None
        return TupleExpr(self._elements([it.items for it in members], place))

    def _objects(self, members: Sequence[ObjectExpr], place: tuple[str, ...]) -> Expression | None:
        keys = [key for key, _ in members[0].items]
        if any([key for key, _ in it.items] != keys for it in members):
            return None
        columns = zip(*([value for _, value in it.items] for it in members), strict=True)
        merged = (self._merged(column, (*place, _word(key))) for key, column in zip(keys, columns, strict=True))
        return ObjectExpr(tuple(zip(keys, merged, strict=True)))

    def _elements(self, rows: Sequence[Sequence[Expression]], place: tuple[str, ...]) -> tuple[Expression, ...]:
        return tuple(self._merged(column, place) for column in zip(*rows, strict=True))

    def _template_file(self, members: Sequence[Expression], place: tuple[str, ...]) -> Expression:
        """A file for long texts that differ only in lines of the form `NAME: value`."""
        texts = [it.text for it in _all_of(Template, members) if is_long(it) and it.text is not None]
        rows = [text.split("\n") for text in texts]
        if len(texts) != len(members) or len({len(row) for row in rows}) != 1:
            raise _DifferentError
        if any(has_doubled_signs(Literal(text)) or "\r" in text for text in texts):
            raise _DifferentError
        variables: dict[str, Expression] = {}
        lines = [self._line(column, variables) for column in zip(*rows, strict=True)]
        path = Verbatim(f"<file {len(self.files)}>")  # no valid HCL, so no other expression is equal to it
        self.files[path] = (place[-1], "\n".join(lines))
        values = ObjectExpr(tuple((text(name), value) for name, value in variables.items()))
        return FunctionCall("templatefile", (path, values))

    def _line(self, column: Sequence[str], variables: dict[str, Expression]) -> str:
        """One line of a template file. Adds its variable, if the members' lines differ."""
        if len(set(column)) == 1:
            return escaped(column[0])
        named = _NAMED_LINE.match(column[0])
        if named is None or not all(line.startswith(named[1]) for line in column):
            raise _DifferentError
        start, name = named[1], named[2].lower()
        end = next((quote for quote in "\"'" if all(line.endswith(quote) for line in column)), "")
        if name in variables or any(len(line) < len(start) + len(end) for line in column):
            raise _DifferentError
        inside = [text(line[len(start) : len(line) - len(end)]) for line in column]
        variables[name] = self._by_key(inside) or self._value(inside, (name,))
        return f"{escaped(start)}${{{name}}}{end}"


def _all_of(kind: type[_Kind], members: Sequence[object]) -> list[_Kind]:
    """The members, if all are of this kind; otherwise nothing."""
    found = [it for it in members if isinstance(it, kind)]
    return found if len(found) == len(members) else []


def _word(key: Template) -> str:
    return re.sub(r"\W+", "_", key.text or "value").strip("_").lower() or "value"


def _is_constant(expression: Expression) -> bool:
    """Whether it has no references and no calls."""
    for it in within(expression):
        if isinstance(it, FunctionCall):
            return False
        if isinstance(it, Template) and it.text is None:
            return False
        if isinstance(it, Verbatim) and not _CONSTANT.fullmatch(it.source):
            return False
    return True


def _is_reference(expression: Expression) -> bool:
    source = expression.expression if isinstance(expression, Template) else None
    return source is not None and WITH_INDEXES.fullmatch(source) is not None
