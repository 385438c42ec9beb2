"""Writes a long value once, as a local value, where several resources have it: an event pattern in two regions.

The local value stands in front of the first resource that has it, in the same file. Terraform always evaluates it, and
arguments of a resource only where it has an instance. What may fail, such as a reference to the first of an empty list,
is named where one of the resources has an instance for certain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, TupleExpr, Verbatim, within
from ops.handover.metadata import TopLevelBlock
from ops.handover.names import identifier
from ops.handover.printing import expression
from ops.handover.references import address, is_constant
from ops.handover.scopes import code_of, references
from ops.handover.style.keys import for_each_keys
from ops.handover.style.local_values import is_same_everywhere, local_values

_LEAST_LINES = 10
_META = ("count", "depends_on", "for_each", "provider", "providers")
_OF_ONE_INSTANCE = ("count", "each", "self")


def with_repeated_values(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with references in place of long values that several resources have in one argument."""
    users: dict[tuple[str, Expression], list[TopLevelBlock]] = {}
    for found in blocks:
        for name, value in _values(found.block):
            users.setdefault((name, value), []).append(found)
    values = local_values(blocks)
    taken = set(values)
    names: dict[tuple[str, Expression], str] = {}
    for (argument, value), of_value in users.items():
        name = _name(argument, [it.block.labels[1] for it in of_value])
        is_evaluated = any(_has_an_instance(it.block, values) for it in of_value)
        if len(of_value) > 1 and name not in taken and (is_evaluated or _cannot_fail(value)):
            names[argument, value] = name
            taken.add(name)
    return list(_with_references(blocks, names))


def _with_references(
    blocks: Sequence[TopLevelBlock], names: Mapping[tuple[str, Expression], str]
) -> Iterator[TopLevelBlock]:
    written: set[str] = set()
    for found in blocks:
        changed = {
            argument: (names[argument, value], value)
            for argument, value in _values(found.block)
            if (argument, value) in names
        }
        for name, value in changed.values():
            if name not in written:
                written.add(name)
                own = Block("locals", arguments={name: value})
                yield TopLevelBlock(block=own, path=found.path, same_file_as=address(found.block))
        arguments = {argument: Verbatim(f"local.{name}") for argument, (name, _) in changed.items()}
        yield replace(found, block=replace(found.block, arguments={**found.block.arguments, **arguments}))


def _values(block: Block) -> Iterator[tuple[str, Expression]]:
    """The long values of a resource's arguments that may stand anywhere else in the stack."""
    if block.type != "resource":
        return
    for name, value in block.arguments.items():
        if name not in _META and _is_long(value) and is_same_everywhere(value) and not _is_of_one_instance(value):
            yield name, value


def _is_long(value: Expression) -> bool:
    is_structured = isinstance(value, FunctionCall | ObjectExpr | TupleExpr)
    return is_structured and expression(value).count("\n") + 1 >= _LEAST_LINES


def _has_an_instance(block: Block, values: Mapping[str, Expression]) -> bool:
    """Whether it has one whatever the variables are. `values` are the stack's local values."""
    for_each = block.arguments.get("for_each")
    return "count" not in block.arguments and (for_each is None or bool(for_each_keys(for_each, values)))


def _cannot_fail(value: Expression) -> bool:
    """Whether it is made of constants, or JSON of these."""
    match value:
        case FunctionCall("jsonencode", (argument,)):
            return is_constant(argument)
    return is_constant(value)


def _is_of_one_instance(value: Expression) -> bool:
    return any(
        it.names[0] in _OF_ONE_INSTANCE
        for inner in within(value)
        for source, bound in code_of(inner)
        for it in references(source, bound)
    )


def _name(argument: str, users: Sequence[str]) -> str:
    """`detection_credentials_event_pattern`: the words that all users have, and the argument."""
    first, *others = (it.split("_") for it in users)
    words = [it for it in first if all(it in other for other in others)]
    return identifier("_".join([*words, argument]))
