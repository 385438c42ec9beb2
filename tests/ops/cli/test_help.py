"""What every `--help` shows, and that it can be read at 80 columns."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

import main
from ops import cli
from ops.cli.help import Formatter
from ops.cli.version import newest


def _commands(command: Any, *names: str) -> Iterator[tuple[str, ...]]:
    yield names
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, *names, name)


COMMANDS = list(_commands(get_command(cli.app)))


def _help(capsys: pytest.CaptureFixture[str], command: tuple[str, ...], option: str = "--help") -> str:
    assert main.main([*command, option]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def _sections(text: str) -> dict[str, list[str]]:
    found = re.findall(r"^(\w[\w ]*):\n((?:  .*\n|\n(?=  ))+)", text, re.MULTILINE)
    return {title: lines.splitlines() for title, lines in found}


def test_every_command_is_tried() -> None:
    assert len(COMMANDS) > 20
    assert {(), ("synth",), ("access",), ("credentials", "rotate"), ("backlog-key", "put")} <= set(COMMANDS)


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_fits_80_columns_without_a_last_line_of_a_single_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = _help(capsys, command).splitlines()
    assert [line for line in lines if len(line) > 80] == []
    description, *_ = "\n".join(lines).split("\n\nOptions:")[0].split("\n\nArguments:")
    going_on = [line for line in lines if line.startswith("   ")]
    assert [line for line in (*description.splitlines(), *going_on) if line and " " not in line.strip()] == []


def test_a_text_is_wrapped_earlier_where_its_last_line_would_be_a_single_word() -> None:
    written = Formatter(width=24)
    written.write_dl([("a", "one two three four fives"), ("b", "one two three fo")])
    assert written.getvalue() == "a  one two three\n   four fives\nb  one two three fo\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_an_example_that_the_command_takes(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    (example,) = _sections(_help(capsys, command))["Example"]
    program, *arguments = shlex.split(example.removeprefix("  $ .venv/bin/python "))
    assert program == "main.py"
    assert tuple(arguments[: len(command)]) == command
    _parse(get_command(cli.app), arguments)


def _parse(command: Any, arguments: list[str]) -> None:
    """Parse arguments without running anything. Raises a usage error for what the command does not take."""
    if below := getattr(command, "commands", None):
        _parse(below[arguments[0]], arguments[1:])
    else:
        command.make_context(command.name, arguments)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_says_what_the_exit_statuses_mean(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    lines = _sections(_help(capsys, command))["Exit status"]
    statuses = [int(found[1]) for line in lines if (found := re.match(r"  (\d+)\s+\w", line))]
    assert statuses[:3] == [0, 1, 2]
    assert (3 in statuses) == (command in ((), ("review",), ("approval",), ("approval", "compare")))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_the_short_option_for_help(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert _help(capsys, command, "-h") == _help(capsys, command)


def test_the_list_of_commands_shows_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _sections(_help(capsys, ()))["Commands"]
    assert "  verify                Compare every Backlog mirror's target with its source:" in lines
    assert "                        heads, tags and the default branch." in lines
    assert "..." not in "".join(lines)


@pytest.mark.parametrize(
    ("changelog", "shown"),
    [
        ("# Changelog\n\n## 1.2.0\n\n* a\n\n## 1.1.0\n\n* b\n", "1.2.0"),
        ("# Changelog\n\n## 1.2.0 - 2026-11-29\n\n* a\n", "1.2.0"),
        ("# Changelog\n\n## Unreleased\n\n### Changed\n\n* c\n\n## 1.2.0\n\n* a\n", "1.2.0 with unreleased changes"),
        ("# Changelog\n\n## Unreleased\n\n## 1.2.0\n\n* a\n", "1.2.0"),
    ],
    ids=["newest", "date", "unreleased", "nothing unreleased"],
)
def test_the_version_is_the_newest_of_the_changelog(changelog: str, shown: str) -> None:
    assert newest(changelog) == shown


def test_the_version_is_printed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"kakehashi \d+\.\d+\.\d+( with unreleased changes)?\n", out)
    assert err == ""
