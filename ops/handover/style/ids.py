"""Refers to a variable wherever else an id of AWS stands that is its value: `var.vpc_id`, `var.subnet_ids`.

These ids are unique, so that the same id means the same network. This is done for variables that the handover makes of
inputs: another variable may have another value when the stack is applied as JSON.
"""

import re
from collections.abc import Mapping, Sequence

from ops.handover.hcl import Expression, Template, TupleExpr, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.strings import quoted_template
from ops.handover.style.local_values import is_text, with_changed_values
from ops.handover.texts import is_long
from terraform.templates import Interpolation, Literal, Part

_ID = re.compile(r"(vpc|vpce|subnet|sg|eipalloc)-([0-9a-f]{8}|[0-9a-f]{17})")
# A `$` or `%` in front would escape the interpolation.
_WORD = re.compile(rf"(?<![\w$%-]){_ID.pattern}(?![\w-])")


def with_ids(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with references to variables in place of ids, and of lists of texts that have an id each."""
    defaults = {it.block.labels[0]: it.block.arguments["default"] for it in blocks if it.is_input}
    single: dict[str, str] = {}
    lists: dict[tuple[str, ...], str] = {}
    are_lists = {it.block.labels[0] for it in blocks if it.block.arguments.get("type") == Verbatim("list(string)")}
    for name, default in sorted(defaults.items()):
        texts = [is_text(it) or "" for it in (default.items if isinstance(default, TupleExpr) else (default,))]
        if texts and all(map(_ID.fullmatch, texts)):
            if isinstance(default, TupleExpr) and name in are_lists:
                lists.setdefault(tuple(texts), name)
            elif not isinstance(default, TupleExpr):
                single.setdefault(texts[0], name)
    if not single and not lists:
        return blocks
    return [with_changed_values(found, lambda it: _list(_text(it, single), lists)) for found in blocks]


def _text(expression: Expression, single: Mapping[str, str]) -> Expression:
    """A text with references in place of ids."""
    if not isinstance(expression, Template) or is_long(expression):
        return expression
    parts: list[Part] = []
    for part in expression.parts:
        position = 0
        if isinstance(part, Literal):
            for match in _WORD.finditer(part.text):
                if match[0] in single:
                    parts += [Literal(part.text[position : match.start()]), Interpolation(f"var.{single[match[0]]}")]
                    position = match.end()
            part = Literal(part.text[position:])
        parts.append(part)
    return Template(tuple(part for part in parts if part != Literal("")))


def _list(expression: Expression, lists: Mapping[tuple[str, ...], str]) -> Expression:
    """A list of texts that differ in the ids of a variable alone, in its order, as a loop over the variable."""
    if not isinstance(expression, TupleExpr):
        return expression
    found = [_without_id(it) for it in expression.items]
    named = lists.get(tuple(id_ for _, id_ in found))
    if named is None or len({text for text, _ in found}) > 1:
        return expression
    text = found[0][0]
    if text == _HERE:
        return Verbatim(f"var.{named}")
    name = named.removesuffix("s") if named.endswith("_ids") else "id"
    return Verbatim(f"[for {name} in var.{named} : {quoted_template(_filled(text, name))}]")


_HERE = Template((Literal("\0"),))


def _without_id(expression: Expression) -> tuple[Template | None, str]:
    """A text with a mark in place of its only id, and the id; nothing if it has none or several."""
    if not isinstance(expression, Template) or is_long(expression):
        return None, ""
    ids = [it[0] for part in expression.parts if isinstance(part, Literal) for it in _WORD.finditer(part.text)]
    if len(ids) != 1 or any("\n" in part.source for part in expression.parts if not isinstance(part, Literal)):
        return None, ""
    parts = [Literal(_WORD.sub("\0", it.text)) if isinstance(it, Literal) else it for it in expression.parts]
    return Template(tuple(parts)), ids[0]


def _filled(text: Template | None, name: str) -> Template:
    parts: list[Part] = []
    for part in () if text is None else text.parts:
        pieces = part.text.split("\0") if isinstance(part, Literal) else []
        parts += [part] if not pieces else [Literal(pieces[0])]
        for piece in pieces[1:]:
            parts += [Interpolation(name), Literal(piece)]
    return Template(tuple(it for it in parts if it != Literal("")))
