"""Finds the references in expressions, by the syntax tree, and the names that `for` and dynamic blocks give to values.

A name that an expression binds itself is no reference: `[for aws_subnet in local.subnets : aws_subnet.id]`.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ops.handover.expressions import Syntax, is_valid, parsed
from ops.handover.hcl import Block, Expression, Template, Verbatim, within
from terraform.templates import Directive, Literal, Part, code

Names = frozenset[str]

PLACEHOLDER = "<file"
"""The start of what stands for a file's path until the file has one. No expression starts with it."""

# What the handover adds references to; those to resources have their types.
_ADDED = frozenset({"each", "local", "path"})
_FOR = frozenset({"for_tuple_expr", "for_object_expr", "template_for"})
NO_NAMES: Names = frozenset()

# A provisioner of a resource that is destroyed may refer to that resource only. Conditions have messages for people.
WITHOUT_LOCAL_VALUES = ("provisioner", "connection", "lifecycle", "precondition")
"""Blocks in which values become no references to local values, but for constants of checks (`style.validations`)."""


@dataclass(frozen=True)
class FoundReference:
    """A reference up to its first index: `("data", "aws_ami", "newest", "id")`.

    start: where it starts in the expression. ends: where each of its names ends.
    """

    names: tuple[str, ...]
    start: int
    ends: tuple[int, ...]

    @property
    def address(self) -> str:
        """The address of the block that it may refer to, or nothing."""
        count = self._length
        return ".".join(self.names[:count]) if len(self.names) >= count else ""

    @property
    def end_of_address(self) -> int:
        return self.ends[self._length - 1]

    @property
    def _length(self) -> int:
        return 3 if self.names[0] in ("data", "ephemeral") else 2


@functools.lru_cache(maxsize=20_000)
def references(source: str, bound: Names = NO_NAMES) -> tuple[FoundReference, ...]:
    """The references in an expression, apart from those to `bound` names. Raises TemplateError if it is not valid."""
    if source.startswith(PLACEHOLDER):
        return ()
    return tuple(_references(parsed(source), bound))


def _references(syntax: Syntax, bound: Names) -> Iterator[FoundReference]:
    children = [it for it in syntax.children if it.kind != "comment"]
    if syntax.kind in _FOR:
        start = next(it for it in children if it.kind in ("for_intro", "template_for_start"))
        yield from _references(start, bound)
        bound |= {it.text for it in start.children if it.kind == "identifier"}
        children.remove(start)
    for index, child in enumerate(children):
        if child.kind != "variable_expr":
            yield from _references(child, bound)
        elif child.text not in bound:
            steps = [child, *itertools.takewhile(lambda it: it.kind == "get_attr", children[index + 1 :])]
            names = (it.children[-1].text for it in steps)
            yield FoundReference(tuple(names), child.span[0], tuple(it.span[1] for it in steps))


def readdressed(expression: Expression, change: Callable[[str], str | None], bound: Names) -> Expression:
    """The expression with `change` applied to the addresses in its own code, without the expressions within it."""

    def changed(source: str, hidden: Names) -> str:
        for it in reversed(references(source, bound | hidden)):
            if it.address and (new := change(it.address)) is not None:
                source = source[: it.start] + new + source[it.end_of_address :]
        return source

    match expression:
        case Verbatim(source):
            return Verbatim(changed(source, NO_NAMES))
        case Template(parts):
            return Template(tuple(it.changed(changed) for it in _pieces(parts)))
    return expression


def code_of(expression: Expression) -> Iterator[tuple[str, Names]]:
    """The expression's own code, without that of the expressions within it, with the names bound around each piece."""
    match expression:
        case Verbatim(source):
            yield source, NO_NAMES
        case Template(parts):
            yield from ((it.source, it.bound) for it in _pieces(parts) if it.source)


@dataclass(frozen=True)
class _Piece:
    """A part of a template: its expression, what stands around that, and the names that directives bind there."""

    part: Part
    before: str = ""
    source: str = ""
    after: str = ""
    bound: Names = NO_NAMES

    def changed(self, change: Callable[[str, Names], str]) -> Part:
        if isinstance(self.part, Literal) or not self.source:
            return self.part
        return type(self.part)(self.before + change(self.source, self.bound) + self.after)


def _pieces(parts: Iterable[Part]) -> Iterator[_Piece]:
    scopes: list[Names] = [NO_NAMES]
    for part in parts:
        if isinstance(part, Literal):
            yield _Piece(part)
        elif not isinstance(part, Directive):
            source = part.source.removeprefix("~").removesuffix("~")
            before, after = ("~" if part.source.startswith("~") else ""), ("~" if part.source.endswith("~") else "")
            yield _Piece(part, before, source, after, scopes[-1])
        elif (opening := _opening(part.source)) is not None:
            start, end, names = opening
            yield _Piece(part, part.source[:start], part.source[start:end], part.source[end:], scopes[-1])
            scopes.append(scopes[-1] | names)
        else:
            if part.source.strip("~ \t\r\n") in ("endif", "endfor"):
                scopes.pop()
            yield _Piece(part)


@functools.lru_cache(maxsize=1000)
def _opening(directive: str) -> tuple[int, int, Names] | None:
    """Where the expression of an `if` or `for` directive starts and ends, and the names that it binds."""
    before = '"%{'
    for closing in ("endif", "endfor"):
        template = f'{before}{directive}}}%{{{closing}}}"'
        if is_valid(template):
            intro = next(
                it for it in parsed(template).within() if it.kind in ("template_if_intro", "template_for_start")
            )
            start, end = next(it.span for it in intro.children if it.kind == "expression")
            names = frozenset(it.text for it in intro.children if it.kind == "identifier")
            return start - len(before), end - len(before), names
    return None


def iterator_names(block: Block) -> Names:
    """The name that a dynamic block gives to its items."""
    if block.type != "dynamic":
        return NO_NAMES
    match block.arguments.get("iterator"):
        case Verbatim(source):
            return frozenset({source.strip()})
        case Template() as template if template.text is not None:
            return frozenset({template.text})
    return frozenset(block.labels)


def bound_names(block: Block) -> set[str]:
    """Every name that a block's expressions and dynamic blocks bind."""
    found = set(iterator_names(block))
    for expression in block.arguments.values():
        found.update(*map(_bound_by, within(expression)))
    return found.union(*map(bound_names, block.blocks))


def _bound_by(expression: Expression) -> set[str]:
    """The names that an expression's own code binds."""
    found: set[str] = set()
    if isinstance(expression, Template):
        openings = (_opening(it.source) for it in expression.parts if isinstance(it, Directive))
        found.update(*(it[2] for it in openings if it is not None))
    for source, _ in code_of(expression):
        # Long texts are slow to parse.
        if "for" in source and not source.startswith(PLACEHOLDER) and "for" in code(source):
            starts = (it for it in parsed(source).within() if it.kind in ("for_intro", "template_for_start"))
            found.update(it.text for start in starts for it in start.children if it.kind == "identifier")
    return found


def hides(block: Block, types: Iterable[str] = ()) -> bool:
    """Whether a reference to a value for a key, a local value, a file or these types may mean something else in it."""
    return bool(bound_names(block) & (_ADDED | {*types}))
