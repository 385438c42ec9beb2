"""The HCL that people read: files, order of arguments, long texts, and providers other than AWS."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, hand_over, shipped
from ops.handover.hcl import Block, Template
from ops.handover.printing import render
from ops.handover.texts import TextFiles
from terraform.templates import Interpolation, Literal
from tests.ops.handover.folders import written

pytestmark = pytest.mark.tool("terraform")

_LONG_TEXT = Literal("a line\n" * 12)


def converted(document: dict[str, Any]) -> Mapping[str, str]:
    return convert(document, name="web", schemas=shipped()).files


def test_long_texts_are_files(out: Callable[..., Path], tmp_path: Path) -> None:
    conf = "".join(f"line {number}\n" for number in range(60))
    script = "#!/bin/sh\n" + "echo $${x} ${local.name}\n" * 12
    instance = {"ami": "ami-1", "instance_type": "t3.nano", "user_data_base64": b64encode(conf.encode()).decode()}
    document = {
        "locals": {"files_app_conf": conf, "name": "it", "run": script},
        "resource": {"aws_instance": {"web": instance}},
    }
    hand_over(out(document), tmp_path / "hcl")
    files = written(tmp_path / "hcl")
    assert files["web/files/app.conf"] == conf == files["web/user_data_base64/web.txt"]
    assert files["web/files/run.sh.tftpl"] == "#!/bin/sh\n" + "echo $${x} ${name}\n" * 12
    assert '= base64encode(file("${path.module}/user_data_base64/web.txt"))\n' in files["web/ec2.tf"]
    assert files["web/locals.tf"] == (
        "locals {\n"
        '  files_app_conf = file("${path.module}/files/app.conf")\n'
        '  name           = "it"\n'
        '  run            = templatefile("${path.module}/files/run.sh.tftpl", { name = local.name })\n'
        "}\n"
    )


def test_keys_stay_texts() -> None:
    value = {"line\n" * 12: 1, '{"a":1}': {'["b"]': '["c"]'}}
    files = converted({"resource": {"terraform_data": {"it": {"input": value}}}})
    assert files["terraform_data.tf"].splitlines()[2:6] == [
        '    "' + r"line\n" * 12 + '" = 1',
        r'    "{\"a\":1}" = {',
        r'      "[\"b\"]" = jsonencode(["c"])',
        "    }",
    ]
    assert set(files) == {"terraform_data.tf"}


@pytest.mark.parametrize(
    ("expression", "in_file", "passed"),
    [
        ('replace(local.a, "\'", "x")', 'replace(a, "\'", "x")', "local.a"),
        ('jsonencode(base64gzip(local.b["k"].c))', "jsonencode(base64gzip(b_c))", 'local.b["k"].c'),
        # Nothing but a quoting of one reference stands in a file.
        ('join(",", local.a)', "a", 'join(",", local.a)'),
        ('replace(local.a, "x", local.b)', "a_b", 'replace(local.a, "x", local.b)'),
        ("jsonencode([local.a])", "value", "jsonencode([local.a])"),
        ('upper("${local.a}")', "value", 'upper("${local.a}")'),
    ],
)
def test_what_quotes_a_reference_stands_in_the_template_file(expression: str, in_file: str, passed: str) -> None:
    texts = TextFiles()
    template = Template((_LONG_TEXT, Interpolation(expression)))
    block = texts.moved_from(Block("resource", ("it", "it"), arguments={"it": template}))
    (content,) = texts.files.values()
    assert content == f"{_LONG_TEXT.text}${{{in_file}}}"
    assert f"= {passed} }})" in render([block]) or f"= {passed}\n" in render([block])


@pytest.mark.parametrize(
    ("expression", "variable"),
    [
        ('join(",", local.sources[count.index])', "sources"),
        ("sha256(aws_s3_object.program.content)", "program_sha256"),
        ('local.sizes[local.kinds["a"][0]].width', "sizes_width"),
        ("each.value.backlog", "backlog"),
        ("aws_s3_bucket.it.arn", "it_arn"),
        ('upper("${var.x}")', "value"),
    ],
)
def test_variables_of_template_files_are_named_after_references(expression: str, variable: str) -> None:
    texts = TextFiles()
    texts.moved_from(Block("resource", ("a", "b"), (), {"run": Template((Interpolation(expression), _LONG_TEXT))}))
    assert texts.files == {"run/b.txt.tftpl": f"${{{variable}}}{_LONG_TEXT.text}"}


def test_arguments_follow_terraforms_style_guide(out: Callable[..., Path], tmp_path: Path) -> None:
    condition = {"test": "Bool", "values": ["false"], "variable": "aws:SecureTransport"}
    statement = {
        "condition": [condition],
        "effect": "Deny",
        "principals": [{"identifiers": ["*"], "type": "*"}],
    }
    topic = {"delivery_policy": "${(1 + var.n)}", "depends_on": [], "name": "news"}
    document = {
        "data": {"aws_iam_policy_document": {"it": {"statement": [statement]}}},
        "resource": {"aws_sns_topic": {"news": topic}},
        "variable": {"n": {}},
    }
    hand_over(out(document), tmp_path / "hcl")
    files = written(tmp_path / "hcl")
    assert files["web/sns.tf"] == (
        'resource "aws_sns_topic" "news" {\n  name            = "news"\n  delivery_policy = 1 + var.n\n}\n'
    )
    assert files["web/iam.tf"] == (
        'data "aws_iam_policy_document" "it" {\n'
        "  statement {\n"
        '    effect = "Deny"\n\n'
        "    principals {\n"
        '      type        = "*"\n'
        '      identifiers = ["*"]\n'
        "    }\n\n"
        "    condition {\n"
        '      test     = "Bool"\n'
        '      variable = "aws:SecureTransport"\n'
        '      values   = ["false"]\n'
        "    }\n"
        "  }\n"
        "}\n"
    )


def test_converts_other_providers_with_their_schema(out: Callable[..., Path], tmp_path: Path) -> None:
    block = {"attributes": {"name": {"type": "string"}}, "block_types": {"part": {"block": {"attributes": {"x": {}}}}}}
    schema = {"provider_schemas": {"example.invalid/acme/acme": {"resource_schemas": {"acme_thing": {"block": block}}}}}
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    document = {
        "terraform": {"required_providers": {"acme": {"source": "example.invalid/acme/acme"}}},
        "resource": {"acme_thing": {"it": {"name": "n", "part": [{"x": 1}, {"x": 2}]}}},
    }
    hand_over(out(document), tmp_path / "hcl", schema_files=[tmp_path / "schema.json"])
    assert written(tmp_path / "hcl")["web/acme.tf"] == (
        'resource "acme_thing" "it" {\n  name = "n"\n\n  part {\n    x = 1\n  }\n\n  part {\n    x = 2\n  }\n}\n'
    )


def test_keeps_lifecycle_and_depends_on() -> None:
    lifecycle = {
        "create_before_destroy": True,
        "prevent_destroy": True,
        "ignore_changes": ["tags", 'tags["Name"]'],
        "replace_triggered_by": ["terraform_data.it"],
    }
    topic = {"name": "t", "provider": "aws.other", "depends_on": ["terraform_data.it"], "lifecycle": lifecycle}
    assert converted({"resource": {"aws_sns_topic": {"t": topic}, "terraform_data": {"it": {}}}})["sns.tf"] == (
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


def test_escapes_strings_that_terraform_reads_without_templates() -> None:
    backend = {"s3": {"bucket": "b", "key": "${x}/%{y}", "assume_role": {"role_arn": "r"}}}
    provider = [{"region": "eu-central-1", "assume_role": [{"role_arn": "r"}]}, {"alias": "us", "region": "us-east-1"}]
    files = converted({"terraform": {"backend": backend, "required_version": ">= 1.10"}, "provider": {"aws": provider}})
    assert files["backend.tf"] == (
        'terraform {\n  backend "s3" {\n    bucket = "b"\n    key = "$${x}/%%{y}"\n\n'
        '    assume_role = {\n      role_arn = "r"\n    }\n  }\n}\n'
    )
    assert files["versions.tf"] == 'terraform {\n  required_version = ">= 1.10"\n}\n'
    assert files["providers.tf"] == (
        'provider "aws" {\n  region = "eu-central-1"\n\n  assume_role {\n    role_arn = "r"\n  }\n}\n\n'
        'provider "aws" {\n  alias = "us"\n  region = "us-east-1"\n}\n'
    )


def test_a_reason_is_a_comment_above_its_block() -> None:
    link = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-set-lifecycle-configuration-intro.html#long"
    why = "Its files are evidence: " + "an auditor may ask for them after years, " * 3 + f"see {link}\n\nAsk first."
    rule = {"id": "expire", "status": "Enabled", "//": {"comment": "Auditors said so."}}
    bucket = {"bucket": "audit", "//": {"comment": why, "acknowledged": {"CKV_AWS_18": "nobody reads it"}}}
    lifecycle = {"bucket": "audit", "rule": [rule]}
    document = {
        "resource": {
            "aws_s3_bucket": {"audit": bucket},
            "aws_s3_bucket_lifecycle_configuration": {"audit": lifecycle},
        }
    }
    assert converted(document)["s3.tf"] == (
        "# Its files are evidence: an auditor may ask for them after years, an auditor\n"
        "# may ask for them after years, an auditor may ask for them after years, see\n"
        f"# {link}\n"
        "#\n"
        "# Ask first.\n"
        'resource "aws_s3_bucket" "audit" {\n'
        "  # checkov:skip=CKV_AWS_18: nobody reads it\n"
        "\n"
        '  bucket = "audit"\n'
        "}\n"
        "\n"
        'resource "aws_s3_bucket_lifecycle_configuration" "audit" {\n'
        '  bucket = "audit"\n'
        "\n"
        "  # Auditors said so.\n"
        "  rule {\n"
        '    id = "expire"\n'
        '    status = "Enabled"\n'
        "  }\n"
        "}\n"
    )


def test_a_reason_of_what_leaves_the_state_is_a_comment_above_it() -> None:
    gone = {"from": "aws_s3_bucket.gone", "lifecycle": {"destroy": False}, "//": {"comment": "Auditors keep it."}}
    text = converted({"removed": [gone]})["removed.tf"]
    assert text.startswith("# Auditors keep it.\nremoved {\n  from = aws_s3_bucket.gone\n")


@pytest.mark.parametrize("comment", [["a"], {"a": "b"}, 1, None])
def test_a_reason_that_is_no_text_is_no_comment(comment: object) -> None:
    document = {"resource": {"terraform_data": {"it": {"//": {"comment": comment}}}}}
    assert converted(document)["terraform_data.tf"] == 'resource "terraform_data" "it" {}\n'
