"""HCL as a tree of blocks and expressions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from terraform.templates import Interpolation, Literal, Part


@dataclass(frozen=True)
class Verbatim:
    """An expression as its source text: a reference, a number, a call."""

    source: str


@dataclass(frozen=True)
class Template:
    """A string with its interpolations."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str | None:
        """The string, if it has no interpolations."""
        if not self.parts:
            return ""
        match self.parts:
            case (Literal(text),):
                return text
        return None

    @property
    def expression(self) -> str | None:
        """The expression, if the template is a single interpolation. Terraform then keeps the value's own type."""
        match self.parts:
            case (Interpolation(source),):
                return source.strip()
        return None


@dataclass(frozen=True)
class Growth:
    """The items of a list as they were read, and what it has beside them in the stack with examples."""

    items: tuple["Expression", ...]
    more: frozenset["Expression"]


@dataclass(frozen=True)
class TupleExpr:
    """`[…]`. With `growth`, it becomes longer with the next member of a collection."""

    items: tuple["Expression", ...]
    growth: Growth | None = None


@dataclass(frozen=True)
class ObjectExpr:
    """`{…}`, in the given order.

    more: the keys that it has beside these in the stack with examples. alike: those of them with a value as these have.
    empty: those of them with an empty list.
    """

    items: tuple[tuple[Template, "Expression"], ...]
    more: frozenset[str] = frozenset()
    alike: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FunctionCall:
    """A function with its arguments."""

    function: str
    arguments: tuple["Expression", ...]


Expression = Verbatim | Template | TupleExpr | ObjectExpr | FunctionCall
Change = Callable[[Expression], Expression]

NULL = Verbatim("null")


def text(value: str) -> Template:
    """A string without interpolations."""
    return Template((Literal(value),) if value else ())


@dataclass(frozen=True)
class Block:
    """A block with its arguments and nested blocks.

    comments: lines inside.
    reason: a comment above it.
    sets: the names of arguments in which the order does not matter.
    without: lists of the members of a collection whose argument is not set: that argument, by the list's name.
    """

    type: str
    labels: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    arguments: Mapping[str, Expression] = field(default_factory=dict)
    blocks: tuple["Block", ...] = ()
    reason: str = ""
    sets: frozenset[str] = frozenset()
    without: Mapping[str, str] = field(default_factory=dict)

    def mapped(self, change: Change) -> "Block":
        """The block with `change` applied to every expression in it, nested ones included."""
        return replace(
            self,
            arguments={name: mapped(it, change) for name, it in self.arguments.items()},
            blocks=tuple(block.mapped(change) for block in self.blocks),
        )

    def expressions(self) -> Iterator[Expression]:
        """Every expression in the block, nested ones included."""
        for argument in self.arguments.values():
            yield from within(argument)
        for block in self.blocks:
            yield from block.expressions()


def mapped(expression: Expression, change: Change, *, with_keys: bool = True) -> Expression:
    """The expression with `change` applied to the expressions within it, then to itself.

    The keys of objects are changed as far as they stay templates, or not at all.
    """
    match expression:
        case TupleExpr(items):
            changed_items = (mapped(item, change, with_keys=with_keys) for item in items)
            expression = replace(expression, items=tuple(changed_items))
        case ObjectExpr(items):
            changed = (
                (_changed_key(key, change) if with_keys else key, mapped(value, change, with_keys=with_keys))
                for key, value in items
            )
            expression = replace(expression, items=tuple(changed))
        case FunctionCall(function, arguments):
            expression = FunctionCall(function, tuple(mapped(it, change, with_keys=with_keys) for it in arguments))
    return change(expression)


def within(expression: Expression) -> Iterator[Expression]:
    """The expression and every expression within it."""
    yield expression
    match expression:
        case TupleExpr(items) | FunctionCall(_, items):
            for item in items:
                yield from within(item)
        case ObjectExpr(items):
            for key, value in items:
                yield key
                yield from within(value)


def _changed_key(key: Template, change: Change) -> Template:
    changed = change(key)
    return changed if isinstance(changed, Template) else key
