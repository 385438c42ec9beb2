"""The text of a file is shown where nobody has it: it has changes of people and of the handover."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.handover.folder import FolderChange
from ops.handover.formatting import HclFormatter

_PATH = "web/sns.tf"
_LINES = [f"# line {number}\n" for number in range(9)]
_OF_PEOPLE, _NEW = "# people\n", "# handover\n"


class _AsItIs(HclFormatter):
    """Formats nothing, and needs no Terraform."""

    def __init__(self) -> None: ...

    def where_possible(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        return dict(files)


def _change(folder: Path, *lines: str) -> FolderChange:
    return FolderChange({_PATH: "".join(lines).encode()}, folder, _AsItIs())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _change(tmp_path, *_LINES).put()
    return tmp_path


def test_a_merged_file_has_a_text_that_nobody_has(folder: Path) -> None:
    (folder / _PATH).write_text("".join([*_LINES, _OF_PEOPLE]))
    merged = _change(folder, _NEW, *_LINES)
    assert merged.merged_text(_PATH) == "".join([_NEW, *_LINES, _OF_PEOPLE])
    assert merged.merged_text("web/other.tf") is None


def test_a_file_that_people_alone_changed_has_their_text(folder: Path) -> None:
    (folder / _PATH).write_text("".join([*_LINES, _OF_PEOPLE]))
    assert _change(folder, *_LINES).merged_text(_PATH) is None


def test_a_file_that_the_handover_alone_changes_has_its_text(folder: Path) -> None:
    assert _change(folder, _NEW, *_LINES).merged_text(_PATH) is None


def test_a_file_that_people_removed_has_no_text(folder: Path) -> None:
    (folder / _PATH).unlink()
    assert _change(folder, *_LINES).merged_text(_PATH) is None
