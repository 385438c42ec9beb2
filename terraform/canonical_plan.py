"""A plan as two plans can be compared: the whole document, but for what differs between two equal ones.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from errors import refused
from terraform.output import without_repetition
from terraform.plan_document import load, nested_too_deep
from terraform.plan_values import marked, sensitive_texts

LEFT_OUT = {
    "timestamp": "when the plan was made",
    "relevant_attributes": "a choice for display, in no order, among references that the configuration has",
    "applyable": "whether anything changes: the changes are compared",
}
"""What is not compared, at the top of a plan, and why."""

VARYING = {
    "aws_backup_vault": {"recovery_points": "how many backups it has"},
    "aws_efs_file_system": {"size_in_bytes": "how much is stored on it"},
    "aws_instance": {"instance_state": "whether it runs, which its schedule decides"},
}
"""Attributes of an object, by type, that change while nobody changes it; no argument can set them, and why they do."""

HIDDEN = "$hidden"
"""The only key of what stands for a sensitive value: its keyed digest, or null where there is no key."""

_NUMBER = "$number"
_PAIRS = {  # what lies beside its marks
    "before": "before_sensitive",
    "after": "after_sensitive",
    "values": "sensitive_values",
    "config_values": "config_sensitive",
}
_ALONE = ("value", "default")  # of an output and a variable, which are sensitive as a whole
_NAMES_OF_MARKS = re.compile(r"sensitive_\w+|\w+_sensitive")

Mask = Callable[[str], str]
"""Replaces secrets in a text."""


def canonical(text: str, where: str, *, key: bytes, mask: Callable[[set[str]], Mask]) -> dict[str, Any]:
    """The plan in `text`, without LEFT_OUT and VARYING, and with digests in place of sensitive values.

    `key` makes the digests; with an empty one, no sensitive value can be compared. `mask` makes a mask of secrets, for
    texts that are not marked as sensitive and contain a secret. Objects are by address, in which order they may come.

    Raises RefusedError for anything that is not a complete plan.
    """
    content = load(text, where, parse_float=_Fraction)
    try:
        content = _with_own_names(content)
        declared = content.get("configuration", {}).get("root_module", {}).get("variables", {})
        for name, variable in content.get("variables", {}).items():
            if declared.get(name, {}).get("sensitive"):
                variable["sensitive"] = True
        secrets: set[str] = set()
        _collect(content, secrets)
        hidden = _Hidden(key, mask(secrets))
        kept = {name: value for name, value in content.items() if name not in LEFT_OUT}
        plan: dict[str, Any] = hidden.values(kept)
    except (AttributeError, TypeError):
        hint = "create it with `terraform show -json PLANFILE` from a plan that succeeded"
        raise refused(where, "Terraform does not write plans like this", hint) from None
    except RecursionError:
        raise nested_too_deep(where) from None
    for name in ("resource_changes", "resource_drift", "checks"):
        plan[name] = _by_address(plan.get(name))
        plan[name] = _without_varying(plan[name], is_drift=name == "resource_drift")
    for check in plan["checks"].values() if isinstance(plan["checks"], dict) else ():
        check["instances"] = _by_address(check.get("instances"))
    for values in (plan.get("planned_values"), plan.get("prior_state", {}).get("values")):
        if isinstance(values, dict) and isinstance(values.get("root_module"), dict):
            values["modules"], values["instances"] = {}, {}
            _flatten(values.pop("root_module"), values)
            _without_varying(values["instances"])
    return plan


def lineage(text: str, where: str) -> bytes:
    """The lineage of the state that `terraform state pull` printed, which nobody guesses; empty without a state.

    Raises RefusedError for what is no state.
    """
    if not text.strip():
        return b""
    try:
        found = json.loads(text, object_pairs_hook=without_repetition)["lineage"]
    except (ValueError, LookupError, TypeError, RecursionError):
        found = None
    if not isinstance(found, str):
        raise refused(where, "it is not a state of Terraform's", "write it with `terraform state pull`")
    return found.encode()


def _collect(value: Any, secrets: set[str]) -> None:
    """Every text and number that is marked as sensitive."""
    if isinstance(value, dict):
        for name, marks in _PAIRS.items():
            secrets.update(sensitive_texts(value.get(name), value.get(marks)))
        if value.get("sensitive") is True:
            for name in _ALONE:
                secrets.update(sensitive_texts(value.get(name), True))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _collect(item, secrets)


class _Hidden:
    """Values with digests in place of what is sensitive."""

    def __init__(self, key: bytes, mask: Mask) -> None:
        self._key = key
        self._mask = mask

    def values(self, value: Any) -> Any:
        """A value of a plan's document, where marks lie beside what they are about."""
        if isinstance(value, list):
            return [self.values(item) for item in value]
        if not isinstance(value, dict):
            return self._text(value)
        marks = {name: value.get(pair) for name, pair in _PAIRS.items()} | dict.fromkeys(_ALONE)
        if value.get("sensitive") is True:
            marks |= dict.fromkeys(_ALONE, True)
        # Marks that are not known: whatever they are about is hidden.
        is_unknown = any(_NAMES_OF_MARKS.fullmatch(name) for name in value.keys() - set(_PAIRS.values()))
        found = {}
        for name, item in value.items():
            if name in _PAIRS.values():
                found[name] = item
            elif is_unknown or name in marks:
                found[name] = self._marked(item, True if is_unknown else marks[name])
            else:
                found[name] = self.values(item)
        return found

    def _marked(self, value: Any, marks: Any) -> Any:
        if marks is True:
            return None if value is None else self._digest(value)
        if isinstance(value, dict):
            return {self._name(name): self._marked(item, marked(marks, name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self._marked(item, marked(marks, place)) for place, item in enumerate(value)]
        return self._text(value)

    def _text(self, value: Any) -> Any:
        is_secret = not isinstance(value, bool | None) and self._mask(str(value)) != str(value)
        return self._digest(value) if is_secret else value

    def _name(self, name: str) -> str:
        return f"{HIDDEN} {self._digest(name)[HIDDEN]}" if self._mask(name) != name else name

    def _digest(self, value: Any) -> dict[str, str | None]:
        text = json.dumps(value, sort_keys=True).encode()
        return {HIDDEN: hmac.new(self._key, text, hashlib.sha256).hexdigest() if self._key else None}


class _Fraction(str):
    """A number with a fraction, as it is written."""

    __slots__ = ()


def _with_own_names(value: Any) -> Any:
    """A value with {_NUMBER: text} in place of a number with a fraction; no other key begins with just one dollar."""
    if isinstance(value, _Fraction):
        return {_NUMBER: str(value)}
    if isinstance(value, list):
        return [_with_own_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {f"${name}" if name.startswith("$") else name: _with_own_names(item) for name, item in value.items()}


def _by_address(items: Any) -> Any:
    """A list of objects by their addresses, if each has one of its own."""
    if not isinstance(items, list):
        return {} if items is None else items
    addresses = [_address(item) for item in items]
    named = [address for address in addresses if address is not None]
    if len(set(named)) < len(items):
        return items
    return dict(zip(named, items, strict=True))


def _without_varying(objects: Any, *, is_drift: bool = False) -> Any:
    """Objects by address without VARYING; a drift in nothing else is none."""
    kept = {}
    for address, item in objects.items() if isinstance(objects, dict) else ():
        names = VARYING.get(str(item.get("type")), {})
        parts = [item, item["change"]] if isinstance(item.get("change"), dict) else [item]
        for values in (part[name] for part in parts for name in part if isinstance(part[name], dict)):
            for name in names:
                values.pop(name, None)
        if not (is_drift and names and parts[-1].get("before") == parts[-1].get("after")):
            kept[address] = item
    return kept if isinstance(objects, dict) else objects


def _address(item: Any) -> str | None:
    address = item.get("address") if isinstance(item, dict) else None
    if isinstance(address, Mapping):  # of a check
        address = address.get("to_display")
    if not isinstance(address, str):
        return None
    deposed = item.get("deposed") or item.get("deposed_key")
    return f"{address} (deposed {deposed})" if deposed else address


def _flatten(module: dict[str, Any], values: dict[str, Any]) -> None:
    """Puts the objects of a module, and of the modules in it, into `instances`, and what else it has into `modules`."""
    for name, kind in (("resources", "instances"), ("child_modules", "modules")):
        found = _by_address(module.pop(name, None))
        if not isinstance(found, dict):  # two of one address, or none
            module[name] = found
            continue
        for address, item in found.items():
            values[kind][address] = item
            if kind == "modules":
                _flatten(item, values)
    values["modules"].setdefault(module.get("address", ""), module)
