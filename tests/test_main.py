"""What main.py prints and how it exits when a command stops."""

from collections.abc import Callable

import pytest

import main
import ops.cli
from errors import refused


def _stopping(error: BaseException) -> Callable[..., None]:
    def run(*_: object) -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "printed"),
    [
        (refused("a", "b", "c", status=3), 3, "error: a: b\nhint: c\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            PermissionError(13, "Permission denied", "out"),
            1,
            "error: out: Permission denied\nhint: see that the folder can be written, and that it is not a file\n",
        ),
        (
            OSError(28, "No space left on device"),
            1,
            "error: system: No space left on device\n"
            "hint: see that the folder can be written, and that it is not a file\n",
        ),
    ],
    ids=["refused", "interrupted", "file", "system"],
)
def test_prints_why_a_command_stopped_and_exits_with_its_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    printed: str,
) -> None:
    monkeypatch.setattr(ops.cli, "run", _stopping(error))
    assert main.main(["verify"]) == status
    assert capsys.readouterr() == ("", printed)
