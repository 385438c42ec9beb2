"""What finished Terraform guards against and no plan shows: lifecycles, conditions, variables, versions, providers.

https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from terraform.output import Json, Stack, objects

_CONDITIONS = ("precondition", "postcondition", "validation", "assert")
_LOCAL = re.compile(r"\blocal\.([\w-]+)")
_OF_VARIABLES = ("ephemeral", "nullable", "sensitive", "type")

# `Stack.state` has the backend, and a plan shows the tags of every object.
_ELSEWHERE = ("//", "alias", "backend", "default_tags", "required_providers")


@dataclass(frozen=True)
class Guard:
    """One guard of the block at an address: the argument's name, and its value as JSON, or a condition.

    A local value that a condition refers to is a guard, too: one for each item, if it is a map.
    """

    address: str
    argument: str
    value: str


def guards(stack: Stack) -> frozenset[Guard]:
    """Everything in a stack that makes Terraform refuse a plan or a value, or that it hides."""
    found = frozenset(_guards(stack))
    return found | frozenset(_local_values(stack, found))


def ignored(stack: Stack) -> frozenset[Guard]:
    """Everything of which Terraform ignores changes, as its `ignore_changes` names it."""
    return frozenset(
        Guard(address, "ignore_changes", _written(item))
        for address, lifecycle in _lifecycles(stack)
        for item in _list(lifecycle.get("ignore_changes"))
    )


def settings(stack: Stack) -> dict[tuple[str, str], str]:
    """What Terraform requires, and every argument of every provider: by the block's address and the argument's name."""
    found: dict[tuple[str, str], str] = {}
    for address, block in _settings(stack):
        for argument, value in block.items():
            if argument not in _ELSEWHERE and value is not None:
                # Several blocks may require a version: all of them apply.
                found[address, argument] = ", ".join(filter(None, (found.get((address, argument)), _written(value))))
    return found


def addresses(stack: Stack) -> frozenset[str]:
    """The addresses of the blocks that may have guards."""
    local_values = (f"local.{name}" for name in stack.locals)
    return frozenset((*(address for address, _ in _blocks(stack)), *local_values))


def _guards(stack: Stack) -> Iterator[Guard]:
    for address, lifecycle in _lifecycles(stack):
        for name, value in lifecycle.items():
            if name in _CONDITIONS:
                yield from _conditions(address, name, value)
            elif name == "replace_triggered_by":
                yield from (Guard(address, name, _written(item)) for item in _list(value))
            elif name not in ("ignore_changes", "//") and str(value).lower() not in ("false", "none"):
                yield Guard(address, name, str(value).lower())
    for address, block in _blocks(stack):
        if address.startswith(("var.", "output.", "check.")):
            yield from _of_values(address, block)


def _local_values(stack: Stack, found: frozenset[Guard]) -> Iterator[Guard]:
    """The local values that conditions refer to, and those that these refer to."""
    texts = [it.value for it in found if it.argument in _CONDITIONS]
    seen: set[str] = set()
    while texts:
        for name in _LOCAL.findall(texts.pop()):
            if name in seen or name not in stack.locals:
                continue
            seen.add(name)
            value = stack.locals[name]
            texts.append(_written(value))
            items = value.items() if isinstance(value, dict) else [("value", value)]
            yield from (Guard(f"local.{name}", key, _written(it)) for key, it in items)


def _of_values(address: str, block: Json) -> Iterator[Guard]:
    for name in _CONDITIONS:
        yield from _conditions(address, name, block.get(name))
    for name in _OF_VARIABLES:
        if name in block and block[name] != (name == "nullable"):
            yield Guard(address, name, _written(block[name]))


def _conditions(address: str, name: str, written: Any) -> Iterator[Guard]:
    yield from (Guard(address, name, _written(block.get("condition"))) for block in objects(written))


def _lifecycles(stack: Stack) -> Iterator[tuple[str, Json]]:
    for address, block in _blocks(stack):
        yield from ((address, lifecycle) for lifecycle in objects(block.get("lifecycle")))


def _blocks(stack: Stack) -> Iterator[tuple[str, Json]]:
    yield from ((f"{kind}.{name}", block) for kind, name, block in stack.resources())
    yield from ((f"data.{kind}.{name}", block) for kind, name, block in stack.data())
    yield from ((f"var.{name}", block) for name, block in stack.variables.items())
    yield from ((f"output.{name}", block) for name, block in stack.outputs.items())
    yield from ((f"check.{name}", block) for name, block in stack.checks.items())


def _settings(stack: Stack) -> Iterator[tuple[str, Json]]:
    for level in objects(stack.document.get("provider")):
        for name, blocks in level.items():
            for block in objects(blocks):
                alias = f".{block['alias']}" if block.get("alias") else ""
                yield f"provider.{name}{alias}", block
    for level in objects(stack.document.get("terraform")):
        yield "terraform", level
        for providers in objects(level.get("required_providers")):
            for name, needed in providers.items():
                yield (
                    f"terraform.required_providers.{name}",
                    needed if isinstance(needed, dict) else {"version": needed},
                )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
