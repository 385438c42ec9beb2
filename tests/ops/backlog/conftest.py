"""A Backlog space on loopback, which the commands reach at its real address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.backlog.backlog_stand_in import BacklogStandIn, reached, serving


@pytest.fixture
def backlog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BacklogStandIn]:
    folder = tmp_path / "backlog"
    folder.mkdir()
    with serving(BacklogStandIn(repositories={"WEB": ["app", "site"]}), folder) as served:
        reached(served, monkeypatch)
        yield served
