"""The commands of docs/restore-gitlab.md restore a backup into a new server, and nothing leaves it before it may."""

import re
import shutil
from pathlib import Path

import pytest

from tests.real.gitlab_server.server import GitlabMachine

pytestmark = [pytest.mark.tool(name) for name in ("bwrap", "curl", "openssl", "ruby")]

SECRETS = "etc/gitlab/gitlab-secrets.json"
SILENT = "gitlab-rails runner 'Gitlab::CurrentSettings.update!(silent_mode_enabled: true)'"


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> tuple[GitlabMachine, str]:
    """A server with a mirror, and the name of its backup."""
    server = GitlabMachine(tmp_path_factory.mktemp("lost") / "first")
    shutil.copytree(certificate, server.root / "etc/gitlab/ssl")
    assert server.first_boot().status == 0
    server.write("srv/volume/postgresql/mirrors", "mirrors")
    run = server.run("configure", "backup")
    assert (run.status, run.errors) == (0, "")
    return server, str(server.parameter("backup")).removeprefix("ok: ")


@pytest.fixture
def server(tmp_path: Path, backed_up: tuple[GitlabMachine, str], certificate: Path) -> GitlabMachine:
    """A new server, from which the backup can be downloaded."""
    server = GitlabMachine(tmp_path / "second")
    shutil.copytree(certificate, server.root / "etc/gitlab/ssl")
    assert server.first_boot().status == 0
    shutil.copytree(backed_up[0].srv / "aws/backups", server.srv / "aws/backups")
    return server


@pytest.fixture(scope="module")
def runbook(project: Path) -> str:
    text = (project / "docs/restore-gitlab.md").read_text()
    return text.partition("## From a backup in the bucket")[2].partition("\n## ")[0]


def commands(runbook: str, heading: str = "", *, prompt: str) -> list[str]:
    """The commands of a section: those of root on the server after `#`, those on one's own machine after `$`."""
    section = runbook.partition(f"\n### {heading}\n")[2] if heading else runbook.partition("\n### ")[0]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return [line.removeprefix(prompt) for block in blocks for line in block.splitlines() if line.startswith(prompt)]


def filled(command: str, backup: str) -> str:
    """A command of the runbook with a backup's name and addresses."""
    command = re.sub(r"\bBACKUP(?=_gitlab|/|$)", backup, command).replace("BUCKET", "backups")
    for name in ("application", "configuration"):
        command = command.replace(f"ADDRESS OF {name.upper()}", f"file:///srv/aws/backups/{backup}/{name}.tar")
    return command


def run(server: GitlabMachine, commands: list[str], backup: str) -> tuple[int, str, str]:
    script = "\n".join(["sh /opt/kakehashi/server configure >/dev/null", *(filled(line, backup) for line in commands)])
    (server.srv / "runbook").write_text(script)
    done = server.shell("echo yes | sh -eu /srv/runbook || status=$?")
    return done.status, done.output, done.errors


def test_the_commands_restore_a_backup_while_nothing_leaves(
    server: GitlabMachine, backed_up: tuple[GitlabMachine, str], runbook: str
) -> None:
    lost, backup = backed_up
    found = run(server, commands(runbook, prompt="$ "), backup)
    addresses = [f"file:///srv/aws/backups/{backup}/{name}.tar" for name in ("application", "configuration")]
    assert found == (0, "\n".join([f"{'PRE':>30} {backup}/", *addresses, ""]), "")
    server.calls()
    status, _, _ = run(server, commands(runbook, prompt="# "), backup)
    assert status == 0
    assert server.read(SECRETS) == lost.read(SECRETS) == "secrets of first\n"
    assert server.read("srv/secrets_that_fail") == "0\n"
    assert server.read("srv/volume/postgresql/seed") == lost.read("srv/volume/postgresql/seed")
    assert {file.name for file in (server.srv / "running").iterdir()} == {"gitaly", "nginx", "puma", "sidekiq"}
    assert not (server.srv / "pushed").exists()
    assert list((server.srv / "volume/backups").iterdir()) == []
    calls = server.calls()
    assert calls.count("gitlab-ctl reconfigure") == 2
    assert "gitlab-rake gitlab:check" in calls

    assert server.run("configure").status == 0, "Systems Manager's next run"
    assert server.read(SECRETS) == lost.read(SECRETS)
    assert server.read("srv/volume/.kakehashi/etc/gitlab-secrets.json") == lost.read(SECRETS)
    again = commands(runbook, "Let the mirrors run again", prompt="# ")
    assert run(server, [*again, "gitlab-ctl restart"], backup)[0] == 0
    assert (server.srv / "pushed").exists()


@pytest.mark.parametrize("left_out", ["tar", "gitlab-ctl stop sidekiq", SILENT])
def test_each_of_these_commands_is_needed(
    server: GitlabMachine, backed_up: tuple[GitlabMachine, str], runbook: str, left_out: str
) -> None:
    all_of_them = commands(runbook, prompt="# ")
    rest = [command for command in all_of_them if not command.startswith(left_out)]
    assert len(rest) == len(all_of_them) - 1
    status, _, _ = run(server, rest, backed_up[1])
    match left_out:
        case "tar":
            assert server.read("srv/secrets_that_fail") == "1\n"
        case "gitlab-ctl stop sidekiq":
            assert status != 0
        case _:
            assert (server.srv / "pushed").exists()


def test_a_relative_name_is_not_in_the_archive_of_the_configuration(
    server: GitlabMachine, backed_up: tuple[GitlabMachine, str]
) -> None:
    command = f"tar -xC / -f /srv/aws/backups/BACKUP/configuration.tar {SECRETS}"
    status, _, errors = run(server, [command], backed_up[1])
    assert status == 2
    assert f"{SECRETS}: Not found in archive" in errors
