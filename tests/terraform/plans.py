"""Builds small plans as `terraform show -json PLANFILE` prints them."""

from collections.abc import Mapping
from typing import Any


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
