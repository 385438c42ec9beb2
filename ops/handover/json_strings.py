"""Writes strings of JSON as `jsonencode(…)`, where that evaluates to exactly the same string."""

import functools
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from ops.handover.expressions import parsed
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
from ops.handover.references import address
from ops.handover.scopes import hides
from terraform.output import Number, without_repetition
from terraform.patterns import AWS_ATTRIBUTE
from terraform.templates import Interpolation, Literal, jsonencode

_COMPARED_BY_MEANING = Path(__file__).with_name("compared_by_meaning.json")
_PLAIN_NAMES = Path(__file__).with_name("plain_names.json")
_PLAIN_ATTRIBUTES = Path(__file__).with_name("plain_attributes.json")

# As jsonencode writes numbers: no exponent, and no zero that could be left out. Terraform keeps 512 bits of a number.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")
_DIGITS = 150

_NAMES = ("arn", "id")
"""Attributes that are or contain the name."""

# What placeholders are made of, and escapes that releases of Terraform write in different ways.
_RISKY = re.compile(r"[\ue000\ue001]|\\[bf]|\\u00(08|0[cC])")


def with_jsonencode(block: Block, plain: Set[str] = frozenset()) -> Block:
    """The block with `jsonencode(…)` in place of strings of JSON. `plain` are addresses with plain ARNs."""
    if hides(block, [*_plain_types(), *_plain_attributes(), *(it.split(".")[0] for it in plain)]):
        return block

    def change(value: Expression) -> Expression:
        return (_jsonencode(value, plain) or value) if isinstance(value, Template) else value

    by_meaning = compared_by_meaning().get(block.labels[0], ()) if block.type == "resource" else ()
    arguments = {
        name: _jsonencode(value, plain, by_meaning=True) or value
        for name, value in block.arguments.items()
        if name in by_meaning and isinstance(value, Template)
    }
    return replace(block, arguments={**block.arguments, **arguments}).mapped(change)


def as_jsonencode(template: Template) -> FunctionCall | None:
    """`jsonencode(…)` that evaluates to exactly the same string as a text without references, if there is one."""
    found = _jsonencode(template, frozenset()) if template.text is not None else None
    return found if isinstance(found, FunctionCall) else None


@functools.cache
def compared_by_meaning() -> Mapping[str, Sequence[str]]:
    """Arguments of resources, by type: JSON that means the same is no change to the provider."""
    types: Mapping[str, Sequence[str]] = json.loads(_COMPARED_BY_MEANING.read_text(encoding="utf-8"))["arguments"]
    return types


def with_plain_paths(blocks: Iterable[Block]) -> set[str]:
    """The addresses of roles, users and the like whose paths have no characters that JSON escapes."""
    kinds = {f"aws_iam_{it}" for it in ("group", "instance_profile", "policy", "role", "user")}
    paths = ((it, it.arguments.get("path", NULL)) for it in blocks if it.type == "resource" and it.labels[0] in kinds)
    return {
        address(it)
        for it, path in paths
        if path == NULL or (isinstance(path, Template) and re.fullmatch(r"[\w./+=,@-]*", path.text or "<", re.ASCII))
    }


@functools.cache
def _plain_types() -> frozenset[str]:
    """Types whose names have no characters that JSON escapes."""
    return frozenset(json.loads(_PLAIN_NAMES.read_text(encoding="utf-8"))["types"])


@functools.cache
def _plain_attributes() -> Mapping[str, Sequence[str]]:
    """Other attributes, by type, that are always texts without characters that JSON escapes."""
    types: Mapping[str, Sequence[str]] = json.loads(_PLAIN_ATTRIBUTES.read_text(encoding="utf-8"))["attributes"]
    return types


