"""Two empty ends for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from buildspec.mirror import retries
from tests.buildspec.mirror.ends import SSH, Ends, empty
from tests.buildspec.mirror.narrow_target import narrow_target


@pytest.fixture
def ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    """A source behind a stand-in for ssh, and a target; both are empty."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(SSH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(retries, "_FIRST_PAUSE", 0.01)
    with narrow_target(tmp_path / "target") as server:
        yield Ends(empty(tmp_path / "source" / "it's.git"), empty(tmp_path / "target" / "website"), server, program)
