"""The commands of docs/in-the-room.md work, and Git says what the page shows."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.real.mirror.certificates import certificates
from tests.real.mirror.services import GIT_HOST
from tests.real.room import codecommit
from tests.real.room.codecommit import CodeCommit

pytestmark = [pytest.mark.slow, pytest.mark.tool("git"), pytest.mark.tool("bash")]

URL = f"https://{GIT_HOST}/v1/repos/application"
FIRST = "kakehashi-prd-pull-at-222222222222"
SECOND = "kakehashi-prd-pull+1-at-222222222222"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did; `asked` are the questions that Git asked the person."""

    status: int
    out: str
    err: str
    asked: str


@dataclass
class Terminal:
    """A terminal in the room, with a person who knows one user name and password."""

    home: Path
    codecommit: CodeCommit
    user: str = FIRST
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.home

    def run(self, command: str, *, person: bool = True, **variables: str) -> Ran:
        asked, answers = self.home / "asked", self.home / "answers"
        password = self.codecommit.passwords.get(self.user, "wrong")
        asked.write_text("")
        answers.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$1" >>{asked}\n'
            f"case $1 in Username*) echo '{self.user}' ;; *) echo '{password}' ;; esac\n"
        )
        answers.chmod(0o755)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSL_CAINFO": str(self.codecommit.authority),
            "https_proxy": self.codecommit.proxy,
            **({"GIT_ASKPASS": str(answers)} if person else {}),
        }
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=environment | variables, capture_output=True, text=True
        )
        return Ran(status=done.returncode, out=done.stdout, err=done.stderr, asked=asked.read_text())


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal, and CodeCommit with the repository `application`."""
    (tmp_path / "home").mkdir()
    with codecommit.running(tmp_path) as server:
        (tmp_path / "history").write_text(_HISTORY)
        _mirrored(server, "git init -q -b main source; cd source; git fast-import --quiet <../history; git branch old")
        yield Terminal(tmp_path / "home", server)


_HISTORY = "".join(
    f"commit refs/heads/main\ncommitter dev <dev@example.com> {second} +0000\ndata 0\n\n" for second in range(1, 1200)
)
"""More commits than the page's `--depth` fetches."""


def _mirrored(server: CodeCommit, change: str) -> None:
    """Change the source, and mirror it."""
    identity = {f"GIT_{who}_{what}": "dev@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    target = server.repositories / "application"
    subprocess.run(
        [
            "bash",
            "-ec",
            f"{change}; [ -d {target} ] || git init -q --bare -b main {target}; git push -q --mirror {target}",
        ],
        cwd=server.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(server.folder), "GIT_CONFIG_NOSYSTEM": "1", **identity},
        check=True,
    )


_COMMIT = "cd source && git commit -q --allow-empty -m"
BEFORE: dict[str, Callable[[Terminal], None]] = {
    "git pull": lambda at: _mirrored(at.codecommit, f"{_COMMIT} 2"),
    "git ls-remote": lambda at: _rotate(at),
    "git fetch": lambda at: _mirrored(at.codecommit, "cd source && git branch -D old"),
    "git log --oneline": lambda at: _rewrite(at),
}
"""What happens elsewhere before a command of the page, by the command's beginning."""


def _rotate(terminal: Terminal) -> None:
    terminal.codecommit.passwords[SECOND] = "second"
    terminal.user = SECOND


def _rewrite(terminal: Terminal) -> None:
    _mirrored(terminal.codecommit, "cd source && git commit -q --amend --allow-empty -m rewritten")
    stopped = terminal.run("git pull")
    assert stopped.status == 128
    assert "fatal: Not possible to fast-forward, aborting.\n" in stopped.err


def _commands(page: str) -> list[tuple[str, list[str]]]:
    """The commands of the blocks of a page, each with the lines that the page shows below it."""
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [
        (lines[0], lines[1:])
        for block in blocks
        for lines in (command.splitlines() for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:])
    ]


