"""The emulated production account and the GitLab stand-in that commands are tested with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.production import Production, production


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Production]:
    """A production account and a GitLab on loopback, for one test."""
    with production(tmp_path, monkeypatch) as world:
        yield world
