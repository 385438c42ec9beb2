"""Whole rehearsals of a small deployment, with the real Terraform CLI and AWS provider."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from rich.console import Console

from errors import RefusedError
from ops.rehearse import checks
from ops.rehearse.command import rehearse
from ops.rehearse.emulator import Emulator
from ops.rehearse.prerequisites import Prerequisites
from ops.rehearse.progress import Progress
from ops.rehearse.rehearsal import Findings, Rehearsal
from ops.rehearse.stacks import read
from ops.rehearse.workspace import Runs, Workspace
from terraform.cli import TerraformCli
from tests.ops.rehearse import sample_deployment
from tests.ops.rehearse.sample_deployment import DEV, HANDOVER, REGION

pytestmark = pytest.mark.terraform

PREREQUISITES = Prerequisites(region=REGION)


@dataclass
class FinishedRehearsal:
    out: Path
    findings: Findings
    messages: str
    report: str


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRehearsal:
    """A rehearsal with roles, profiles and S3 state, and with settings in the environment that must not be used."""
    folder = tmp_path_factory.mktemp("rehearsal")
    role = {"assume_role": [{"role_arn": "arn:aws:iam::ACCOUNT:role/deploy"}], "profile": "people"}
    out = sample_deployment.write(folder / "cdktf.out", provider=role, bucket="sample-states")
    messages, report = quiet(), quiet()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        patch.setenv("AWS_PROFILE", "nobody")
        patch.setenv("AWS_ENDPOINT_URL_LOGS", "http://127.0.0.1:1")
        patch.setenv("TF_VAR_push_cidrs", "not even a list")
        findings = rehearse(out, PREREQUISITES, handover=HANDOVER, messages=messages, output=report)
    assert isinstance(messages.file, io.StringIO)
    assert isinstance(report.file, io.StringIO)
    return FinishedRehearsal(out, findings, messages.file.getvalue(), report.file.getvalue())


def test_every_stack_is_applied_changed_and_destroyed(run: FinishedRehearsal) -> None:
    steps = [tuple(line.split()[1:3]) for line in run.messages.splitlines() if line.startswith("✓")]
    assert steps == [
        ("AWS", "prepare"),
        *[(stack, what) for stack in ("dev", "prd") for what in ("init", "apply", "plan")],
        *[(stack, what) for stack in ("dev", "prd") for what in ("hand", "change", "take")],
        ("prd", "unlock"),
        ("prd", "destroy"),
        ("dev", "destroy"),
        ("AWS", "compare"),
    ]
    assert "✗" not in run.messages


def test_variables_are_changed_and_protected_resources_unlocked(run: FinishedRehearsal) -> None:
    assert run.findings.changed.keys() == {"dev", "prd"}
    assert run.findings.changed["prd"] == ["push_cidrs + 203.0.113.1/32"]
    assert run.findings.unlocked == {"prd": ["aws_codecommit_repository.app prevent_destroy = false"]}
    assert run.findings.existed == ["bucket sample-states for state"]


def test_the_report_shows_outputs_and_stand_ins(run: FinishedRehearsal) -> None:
    assert "dev.log_group = /sample/flow" in run.report
    assert f"prd.clone_url = https://git-codecommit.{REGION}.amazonaws.com/v1/repos/app" in run.report
    assert "CreateRepository" in run.report
    assert "codecommit: moto writes dates as text" in run.report
    assert "Not proved: that AWS accepts it" in run.report


def test_the_synthesised_files_are_not_changed(run: FinishedRehearsal, tmp_path: Path) -> None:
    role = {"assume_role": [{"role_arn": "arn:aws:iam::ACCOUNT:role/deploy"}], "profile": "people"}
    again = sample_deployment.write(tmp_path / "again", provider=role, bucket="sample-states")
    assert files(run.out) == files(again)
    assert not (run.out.parent / "terraform-state").exists()


@dataclass
class Stage:
    """A rehearsal that a test drives step by step."""

    rehearsal: Rehearsal
    aws: Emulator
    out: Path

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.aws.url,
            region_name=REGION,
            aws_access_key_id=DEV,
            aws_secret_access_key="rehearsal",
            config=Config(proxies={}),
        )


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    with Emulator(log=tmp_path / "aws.log") as aws, Progress(quiet()) as progress:

        def build(**resources: Any) -> Stage:
            out = sample_deployment.write(tmp_path / "out", dev=resources, prevent_destroy=False)
            scratch = tmp_path / "scratch"
            (scratch / "plugins").mkdir(parents=True)
            rehearsal = Rehearsal(
                out,
                stacks=read(out)[:1],
                aws=aws,
                handover=HANDOVER,
                terraform=TerraformCli(),
                scratch=scratch,
                inherited=os.environ,
                progress=progress,
            )
            return Stage(rehearsal, aws, out)

        yield build


def test_refuses_drift_and_resources_that_are_left(stage: Callable[..., Stage]) -> None:
    on = stage()
    before = on.aws.inventory([DEV], REGION)
    on.rehearsal.up("dev")
    on.client("logs").put_retention_policy(logGroupName="/sample/flow", retentionInDays=5)
    with pytest.raises(RefusedError, match="dev: the plan after an apply is not empty") as caught:
        checks.expect_no_changes(on.rehearsal.workspaces["dev"])
    assert "retention_in_days = 5 -> 30" in caught.value.details

    on.client("logs").create_log_group(logGroupName="/by/hand")
    on.rehearsal.down("dev")
    with pytest.raises(RefusedError, match="the accounts are not as they were before") as caught:
        on.rehearsal.expect_nothing_left(before)
    assert str(caught.value) == (
        f"{DEV}: logs.groups//by/hand is left\n"
        "1 in all\n"
        "error: AWS: the accounts are not as they were before\n"
        "hint: what is left was made outside Terraform, or moto forgot to delete it with its owner"
    )

    on.client("logs").delete_log_group(logGroupName="/by/hand")
    on.rehearsal.expect_nothing_left(before)


def test_an_unknown_call_ends_the_rehearsal_by_name(tmp_path: Path) -> None:
    unknown = {"aws_ec2_serial_console_access": {"a": {"enabled": True}}}
    out = sample_deployment.write(tmp_path / "out", dev=unknown, prevent_destroy=False)
    with pytest.raises(RefusedError) as caught:
        rehearse(out, PREREQUISITES, handover=HANDOVER, messages=quiet())
    assert "Error: setting EC2 Serial Console Access (true)" in caught.value.details
    assert "ec2:EnableSerialConsoleAccess is not known to moto" in caught.value.details.splitlines()[-1]
    apply, call = caught.value.problems
    assert str(apply).startswith("error: dev: `terraform apply` failed with exit code 1\nhint: the whole log is in ")
    assert str(call) == (
        "error: the emulated AWS: was asked what it does not know, above\n"
        "hint: add a stand-in under ops/rehearse/stand_ins"
    )


def test_a_variable_must_change_something_and_in_place(stage: Callable[..., Stage]) -> None:
    on = stage()
    dev = on.rehearsal.workspaces["dev"]
    on.rehearsal.up("dev")
    with pytest.raises(RefusedError) as caught:
        checks.plan_change(dev, {"log_group_name": "/other"})
    assert caught.value.problems[0].what == (
        "another value of log_group_name would destroy aws_cloudwatch_log_group.flow"
    )
    dev.values.clear()
    with pytest.raises(RefusedError) as caught:
        checks.plan_change(dev, {"flow_log_retention_days": 30})
    assert caught.value.problems[0].what == "another value of flow_log_retention_days changes nothing"


def test_a_missing_provider_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "terraformrc"
    (tmp_path / "mirror").mkdir()
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/mirror"\n  }}\n}}\n')
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where the logs are kept
    out = sample_deployment.write(tmp_path / "out")
    with pytest.raises(RefusedError) as caught:
        rehearse(out, PREREQUISITES, handover=HANDOVER, messages=quiet())
    (log,) = tmp_path.glob("kakehashi-rehearsal-*/dev.log")
    assert caught.value.details.startswith("Error: Failed to query available provider packages\n\nCould not retrieve")
    assert str(caught.value.problems[0]) == (
        "error: dev: `terraform init` failed with exit code 1\n"
        "hint: where a provider is missing, let Terraform reach registry.terraform.io, or name a mirror in the file of "
        f"TF_CLI_CONFIG_FILE; the log is {log}"
    )
    assert "Could not retrieve the list of available versions" in log.read_text()


def test_a_protected_resource_cannot_be_destroyed_until_it_is_unlocked(tmp_path: Path) -> None:
    runs = Runs(
        terraform=TerraformCli(), endpoint="", scratch=tmp_path / "s", inherited=os.environ, one_init=threading.Lock()
    )
    runs.scratch.mkdir()
    stack = tmp_path / "out" / "cdk.tf.json"
    stack.parent.mkdir()
    lifecycle = {"prevent_destroy": True}
    provider = {"aws": [{"region": REGION, "allowed_account_ids": [DEV]}]}
    resources = {"terraform_data": {"it": {"count": 2, "lifecycle": lifecycle}}}
    backend = {"backend": {"local": {"path": "it.tfstate"}}}
    stack.write_text(json.dumps({"provider": provider, "resource": resources, "terraform": backend}))
    (read_stack,) = read(stack.parent)
    workspace = Workspace(read_stack, out=stack.parent, runs=runs)
    noted: list[str] = []
    workspace.init()
    workspace.apply(report=noted.append)
    assert noted[-1] == "1 of 1 resource"  # of which there are two instances
    assert workspace.refuses_to_be_destroyed()
    workspace.unlock()
    assert not workspace.refuses_to_be_destroyed()
    assert workspace.addresses() == ["terraform_data.it[0]", "terraform_data.it[1]"]
    workspace.destroy(report=noted.append)
    assert workspace.addresses() == []


def test_an_interrupt_leaves_nothing_running_and_nothing_behind(tmp_path: Path) -> None:
    out = sample_deployment.write(tmp_path / "out")
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    # What a shell starts in the background ignores interrupts, and so do its children.
    program = (
        "import pathlib, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from ops.rehearse.command import rehearse\n"
        "from tests.ops.rehearse.test_rehearsal import HANDOVER, PREREQUISITES\n"
        f"rehearse(pathlib.Path({str(out)!r}), PREREQUISITES, handover=HANDOVER)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "init" in line:
            break
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode not in (0, None)
    assert [path for path in scratch.iterdir() if path.name.startswith("kakehashi")] == []
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(scratch) not in running
