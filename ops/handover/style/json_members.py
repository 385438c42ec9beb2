"""Refers to a variable in JSON that has its value, where the stack says so: `alert_hours = var.silent_hours`.

The variable says it under `//.in_json`: `{"aws_s3_object.content": "alert_hours"}` is a member of the JSON that an
argument of resources is. Its value in the JSON must be the variable's default, and of the variable's type: a variable
of type `string` turns the number 3 into the text "3".
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from ops.handover.hcl import Expression, FunctionCall, ObjectExpr, Template, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.scopes import hides
from ops.handover.style.local_values import with_changed_values

_NUMBER = re.compile("-?[0-9]")
_FALSE = Verbatim("false")


def with_variables_in_json(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with references in this JSON, wherever they have it: a digest is one of the same JSON."""
    changed: dict[Expression, Expression] = {}
    for found in blocks:
        for place, member in found.in_json.items() if _keeps_its_default(found.block.arguments) else ():
            type_, _, argument = place.partition(".")
            for call in _calls(blocks, type_, argument):
                before = changed.get(call, call)
                changed[call] = _with_reference(before, member, found.block.labels[0], found.block.arguments)
    if not changed:
        return blocks
    return [
        found if hides(found.block, ["var"]) else with_changed_values(found, lambda it: changed.get(it, it))
        for found in blocks
    ]


def _keeps_its_default(variable: Mapping[str, Expression]) -> bool:
    """Whether JSON has the variable's value in the form of its default. A secret would make all of the JSON secret."""
    match variable.get("default"):
        case Template():
            type_ = "string"
        case Verbatim("true" | "false"):
            type_ = "bool"
        case Verbatim(source) if _NUMBER.match(source):
            type_ = "number"
        case _:
            return False
    return variable.get("type") == Verbatim(type_) and all(
        variable.get(name, _FALSE) == _FALSE for name in ("sensitive", "ephemeral")
    )


def _calls(blocks: Sequence[TopLevelBlock], type_: str, argument: str) -> Iterator[Expression]:
    """The calls of `jsonencode` that this argument is, in resources of this type."""
    for it in (found.block for found in blocks):
        if it.type == "resource" and it.labels[0] == type_ and not hides(it, ["var"]):
            match it.arguments.get(argument):
                case FunctionCall("jsonencode", (ObjectExpr(),)) as call:
                    yield call


def _with_reference(call: Expression, member: str, name: str, variable: Mapping[str, Expression]) -> Expression:
    match call:
        case FunctionCall("jsonencode", (ObjectExpr(items),)):
            items = tuple(
                (key, Verbatim(f"var.{name}") if key.text == member and it == variable.get("default") else it)
                for key, it in items
            )
            return FunctionCall("jsonencode", (ObjectExpr(items),))
    return call
