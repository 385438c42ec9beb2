"""Tests have the same names in every process, which pytest-xdist and reports rely on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LATER = """
import datetime, time

_seconds = 3 * 366 * 24 * 3600
_time = time.time
time.time = lambda: _time() + _seconds


class _Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)


class _LaterDay(datetime.date):
    @classmethod
    def today(cls):
        return cls.fromtimestamp(time.time())


datetime.datetime, datetime.date = _Later, _LaterDay
"""
"""A plugin of pytest's that sets the clock three years later before any test is imported."""


def _collected(project: Path, hash_seed: str, *options: str, path: Path) -> list[str]:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in [name for name in environment if name.startswith("PYTEST")]:
        del environment[name]
    quietly = ["--collect-only", "-o", "addopts=--import-mode=importlib", "-q", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *quietly, *options]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def _twice(project: Path, folder: Path, *tests: str) -> tuple[list[str], list[str]]:
    (folder / "later.py").write_text(LATER)
    now = _collected(project, "1", *tests, path=folder)
    return now, _collected(project, "2", "-p", "later", *tests, path=folder)


@pytest.mark.slow
def test_every_test_has_the_same_name_at_another_time_and_with_another_hash_seed(project: Path, tmp_path: Path) -> None:
    now, later = _twice(project, tmp_path)
    assert len(now) > 1000
    assert later == now


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "stable"),
    [
        ("['a', 'b']", True),
        ("[datetime.now().year]", False),
        ("[date.today().year]", False),
        ("{'a', 'b', 'c', 'd', 'e', 'f'}", False),
    ],
    ids=["list", "time", "day", "set"],
)
def test_a_name_from_the_clock_or_from_a_set_is_detected(
    project: Path, tmp_path: Path, values: str, stable: bool
) -> None:
    test = tmp_path / "test_unstable.py"
    test.write_text(
        "from datetime import date, datetime\nimport pytest\n\n"
        f"@pytest.mark.parametrize('value', {values})\ndef test_it(value): ...\n"
    )
    now, later = _twice(project, tmp_path, f"--rootdir={tmp_path}", "--noconftest", str(test))
    assert now
    assert (later == now) is stable
