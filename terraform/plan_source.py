"""Compares a plan's configuration with the synthesised Terraform that it may have been made from.

https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation
"""

from collections.abc import Iterator, Mapping
from typing import Any

from terraform.output import Json, Stack, objects

# What a plan's configuration does not show among the arguments.
_NOT_IN_PLANS = {"//", "connection", "dynamic", "lifecycle", "providers", "provisioner"}
_OF_PROVIDERS = {"//", "alias", "version"}
_EXPRESSION = {"constant_value", "references"}


def unlike(configuration: Json, stack: Stack) -> list[str]:
    """What differs between a plan's `configuration` and a stack: addresses of blocks, sorted.

    A plan has neither lifecycles, conditions, local values, types of variables, dynamic blocks nor the backend. Every
    expression of Terraform's JSON syntax is in it as it is written; one that is not there, as with HCL, differs.
    """
    planned, written = dict(_planned(configuration)), dict(_written(stack))
    return sorted(
        address
        for address in planned.keys() | written.keys()
        if address not in planned or address not in written or not _is_same(planned[address], written[address])
    )


def _planned(configuration: Json) -> Iterator[tuple[str, Any]]:
    """The expressions of every block in a plan's configuration, by address."""
    for name, provider in _objects_in(configuration, "provider_config"):
        if provider.get("expressions"):
            yield f"provider.{name}", provider["expressions"]
    root = configuration.get("root_module")
    root = root if isinstance(root, dict) else {}
    for resource in objects(root.get("resources")):
        provider = _constant(resource.get("provider_config_key"))
        yield str(resource.get("address")), {**_expressions(resource), "provider": provider}
    for name, call in _objects_in(root, "module_calls"):
        source, version = _constant(call.get("source")), _constant(call.get("version_constraint"))
        yield f"module.{name}", {**_expressions(call), "source": source, "version": version}
    for name, variable in _objects_in(root, "variables"):
        yield (
            f"var.{name}",
            {key: _constant(variable.get(key)) for key in ("default", "description")}
            | {"sensitive": _constant(bool(variable.get("sensitive")))},
        )
    for name, output in _objects_in(root, "outputs"):
        yield (
            f"output.{name}",
            {"value": output.get("expression", {}), "sensitive": _constant(bool(output.get("sensitive")))},
        )


def _expressions(block: Json) -> Json:
    expressions = block.get("expressions")
    return {
        **(expressions if isinstance(expressions, dict) else {}),
        "count": block.get("count_expression", {}),
        "for_each": block.get("for_each_expression", {}),
        "depends_on": _constant(block.get("depends_on") or None),
    }


def _written(stack: Stack) -> Iterator[tuple[str, Json]]:
    """The arguments of every block in a stack, by address."""
    for level in objects(stack.document.get("provider")):
        for name, providers in level.items():
            for provider in objects(providers):
                arguments = {key: value for key, value in provider.items() if key not in _OF_PROVIDERS}
                alias = provider.get("alias")
                if arguments:
                    yield f"provider.{name}.{alias}" if alias else f"provider.{name}", arguments
    for kind, name, resource in stack.resources():
        yield f"{kind}.{name}", _of_provider(kind, resource)
    for kind, name, source in stack.data():
        yield f"data.{kind}.{name}", _of_provider(kind, source)
    for name, call in stack.modules.items():
        yield f"module.{name}", _arguments(call)
    for name, variable in stack.variables.items():
        shown = {key: variable.get(key) for key in ("default", "description")}
        yield f"var.{name}", {**shown, "sensitive": bool(variable.get("sensitive"))}
    for name, output in stack.outputs.items():
        yield f"output.{name}", {"value": output.get("value"), "sensitive": bool(output.get("sensitive"))}


def _of_provider(kind: str, block: Json) -> Json:
    return {**_arguments(block), "provider": block.get("provider") or kind.partition("_")[0]}


def _arguments(block: Json) -> Json:
    kept = {key: value for key, value in block.items() if key not in _NOT_IN_PLANS}
    return kept | {"depends_on": block.get("depends_on") or None}


def _objects_in(place: Json, name: str) -> Iterator[tuple[str, Json]]:
    named = place.get(name)
    for key, found in named.items() if isinstance(named, dict) else ():
        yield from ((key, one) for one in objects(found))


def _constant(value: Any) -> Json:
    return {} if value is None else {"constant_value": value}


def _is_same(planned: Any, written: Any) -> bool:
    """Whether a plan's expression, or the blocks that it has in place of one, is what a stack has there."""
    if planned in ({}, None) or (isinstance(planned, list) and not planned):
        return not _is_set(written)
    if isinstance(planned, list):
        blocks = list(objects(written))
        return len(blocks) == len(planned) and all(map(_is_same, planned, blocks))
    if not isinstance(planned, Mapping):
        return False
    if planned.keys() <= _EXPRESSION:
        return "constant_value" in planned and bool(planned["constant_value"] == written)
    blocks = list(objects(written))
    if len(blocks) != 1:
        return False
    [block] = blocks
    return all(_is_same(planned.get(name, {}), block.get(name)) for name in (planned.keys() | block.keys()) - {"//"})


def _is_set(written: Any) -> bool:
    """Whether anything is written: not null, and not only nulls in a block."""
    if isinstance(written, list):
        return any(map(_is_set, written))
    return any(map(_is_set, written.values())) if isinstance(written, dict) else written is not None
