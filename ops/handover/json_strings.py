"""Writes strings of JSON as `jsonencode(…)`, where that evaluates to exactly the same string."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.handover.hcl import (
    Block,
    Expression,
    FunctionCall,
    ObjectExpr,
    Template,
    TupleExpr,
    Verbatim,
    text,
)
from terraform.patterns import PLAIN_TEXT
from terraform.templates import Interpolation, Literal, jsonencode


def with_jsonencode(block: Block) -> Block:
    """The block with `jsonencode(…)` in place of strings of JSON."""

    def change(value: Expression) -> Expression:
        return (_jsonencode(value) or value) if isinstance(value, Template) else value

    return block.mapped(change)


def _jsonencode(template: Template) -> Expression | None:
    placeholders: dict[str, Interpolation] = {}
    written = ""
    for part in template.parts:
        match part:
            case Literal(literal):
                written += literal
            case Interpolation(source) if PLAIN_TEXT.fullmatch(source.strip()):
                placeholder = f"\ue000{len(placeholders)}\ue001"
                placeholders[placeholder] = part
                written += placeholder
            case _:
                return None
    if not written.startswith(("{", "[")):
        return None
    try:
        value = json.loads(written)
    except ValueError:
        return None
    if jsonencode(value) != written or any(placeholder in key for key in _keys(value) for placeholder in placeholders):
        return None
    return FunctionCall("jsonencode", (_expression(value, placeholders),))


def _keys(value: Any) -> Iterator[str]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inner)
    if isinstance(value, dict):
        yield from value


def _expression(value: Any, placeholders: Mapping[str, Interpolation]) -> Expression:
    match value:
        case dict():
            return ObjectExpr(tuple((text(key), _expression(it, placeholders)) for key, it in value.items()))
        case list():
            return TupleExpr(tuple(_expression(it, placeholders) for it in value))
        case str():
            pieces = re.split("(\ue000\\d+\ue001)", value)
            return Template(tuple(placeholders.get(piece) or Literal(piece) for piece in pieces if piece))
    return Verbatim(json.dumps(value))
