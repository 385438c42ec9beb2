"""Finds the lists of keys that a text may have a loop over: local values that blocks iterate over.

Such a local value has constants alone, so that a reference to it makes no cycle.
"""

from collections.abc import Mapping, Sequence

from ops.handover.hcl import Expression, FunctionCall, ObjectExpr, Verbatim, within
from ops.handover.lists_in_texts import KeyList
from ops.handover.metadata import TopLevelBlock
from ops.handover.scopes import code_of, references
from ops.handover.style.keys import for_each_keys, key_name, local_name
from ops.handover.style.local_values import local_values
from ops.handover.style.loops import TAKEN


def key_lists(blocks: Sequence[TopLevelBlock], next_lines: frozenset[str]) -> list[KeyList]:
    """The lists of keys that the stack's blocks iterate over, each once. One of a single key needs an example.

    `next_lines` are those of texts in the stack with the examples.
    """
    values = local_values(blocks)
    found: dict[str, KeyList] = {}
    for block in blocks:
        for_each = block.block.arguments.get("for_each")
        name = "" if for_each is None else local_name(for_each)
        if for_each is None or name in found or not _is_constant(name, values):
            continue
        keys = for_each_keys(for_each, values)
        is_set = isinstance(values[name], FunctionCall)
        if len(keys) > (not block.next_key) and key_name(for_each) not in TAKEN and name not in TAKEN:
            whole = f"local.{name}" if is_set else f"keys(local.{name})"
            found[name] = KeyList(
                name=name,
                key_name=key_name(for_each),
                keys=keys,
                expression=whole,
                next_key=block.next_key,
                next_lines=next_lines,
            )
    return list(found.values())


def _is_constant(name: str, values: Mapping[str, Expression], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a local value refers to nothing but variables and local values like it."""
    if name not in values or name in seen or not isinstance(values[name], ObjectExpr | FunctionCall | Verbatim):
        return False
    return _refers_to_constants(values[name], values, seen | {name})


def _refers_to_constants(value: Expression, values: Mapping[str, Expression], seen: frozenset[str]) -> bool:
    for it in (it for inner in within(value) for source, hidden in code_of(inner) for it in references(source, hidden)):
        if it.names[0] == "local" and len(it.names) > 1:
            inner = values.get(it.names[1])
            if inner is None or it.names[1] in seen or not _refers_to_constants(inner, values, seen | {it.names[1]}):
                return False
        elif it.address and it.names[0] not in ("var", "path", "terraform"):
            return False
    return True
