"""What is handed over is written whole, the same every time, and never over what somebody changed."""

import hashlib
import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import HandoverError, hand_over
from ops.handover.folder import write

pytestmark = pytest.mark.tool("terraform")

TOPIC = {"resource": {"aws_sns_topic": {"news": {"name": "news"}}}}


@pytest.fixture
def out(tmp_path: Path) -> Callable[..., Path]:
    """Writes an output folder of cdktf with one stack, or with those given."""

    def write(document: Any = TOPIC, *, name: str = "cdktf.out", **stacks: Any) -> Path:
        folder = tmp_path / name
        stacks = stacks or {"web": document}
        for stack, content in stacks.items():
            (folder / "stacks" / stack).mkdir(parents=True, exist_ok=True)
            (folder / "stacks" / stack / "cdk.tf.json").write_text(json.dumps(content))
        entries = {
            stack: {
                "synthesizedStackPath": f"stacks/{stack}/cdk.tf.json",
                "workingDirectory": f"stacks/{stack}",
                "dependencies": [],
            }
            for stack in stacks
        }
        (folder / "manifest.json").write_text(json.dumps({"stacks": entries}))
        return folder

    return write


def written(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_stack_is_written_as_people_write_it(out: Callable[..., Path], tmp_path: Path) -> None:
    assert hand_over(out(), tmp_path / "hcl") == [tmp_path / "hcl" / "web"]
    files = written(tmp_path / "hcl")
    assert files["web/sns.tf"] == 'resource "aws_sns_topic" "news" {\n  name = "news"\n}\n'
    assert files.keys() == {".handed-over.sha256", "README.md", "web/README.md", "web/sns.tf"}


def test_the_list_of_what_was_written_is_one_that_sha256sum_takes(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    lines = (tmp_path / "hcl" / ".handed-over.sha256").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["README.md", "web/README.md", "web/sns.tf"]
    for line in lines:
        digest, path = line.split("  ")
        assert hashlib.sha256((tmp_path / "hcl" / path).read_bytes()).hexdigest() == digest


def test_a_changed_file_is_shown_and_kept(out: Callable[..., Path], tmp_path: Path) -> None:
    hcl = tmp_path / "hcl"
    hand_over(out(), hcl)
    file = hcl / "web" / "sns.tf"
    file.write_text(file.read_text().replace('"news"\n', '"gazette"\n'))
    before = written(hcl)
    with pytest.raises(HandoverError) as refused:
        hand_over(out({"resource": {"aws_sns_topic": {"news": {"name": "herald"}}}}), hcl)
    assert str(refused.value) == (
        "--- web/sns.tf (as it is)\n"
        "+++ web/sns.tf (as it would be written)\n"
        "@@ -1,3 +1,3 @@\n"
        ' resource "aws_sns_topic" "news" {\n'
        '-  name = "gazette"\n'
        '+  name = "herald"\n'
        " }\n"
        f"error: {file}: was changed since the last handover\n"
        "hint: carry the change over into the deployment file or the project, or overwrite it with --force"
    )
    assert written(hcl) == before


def test_force_overwrites_a_changed_file(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    as_written = written(tmp_path / "hcl")
    (tmp_path / "hcl" / "web" / "sns.tf").write_text("# mine\n")
    hand_over(out(), tmp_path / "hcl", force=True)
    assert written(tmp_path / "hcl") == as_written


@pytest.mark.parametrize("file", ["web/sns.tf", "README.md"])
def test_a_removed_file_is_not_brought_back_unasked(out: Callable[..., Path], tmp_path: Path, file: str) -> None:
    hand_over(out(), tmp_path / "hcl")
    (tmp_path / "hcl" / file).unlink()
    with pytest.raises(
        HandoverError, match=re.escape(f"{tmp_path / 'hcl' / file}: was removed since the last handover")
    ):
        hand_over(out(), tmp_path / "hcl")
    assert not (tmp_path / "hcl" / file).exists()


def test_a_file_that_no_handover_wrote_is_kept(out: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "hcl" / "web").mkdir(parents=True)
    (tmp_path / "hcl" / "web" / "sns.tf").write_text("# by hand\n")
    with pytest.raises(HandoverError, match=r"web/sns\.tf: was not written by a handover\nhint: "):
        hand_over(out(), tmp_path / "hcl")
    assert written(tmp_path / "hcl") == {"web/sns.tf": "# by hand\n"}


def test_files_of_terraform_and_of_people_stay(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    for path in ("web/.terraform/environment", "web/.terraform.lock.hcl", "web/notes.txt", "web/local.auto.tfvars"):
        (tmp_path / "hcl" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "hcl" / path).write_text("kept")
    hand_over(out({"resource": {"aws_sns_topic": {"news": {"name": "herald"}}}}), tmp_path / "hcl")
    files = written(tmp_path / "hcl")
    assert [path for path, text in files.items() if text == "kept"] != []
    assert sum(text == "kept" for text in files.values()) == 4
    assert '"herald"' in files["web/sns.tf"]


def test_what_is_no_longer_there_is_removed(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(web=TOPIC, mail=TOPIC), tmp_path / "hcl")
    shutil.rmtree(tmp_path / "cdktf.out")
    hand_over(out(mail=TOPIC), tmp_path / "hcl")
    assert not (tmp_path / "hcl" / "web").exists()
    assert (tmp_path / "hcl" / "mail" / "sns.tf").exists()


def test_a_second_time_changes_nothing(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    before = written(tmp_path / "hcl")
    hand_over(out(), tmp_path / "hcl")
    assert written(tmp_path / "hcl") == before


def test_a_list_that_leads_elsewhere_removes_nothing(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    (tmp_path / "precious").write_text("precious")
    digest = hashlib.sha256(b"precious").hexdigest()
    with (tmp_path / "hcl" / ".handed-over.sha256").open("a") as file:
        file.write(f"{digest}  ../precious\n{digest}  {tmp_path / 'precious'}\n")
    hand_over(out(), tmp_path / "hcl")
    assert (tmp_path / "precious").read_text() == "precious"


def test_what_lies_beside_a_stack_comes_along(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out() / "stacks" / "web"
    (folder / "assets" / "code").mkdir(parents=True)
    (folder / "assets" / "code" / "lambda.zip").write_bytes(b"\x00\xff")
    for name in (
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "plan",
        "x.tfplan",
        ".terraform.lock.hcl",
        "terraform.tfvars",
    ):
        (folder / name).write_text("of the account")
    hand_over(tmp_path / "cdktf.out", tmp_path / "hcl")
    assert (tmp_path / "hcl" / "web" / "assets" / "code" / "lambda.zip").read_bytes() == b"\x00\xff"
    assert [
        path for path in (tmp_path / "hcl").rglob("*") if path.is_file() and path.read_bytes() == b"of the account"
    ] == []


def test_a_file_that_nothing_reads_stays_behind(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out({"locals": {"a": '${file("${path.module}/read.conf")}', "b": "cp x /etc/unread.conf\n"}})
    for name in ("read.conf", "unread.conf", "more.tf"):
        (folder / "stacks" / "web" / name).write_text("")
    hand_over(tmp_path / "cdktf.out", tmp_path / "hcl")
    assert {path.name for path in (tmp_path / "hcl" / "web").iterdir()} == {
        "README.md",
        "locals.tf",
        "more.tf",
        "read.conf",
    }


def test_long_texts_are_files_that_people_can_read(out: Callable[..., Path], tmp_path: Path) -> None:
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
        '  name           = "it"\n'
        '  files_app_conf = file("${path.module}/files/app.conf")\n'
        "\n"
        "  run = templatefile(\n"
        '    "${path.module}/files/run.sh.tftpl",\n'
        "    {\n"
        "      name = local.name\n"
        "    },\n"
        "  )\n"
        "}\n"
    )


def test_arguments_stand_in_the_order_in_which_people_write_them(out: Callable[..., Path], tmp_path: Path) -> None:
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


def test_a_local_values_name_leads_nowhere_else(out: Callable[..., Path], tmp_path: Path) -> None:
    name = "files_../../../../escaped_sh"
    folder = out({"locals": {name: "x\n" * 30}})
    with pytest.raises(HandoverError) as refused:
        hand_over(folder, tmp_path / "hcl")
    assert str(refused.value) == (
        f'error: web: locals.{name}: "{name}" is no name that Terraform takes\nhint: rename it, and synthesise again'
    )
    assert list(tmp_path.rglob("escaped*")) == []


@pytest.mark.parametrize("path", ["../escaped", "web/../../escaped", "/escaped"])
def test_no_file_is_written_outside_the_folder(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "hcl"
    with pytest.raises(HandoverError, match="would be written outside the folder"):
        write({"web/sns.tf": b"", path: b""}, folder)
    assert list(tmp_path.iterdir()) == []


UNKNOWN = {
    "a_word_that_is_no_block": (
        {"resources": {}},
        "error: web: resources: 'resources' is no block of Terraform\nhint: remove it, or hand this stack over as JSON",
    ),
    "an_argument_of_another_release": (
        {"resource": {"aws_sns_topic": {"news": {"name": "news", "region": "eu-west-1"}}}},
        "error: web: resource.aws_sns_topic.news.region: 'region' is neither an argument nor a block of resource "
        "aws_sns_topic\n"
        "hint: if a newer release of the provider has it, run `terraform providers schema -json` with that one and "
        "name its output with --schema",
    ),
    "a_type_that_is_not_there": (
        {"resource": {"aws_sns_topics": {"news": {"name": "news"}}}},
        "error: web: resource.aws_sns_topics.news: registry.terraform.io/hashicorp/aws 5.100.0 has no "
        "'aws_sns_topics'\n"
        "hint: if a newer release of the provider has it, run `terraform providers schema -json` with that one and "
        "name its output with --schema",
    ),
    "a_provider_that_is_not_known": (
        {
            "terraform": {"required_providers": {"acme": {"source": "example.invalid/acme/acme"}}},
            "resource": {"acme_thing": {"it": {}}, "acme_other": {"it": {}}},
        },
        "error: web: resource.acme_thing.it: which names are blocks is not known of provider "
        "example.invalid/acme/acme\n"
        "hint: run `terraform providers schema -json` with example.invalid/acme/acme and name its output with --schema",
    ),
    "text_where_a_block_belongs": (
        {"resource": {"aws_instance": {"it": {"root_block_device": "${local.devices}"}}}},
        'error: web: resource.aws_instance.it.root_block_device: "${local.devices}" stands where a block belongs\n'
        "hint: write an object, or a dynamic block",
    ),
    "an_interpolation_without_an_end": (
        {"output": {"it": {"value": "${var.x"}}},
        "error: web: output.it.value: \"${var.x\": a '${' or '%{' has no '}'\n"
        "hint: end what was begun, or write $${ or %%{ for the signs themselves",
    ),
    "text_that_terraform_reads_in_two_ways": (
        {"output": {"it": {"value": "a\rb$$${c}"}}},
        "error: web: output.it.value: \"a\\rb$$${c}\": after a lone carriage return Terraform takes '$$${' for another "
        "text\n"
        "hint: end what was begun, or write $${ or %%{ for the signs themselves",
    ),
    "a_backend_that_is_not_known": (
        {"terraform": {"backend": {"floppy": {}}}},
        "error: web: terraform.backend.floppy: 'floppy' is no backend that is known here\n"
        "hint: keep the state in one that is",
    ),
    "a_module_outside_the_stack": (
        {"module": {"it": {"source": "../../modules/it"}}},
        'error: web: module.it.source: "../../modules/it" lies outside the stack\'s folder, and stays behind\n'
        "hint: let cdktf copy the module (an asset), or publish it",
    ),
    "a_name_that_leads_elsewhere": (
        {"resource": {"aws_sns_topic": {"../../x": {"name": "x"}}}},
        'error: web: resource.aws_sns_topic.../../x: "../../x" is no name that Terraform takes\n'
        "hint: rename it, and synthesise again",
    ),
    "a_word_in_a_block_of_terraform": (
        {"output": {"it": {"value": 1, "secret": True}}},
        "error: web: output.it.secret: 'secret' is nothing that output blocks take\nhint: remove it",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_not_known_is_refused(case: str, out: Callable[..., Path], tmp_path: Path) -> None:
    document, message = UNKNOWN[case]
    with pytest.raises(HandoverError) as refused:
        hand_over(out(document), tmp_path / "hcl")
    assert str(refused.value) == message
    assert not (tmp_path / "hcl").exists()


def test_every_problem_of_every_stack_is_said_at_once(out: Callable[..., Path], tmp_path: Path) -> None:
    bad = {"resource": {"aws_sns_topic": {"a": {"x": 1, "y": 2}}}}
    with pytest.raises(HandoverError) as refused:
        hand_over(out(web=bad, mail=bad), tmp_path / "hcl")
    assert [problem.where for problem in refused.value.problems] == [
        "web: resource.aws_sns_topic.a.x",
        "web: resource.aws_sns_topic.a.y",
        "mail: resource.aws_sns_topic.a.x",
        "mail: resource.aws_sns_topic.a.y",
    ]


def test_an_expression_that_terraform_cannot_read_is_refused(out: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(HandoverError, match="an expression in the JSON is none that Terraform can read"):
        hand_over(out({"output": {"it": {"value": "${1 +}"}}}), tmp_path / "hcl")
    assert not (tmp_path / "hcl").exists()


def test_a_link_that_leads_out_of_the_stack_is_refused(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out()
    (tmp_path / "secret").write_text("of this machine")
    (folder / "stacks" / "web" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(RefusedError, match="is a link that leads out of the stack's folder"):
        hand_over(folder, tmp_path / "hcl")
    assert not (tmp_path / "hcl").exists()


def test_another_provider_comes_with_a_file_of_its_schema(out: Callable[..., Path], tmp_path: Path) -> None:
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


def test_the_same_bytes_come_out_in_any_locale(out: Callable[..., Path], tmp_path: Path, project: Path) -> None:
    document = {
        "variable": {"greeting": {"type": "string", "default": "架け橋 \r\n é"}},
        "resource": {"aws_sns_topic": {name: {"name": f"ü{name}"} for name in ("b", "ä", "a", "Z")}},
    }
    out(document)
    python = project / ".venv" / "bin" / "python"
    results = []
    for name, locale in (("one", "C"), ("two", "tr_TR.UTF-8")):
        environment = {"PATH": f"{Path(str(shutil.which('terraform'))).parent}:/usr/bin:/bin", "LC_ALL": locale}
        command = [
            str(it)
            for it in (python, "main.py", "handover", "--from", tmp_path / "cdktf.out", "--out", tmp_path / name)
        ]
        subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
        results.append({path: (tmp_path / name / path).read_bytes() for path in written(tmp_path / name)})
    assert results[0] == results[1]
