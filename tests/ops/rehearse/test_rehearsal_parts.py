"""What a rehearsal reads, chooses and hands to Terraform, without running anything."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from errors import RefusedError
from ops.rehearse import Existing, RehearsalError, rehearse, variation
from ops.rehearse.environment import environment, write_profiles
from ops.rehearse.stacks import RehearsalStack, StateBucket, read
from terraform.cli import Terraform
from tests.ops.rehearse import sample_deployment
from tests.ops.rehearse.sample_deployment import DEV, PRD, REGION


def stack(**document: Any) -> RehearsalStack:
    provider = {"aws": [{"region": REGION, "allowed_account_ids": [DEV], **document.pop("provider", {})}]}
    return RehearsalStack(name="a", document={"provider": provider, **document})


def variable(default: object, condition: str = "") -> dict[str, Any]:
    return {"default": default, "validation": [{"condition": condition, "error_message": "No."}]}


def never_seen(marks: list[str | int]) -> list[int]:
    return [0] * len(marks)


def test_stacks_come_after_what_they_depend_on(tmp_path: Path) -> None:
    out = sample_deployment.write(tmp_path / "out")
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["stacks"] = dict(reversed(manifest["stacks"].items()))
    (out / "manifest.json").write_text(json.dumps(manifest))
    assert [(found.name, found.account, found.region) for found in read(out)] == [
        ("dev", DEV, REGION),
        ("prd", PRD, REGION),
    ]


def test_reads_where_state_is(tmp_path: Path) -> None:
    _, prd = read(sample_deployment.write(tmp_path / "local"))
    assert prd.buckets == set()
    assert prd.state_files == {
        "../../../terraform-state/sample/dev.tfstate",
        "../../../terraform-state/sample/prd.tfstate",
    }
    _, prd = read(sample_deployment.write(tmp_path / "s3", bucket="states"))
    assert prd.buckets == {StateBucket(name="states", region=REGION)}
    assert prd.state_objects == {"states/sample/dev.tfstate", "states/sample/prd.tfstate"}
    assert prd.state_files == set()


def test_unlocking_changes_prevent_destroy_and_nothing_else(tmp_path: Path) -> None:
    _, prd = read(sample_deployment.write(tmp_path / "out"))
    assert prd.protected == ["aws_codecommit_repository.app"]
    text = json.dumps(prd.document)
    assert json.dumps(prd.without_protection()) == text.replace('"prevent_destroy": true', '"prevent_destroy": false')
    assert json.dumps(prd.document) == text


def test_says_that_nothing_was_synthesised(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        rehearse(tmp_path, Existing(region=REGION))
    assert str(caught.value) == (
        f"error: {tmp_path}: has no manifest.json\nhint: name an output folder of cdktf, as `synth` wrote it"
    )


def test_says_that_terraform_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RehearsalError) as caught:
        rehearse(sample_deployment.write(tmp_path / "out"), Existing(region=REGION), messages=Console(quiet=True))
    assert str(caught.value) == (
        "error: terraform: there is no such program on PATH\n"
        "hint: install Terraform 1.10 or later: https://developer.hashicorp.com/terraform/install"
    )


@pytest.mark.slow
def test_refuses_state_that_a_copy_would_share(tmp_path: Path) -> None:
    out = sample_deployment.write(tmp_path / "out")
    file = out / "stacks/dev/cdk.tf.json"
    file.write_text(file.read_text().replace("../../../terraform-state/sample/dev", "/srv/state/dev"))
    with pytest.raises(RehearsalError, match=r"dev: its state is at /srv/state/dev\.tfstate, outside the folder"):
        rehearse(out, Existing(region=REGION), messages=Console(quiet=True))


def test_nothing_of_the_users_aws_or_terraform_settings_passes(tmp_path: Path) -> None:
    users = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SESSION_TOKEN": "real",
        "AWS_PROFILE": "real",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://real",
        "AWS_ENDPOINT_URL_S3": "https://real",
        "TF_VAR_push_cidrs": "[]",
        "TF_CLI_ARGS_apply": "-target=x",
        "TF_WORKSPACE": "real",
        "TF_CLI_CONFIG_FILE": "/home/me/.terraformrc",
        "MOTO_ACCOUNT_ID": "1",
    }
    env = environment(
        stack(), endpoint="http://127.0.0.1:1", aws_folder=tmp_path, plugin_cache=tmp_path / "p", inherited=users
    )
    assert {key: value for key, value in env.items() if key.startswith("AWS_")} == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": DEV,
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    assert {key for key in env if key.startswith(("TF_", "MOTO_"))} == {
        "TF_CLI_CONFIG_FILE",
        "TF_IN_AUTOMATION",
        "TF_INPUT",
        "TF_PLUGIN_CACHE_DIR",
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    }
    assert env["TF_CLI_CONFIG_FILE"] == "/home/me/.terraformrc"
    assert (env["PATH"], env["HOME"]) == ("/bin", "/home/me")


def test_a_stack_that_assumes_a_role_starts_from_another_account(tmp_path: Path) -> None:
    assuming = stack(provider={"assume_role": [{"role_arn": f"arn:aws:iam::{DEV}:role/deploy"}]})
    env = environment(assuming, endpoint="", aws_folder=tmp_path, plugin_cache=tmp_path, inherited={})
    assert env["AWS_ACCESS_KEY_ID"] == "000000000000"


def test_only_the_profiles_that_a_stack_names_are_defined(tmp_path: Path) -> None:
    write_profiles(stack(), tmp_path)
    assert (tmp_path / "config").read_text() == ""
    assert (tmp_path / "credentials").read_text() == ""
    write_profiles(stack(provider={"profile": "people"}), tmp_path)
    assert (tmp_path / "config").read_text() == f"[profile people]\nregion = {REGION}\n"
    assert (tmp_path / "credentials").read_text() == (
        f"[people]\naws_access_key_id = {DEV}\naws_secret_access_key = rehearsal\n"
    )


@pytest.mark.parametrize(
    ("name", "given", "after"),
    [
        ("log_retention_days", variable(30, "${contains([7, 30, 60], var.log_retention_days)}"), 7),
        ("log_retention_days", variable(90), 1),
        ("image_retention_count", variable(7, "${var.x >= 1 && var.x <= 1000}"), 8),
        ("image_retention_count", variable(10, "${var.x <= 10}"), 9),
        ("push_cidrs", variable(["198.51.100.7/32"]), ["198.51.100.7/32", "203.0.113.77/32"]),
        ("push_cidrs", variable(["203.0.113.77/32"]), ["203.0.113.77/32", "203.0.113.78/32"]),
    ],
)
def test_chooses_another_allowed_value(name: str, given: dict[str, Any], after: object) -> None:
    (chosen,) = variation.choose(stack(variable={name: given}), never_seen)
    assert (chosen.variable, chosen.after) == (name, after)


def test_chooses_the_value_that_the_account_holds_least() -> None:
    days = {"log_retention_days": variable(30, "${contains([7, 30, 60, 90], var.x)}")}
    (chosen,) = variation.choose(
        stack(variable=days), lambda marks: [{7: 3, 60: 1, 90: 2}[int(mark)] for mark in marks]
    )
    assert str(chosen) == "log_retention_days 30 → 60"


def test_changes_one_retention_and_one_address_list_of_a_stack() -> None:
    variables = {
        "cache_retention_days": variable(30),
        "log_retention_days": variable(30),
        "pull_cidrs": variable([]),
        "push_cidrs": variable([]),
        "instance_type": variable("t3.micro"),
    }
    chosen = variation.choose(stack(variable=variables), never_seen)
    assert [one.variable for one in chosen] == ["log_retention_days", "pull_cidrs"]
    assert variation.choose(stack(variable={"instance_type": variable("t3.micro")}), never_seen) == []


def test_terraforms_own_words_and_its_log_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho a plan\necho\necho 'Error: no such thing'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
    with pytest.raises(RehearsalError) as caught:
        Terraform(logs=tmp_path).run("apply", folder=tmp_path, env={"PATH": "/bin"}, log="dev")
    assert str(caught.value) == (
        "Error: no such thing\n"
        "error: dev: `terraform apply` failed with exit code 1\n"
        f"hint: the whole log is in {tmp_path}/dev.log"
    )
    assert "a plan" in (tmp_path / "dev.log").read_text()
