"""What a deployment file of some content is answered with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from settings import Deployment, SettingsError, load


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], str]:
    """Gives the whole text of the error that a file of this content, called x.yaml, is refused with."""
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
    """Loads a file of this content."""

    def load_text(content: str) -> Deployment:
        file = tmp_path / "x.yaml"
        file.write_text(content)
        return load(file)

    return load_text
