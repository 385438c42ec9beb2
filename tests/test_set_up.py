"""What `make` says while it sets up packages, with a stand-in for pipenv."""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tool("make")

STEP_2 = "set-up, step 2: the packages that a synthesis needs, in .venv (about a minute, once)\n"
STEP_3 = "set-up, step 3: the packages that tests and rehearsals need, in .venv (about a minute, once)\n"


@pytest.fixture
def checkout(project: Path, tmp_path: Path) -> Path:
    """A copy of what `make` reads, in which pipenv is there."""
    shutil.copy(project / "Makefile", tmp_path)
    (tmp_path / "Pipfile.lock").touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv-pipenv").mkdir()
    (tmp_path / ".venv-pipenv" / ".done").touch()
    return tmp_path


def _make(
    checkout: Path, pipenv: str, *variables: str, stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    program = checkout / "pipenv"
    program.write_text(f"#!/bin/sh\n{pipenv}\n")
    program.chmod(0o755)
    command = ["make", "-f", "Makefile", ".venv/.test", f"PIPENV={program}", *variables]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        command,
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def test_each_step_of_the_set_up_is_named_once(checkout: Path) -> None:
    done = _make(checkout, 'echo "$@" >>asked; echo noise; echo noise >&2')
    assert (done.returncode, done.stdout, done.stderr) == (0, "", STEP_2 + STEP_3)
    assert (checkout / "asked").read_text() == "sync --bare\nsync --dev --bare\n"
    again = _make(checkout, "exit 9")
    assert (again.returncode, again.stderr) == (0, "")


def test_a_set_up_that_fails_shows_what_pipenv_printed_and_is_done_again(checkout: Path) -> None:
    for _ in range(2):
        done = _make(checkout, "echo no such package >&2; exit 1")
        assert done.returncode == 2
        lines = done.stderr.splitlines()
        assert lines[:4] == [
            STEP_2.rstrip(),
            "no such package",
            "error: pipenv: not all packages were installed",
            "hint: see the lines above, and run make again",
        ]


@pytest.mark.slow
def test_a_terminal_is_told_how_many_packages_there_are(checkout: Path) -> None:
    for package in "ab":
        (checkout / f".venv/lib/python3.11/site-packages/{package}.dist-info").mkdir(parents=True)
    terminal, its_end = pty.openpty()
    try:
        done = _make(checkout, "sleep 2", "COUNT_EVERY=0.2", stderr=its_end)
        printed = os.read(terminal, 10_000).decode().replace("\r\n", "\n")
    finally:
        os.close(its_end)
        os.close(terminal)
    assert done.returncode == 0
    assert re.fullmatch(
        rf"{re.escape(STEP_2)}(  2 packages installed\n)+{re.escape(STEP_3)}(  2 packages installed\n)+", printed
    )
