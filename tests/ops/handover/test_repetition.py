"""What comes several times is written once, where that means the same; addresses and references follow."""

from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, moved_addresses, schema, shipped
from tests.ops.handover.by_plan import plans

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


def converted(resources: dict[str, Any], **others: Any) -> dict[str, str]:
    return convert({"resource": resources, **others}, name="web", schemas=shipped())


def test_subnets_are_one_block_by_zone() -> None:
    assert converted({"aws_subnet": subnets()})["subnets.tf"] == (
        "locals {\n"
        "  network_private = {\n"
        '    a = "10.0.0.0/24"\n'
        '    c = "10.0.1.0/24"\n'
        "  }\n"
        "}\n\n"
        'resource "aws_subnet" "network_private" {\n'
        "  for_each = local.network_private\n\n"
        "  cidr_block = each.value\n"
        '  vpc_id = "vpc-1"\n\n'
        "  tags = {\n"
        '    Name = "private-${each.key}"\n'
        "  }\n"
        "}\n"
    )


def test_every_address_that_changed_is_said() -> None:
    document = {"resource": {"aws_subnet": subnets()}}
    moved = {f"aws_subnet.network_private_{zone}": f'aws_subnet.network_private["{zone}"]' for zone in SUBNETS}
    assert moved_addresses(document, name="web", schemas=shipped()) == moved
    assert converted({"aws_subnet": subnets()})["moved.tf"] == "\n".join(
        f"moved {{\n  from = {old}\n  to = {new}\n}}\n" for old, new in moved.items()
    )


def test_references_follow_into_strings_and_expressions() -> None:
    value = '${join(",", ["x-${aws_subnet.network_private_a.id}", "aws_subnet.network_private_a.id"])}'
    files = converted({"aws_subnet": subnets()}, output={"o": {"value": value}})
    expected = 'join(",", ["x-${aws_subnet.network_private["a"].id}", "aws_subnet.network_private_a.id"])'
    assert f"value = {expected}\n" in files["outputs.tf"]


def test_dependencies_are_on_the_whole_block() -> None:
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
def test_what_is_not_alike_stays_single(more: dict[str, Any]) -> None:
    files = converted({"aws_subnet": subnets(**more), "terraform_data": {"it": {}}})
    assert 'resource "aws_subnet" "network_private_a" {' in files["subnets.tf"]
    assert "moved.tf" not in files


def test_what_would_wait_for_itself_stays_single() -> None:
    chained = subnets(c={"depends_on": ["terraform_data.it"]}, a={"depends_on": ["terraform_data.it"]})
    files = converted(
        {"aws_subnet": chained, "terraform_data": {"it": {"input": "x"}}},
    )
    assert 'resource "aws_subnet" "network_private" {' in files["subnets.tf"]
    waiting = {"it": {"input": "${aws_subnet.network_private_a.id}"}}
    files = converted({"aws_subnet": chained, "terraform_data": waiting})
    assert 'resource "aws_subnet" "network_private_c" {' in files["subnets.tf"]


def test_hashes_are_taken_out_of_names_that_nobody_chose() -> None:
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


def test_what_no_plan_shows_is_written_out() -> None:
    lifecycle = {
        "create_before_destroy": True,
        "prevent_destroy": True,
        "ignore_changes": ["tags", 'tags["Name"]'],
        "replace_triggered_by": ["terraform_data.it"],
    }
    topic = {"name": "t", "provider": "aws.other", "depends_on": ["terraform_data.it"], "lifecycle": lifecycle}
    assert converted({"aws_sns_topic": {"t": topic}, "terraform_data": {"it": {}}})["sns.tf"] == (
        'resource "aws_sns_topic" "t" {\n'
        "  provider = aws.other\n\n"
        '  name = "t"\n\n'
        "  lifecycle {\n"
        "    create_before_destroy = true\n"
        "    prevent_destroy = true\n"
        '    ignore_changes = [tags, tags["Name"]]\n'
        "    replace_triggered_by = [terraform_data.it]\n"
        "  }\n\n"
        "  depends_on = [terraform_data.it]\n"
        "}\n"
    )


def test_settings_that_terraform_reads_before_expressions_keep_their_signs() -> None:
    backend = {"s3": {"bucket": "b", "key": "${x}/%{y}", "assume_role": {"role_arn": "r"}}}
    provider = [{"region": "eu-central-1", "assume_role": [{"role_arn": "r"}]}, {"alias": "us", "region": "us-east-1"}]
    files = converted({}, terraform={"backend": backend, "required_version": ">= 1.10"}, provider={"aws": provider})
    assert files["backend.tf"] == (
        'terraform {\n  backend "s3" {\n    bucket = "b"\n    key = "$${x}/%%{y}"\n\n'
        '    assume_role = {\n      role_arn = "r"\n    }\n  }\n}\n'
    )
    assert files["versions.tf"] == 'terraform {\n  required_version = ">= 1.10"\n}\n'
    assert files["providers.tf"] == (
        'provider "aws" {\n  region = "eu-central-1"\n\n  assume_role {\n    role_arn = "r"\n  }\n}\n\n'
        'provider "aws" {\n  alias = "us"\n  region = "us-east-1"\n}\n'
    )


@pytest.mark.slow
@pytest.mark.terraform
def test_the_schema_is_what_terraform_says() -> None:
    assert schema.main(["--check"]) == 0


LONG = "version: 0.2\nenv:\n  variables:\n    NAME: \"{}\"\n    HOME: '$${{HOME}}'\n" + "# more\n" * 20


@pytest.mark.terraform
def test_what_is_written_once_is_planned_as_if_written_often(tmp_path: Path) -> None:
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
    moved = moved_addresses(document, name="web", schemas=shipped())
    assert len(moved) == 5
    planned = {it["address"]: it["change"] for it in from_json["web"]["changes"]}
    assert {it["address"]: it["change"] for it in from_hcl["web"]["changes"]} == {
        f"module.web.{moved[address.removeprefix('module.web.')]}": change for address, change in planned.items()
    }
    assert from_hcl["web"]["outputs"] == from_json["web"]["outputs"]
    assert (tmp_path / "hcl" / "web" / "buildspec" / "mirrors_project.yml.tftpl").exists()
