"""JSON that says a variable's value refers to the variable, where the stack says that it is the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.by_plan import plans

_MARK = {"in_json": {"aws_s3_object.content": "hours"}}


def document(
    *, comment: Any = _MARK, hours: Any = 3, type_: str = "aws_s3_object", default: Any = 3, **variable: Any
) -> dict[str, Any]:
    """A stack with a variable, and an object whose JSON has its value."""
    content = json.dumps({"hours": hours, "other": 3}, separators=(",", ":"))
    return {
        "variable": {"silent_hours": {"type": "number", "default": default, "//": comment, **variable}},
        "resource": {
            type_: {"it": {"bucket": "b", "key": "k", "content": content}},
            "terraform_data": {"it": {"input": {"alarm": "${var.silent_hours}", "same": content}}},
        },
    }


def texts(**arguments: Any) -> str:
    files = convert(document(**arguments), name="web", schemas=shipped()).files
    return " ".join(" ".join(files[it] for it in sorted(files) if it not in ("variables.tf", "outputs.tf")).split())


def test_refers_to_the_variable_wherever_the_json_stands() -> None:
    """A digest is one of the same JSON."""
    assert texts().count("jsonencode({ hours = var.silent_hours other = 3 })") == 2


@pytest.mark.parametrize(("type_", "value"), [("number", -1.5), ("string", "3"), ("bool", False)])
def test_refers_to_a_variable_of_the_value_s_type(type_: str, value: Any) -> None:
    assert "hours = var.silent_hours" in texts(hours=value, default=value, type=type_)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"comment": {}}, id="nothing is said"),
        pytest.param({"comment": {"in_json": {"aws_s3_object.content": 3}}}, id="what is said is no name"),
        pytest.param({"comment": {"in_json": ["hours"]}}, id="what is said is no object"),
        pytest.param({"comment": {"in_json": {"aws_s3_object.key": "hours"}}}, id="another argument"),
        pytest.param({"type_": "aws_s3_bucket_object"}, id="another type"),
        pytest.param({"hours": 4}, id="another value"),
        pytest.param({"hours": "3"}, id="a text"),
        pytest.param({"type": "string"}, id="the variable turns the number into a text"),
        pytest.param({"hours": "3", "default": "3"}, id="the variable turns the text into a number"),
        pytest.param({"hours": [3, 3], "default": [3, 3], "type": "set(number)"}, id="the variable removes one of two"),
        pytest.param({"type": "any"}, id="the variable takes other types"),
        pytest.param({"sensitive": True}, id="the JSON would be sensitive"),
        pytest.param({"ephemeral": True}, id="the value may be in no state"),
    ],
)
def test_keeps_other_json(arguments: dict[str, Any]) -> None:
    assert texts(**arguments).count("var.silent_hours") == 1


def test_keeps_json_where_var_is_another_name() -> None:
    found = document()
    found["resource"]["aws_s3_object"]["it"]["metadata"] = {"it": "${[for var in [1] : var][0]}"}
    files = convert(found, name="web", schemas=shipped()).files
    assert "= var.silent_hours other" not in " ".join("\n".join(files.values()).split())


def test_keeps_json_where_var_is_the_name_of_an_iterator() -> None:
    given = document()
    content = {"description": given["resource"]["terraform_data"]["it"]["input"]["same"]}
    ingress = {"for_each": [1], "iterator": "var", "content": content}
    given["resource"]["aws_security_group"] = {"it": {"name": "it", "dynamic": {"ingress": ingress}}}
    files = convert(given, name="web", schemas=shipped()).files
    assert "var.silent_hours" in files["s3.tf"]
    assert "var.silent_hours" not in files["security_groups.tf"]


@pytest.mark.terraform
def test_plans_are_equal(tmp_path: Path) -> None:
    from_json, from_hcl = plans({"same": document(), "different": document(hours=4)}, tmp_path)
    assert from_hcl == from_json
