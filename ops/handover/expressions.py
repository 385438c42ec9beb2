"""The syntax of Terraform's expressions, by tree-sitter's grammar.

https://github.com/tree-sitter-grammars/tree-sitter-hcl
"""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter
import tree_sitter_hcl

from errors.shown import shown
from terraform.templates import Directive, Interpolation, Part, TemplateError, pieces

# What Terraform accepts and the grammar does not: a power of ten without a fraction, and three signs before a brace.
_POWER_OF_TEN = re.compile(r"(?<![\w.])\d+[eE][+-]?\d+")
_ESCAPED_BRACE = re.compile(r"(?:\$\$+|%%+)\{")

_ARGUMENT, _OPENING = "x = ", "("
_BEFORE = _ARGUMENT + _OPENING


@dataclass(frozen=True)
class Syntax:
    """A node of a syntax tree, or several that follow each other: `f(x)` and `[0]` in `f(x)[0] + 1`."""

    nodes: tuple[tree_sitter.Node, ...]
    source: bytes

    @property
    def kind(self) -> str:
        return self.nodes[0].type if len(self.nodes) == 1 else "several"

    @property
    def text(self) -> str:
        return self.source[self.nodes[0].start_byte : self.nodes[-1].end_byte].decode()

    @property
    def span(self) -> tuple[int, int]:
        """Where it starts and ends in the expression that was parsed, in characters."""
        before, until = (self.source[:it].decode() for it in (self.nodes[0].start_byte, self.nodes[-1].end_byte))
        return len(before) - len(_BEFORE), len(until) - len(_BEFORE)

    @property
    def children(self) -> "list[Syntax]":
        found = self.nodes[0].children if len(self.nodes) == 1 else self.nodes
        return [Syntax((it,), self.source) for it in found]

    @property
    def core(self) -> "Syntax":
        """The innermost node with the same text."""
        match self.children:
            case [only]:
                return only.core
        return self

    @property
    def operands(self) -> "list[Syntax]":
        """The operands of an operation or a conditional, and the operators between them."""
        found: list[Syntax] = []
        follows_operator, depth = True, 0
        for child in self.children:
            is_sign = not child.nodes[0].is_named
            if depth == 0 and (follows_operator or (is_sign and child.kind != "(")):
                found.append(child)
            else:
                found[-1] = Syntax((*found[-1].nodes, *child.nodes), self.source)
            depth += (child.kind == "(") - (child.kind == ")")
            follows_operator = depth == 0 and is_sign and child.kind != ")"
        return found

    @property
    def is_in_parentheses(self) -> bool:
        return [it.kind for it in self.children] == ["(", "expression", ")"]

    def within(self) -> "Iterator[Syntax]":
        """The node and every node within it."""
        yield self
        for child in self.children:
            yield from child.within()

    def text_between(self, child: "Syntax", other: "Syntax") -> str:
        return self.source[child.nodes[-1].end_byte : other.nodes[0].start_byte].decode()


def parsed(source: str) -> Syntax:
    """The syntax tree of an expression. Raises TemplateError if it is not valid."""
    # An expression may have several lines only in brackets.
    tree = _tree(f"{_OPENING}{source}\n)")
    match [] if tree is None else [it for it in tree.children if it.kind != "comment"]:
        case [Syntax(kind="("), expression, Syntax(kind=")")]:
            return expression.core
    raise TemplateError(f"{shown(source)} is not an expression")


def is_valid(source: str) -> bool:
    try:
        parsed(source)
    except TemplateError:
        return False
    return True


def ends_in_comment(source: str) -> bool:
    """Whether a comment would swallow what follows the expression on its last line."""
    *_, last = ("", *(text for text, is_code in pieces(f"{source}\n") if not is_code or text.strip()))
    return last.startswith(("#", "//"))


def check(template: Sequence[Part]) -> None:
    """Raise TemplateError if an expression in a template is not valid, or its directives are not complete."""
    for part in template:
        if isinstance(part, Interpolation):
            parsed(part.source.removeprefix("~").removesuffix("~"))
    directives = "".join(f"%{{{part.source}}}" for part in template if isinstance(part, Directive))
    if directives and _tree(f'"{directives}"') is None:
        raise TemplateError("its directives (%{ … }) are not complete")


def _tree(source: str) -> Syntax | None:
    """The syntax tree of the value of an argument, if it is valid."""
    argument = f"{_ARGUMENT}{source}\n"
    tree = _parser().parse(_masked(argument).encode())
    whole = Syntax((tree.root_node,), argument.encode())
    if tree.root_node.has_error or any(_is_fault(it) for it in whole.within()):
        return None
    match whole:
        case Syntax(children=[Syntax(children=[Syntax(kind="attribute", children=[_, _, value])])]):
            return value
    return None


@functools.cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def _masked(source: str) -> str:
    """The source with what the grammar does not accept exchanged for something of the same length."""
    return "".join(
        (_POWER_OF_TEN if is_code else _ESCAPED_BRACE).sub(lambda it: "1" * len(it[0]), text)
        for text, is_code in pieces(source)
    )


def _is_fault(syntax: Syntax) -> bool:
    """Whether the grammar accepts it, but Terraform does not."""
    match syntax.kind:
        case "template_interpolation":
            return not any(it.kind == "expression" for it in syntax.children)
        case "quoted_template" | "string_lit":
            inside = [it for it in syntax.children if it.kind != "template_literal"]
            return any("\n" in syntax.text_between(one, other) for one, other in itertools.pairwise(inside))
        case "object":
            return any(
                "\n" not in syntax.text_between(one, other)
                for one, other in itertools.pairwise(syntax.children)
                if one.kind == other.kind == "object_elem"
            )
        case "numeric_lit":
            return syntax.text.startswith("0x")
    return False


def file_syntax(text: str) -> Syntax:
    """The syntax tree of a file, as far as it is valid."""
    try:
        masked = _masked(text)
    except TemplateError:
        masked = text
    return Syntax((_parser().parse(masked.encode()).root_node,), text.encode())
