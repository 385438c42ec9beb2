"""Builds small plans as `terraform show -json PLANFILE` prints them."""

from collections.abc import Mapping
from typing import Any

from terraform.output import Stack, objects


def plan(*changes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A plan as `terraform show -json` prints it, with these resource changes."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        "configuration": {},
        **more,
    }


def change(
    address: str,
    actions: list[str] | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    unknown: Any = False,
    sensitive: tuple[Any, Any] = (False, False),
    **more: Any,
) -> dict[str, Any]:
    """One resource's change."""
    listed = [actions] if isinstance(actions, str) else actions
    inside: dict[str, Any] = {
        "actions": listed,
        "before": before,
        "after": after,
        "after_unknown": unknown,
        "before_sensitive": sensitive[0],
        "after_sensitive": sensitive[1],
        **{key: more.pop(key) for key in ("importing", "replace_paths") if key in more},
    }
    kind = address.rpartition("module.")[2].split(".")[-2]
    return {"address": address, "mode": "managed", "type": kind, "name": "it", "change": inside, **more}


def made_from(document: Mapping[str, Any]) -> dict[str, Any]:
    """The `configuration` of a plan that Terraform makes from a document in its JSON syntax."""
    stack = Stack(name="stack", document=document)
    blocks = [
        *((f"{kind}.{name}", kind, block) for kind, name, block in stack.resources()),
        *((f"data.{kind}.{name}", kind, block) for kind, name, block in stack.data()),
    ]
    return {
        "provider_config": {
            name if "alias" not in provider else f"{name}.{provider['alias']}": {
                "expressions": {
                    key: [_expressions(block) for block in value]
                    if key in ("assume_role", "default_tags")
                    else {"constant_value": value}
                    for key, value in provider.items()
                    if key not in ("alias", "//")
                }
            }
            for level in objects(document.get("provider"))
            for name, providers in level.items()
            for provider in objects(providers)
        },
        "root_module": {
            "resources": [
                {
                    "address": address,
                    "expressions": _expressions(block, "count", "for_each", "lifecycle", "provider", "depends_on"),
                    "provider_config_key": block.get("provider", kind.partition("_")[0]),
                    **{
                        f"{key}_expression": {"constant_value": block[key]}
                        for key in ("count", "for_each")
                        if key in block
                    },
                    "depends_on": block.get("depends_on", []),
                }
                for address, kind, block in blocks
            ],
            "variables": {
                name: {key: block[key] for key in ("default", "description", "sensitive") if key in block}
                for name, block in stack.variables.items()
            },
            "outputs": {
                name: {
                    "expression": {"constant_value": block["value"]},
                    **{key: block[key] for key in ("sensitive",) if key in block},
                }
                for name, block in stack.outputs.items()
            },
        },
    }


def _expressions(block: Mapping[str, Any], *other: str) -> dict[str, Any]:
    return {key: {"constant_value": value} for key, value in block.items() if key not in {*other, "//"}}


def state_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The `prior_state` of a plan after an apply of a document in Terraform's JSON syntax."""
    addresses = [f"{kind}.{name}" for kind, name, _ in Stack(name="stack", document=document).resources()]
    return {"values": {"root_module": {"resources": [{"address": address} for address in addresses]}}}
