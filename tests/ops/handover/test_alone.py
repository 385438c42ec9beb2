"""The converter of other projects' output loads nothing of this project."""

import subprocess
import sys
from pathlib import Path

import pytest

_PROJECT = Path(__file__).parent / "foreign" / "projects" / "helm-3"
_PROGRAM = """\
import sys
import main
status = main.main(["handover", "--from", sys.argv[1], "--out", sys.argv[2]])
loaded = {name.partition(".")[0] for name in sys.modules}
print(status, *sorted(loaded & {"settings", "stacks", "modules", "iam", "limits", "bindings", "cdktf", "jsii"}))
"""


@pytest.mark.tool("terraform")
def test_converts_without_loading_settings_or_cdktf(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(_PROJECT), str(tmp_path / "hcl")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [str(tmp_path / "hcl" / "helm3"), "0"]
