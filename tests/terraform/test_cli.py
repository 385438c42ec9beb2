"""How the Terraform CLI is run, tested with a shell script in its place."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from terraform.cli import TerraformCli, message

Program = Callable[[str], TerraformCli]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a shell script on PATH as `terraform`."""

    def put(script: str) -> TerraformCli:
        file = tmp_path / "bin" / "terraform"
        file.parent.mkdir()
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{file.parent}:/bin:/usr/bin")
        return TerraformCli()

    return put


def test_refuses_when_terraform_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusedError) as refused:
        TerraformCli()
    assert str(refused.value) == (
        "error: terraform: is not on PATH\n"
        "hint: install Terraform 1.10 or later: https://developer.hashicorp.com/terraform/install"
    )


def test_a_run_has_its_output_and_exit_code(program: Program, tmp_path: Path) -> None:
    lines: list[str] = []
    run = program('echo "$@"; pwd; echo "$SETTING $CHECKPOINT_DISABLE"; echo words >&2; exit 3').run(
        "plan", "-json", folder=tmp_path, env={"SETTING": "it"}, on_line=lines.append
    )
    assert (run.returncode, run.stdout, run.stderr) == (3, f"plan -json\n{tmp_path}\nit 1", "words\n")
    assert lines == ["plan -json", str(tmp_path), "it 1"]


def test_a_failure_shows_what_terraform_printed(program: Program, tmp_path: Path) -> None:
    run = program("echo a plan; echo 'Error: no such thing' >&2; exit 1").run("apply", folder=tmp_path)
    assert str(run.failure("dev", "read it")) == (
        "Error: no such thing\nerror: dev: `terraform apply` failed with exit code 1\nhint: read it"
    )


REPORTED = """\
{"@message": "Plan: 1 to add", "type": "change_summary", "changes": {"operation": "plan", "add": 1}}
not JSON
{"@message": "Warning: w", "type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "w", "detail": ""}}
{"@message": "Error: e", "type": "diagnostic", "diagnostic": {"severity": "error", "summary": "e", "detail": "why"}}
{"@message": "Error: f", "type": "diagnostic",\
 "diagnostic": {"severity": "error", "summary": "f", "detail": "", "address": "aws_vpc.it"}}
"""


def test_errors_are_read_from_the_machine_readable_output(program: Program, tmp_path: Path) -> None:
    (tmp_path / "reported").write_text(REPORTED)
    run = program(f"cat {tmp_path}/reported; exit 1").run("apply", "-json", folder=tmp_path)
    assert [(error.summary, error.address) for error in run.errors] == [("e", None), ("f", "aws_vpc.it")]
    assert run.failure("dev", "read it").details == "Error: e\n\nwhy\n\nError: f\n  with aws_vpc.it"


def test_only_a_message_of_terraform_is_a_message() -> None:
    assert message(REPORTED.splitlines()[0])["changes"] == {"operation": "plan", "add": 1}
    assert message("not JSON") == message("[]") == message('{"a": 1}') == {}


def test_stopping_ends_every_run_and_its_processes_and_refuses_later_runs(program: Program, tmp_path: Path) -> None:
    terraform = program("sleep 60 & echo started; wait")
    codes: list[int] = []
    started = threading.Event()

    def work() -> None:
        run = terraform.run("apply", folder=tmp_path, on_line=lambda _: started.set())
        codes.append(run.returncode)

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(10)
    terraform.stop()
    thread.join(10)
    assert codes == [-9]
    with pytest.raises(RefusedError, match="was stopped"):
        terraform.run("apply", folder=tmp_path)
