"""What a command says while it works."""

import io
import sys
import threading
import time

import pytest

from ops.waiting import waiting


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _until(written: io.StringIO, lines: int) -> list[str]:
    deadline = time.monotonic() + 10
    while written.getvalue().count("\n") < lines and time.monotonic() < deadline:
        time.sleep(0.01)
    return written.getvalue().splitlines()


def test_a_terminal_is_told_what_takes_long_and_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with waiting("reviewing 2 plans", first_seconds=0.01, then_seconds=0.02):
        assert _until(terminal, 2)[:2] == ["reviewing 2 plans: 0 s"] * 2
    count = terminal.getvalue().count("\n")
    time.sleep(0.1)
    assert terminal.getvalue().count("\n") == count


def test_nothing_is_said_about_what_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with waiting("a"):
        pass
    assert terminal.getvalue() == ""


def test_nothing_is_said_where_standard_error_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    with waiting("a", first_seconds=0):
        assert threading.active_count() == before
        time.sleep(0.05)
    assert capsys.readouterr() == ("", "")


def test_it_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Terminal())
    before = threading.active_count()
    with pytest.raises(ValueError, match="b"), waiting("a"):
        raise ValueError("b")
    assert threading.active_count() == before
