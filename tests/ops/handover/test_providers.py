"""Which schema the handover uses for a provider."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import convert, hand_over, shipped
from ops.handover.schema import from_file
from ops.handover.schema.asking import stand_ins, with_missing_providers

AWS = (
    "aws",
    "hashicorp/aws",
    "HashiCorp/AWS",
    "registry.terraform.io/hashicorp/aws",
    "registry.terraform.io:443/hashicorp/aws",
    "registry.opentofu.org/hashicorp/aws",
)


def stack(source: str, version: str, **resources: Any) -> dict[str, Any]:
    name = source.rpartition("/")[2].lower()
    return {
        "terraform": {"required_providers": {name: {"source": source, "version": version}}},
        "resource": resources,
    }


def converted(document: Mapping[str, Any], file: str) -> str:
    return convert(document, name="web", schemas=shipped()).files[file]


def refusal(document: Mapping[str, Any]) -> str:
    with pytest.raises(RefusedError) as refused:
        convert(document, name="web", schemas=shipped())
    return str(refused.value)


@pytest.mark.parametrize("source", AWS)
def test_knows_the_aws_provider_however_its_source_is_written(source: str) -> None:
    bucket = {"bucket": "b", "versioning": [{"enabled": True}]}
    text = converted(stack(source, "~> 5.0", aws_s3_bucket={"it": bucket}), "s3.tf")
    assert "  versioning {\n    enabled = true\n  }\n" in text


def test_does_not_take_a_provider_of_the_same_name_for_aws() -> None:
    assert refusal(stack("example.com/hashicorp/aws", "~> 5.0", aws_sns_topic={"it": {}})) == (
        "error: web: resource.aws_sns_topic.it: the schema of provider example.com/hashicorp/aws ~> 5.0 is not known\n"
        'hint: run `echo \'{"terraform": {"required_providers": {"aws": {"source": "example.com/hashicorp/aws", '
        '"version": "~> 5.0"}}}}\' >versions.tf.json && terraform init && terraform providers schema -json '
        ">schema.json`, where Terraform can download it, and pass --schema schema.json"
    )


@pytest.mark.terraform
def test_says_why_terraform_could_not_give_a_schema() -> None:
    document = stack("example.invalid/acme/acme", "~> 1.0", acme_thing={"it": {}})
    schemas = with_missing_providers(shipped(), [document, document])
    with pytest.raises(RefusedError) as refused:
        convert(document, name="web", schemas=schemas)
    what, hint = str(refused.value).splitlines()
    assert "provider example.invalid/acme/acme ~> 1.0 is not known, and `terraform init` failed: " in what
    assert hint.startswith("hint: run `echo ")


def test_the_commands_of_the_hint_write_a_file_of_terraform(tmp_path: Path) -> None:
    text = refusal(stack("example.invalid/acme/acme", 'it\'s "1"', acme_thing={"it": {}}))
    echo = text.partition("`")[2].partition(" && ")[0]
    subprocess.run(["sh", "-c", echo], cwd=tmp_path, check=True)
    written = json.loads((tmp_path / "versions.tf.json").read_text())
    provider = {"source": "example.invalid/acme/acme", "version": 'it\'s "1"'}
    assert written == {"terraform": {"required_providers": {"acme": provider}}}


def test_refuses_a_major_version_of_which_it_has_no_schema() -> None:
    assert "the schema of provider registry.terraform.io/hashicorp/aws ~> 3.0 is not known" in refusal(
        stack("aws", "~> 3.0", aws_sns_topic={"it": {}})
    )


# helm's `set` was a block, and is an argument.
@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("~> 2.17", '  set {\n    name = "a"\n    value = "b"\n  }\n'),
        ("~> 3.0", '  set = [{\n    name = "a"\n    value = "b"\n  }]\n'),
    ],
)
def test_the_version_constraint_decides_what_is_a_block(version: str, text: str) -> None:
    release = {"name": "n", "chart": "c", "set": [{"name": "a", "value": "b"}]}
    assert text in converted(stack("helm", version, helm_release={"it": release}), "helm.tf")


def test_refuses_a_name_that_allowed_releases_disagree_on() -> None:
    release = {"name": "n", "chart": "c", "set": [{"name": "a", "value": "b"}]}
    assert refusal(stack("helm", ">= 2.0", helm_release={"it": release})) == (
        "error: web: resource.helm_release.it.set: it is not known whether 'set' is an argument or a block of resource "
        "helm_release, or what it contains\n"
        "hint: narrow the provider's version constraint to the release that the stack uses; if that is not enough, run "
        "`terraform providers schema -json` with that release and pass its output with --schema"
    )


def test_refuses_a_block_that_the_package_does_not_describe() -> None:
    rule = {"name": "r", "priority": 1, "statement": [{"geo_match_statement": [{"country_codes": ["JP"]}]}]}
    document = stack("aws", "~> 6.0", aws_wafv2_web_acl={"it": {"name": "n", "scope": "REGIONAL", "rule": [rule]}})
    assert "it is not known whether 'statement' is an argument or a block of rule" in refusal(document)


def test_takes_what_either_allowed_release_has() -> None:
    document = stack("aws", ">= 5.100.0, < 7.0.0", aws_sns_topic={"it": {"name": "n", "region": "eu-west-1"}})
    assert 'region = "eu-west-1"' in converted(document, "sns.tf")


def test_a_dynamic_block_may_stand_for_a_list_of_which_it_is_not_known_whether_it_has_blocks() -> None:
    ingress = {"for_each": "${[22]}", "content": {"from_port": "${ingress.value}"}}
    document = stack("aws", "~> 6.0", aws_security_group={"it": {"dynamic": {"ingress": ingress}}})
    assert '  dynamic "ingress" {\n    for_each = [22]\n' in "".join(
        convert(document, name="web", schemas=shipped()).files.values()
    )


def test_a_given_schema_is_used_for_every_version_and_way_to_write_the_source(tmp_path: Path) -> None:
    block = {"attributes": {"moment": {"type": "string"}}}
    schema = {
        "provider_schemas": {"registry.opentofu.org/hashicorp/aws": {"resource_schemas": {"aws_x": {"block": block}}}}
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    schemas = shipped().including(from_file(tmp_path / "schema.json"))
    for source, version in zip(AWS, ("~> 3.0", "~> 5.0", "", "9.1.2", ">= 1.0", "~> 6.0"), strict=True):
        assert convert(stack(source, version, aws_x={"it": {"moment": "m"}}), name="web", schemas=schemas)


@pytest.mark.tool("terraform")
def test_says_which_schema_stands_for_that_of_another_release(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topics = {"it": {"name": "news"}}
    stacks = {
        name: stack("aws", version, aws_sns_topic=topics)
        for name, version in (("one", "5.31.0"), ("two", "5.31.0"), ("three", "~> 5.0"), ("four", ">= 5.100.0, < 6.2"))
    }
    hand_over(out(**stacks), tmp_path / "hcl")
    aws = "registry.terraform.io/hashicorp/aws"
    assert capsys.readouterr().err == (
        f"provider {aws} 5.31.0: read with the schema of 5.100.0; --schema takes that of another release\n"
        f"provider {aws} >= 5.100.0, < 6.2: read with the schema of 6.69.1; --schema takes that of another release\n"
    )


def test_says_nothing_of_a_schema_that_was_given(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps({"provider_schemas": {"registry.terraform.io/hashicorp/aws": {}}}))
    document = stack("aws", "5.31.0")
    assert [*stand_ins(shipped(), [document])] != []
    assert [*stand_ins(shipped().including(from_file(file)), [document])] == []
