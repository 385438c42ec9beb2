"""What Git and its children see, and how long they may be silent."""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from buildspec.mirror.failures import UnreachableError
from buildspec.mirror.git import Git, GitError, Remote, TooLargeError, TooLateError, over_https, over_ssh
from tests.buildspec.mirror.git_ends import Mirror, mirror_in

pytestmark = pytest.mark.tool("git")

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAHIDDEN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/hidden",
    "SSH_PRIVATE_KEY": "a hidden key",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "hidden",
    "GIT_SSH": "/hidden/ssh",
}


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a program of that name on PATH, which writes what it sees to a file and goes on as it is told."""

    def stand_in(then: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        seen = tmp_path / "seen"
        program = folder / "ssh"
        program.write_text(
            "#!/bin/bash\n"
            f"{{ env; printf 'argument %s\\n' \"$@\"; tr '\\0' '\\n' </proc/$PPID/cmdline; }} >>{seen}\n"
            f'serve() {{ export GIT_CONFIG_NOSYSTEM=1; exec sh -c "${{@: -1}}"; }}\n{then}\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)
        return seen

    return stand_in


def _mirror_over_ssh(folder: Path, **settings: Any) -> Mirror:
    mirror = mirror_in(folder / "mirror", **settings)
    mirror.source.commit("refs/heads/main", {"a": b"1"})
    key, known = folder / "a key", folder / "known"
    key.write_text("a hidden key")
    source = over_ssh(f"user@git.example.com:{mirror.source.path}", key, known)
    mirror.settings = replace(mirror.settings, source=source)
    return mirror


def test_ssh_sees_no_secret_and_uses_only_this_key_and_pinned_host_keys(
    tmp_path: Path, ssh: Callable[[str], Path]
) -> None:
    seen = ssh('serve "$@"')
    mirror = _mirror_over_ssh(tmp_path)
    assert mirror.build() == {b"refs/heads/main": None}
    text = seen.read_text()
    assert "hidden" not in text.lower()
    assert not {line.partition("=")[0] for line in text.splitlines()} & SECRETS.keys()
    arguments = [line.removeprefix("argument ") for line in text.splitlines() if line.startswith("argument ")]
    assert arguments[:4] == ["-F", "/dev/null", "-i", str(tmp_path / "a key")]
    assert {
        *("IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes", "StrictHostKeyChecking=yes"),
        *("GlobalKnownHostsFile=/dev/null", "ConnectTimeout=30", "ServerAliveInterval=30", "ServerAliveCountMax=3"),
        f"UserKnownHostsFile={tmp_path / 'known'}",
    } <= set(arguments)
    assert "user@git.example.com" in arguments


def test_a_source_that_fails_for_a_moment_is_asked_again(tmp_path: Path, ssh: Callable[[str], Path]) -> None:
    ssh(f'[ -e {tmp_path}/failed ] || {{ touch {tmp_path}/failed; echo busy >&2; exit 255; }}; serve "$@"')
    mirror = _mirror_over_ssh(tmp_path)
    assert mirror.build() == {b"refs/heads/main": None}
    assert any("tries again in 0.01 s" in line and "busy" in line for line in mirror.said)


def test_a_source_that_fails_always_is_unreachable_with_what_ssh_said(
    tmp_path: Path, ssh: Callable[[str], Path]
) -> None:
    seen = ssh("echo Permission denied >&2; exit 255")
    mirror = _mirror_over_ssh(tmp_path)
    with pytest.raises(UnreachableError, match="Permission denied"):
        mirror.build()
    assert seen.read_text().count("argument -F") == 2


def _is_running(pid: str) -> bool:
    try:
        return "(sleep) Z" not in Path("/proc", pid, "stat").read_text()
    except OSError:
        return False


def test_a_source_that_falls_silent_is_given_up_and_nothing_keeps_running(
    tmp_path: Path, ssh: Callable[[str], Path]
) -> None:
    ssh(f"echo $$ >{tmp_path}/pid; exec sleep 600")
    mirror = _mirror_over_ssh(tmp_path, silent_for=1, pauses=())
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="git did nothing for 1 seconds and was ended"):
        mirror.build()
    assert time.monotonic() - started < 30
    pid = (tmp_path / "pid").read_text().strip()
    while _is_running(pid):  # a killed process ends when it has a turn
        assert time.monotonic() - started < 60
        time.sleep(0.1)


@pytest.mark.slow
def test_a_source_whose_connection_lives_but_sends_nothing_is_given_up(
    tmp_path: Path, ssh: Callable[[str], Path]
) -> None:
    # As ssh does, which sends and receives signs of life.
    ssh(f"mkfifo {tmp_path}/f; exec 9<>{tmp_path}/f; while :; do read -r -t 0.2 -u 9; read -r _ </etc/passwd; done")
    mirror = _mirror_over_ssh(tmp_path, silent_for=2, pauses=())
    with pytest.raises(UnreachableError, match="git did nothing for 2 seconds and was ended"):
        mirror.build()


@pytest.mark.slow
def test_git_that_works_for_long_is_left_alone(tmp_path: Path, ssh: Callable[[str], Path]) -> None:
    ssh("exit 1")
    git = Git(tmp_path / "git", silent_for=1)
    git.create()
    program = tmp_path / "bin" / "git-works"
    program.write_text(
        "#!/bin/bash\nfor ((i = 0; i < 15; i++)); do sleep 0.2; : </etc/passwd; head -c 99 /etc/passwd; done\n"
    )
    program.chmod(0o755)
    git.run("works").close()


def test_credentials_reach_git_by_a_file_that_only_we_can_read_and_that_is_new_each_time(tmp_path: Path) -> None:
    git = Git(tmp_path / "repository")
    git.create()
    passwords = iter(["first", "second"])
    file = tmp_path / "it's credentials"
    remote = over_https("https://git.example.com/v1/repos/website", lambda: ("AKIA%token", next(passwords)), file)
    assert not any("AKIA" in word for word in [*remote.arguments(), *remote.environment.values()])
    for password in ("first", "second"):
        asked = [b"protocol=https", b"host=git.example.com", b"path=v1/repos/website", b""]
        with git.run("credential", "fill", given=asked, remote=remote) as answer:
            filled = answer.read().decode().splitlines()
        assert {"username=AKIA%token", f"password={password}"} <= set(filled)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(GitError):  # another host does not get them
        git.run(
            "credential",
            "fill",
            given=[b"protocol=https", b"host=other.example.com", b""],
            remote=replace(remote, refresh=lambda: None),
        )


def test_git_uses_no_protocol_but_the_one_of_the_end(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path)
    mirror.source.commit("refs/heads/main", {"a": b"1"})
    mirror.settings = replace(mirror.settings, source=Remote("source", str(mirror.source.path), "https"), pauses=())
    with pytest.raises(UnreachableError, match="transport 'file' not allowed"):
        mirror.build()


def test_output_that_is_too_large_is_refused_however_fast_it_was_written(tmp_path: Path) -> None:
    git = Git(tmp_path / "repository")
    git.create()
    with pytest.raises(TooLargeError):
        git.run("help", "-a", most_bytes=100)


def test_git_that_works_is_ended_when_its_time_is_over(tmp_path: Path) -> None:
    git = Git(tmp_path / "repository")
    git.create()
    started = time.monotonic()
    with pytest.raises(TooLateError):
        git.run("-c", "alias.busy=!while :; do :; done", "busy", until=started + 0.2)
    assert time.monotonic() - started < 10
