"""Lists with one constant: in JSON a member's whole list is its own, elsewhere only what is in it."""

from typing import Any

from ops.handover import convert, shipped
from terraform.templates import escaped, jsonencode
from tests.ops.handover.cases.similar import each, stack

_LONG = {f"line_{number}": "x" * 40 for number in range(12)}
_ZONES = {"alpha": "eu-1", "beta": "us-9"}


def _written(type_: str, **arguments: Any) -> str:
    """A resource for each zone: KEY and ZONE stand for its own in a text."""

    def body(key: str) -> dict[str, Any]:
        return {name: _filled(it, key) for name, it in arguments.items()}

    files = convert(stack("resource", each("units/*/it", _ZONES, type_, body)), name="web", schemas=shipped()).files
    return " ".join("\n".join(files.values()).split())


def _filled(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return [_filled(it, key) for it in value]
    return value.replace("KEY", key).replace("ZONE", _ZONES[key])


def _json(**more: Any) -> str:
    return escaped(jsonencode({**_LONG, "key": "KEY", **more}))


def test_a_list_behind_json_is_written_with_what_is_in_it() -> None:
    written = _written("aws_iam_role", name="KEY", assume_role_policy=_json(zone="ZONE"), managed_policy_arns=["ZONE"])
    assert "zone = each.value.zone })" in written
    assert "managed_policy_arns = [each.value.managed_policy_arns]" in written


def test_a_list_in_json_is_a_member_s_own_behind_json_that_the_json_has() -> None:
    """The list of the next member may be longer."""
    written = _written("aws_s3_object", bucket="b", key="KEY", content=_json(inner=_json(zone="ZONE"), zones=["ZONE"]))
    assert written.count("jsonencode(") == 2
    assert "zones = each.value.zones }" in written
    assert 'zones = ["eu-1"]' in written
