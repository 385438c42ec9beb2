"""An id of AWS that an input has is the variable wherever else it stands."""

from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.by_plan import plans

VPC, ONE, TWO = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "subnet-0fedcba9876543210"


def document(*, marked: bool = True, subnets: tuple[str, ...] = (ONE, TWO)) -> dict[str, Any]:
    """A stack with a network whose ids stand at several places."""
    marks = {"inputs": {"vpc_id": {"variable": "vpc_id"}}}
    lists = {"inputs": {"subnet_ids": {"variable": "subnet_ids"}}}
    return {
        "resource": {
            "aws_security_group": {"one": {"name": "one", "vpc_id": VPC, **({"//": marks} if marked else {})}},
            "aws_db_subnet_group": {"one": {"subnet_ids": [ONE, TWO], **({"//": lists} if marked else {})}},
            "terraform_data": {
                "vpc": {"input": [VPC, f"in {VPC}.", f"in {VPC}0", f"$${VPC}"]},
                "subnets": {"input": [f"arn:aws:ec2:eu-central-1:111111111111:subnet/{it}" for it in subnets]},
                "lists": {"input": {"same": list(subnets), "different": [f"a {ONE}", f"b {TWO}"]}},
            },
        }
    }


def data(**arguments: Any) -> str:
    return convert(document(**arguments), name="web", schemas=shipped()).files["terraform_data.tf"]


def test_refers_to_the_variable_in_texts_and_lists() -> None:
    text = data()
    assert '  input = [var.vpc_id, "in ${var.vpc_id}."' in text.replace("\n    ", " ").replace("[ ", "[")
    assert f'"in {VPC}0"' in text
    assert 'for subnet_id in var.subnet_ids : "arn:aws:ec2:eu-central-1:111111111111:subnet/${subnet_id}"' in text
    assert "same = var.subnet_ids" in text
    assert f'"a {ONE}"' in text


@pytest.mark.parametrize("arguments", [{"subnets": (TWO, ONE)}, {"subnets": (ONE,)}])
def test_lists_in_another_order_or_of_other_length_stay(arguments: dict[str, Any]) -> None:
    assert "var.subnet_ids" not in data(**arguments)


def test_a_set_is_no_list_with_an_order() -> None:
    given = document()
    given["resource"]["aws_db_subnet_group"]["one"]["//"]["inputs"]["subnet_ids"]["type"] = "set(string)"
    written = convert(given, name="web", schemas=shipped()).files
    assert "type = set(string)" in written["variables.tf"]
    assert "var.subnet_ids" not in written["terraform_data.tf"]


def test_only_inputs_are_referred_to() -> None:
    """Another variable may have another value where the stack is applied as JSON."""
    plain = {**document(marked=False), "variable": {"vpc_id": {"type": "string", "default": VPC}}}
    assert "var." not in convert(plain, name="web", schemas=shipped()).files["terraform_data.tf"]


@pytest.mark.terraform
def test_plans_with_ids_are_equal(tmp_path: Path) -> None:
    from_json, from_hcl = plans({"ids": document(), "turned": document(subnets=(TWO, ONE))}, tmp_path)
    assert from_hcl == from_json
