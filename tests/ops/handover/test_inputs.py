"""Values that the JSON marks as inputs are variables in the HCL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import convert, hand_over, shipped
from ops.handover.inputs import with_inputs
from tests.ops.handover.folders import written

VPC = {
    "resource": {
        "aws_vpc": {
            "network": {
                "cidr_block": "10.0.0.0/16",
                "//": {
                    "comment": "Its addresses are announced to other offices.",
                    "inputs": {
                        "cidr_block": {
                            "variable": "network_cidr",
                            "description": "Addresses of the VPC.",
                            "validation": [
                                {
                                    "condition": "${can(cidrhost(var.network_cidr, 0))}",
                                    "error_message": "Write a network.",
                                }
                            ],
                        }
                    },
                },
            }
        }
    }
}


def topics(*marks: Any, names: tuple[Any, ...] = ("one", "two"), **others: Any) -> dict[str, Any]:
    """A stack of topics with these marks on their names."""
    marked = {
        f"it_{index}": {"name": name, "//": {"inputs": {"name": mark}}}
        for index, (name, mark) in enumerate(zip(names, marks, strict=False))
    }
    return {"resource": {"aws_sns_topic": marked}, **others}


def in_dynamic_block(*iterators: str) -> dict[str, Any]:
    """A block with dynamic blocks in each other, of which the innermost has an input."""
    body: dict[str, Any] = {"name": "x"}
    for iterator in reversed(iterators):
        body = {"dynamic": {"block": [{"for_each": ["a"], "iterator": iterator, "content": body}]}}
    return {**body, "//": {"inputs": {"dynamic.block.content." * len(iterators) + "name": "it"}}}


def test_an_input_is_a_variable_with_its_value_in_terraform_tfvars() -> None:
    files = convert(VPC, name="web", schemas=shipped()).files
    assert files["vpc.tf"] == (
        "# Its addresses are announced to other offices.\n"
        'resource "aws_vpc" "network" {\n'
        "  cidr_block = var.network_cidr\n"
        "}\n"
    )
    assert files["terraform.tfvars"] == 'network_cidr = "10.0.0.0/16"\n'
    assert files["variables.tf"] == (
        'variable "network_cidr" {\n'
        '  description = "Addresses of the VPC."\n'
        "  type = string\n"
        "\n"
        "  validation {\n"
        "    condition = can(cidrhost(var.network_cidr, 0))\n"
        '    error_message = "Write a network."\n'
        "  }\n"
        "}\n"
    )


def test_marks_are_used_once() -> None:
    once = with_inputs(VPC, name="web")
    assert once != VPC
    assert with_inputs(once, name="web") is once
    assert "inputs" in VPC["resource"]["aws_vpc"]["network"]["//"]


def test_values_by_key_follow_the_block_that_zones_share() -> None:
    subnets = {
        f"network_private_{zone}": {
            "cidr_block": cidr,
            "vpc_id": "vpc-1",
            "//": {
                "metadata": {"path": f"web/network/private_{zone}", "uniqueId": f"network_private_{zone}"},
                "inputs": {"cidr_block": {"variable": "private_subnet_cidrs", "key": zone}},
            },
        }
        for zone, cidr in (("c", "10.0.1.0/24"), ("a", "10.0.0.0/24"))
    }
    files = convert({"resource": {"aws_subnet": subnets}}, name="web", schemas=shipped()).files
    assert "  cidr_block = var.private_subnet_cidrs[each.key]\n" in files["subnets.tf"]
    assert files["terraform.tfvars"] == 'private_subnet_cidrs = {\n  a = "10.0.0.0/24"\n  c = "10.0.1.0/24"\n}\n'


AGREE = "give all places of one variable the same value, or a variable to each"
SAY = "write a name, or an object with variable and, of description, item, key, type, validation, what you need"
REFUSED = {
    "two_values": (topics("name", "name"), "it_1.name: 'two' is not what var.name is elsewhere", AGREE),
    "text_and_number": (topics("it", "it", names=("1", 1)), "it_1.name: 1 is not what var.it is elsewhere", AGREE),
    "with_and_without_key": (
        topics("name", {"variable": "name", "key": "a"}),
        "it_1.name: 'two' is not what var.name is elsewhere",
        AGREE,
    ),
    "two_descriptions": (
        topics(*({"variable": "name", "description": it} for it in "ab"), names=("x", "x")),
        "it_1.name: the description of var.name is another elsewhere",
        AGREE,
    ),
    "reference": (
        topics("name", names=("x-${var.it}",)),
        "it_0.name: 'x-${var.it}' is not a constant",
        "mark texts, numbers, booleans, and lists and maps of one kind of these",
    ),
    "no_such_argument": (
        {"resource": {"aws_sns_topic": {"it_0": {"name": "x", "//": {"inputs": {"tags.Name": "name"}}}}}},
        "it_0.tags.Name: there is no such argument",
        "write its path, for example root_block_device.volume_size",
    ),
    "lifecycle": (
        {
            "resource": {
                "aws_sns_topic": {
                    "it_0": {
                        "lifecycle": {"prevent_destroy": True},
                        "//": {"inputs": {"lifecycle.prevent_destroy": "keep"}},
                    }
                }
            }
        },
        "it_0.lifecycle.prevent_destroy: Terraform takes no variable here",
        "remove the mark",
    ),
    "iterator_named_var": (
        {"resource": {"aws_sns_topic": {"it_0": in_dynamic_block("var")}}},
        "it_0.dynamic.block.content.name: its dynamic block calls its items var, so that no variable can be named here",
        "give the dynamic block another iterator",
    ),
    "iterator_named_var_around": (
        {"resource": {"aws_sns_topic": {"it_0": in_dynamic_block("${var}", "it")}}},
        "it_0.dynamic.block.content.dynamic.block.content.name: its dynamic block calls its items var, so that no "
        "variable can be named here",
        "give the dynamic block another iterator",
    ),
    "no_name": (topics("a b"), "it_0.name: {'variable': 'a b'} is no input", SAY),
    "reserved_name": (topics("for_each"), "it_0.name: 'for_each' is reserved", "give the variable another name"),
    "unknown_field": (
        topics({"variable": "a", "default": 1}),
        "it_0.name: {'variable': 'a', 'default': 1} is no input",
        SAY,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    document, what, hint = REFUSED[case]
    with pytest.raises(RefusedError) as refused:
        with_inputs(document, name="web")
    assert str(refused.value) == f"error: web: resource.aws_sns_topic.{what}\nhint: {hint}"


def test_refuses_a_name_that_another_variable_has() -> None:
    with pytest.raises(RefusedError) as refused:
        with_inputs(topics("size", variable={"size": {"default": 2}}), name="web")
    assert str(refused.value) == "error: web: variable.size: is declared already\nhint: give the input another name"


@pytest.mark.tool("terraform")
def test_the_readme_lists_inputs_among_variables(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(VPC), tmp_path / "hcl")
    readme = written(tmp_path / "hcl")["web/README.md"]
    assert '| `network_cidr` | `string` | `"10.0.0.0/16"` | Addresses of the VPC. |\n' in readme


def test_refuses_the_inputs_of_all_stacks_together(out: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        hand_over(out(one=topics("a b"), two=topics("a", "a")), tmp_path / "hcl")
    assert [it.where for it in refused.value.problems] == [
        "one: resource.aws_sns_topic.it_0.name",
        "two: resource.aws_sns_topic.it_1.name",
    ]
