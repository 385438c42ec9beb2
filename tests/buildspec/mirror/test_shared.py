"""Connections that mirrors share, with a stand-in for ssh; `tests/real/mirror` has the real one."""

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from buildspec.mirror.shared import SharedConnections, SharedSource

# Makes the socket's file and stays, unless a file says that nobody answers.
SSH = """#!/bin/sh
echo "$@" >>{folder}/started
[ ! -e {folder}/refuses ] || exit 255
for word; do case $word in ControlPath=*) echo >"${{word#ControlPath=}}" ;; esac; done
exec sleep 612.5
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a stand-in, whose `started` has the arguments of each start."""
    program = tmp_path / "ssh"
    program.write_text(SSH.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def _source(shared: SharedConnections | None, path: str = "/WEB/website.git") -> SharedSource:
    return SharedSource("example.git.backlog.jp", "example", path, "/key", "/known_hosts", shared=shared)


def _running() -> int:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return sum("sleep 612.5" in line for line in listed.splitlines())


def test_a_thread_connects_once_and_its_mirrors_use_that(ssh: Path) -> None:
    with SharedConnections() as shared:
        first, second = (list(_source(shared, path).command()) for path in ("/A/a.git", "/B/b.git"))
        [started] = (ssh / "started").read_text().splitlines()
        [socket] = [word.removeprefix("ControlPath=") for word in first if word.startswith("ControlPath=")]
        assert stat.S_IMODE(Path(socket).parent.stat().st_mode) == 0o700
        alone = list(_source(None, "/A/a.git").command())
        assert [word for word in first if word not in ("ControlMaster=no", f"ControlPath={socket}")].count("-o") == (
            alone.count("-o") + 2
        )
        assert first[-3:] == ["--", "example.git.backlog.jp", "git-upload-pack '/A/a.git'"]
        assert f"ControlPath={socket}" in second
        assert started.endswith(f"-N -o ControlMaster=yes -o ControlPath={socket} -- example.git.backlog.jp")
        for word in ("StrictHostKeyChecking=yes", "UserKnownHostsFile=/known_hosts", "BatchMode=yes", "-i /key"):
            assert word in started
    assert not Path(socket).parent.exists()


def test_another_thread_has_another_connection(ssh: Path) -> None:
    with SharedConnections() as shared:
        commands = [_source(shared).command()]
        thread = threading.Thread(target=lambda: commands.append(_source(shared).command()))
        thread.start()
        thread.join()
        assert commands[0] != commands[1]
    assert len((ssh / "started").read_text().splitlines()) == 2


def test_where_none_can_be_made_each_mirror_connects_as_without_it(ssh: Path) -> None:
    (ssh / "refuses").touch()
    with SharedConnections() as shared:
        assert [_source(shared).command() for _ in range(3)] == [_source(None).command()] * 3
    assert len((ssh / "started").read_text().splitlines()) == 1


def test_one_that_failed_is_used_no_more(ssh: Path) -> None:
    with SharedConnections() as shared:
        assert _source(shared).command() != _source(None).command()
        shared.drop()
        assert _source(shared).command() == _source(None).command()
    assert len((ssh / "started").read_text().splitlines()) == 1


@pytest.mark.usefixtures("ssh")
def test_none_outlives_the_build() -> None:
    before = _running()
    with SharedConnections() as shared:
        _source(shared).command()
        assert _running() == before + 1
    assert _running() == before
