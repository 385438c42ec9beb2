"""The local values of a file are one block, in an order that can be read from top to bottom."""

from typing import Any

from ops.handover import convert, shipped
from ops.handover.hcl import Block, Verbatim, text
from ops.handover.local_blocks import with_one_locals_block


def locals_of(**values: Any) -> str:
    return convert({"locals": values}, name="web", schemas=shipped()).files["locals.tf"]


def test_a_value_follows_those_that_it_refers_to() -> None:
    assert locals_of(key="a/${local.region}/${local.id}", id="7", region="x") == (
        'locals {\n  id = "7"\n  region = "x"\n  key = "a/${local.region}/${local.id}"\n}\n'
    )


def test_a_file_has_one_block() -> None:
    blocks = [
        Block("locals", arguments={"a": Verbatim("local.b")}),
        Block("resource", ("terraform_data", "it")),
        Block("locals", arguments={"b": text("x")}),
        Block("locals", arguments={"c": text("y")}, reason="Why."),
    ]
    one, *others = with_one_locals_block(blocks)
    assert list(one.arguments) == ["b", "a"]
    assert others == [blocks[1], blocks[3]]


def test_a_member_starts_with_what_describes_it_and_ends_with_its_flags() -> None:
    members = {
        key: {"repository": "r", "own_key": is_own, "space": "s", "description": "d"}
        for key, is_own in (("a-b", True), ("c", False))
    }
    rest = '      description = "d"\n      repository = "r"\n      space = "s"\n'
    assert locals_of(members=members) == (
        "locals {\n  members = {\n"
        f'    "a-b" = {{\n{rest}      own_key = true\n    }}\n'
        f'    "c" = {{\n{rest}      own_key = false\n    }}\n'
        "  }\n}\n"
    )


def test_keeps_the_order_of_objects_that_differ() -> None:
    written = locals_of(members={"a": {"x": True, "name": "n"}, "b": {"name": "m"}})
    assert written.index("x = true") < written.index('name = "n"')


def test_a_data_source_is_in_the_file_of_the_local_value_that_reads_it() -> None:
    def subnet(key: str) -> dict[str, Any]:
        return {
            "//": {"metadata": {"path": f"web/network/subnets/{key}", "uniqueId": f"network_subnets_{key}"}},
            "vpc_id": "vpc-1",
            "availability_zone": "${data.aws_region.current.name}" + {"1": "a", "2": "b"}[key],
        }

    document = {
        "terraform": {"required_providers": {"aws": {"source": "aws", "version": "~> 5.0"}}},
        "data": {"aws_region": {"current": {}}},
        "resource": {"aws_subnet": {f"network_subnets_{key}": subnet(key) for key in ("1", "2")}},
    }
    files = convert(document, name="web", schemas=shipped()).files
    assert "locals {" in files["subnets.tf"]
    assert 'data "aws_region" "current"' in files["subnets.tf"]
