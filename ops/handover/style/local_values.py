"""Finds the places that may refer to a local value, and defines local values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Change, Expression, FunctionCall, ObjectExpr, Template, TupleExpr, within
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import addresses_in
from ops.handover.scopes import WITHOUT_LOCAL_VALUES, code_of, hides
from terraform.templates import masked

_TOP_LEVEL = ("resource", "data", "ephemeral", "locals", "module", "output", "provider")

# https://developer.hashicorp.com/terraform/language/functions
_OTHER_EACH_TIME = re.compile(r"(?<![\w.-])(uuid|bcrypt|timestamp)\s*\(")

# Terraform evaluates no expressions in some of these, and the others are texts for people.
_NOT_IN = re.compile(
    r"source|version|alias|providers|provider|depends_on|sensitive|ephemeral|(.*_)?description|comment"
)


def with_changed_values(found: TopLevelBlock, change: Change) -> TopLevelBlock:
    """The block with `change` applied to every expression that may refer to a local value, inner ones first.

    Keys of objects stay as they are.
    """
    return replace(found, block=_changed(found.block, change)) if _may_refer_to_more(found.block) else found


def with_changed_sets(found: TopLevelBlock, change: Change) -> TopLevelBlock:
    """The block with `change` applied to every argument that is known to be a set."""
    return replace(found, block=_with_sets(found.block, change)) if _may_refer_to_more(found.block) else found


def _may_refer_to_more(block: Block) -> bool:
    return block.type in _TOP_LEVEL and not hides(block)


def values(blocks: Sequence[TopLevelBlock]) -> Iterator[Expression]:
    """Every expression in these places."""
    seen: list[Expression] = []

    def see(it: Expression) -> Expression:
        seen.append(it)
        return it

    for found in blocks:
        with_changed_values(found, see)
    yield from seen


def local_values(blocks: Sequence[TopLevelBlock]) -> dict[str, Expression]:
    """The stack's local values by name."""
    return {name: it for found in blocks if found.block.type == "locals" for name, it in found.block.arguments.items()}


def needed_by(name: str, values: Mapping[str, Expression]) -> frozenset[str] | None:
    """The local values that one is made of, itself among them; None if it is made of more than these and variables.

    A reference to one that is made of resources may make a cycle.
    """
    needed, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        if one in needed:
            continue
        needed.add(one)
        if one not in values:
            return None
        for it in addresses_in(Block("locals", arguments={"it": values[one]})):
            kind, _, rest = it.partition(".")
            if kind == "local":
                waiting.append(rest)
            elif kind not in ("var", "path", "terraform"):
                return None
    return frozenset(needed)


def with_local_values(
    blocks: Sequence[TopLevelBlock], new: Mapping[str, Expression], *, last: bool = False
) -> list[TopLevelBlock]:
    """The blocks and these local values, in front of those that the stack has, or behind them."""
    rest = list(blocks)
    for index, found in enumerate(rest):
        if found.block.type == "locals" and found.same_file_as is None and not found.block.comments:
            before = found.block.arguments
            arguments = {**before, **new} if last else {**new, **before}
            rest[index] = replace(found, block=replace(found.block, arguments=arguments))
            return rest
    return [TopLevelBlock(block=Block("locals", arguments=new)), *rest]


def uses_of_attribute(name: str, blocks: Sequence[TopLevelBlock]) -> int:
    """How often blocks refer to an attribute of this name, whatever has it."""
    pattern = re.compile(rf"\.{re.escape(name)}(?![\w-])")
    expressions = (it for found in blocks for it in found.block.expressions())
    return sum(len(pattern.findall(source)) for it in expressions for source, _ in code_of(it))


def _changed(block: Block, change: Change) -> Block:
    return replace(
        block,
        arguments={
            name: it if _NOT_IN.fullmatch(name) and block.type != "locals" else _mapped(it, change)
            for name, it in block.arguments.items()
        },
        blocks=tuple(it if it.type in WITHOUT_LOCAL_VALUES else _changed(it, change) for it in block.blocks),
    )


def _with_sets(block: Block, change: Change) -> Block:
    return replace(
        block,
        arguments={name: change(it) if name in block.sets else it for name, it in block.arguments.items()},
        blocks=tuple(it if it.type in WITHOUT_LOCAL_VALUES else _with_sets(it, change) for it in block.blocks),
    )


def _mapped(expression: Expression, change: Change) -> Expression:
    match expression:
        case TupleExpr(items):
            expression = replace(expression, items=tuple(_mapped(it, change) for it in items))
        case ObjectExpr(items):
            expression = replace(expression, items=tuple((key, _mapped(it, change)) for key, it in items))
        case FunctionCall(function, arguments):
            expression = FunctionCall(function, tuple(_mapped(it, change) for it in arguments))
    return change(expression)


def is_same_everywhere(expression: Expression) -> bool:
    """Whether an expression has one value wherever it stands: no function in it gives another one each time."""
    sources = (source for it in within(expression) for source, _ in code_of(it))
    return not any(_OTHER_EACH_TIME.search(masked(source)) for source in sources)


def is_text(expression: Expression) -> str | None:
    """The text of a string without interpolations."""
    return expression.text if isinstance(expression, Template) else None