def test_the_commands_of_the_page_work_one_after_another(project: Path, terminal: Terminal) -> None:
    commands = [
        (command, shown)
        for command, shown in _commands((project / "docs" / "in-the-room.md").read_text(encoding="utf-8"))
        if not command.startswith("aws ")  # the administrator's
    ]
    assert len(commands) == 17
    for command, shown in commands:
        for beginning, happen in BEFORE.items():
            if command == beginning or command.startswith(f"{beginning} "):
                happen(terminal)
        if command.startswith("git branch --delete"):
            assert terminal.run("git branch old").status == 0  # it was worked on
        if command.startswith("cd "):
            terminal.folder /= command.removeprefix("cd ")
            continue
        ran = terminal.run(command)
        asked = [line for line in shown if line.startswith(("Username", "Password"))]
        for line, question in zip_longest(asked, ran.asked.splitlines()):
            assert line.startswith(question.rstrip()), command
        assert [line for line in shown if line not in asked and line not in ran.err.splitlines()] == [], command
        assert (ran.status != 0) == command.startswith("git push"), (command, ran)
    head = terminal.run("git log -1 --format=%s; git branch --all").out
    assert "rewritten\n" in head
    assert "old" not in head
    assert terminal.run("git -C large rev-parse --is-shallow-repository").out == "false\n"
    stored = terminal.home / ".git-credentials"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert FIRST not in stored.read_text()
    assert terminal.run("git pull", person=False).status == 0


def test_the_last_helper_that_was_chosen_is_the_only_one(project: Path, tmp_path: Path) -> None:
    page = (project / "docs" / "in-the-room.md").read_text(encoding="utf-8")
    helper = r"credential\.https://\S+\.helper"
    commands = [command for command, _ in _commands(page) if re.search(rf"config .*{helper}", command)]
    (name,) = {found[0] for command in commands if (found := re.search(helper, command))}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    for chosen in ("store", "'cache --timeout=28800'", "store"):
        script = "\n".join([*commands, f"git config --get-all {name}"]).replace("helper store", f"helper {chosen}")
        done = subprocess.run(["bash", "-ec", script], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == ["", chosen.strip("'")]


def _wrong_password(terminal: Terminal) -> Ran:
    terminal.user = SECOND
    return terminal.run(f"git ls-remote {URL}")


def _refusing(status: int) -> Callable[[Terminal], Ran]:
    def ask(terminal: Terminal) -> Ran:
        terminal.codecommit.refuses_everything_with = status
        return terminal.run(f"git ls-remote {URL}")

    return ask


ERRORS: dict[str, Callable[[Terminal], Ran]] = {
    "The requested URL returned error: 403": _refusing(403),
    "fatal: Authentication failed for": _wrong_password,
    "fatal: could not read Username for": lambda at: at.run(f"git ls-remote {URL}", person=False),
    "fatal: repository '…' not found": lambda at: at.run(f"git ls-remote {URL}.git"),
    "The requested URL returned error: 429": _refusing(429),
    # A name that no DNS knows: https://www.rfc-editor.org/rfc/rfc2606#section-2
    "Could not resolve host": lambda at: at.run(f"git ls-remote {URL.replace('.com', '.invalid')}", https_proxy=""),
    "Failed to connect to": lambda at: at.run(f"git ls-remote {URL}", https_proxy="http://127.0.0.1:1"),
    # Git with GnuTLS prints the first, Git with OpenSSL the second.
    "server certificate verification failed": lambda at: at.run(
        f"git ls-remote {URL}", GIT_SSL_CAINFO=_another_authority(at)
    ),
}


def _another_authority(terminal: Terminal) -> str:
    other = terminal.home / "other"
    other.mkdir()
    certificates(other)
    return str(other / "ca.pem")


def test_every_error_of_the_page_is_tried(project: Path) -> None:
    page = (project / "docs" / "in-the-room.md").read_text(encoding="utf-8")
    table = page.split("## What the errors mean\n")[1].split("\n## ")[0].split("|---|---|---|\n")[1]
    assert re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) == list(ERRORS)


@pytest.mark.parametrize("error", ERRORS)
def test_git_prints_the_error_that_the_page_explains(terminal: Terminal, error: str) -> None:
    ran = ERRORS[error](terminal)
    assert ran.status == 128
    printed = re.compile(re.escape(error).replace("…", ".*"))
    assert printed.search(ran.err) or ("certificate" in error and "SSL certificate problem" in ran.err), ran.err


def test_git_forgets_a_password_that_is_refused_and_keeps_it_where_the_place_is_refused(terminal: Terminal) -> None:
    terminal.run("git config --global credential.helper store")
    assert terminal.run(f"git ls-remote {URL}").status == 0
    stored = terminal.home / ".git-credentials"
    terminal.codecommit.refuses_everything_with = 403
    assert terminal.run(f"git ls-remote {URL}").status == 128
    assert FIRST in stored.read_text()
    terminal.codecommit.refuses_everything_with = None
    terminal.codecommit.passwords[FIRST] = "another"
    assert terminal.run(f"git ls-remote {URL}", person=False).status == 128
    assert stored.read_text() == ""
