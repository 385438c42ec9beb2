"""Reads what a call of `jsonencode` constructs, so that it is written like every other object: `{"a" = 1, "b" = 2}`."""

import re
import sys
from dataclasses import replace

from ops.handover.expressions import Syntax, parsed
from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, Verbatim, text
from ops.handover.scopes import hides
from terraform.templates import Directive, Literal, Part, TemplateError, parts

_CALL = "jsonencode"
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def with_constructors(block: Block) -> Block:
    """The block with objects and lists in place of the text of those that its arguments encode as JSON."""
    if hides(block):
        return block
    arguments = {name: _encoded(value) or value for name, value in block.arguments.items()}
    return replace(block, arguments=arguments, blocks=tuple(map(with_constructors, block.blocks)))


def _encoded(value: Expression) -> FunctionCall | None:
    source = value.expression if isinstance(value, Template) else None
    if source is None or not source.startswith(f"{_CALL}("):
        return None
    syntax = parsed(source)
    if any(it.kind == "comment" for it in syntax.within()):
        return None
    match syntax.kind, syntax.children:
        case "function_call", [name, _, arguments, _] if name.text == _CALL and len(arguments.children) == 1:
            argument = _constructed(arguments)
            return FunctionCall(_CALL, (argument,)) if isinstance(argument, ObjectExpr | TupleExpr) else None
    return None


def _constructed(syntax: Syntax) -> Expression:
    core = syntax.core
    match core.kind:
        case "tuple":
            return TupleExpr(tuple(_constructed(it) for it in core.children if it.kind == "expression"))
        case "object":
            elements = [it.children for it in core.children if it.kind == "object_elem"]
            items = tuple((_key(key), _constructed(value)) for key, _, value in elements)
            known = tuple((key, value) for key, value in items if key is not None)
            return ObjectExpr(known) if len(known) == len(items) else Verbatim(syntax.text)
        case "string_lit" | "quoted_template":
            return _template(core.text) or Verbatim(syntax.text)
    return Verbatim(syntax.text)


def _key(syntax: Syntax) -> Template | None:
    """A key that is a name or a text; None for one that is computed."""
    core = syntax.core
    if core.kind == "identifier":
        return text(core.text)
    return _template(core.text) if core.kind == "string_lit" else None


def _template(quoted: str) -> Template | None:
    """The template in quotation marks; None where it has directives, trim markers or what Terraform does not know."""
    try:
        found = [_part(it) for it in parts(quoted[1:-1])]
    except TemplateError:
        return None
    known = tuple(it for it in found if it is not None)
    return Template(known) if len(known) == len(found) else None


def _part(part: Part) -> Part | None:
    match part:
        case Directive():
            return None
        case Literal(literal):
            characters = {it: _character(it) for it in _ESCAPE.findall(literal)}
            if None in characters.values():
                return None
            return Literal(_ESCAPE.sub(lambda it: characters[it[1]] or "", literal))
    is_trimmed = part.source.startswith("~") or part.source.endswith("~")
    return None if is_trimmed else part


def _character(escape: str) -> str | None:
    """What an escape stands for; None for half of a pair of surrogates and other numbers of no character."""
    if len(escape) == 1:
        return _ESCAPES.get(escape)
    number = int(escape[1:], 16)
    return chr(number) if number <= sys.maxunicode and not 0xD800 <= number <= 0xDFFF else None
