"""Loads deployment files with given content, for the tests of settings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from settings import Deployment, SettingsError, load


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], str]:
    """Returns the whole error text for a file x.yaml with this content."""
    monkeypatch.chdir(tmp_path)

    def refused_with(content: str | bytes) -> str:
        file = Path("x.yaml")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(SettingsError) as caught:
            load(file)
        return str(caught.value)

    return refused_with


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[str], Deployment]:
    """Loads a file with this content."""

    def load_text(content: str) -> Deployment:
        file = tmp_path / "x.yaml"
        file.write_text(content)
        return load(file)

    return load_text
