"""What main.py prints and how it exits when a command stops."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import main
import ops.cli
from errors import refused
from tests.terraform.plans import change, plan


def _stopping(error: BaseException) -> Callable[..., None]:
    def run(*_: object) -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "printed"),
    [
        (refused("a", "b", "c", status=3), 3, "error: a: b\nhint: c\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            PermissionError(13, "Permission denied", "out"),
            1,
            "error: out: Permission denied\nhint: see that the folder can be written, and that it is not a file\n",
        ),
        (
            OSError(28, "No space left on device"),
            1,
            "error: system: No space left on device\n"
            "hint: see that the folder can be written, and that it is not a file\n",
        ),
    ],
    ids=["refused", "interrupted", "file", "system"],
)
def test_prints_why_a_command_stopped_and_exits_with_its_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    printed: str,
) -> None:
    monkeypatch.setattr(ops.cli, "run", _stopping(error))
    assert main.main(["verify"]) == status
    assert capsys.readouterr() == ("", printed)


_ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}
_WARN = ("-X", "warn_default_encoding", "-W", "default::EncodingWarning")


def _main(project: Path, *arguments: str, flags: tuple[str, ...] = (), **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *flags, "main.py", *arguments],
        cwd=project,
        env={**{name: value for name, value in os.environ.items() if name != "DEPLOYMENT"}, **environment},
        capture_output=True,
        encoding="utf-8",
    )
    return done.returncode, done.stdout, done.stderr


def _warnings_here(project: Path, error: str) -> list[str]:
    """Warnings of Kakehashi's own modules; libraries warn too."""
    return [line for line in error.splitlines() if line.startswith(str(project)) and "/.venv/" not in line]


@pytest.mark.slow
def test_reads_and_writes_japanese_where_the_default_encoding_is_ascii(project: Path, tmp_path: Path) -> None:
    file, markdown = tmp_path / "tokyo.yaml", tmp_path / "access.md"
    minimal = (project / "deployments" / "minimal.yaml").read_text(encoding="utf-8")
    file.write_text(minimal.replace("owner: platform-team", "owner: 基盤チーム"), encoding="utf-8")
    status, _, error = _main(project, flags=_WARN, DEPLOYMENT=str(file), CDKTF_OUTDIR=str(tmp_path / "out"), **_ASCII)
    assert (status, _warnings_here(project, error)) == (0, [])
    assert any("基盤チーム" in stack.read_text(encoding="utf-8") for stack in (tmp_path / "out").rglob("cdk.tf.json"))
    status, _, error = _main(project, "access", str(file), "--markdown", str(markdown), flags=_WARN, **_ASCII)
    assert (status, _warnings_here(project, error)) == (0, [])
    assert markdown.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_review_is_printed_as_utf_8_where_the_default_encoding_is_another(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "dev-network.json"
    file.write_text(json.dumps(plan(change("aws_eip.it", "delete", {"public_ip": "192.0.2.1"}))), encoding="utf-8")
    status, out, error = _main(project, "review", str(file), PYTHONUTF8="0", PYTHONIOENCODING="cp932")
    assert (status, error) == (3, "")
    assert not out.isascii()


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["acess"], "error: main.py: 'acess' is not a command\nhint: did you mean access?\n"),
        (
            ["credentials", "x"],
            "error: main.py credentials: 'x' is not a command\nhint: see main.py credentials --help\n",
        ),
        (
            ["deployments/a.yaml"],
            "error: main.py: 'deployments/a.yaml' is not a command\nhint: run main.py synth deployments/a.yaml\n",
        ),
        (["review", "--fore"], "error: main.py review: '--fore' is not an option\nhint: did you mean --for?\n"),
        (["ci"], "error: main.py ci: missing argument 'PLATFORM'\nhint: see main.py ci --help\n"),
        (
            ["ci", "github", "--language", "fr"],
            "error: --language: 'fr' is not a language of the comment\nhint: choose one of en, ja\n",
        ),
        (
            ["handover", "a.yaml", "--from", "out"],
            "error: --from: a deployment file is given too\nhint: give one of the two\n",
        ),
        (
            ["handover", "a.yaml", "--check", "--mark-conflicts"],
            "error: handover: only one of --force, --mark-conflicts and --check makes sense\nhint: give one of them\n",
        ),
        (
            ["access", "--markdown", "-", "--json", "-"],
            "error: --json: '-' is given to --markdown too\nhint: write one of the two to another file\n",
        ),
        (
            ["access", "--markdown"],
            "error: main.py access: option '--markdown' requires an argument\nhint: see main.py access --help\n",
        ),
        (
            ["gitlab-mirror", "remove-branches", "--allow-deletions", "-1"],
            "error: main.py gitlab-mirror remove-branches: --allow-deletions: '-1' is too small\n"
            "hint: use at least 0\n",
        ),
        (
            ["gitlab-mirror", "sync", "--wait-seconds", "0"],
            "error: main.py gitlab-mirror sync: --wait-seconds: '0' is too small\nhint: use at least 1\n",
        ),
        (
            ["gitlab-mirror", "sync", "--wait-seconds", "1m"],
            "error: main.py gitlab-mirror sync: --wait-seconds: '1m' is not a number of this kind\n"
            "hint: write digits, for example 30\n",
        ),
        (["access", "--jsn"], "error: main.py access: '--jsn' is not an option\nhint: did you mean --json?\n"),
        (
            ["credentials", "issue", "push", "--dry-run=x"],
            "error: main.py credentials issue: option '--dry-run' does not take a value\n"
            "hint: see main.py credentials issue --help\n",
        ),
        (
            ["credentials", "list", "a.yaml"],
            "error: USER: 'a.yaml' is a file, not a user\nhint: name the user first: credentials list all a.yaml\n",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_refused_in_two_lines(
    capsys: pytest.CaptureFixture[str], arguments: list[str], printed: str
) -> None:
    assert main.main(arguments) == 2
    assert capsys.readouterr() == ("", printed)


@pytest.mark.slow
def test_synth_is_a_command_that_prints_what_main_py_prints_alone(project: Path, tmp_path: Path) -> None:
    minimal = str(project / "deployments" / "minimal.yaml")
    out = str(tmp_path / "out")
    alone = _main(project, DEPLOYMENT=minimal, CDKTF_OUTDIR=out)
    assert alone[0] == 0
    assert _main(project, "synth", DEPLOYMENT=minimal, CDKTF_OUTDIR=out) == alone
    assert _main(project, "synth", minimal, CDKTF_OUTDIR=out) == alone


@pytest.mark.slow
def test_a_synthesis_loads_nothing_of_the_other_commands(project: Path, tmp_path: Path) -> None:
    code = "import main, sys; main.main(['synth']); print({'rich', 'typer', 'boto3'} & {*sys.modules}, file=sys.stderr)"
    environment = {**os.environ, "DEPLOYMENT": "deployments/minimal.yaml", "CDKTF_OUTDIR": str(tmp_path / "out")}
    done = subprocess.run([sys.executable, "-c", code], cwd=project, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "set()\n")


def test_a_handover_with_from_ignores_the_deployment_in_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEPLOYMENT", "deployments/minimal.yaml")
    assert main.main(["handover", "--from", str(tmp_path / "none"), "--out", str(tmp_path / "hcl")]) != 0
    assert "--from: a deployment file" not in capsys.readouterr().err
