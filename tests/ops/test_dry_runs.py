"""Every command that changes something outside this machine can be tried first with --dry-run, which only reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import main
from ops.cli import app
from tests.ops.backlog.backlog_stand_in import API_KEY, BacklogStandIn
from tests.ops.backlog.conftest import backlog
from tests.ops.backlog.deployed_bridge import API_KEY_PARAMETER, deployed_api, with_bridge
from tests.ops.git_access.commands import INFRASTRUCTURE
from tests.ops.git_access.test_branches import COMMIT, CodeCommitBranches, codecommit
from tests.ops.gitlab_stand_in import TOKEN
from tests.ops.production import TARGET, Production

__all__ = ["backlog", "codecommit"]  # the fixtures

WITHOUT_DRY_RUN = {
    "access": "reads",
    "approval compare": "reads",
    "backlog-key check": "reads",
    "backlog-webhook show": "reads",
    "credentials list": "reads",
    "gitlab-mirror status": "reads",
    "host-key": "reads",
    "verify": "reads",
    "approval record": "writes a file on this machine",
    "backlog-repositories": "writes the deployment file on this machine, with --agree alone",
    "ci": "writes files on this machine, and replaces none without --force",
    "handover": "writes files on this machine, and keeps what people changed without --force",
    "rehearse": "changes an emulated account on this machine",
    "synth": "writes the output folder on this machine",
    "review": "prints what --post would write",
}

ARGUMENTS = {
    "backlog-key put": ["KEY"],
    "backlog-webhook check": [],
    "backlog-webhook register": [],
    "credentials issue": ["pull"],
    "credentials revoke": ["push"],
    "credentials rotate": ["push"],
    "gitlab-mirror apply": ["--adopt", "all"],
    "gitlab-mirror remove-branches": [],
    "gitlab-mirror sync": [],
}
"""What each of the others is called with, besides the deployment file."""


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if subcommands := getattr(command, "commands", None):
        for key, found in subcommands.items():
            yield from _commands(found, f"{name} {key}".strip())
    else:
        yield name, command


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_a_command_has_a_dry_run_unless_it_changes_nothing_outside_this_machine() -> None:
    with_dry_run = {name for name, command in COMMANDS.items() if any(p.name == "dry_run" for p in command.params)}
    assert with_dry_run == set(COMMANDS) - set(WITHOUT_DRY_RUN) == set(ARGUMENTS)


@pytest.fixture
def busy(world: Production, codecommit: CodeCommitBranches, backlog: BacklogStandIn, tmp_path: Path) -> Production:
    """A deployment in which each command finds something to change; `codecommit` has set up its mirrors."""
    codecommit.branches.update({"main": COMMIT, "old": COMMIT})
    world.gitlab.branches[INFRASTRUCTURE] = ["main"]
    world.gitlab.add(INFRASTRUCTURE, f"https://u:p@{TARGET}/infrastructure/", enabled=False)
    with_bridge(world)
    deployed_api(world)
    world.client("ssm").put_parameter(Name=API_KEY_PARAMETER, Value=API_KEY, Type="SecureString", Overwrite=True)
    backlog.repositories.update({"WEB": ["website"], "OPS": ["jobs"]})
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "KEY").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return world


@pytest.mark.slow
def test_a_dry_run_says_what_it_would_do_and_only_reads(
    busy: Production,
    backlog: BacklogStandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    for name, arguments in ARGUMENTS.items():
        busy.gitlab.calls.clear()
        busy.aws.calls.clear()
        capsys.readouterr()
        assert main.main([*name.split(), *arguments, str(busy.file), "--dry-run"]) == 0, capsys.readouterr().err
        said = capsys.readouterr().err.splitlines()
        assert said, name
        assert [line for line in said if not line.startswith("would ")] == [], name
        assert [call for call in (*busy.gitlab.calls, *backlog.calls) if not call.startswith("GET ")] == [], name
        operations = [call.partition(":")[2] for call in busy.aws.calls]
        assert operations
        assert [call for call in operations if not call.startswith(("Get", "List", "Describe"))] == [], name