def _jsonencode(template: Template, plain: Set[str], *, by_meaning: bool = False) -> Expression | None:
    """The call, if it returns the same string, or by_meaning: the same JSON."""
    placeholders: dict[str, Interpolation] = {}
    encoded: dict[str, Verbatim] = {}
    written = ""
    for part in template.parts:
        match part:
            case Literal(literal) if not _RISKY.search(literal):
                written += literal
            case Interpolation(source) if _is_plain(source, plain):
                placeholder = f"\ue000{len(placeholders)}\ue001"
                placeholders[placeholder] = part
                written += placeholder
            case Interpolation(source) if (argument := _encoded(source)) is not None:
                placeholder = f"\ue000{len(encoded)}\ue000"
                encoded[placeholder] = Verbatim(argument)
                written += f'"{placeholder}"'
            case _:
                return None
    if not written.lstrip().startswith(("{", "[")) or not unicodedata.is_normalized("NFC", written):
        return None
    try:
        value = json.loads(
            written,
            parse_int=Number,
            parse_float=Number,
            parse_constant=Number,
            object_pairs_hook=without_repetition,
        )
        if not value or (_written(value) != written and not by_meaning):
            return None
    except (ValueError, RecursionError):
        return None
    if any(placeholder in key for key in _keys(value) for placeholder in (*placeholders, *encoded)):
        return None
    # A backslash in front would make the quotation mark of a placeholder a part of a longer string.
    if any(placeholder in it and placeholder != it for it in _strings(value) for placeholder in encoded):
        return None
    return FunctionCall("jsonencode", (_expression(value, {**placeholders, **encoded}),))


def _encoded(source: str) -> str | None:
    """What an expression encodes, if it is a call of `jsonencode`: within another call it is the value itself."""
    if not source.strip().startswith("jsonencode"):
        return None
    syntax = parsed(source.removeprefix("~").removesuffix("~"))
    if source.startswith("~") or source.endswith("~") or any(it.kind == "comment" for it in syntax.within()):
        return None
    match syntax.kind, syntax.children:
        case "function_call", [name, _, arguments, _] if name.text == "jsonencode":
            match arguments.children:
                case [argument]:
                    return argument.text
    return None


def _is_plain(source: str, plain: Set[str]) -> bool:
    """Whether an expression is a string for certain, in which JSON escapes nothing."""
    match = AWS_ATTRIBUTE.fullmatch(source.strip())
    if match is None:
        return False
    if match["attribute"] not in _NAMES:
        return match["attribute"] == "account_id" or match["attribute"] in _plain_attributes().get(match["type"], ())
    return match["type"] in _plain_types() or match["address"] in plain


def _written(value: Any) -> str:
    """What jsonencode would return. Raises ValueError for a number that it would write in another way."""
    match value:
        case Number():
            if len(value) > _DIGITS or not _NUMBER.fullmatch(value):
                raise ValueError(f"jsonencode does not write {value}")
            return str(value)
        case dict():
            items = (f"{_written(key)}:{_written(value[key])}" for key in sorted(value))
            return "{" + ",".join(items) + "}"
        case list():
            return "[" + ",".join(map(_written, value)) + "]"
    return jsonencode(value)


def _keys(value: Any) -> Iterator[str]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inner)
    if isinstance(value, dict):
        yield from value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Number):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(inner)


def _expression(value: Any, placeholders: Mapping[str, Interpolation | Verbatim]) -> Expression:
    match value:
        case dict():
            return ObjectExpr(tuple((text(key), _expression(it, placeholders)) for key, it in value.items()))
        case list():
            return TupleExpr(tuple(_expression(it, placeholders) for it in value))
        case Number():
            return Verbatim(str(value))
        case str():
            if isinstance(argument := placeholders.get(value), Verbatim):
                return argument
            pieces = re.split("(\ue000\\d+\ue001)", value)
            found = (placeholders.get(piece, Literal(piece)) for piece in pieces if piece)
            return Template(tuple(it for it in found if not isinstance(it, Verbatim)))
    return Verbatim(json.dumps(value))
