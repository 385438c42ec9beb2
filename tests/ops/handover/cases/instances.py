"""Resources without an instance: Terraform evaluates none of their arguments, in which there is an error."""

from typing import Any

from tests.ops.handover.cases.documents import Document

_LINES = ", ".join(f'line_{number} = "{"x" * 20}"' for number in range(12))


def instances(*names: str, of: str = "x-${var.it}", **more: Any) -> Document:
    """Resources that have the same long JSON twice, in which there is a text: by default one with null in it."""
    json = f'${{jsonencode({{ {_LINES}, of = "{of}" }})}}'
    return {
        "variable": {"it": {"type": "string", "default": None}},
        "resource": {"terraform_data": {name: {"input": json, "triggers_replace": json, **more} for name in names}},
        "output": {"it": {"value": "there is an output"}},
    }


_COUNT = "${var.it == null ? 0 : 1}"

INSTANCES: dict[str, Document] = {
    "none_of_one_by_count": instances("a", count=_COUNT),
    "none_of_two_by_count": instances("a", "b", count=_COUNT),
    "none_of_two_by_key": instances("a", "b", for_each="${toset(var.it == null ? [] : [var.it])}"),
}
