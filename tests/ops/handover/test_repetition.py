"""Similar resources become one block with `for_each`; addresses and references follow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.by_plan import plans
from tests.ops.handover.cases.similar import each, similar, stack

SUBNETS = {"a": "10.0.0.0/24", "c": "10.0.1.0/24"}


def named(path: str, unique_id: str, **arguments: Any) -> dict[str, Any]:
    return {"//": {"metadata": {"path": f"web/{path}", "uniqueId": unique_id}}, **arguments}


def subnets(**more: Any) -> dict[str, Any]:
    return {
        f"network_private_{zone}": named(
            f"network/private_{zone}",
            f"network_private_{zone}",
            cidr_block=cidr,
            vpc_id="vpc-1",
            tags={"Name": f"private-{zone}"},
            **more.get(zone, {}),
        )
        for zone, cidr in SUBNETS.items()
    }


def converted(resources: dict[str, Any], **others: Any) -> Mapping[str, str]:
    return convert({"resource": resources, **others}, name="web", schemas=shipped()).files


@pytest.mark.parametrize(("reasons", "blocks"), [(("Why.", "Why."), 1), (("Why.", "Why not."), 2), (("Why.", None), 2)])
def test_resources_of_one_reason_are_one_block_with_it(reasons: tuple[str | None, ...], blocks: int) -> None:
    zones = subnets()
    for subnet, why in zip(zones.values(), reasons, strict=True):
        subnet["//"]["comment"] = why
    hcl = converted({"aws_subnet": zones})["subnets.tf"]
    assert hcl.count('resource "aws_subnet"') == blocks
    assert hcl.count("# Why.\nresource") == (1 if blocks == 1 else reasons.count("Why."))


def test_blocks_of_one_type_and_file_say_their_reason_once() -> None:
    topics = {
        name: named(name, name, name=f"{name}-x", **more) for name, more in (("one", {}), ("two", {"fifo_topic": True}))
    }
    bucket = named("three", "three", bucket="b")
    for resource in (*topics.values(), bucket):
        resource["//"]["comment"] = "Why."
    files = converted({"aws_sns_topic": topics, "aws_s3_bucket": {"three": bucket}})
    assert [text.count("# Why.") for path, text in sorted(files.items()) if path in ("s3.tf", "sns.tf")] == [1, 1]


def test_checks_of_one_reason_say_it_once() -> None:
    variables = {
        name: {
            "type": "string",
            "validation": [
                {"condition": f"${{length(var.{name}) > 1}}", "error_message": "More.", "//": {"comment": "Why."}}
            ],
        }
        for name in ("one", "two")
    }
    text = convert({"variable": variables}, name="web", schemas=shipped()).files["variables.tf"]
    assert (text.count("# Why.\n  validation"), text.count("validation {")) == (1, 2)


def test_merges_subnets_by_zone() -> None:
    assert converted({"aws_subnet": subnets()})["subnets.tf"] == (
        "locals {\n"
        "  network_private = {\n"
        '    a = "10.0.0.0/24"\n'
        '    c = "10.0.1.0/24"\n'
        "  }\n"
        "}\n\n"
        'resource "aws_subnet" "network_private" {\n'
        "  for_each = local.network_private\n\n"
        '  vpc_id = "vpc-1"\n'
        "  cidr_block = each.value\n\n"
        "  tags = {\n"
        '    Name = "private-${each.key}"\n'
        "  }\n"
        "}\n"
    )


def test_records_every_changed_address() -> None:
    document = {"resource": {"aws_subnet": subnets()}}
    moved = {f"aws_subnet.network_private_{zone}": f'aws_subnet.network_private["{zone}"]' for zone in SUBNETS}
    assert convert(document, name="web", schemas=shipped()).moved == moved
    assert converted({"aws_subnet": subnets()})["moved.tf"] == "\n".join(
        f"moved {{\n  from = {old}\n  to = {new}\n}}\n" for old, new in moved.items()
    )


def test_rewrites_references_in_strings_and_expressions() -> None:
    value = '${join(",", ["x-${aws_subnet.network_private_a.id}", "aws_subnet.network_private_a.id"])}'
    files = converted({"aws_subnet": subnets()}, output={"o": {"value": value}})
    expected = 'join(",", ["x-${aws_subnet.network_private["a"].id}", "aws_subnet.network_private_a.id"])'
    assert f"value = {expected}\n" in files["outputs.tf"]


def test_depends_on_names_the_whole_block() -> None:
    depends_on = [f"aws_subnet.network_private_{zone}" for zone in SUBNETS]
    files = converted({"aws_subnet": subnets(), "terraform_data": {"it": {"depends_on": depends_on}}})
    assert "depends_on = [aws_subnet.network_private]\n" in files["terraform_data.tf"]


@pytest.mark.parametrize(
    "more",
    [
        {"a": {"lifecycle": {"prevent_destroy": True}}},
        {"a": {"depends_on": ["terraform_data.it"]}},
        {"a": {"availability_zone": "${terraform_data.it.output}"}},
        {"a": {"count": 1}},
        {"a": {"provider": "aws.other"}},
    ],
)
def test_does_not_merge_resources_that_differ_too_much(more: dict[str, Any]) -> None:
    files = converted({"aws_subnet": subnets(**more), "terraform_data": {"it": {}}})
    assert 'resource "aws_subnet" "network_private_a" {' in files["subnets.tf"]
    assert "moved.tf" not in files


def test_does_not_merge_resources_into_a_dependency_cycle() -> None:
    chained = subnets(c={"depends_on": ["terraform_data.it"]}, a={"depends_on": ["terraform_data.it"]})
    files = converted(
        {"aws_subnet": chained, "terraform_data": {"it": {"input": "x"}}},
    )
    assert 'resource "aws_subnet" "network_private" {' in files["subnets.tf"]
    waiting = {"it": {"input": "${aws_subnet.network_private_a.id}"}}
    files = converted({"aws_subnet": chained, "terraform_data": waiting})
    assert 'resource "aws_subnet" "network_private_c" {' in files["subnets.tf"]


def test_removes_hashes_from_generated_names() -> None:
    topics = {
        "news_1A2B3C4D": named("news", "news_1A2B3C4D", name="news"),
        "chosen_0123ABCD": {"name": "chosen"},
        "twice_11111111": named("x/twice", "twice_11111111", name="a"),
        "twice_22222222": named("y/twice", "twice_22222222", name="b"),
    }
    text = converted({"aws_sns_topic": topics}, output={"o": {"value": "${aws_sns_topic.news_1A2B3C4D.arn}"}})
    assert 'resource "aws_sns_topic" "news" {' in text["sns.tf"]
    assert all(f'"{name}"' in text["sns.tf"] for name in ("chosen_0123ABCD", "twice_11111111", "twice_22222222"))
    assert "value = aws_sns_topic.news.arn\n" in text["outputs.tf"]
    assert text["moved.tf"] == "moved {\n  from = aws_sns_topic.news_1A2B3C4D\n  to = aws_sns_topic.news\n}\n"


LONG = "version: 0.2\nenv:\n  variables:\n    NAME: \"{}\"\n    HOME: '$${{HOME}}'\n" + "# more\n" * 20


@pytest.mark.terraform
def test_plans_of_merged_resources_are_equal(tmp_path: Path) -> None:
    keys = ("app", "partner-api", "x")
    document: dict[str, Any] = {
        "resource": {
            "aws_subnet": subnets(a={"availability_zone": "eu-central-1a"}),
            "aws_codebuild_project": {
                f"mirrors_{key}_project": named(
                    f"mirrors/{key}/project",
                    f"mirrors_{key}_project",
                    name=f"mirror-{key}",
                    service_role="arn:aws:iam::111111111111:role/x",
                    artifacts={"type": "NO_ARTIFACTS"},
                    environment={"compute_type": "BUILD_GENERAL1_SMALL", "image": "i", "type": "LINUX_CONTAINER"},
                    source={"type": "NO_SOURCE", "buildspec": LONG.format(f"git@example:{number}/{key}")},
                )
                for number, key in enumerate(keys)
            },
        },
        "output": {"names": {"value": [f"${{aws_codebuild_project.mirrors_{key}_project.name}}" for key in keys]}},
    }
    from_json, from_hcl = plans({"web": document}, tmp_path)
    moved = convert(document, name="web", schemas=shipped()).moved
    assert len(moved) == 5
    planned = {it["address"]: it["change"] for it in from_json["web"]["changes"]}
    assert {it["address"]: it["change"] for it in from_hcl["web"]["changes"]} == {
        f"module.web.{moved[address.removeprefix('module.web.')]}": change for address, change in planned.items()
    }
    assert from_hcl["web"]["outputs"] == from_json["web"]["outputs"]
    assert (tmp_path / "hcl" / "web" / "buildspec" / "mirrors.yml.tftpl").exists()


@pytest.mark.parametrize("named", [["a"], ["a", "b"]])
def test_merges_no_members_of_which_a_data_source_awaits_only_some(named: list[str]) -> None:
    topics = each("news/*/topic", ("a", "b"), "aws_sns_topic", lambda key: {"name": key})
    queues = each(
        "news/*/queue", ("a", "b"), "aws_sqs_queue", lambda key: {"name": f"${{aws_sns_topic.news_{key}_topic.name}}"}
    )
    document = stack(
        "resource",
        [*topics, *queues],
        data={"aws_region": {"it": {"depends_on": [f"aws_sqs_queue.news_{key}_queue" for key in named]}}},
    )
    written = "".join(convert(document, name="web", schemas=shipped()).files.values())
    assert written.count("for_each = ") == (0 if len(named) == 1 else 2)


def test_an_empty_list_of_blocks_and_blocks_are_not_merged() -> None:
    """Terraform takes `ingress = []` or blocks, and refuses both in one resource."""
    files = convert(similar()["empty_blocks_of_one"], name="web", schemas=shipped()).files
    assert files["security_groups.tf"].count("ingress {") == 1
    assert files["security_groups.tf"].count("ingress = []") == 1
    assert "dynamic" not in files["security_groups.tf"]
