"""The production account and the GitLab that the commands for people are tried on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.production import Production, production


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Production]:
    """Both on loopback, for one test."""
    with production(tmp_path, monkeypatch) as world:
        yield world
