"""People resolve conflicts as they are told to: keep what is right, and delete the markers."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import hand_over
from tests.ops.handover.folders import written

pytestmark = pytest.mark.terraform

_CONFLICT = re.compile(r"^<<<<<<< .*?\n(.*?)^\|{7} .*?^=======\n(.*?)^>>>>>>> .*?\n", re.MULTILINE | re.DOTALL)


def stack(value: str, more: str = "more") -> dict[str, Any]:
    """A resource with a value, and one that stands far from it."""
    between = {f"n_{number}": {"input": number} for number in range(5)}
    return {"resource": {"terraform_data": {"a": {"input": value}, **between, "z": {"input": more}}}}


@pytest.mark.parametrize(
    ("keep", "kept"),
    [(r"\1", "theirs"), (r"\2", "ours"), ('  input = "both"\n', "both")],
    ids=["theirs", "ours", "both"],
)
def test_a_marked_conflict_is_resolved_by_deleting_the_markers(
    keep: str, kept: str, out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hcl = tmp_path / "hcl"
    file = hcl / "web" / "terraform_data.tf"
    hand_over(out(stack("first")), hcl, validate=True)
    file.write_text(file.read_text().replace('"first"', '"theirs"'))
    with pytest.raises(RefusedError, match="with --mark-conflicts"):
        hand_over(out(stack("ours")), hcl, validate=True)
    with pytest.raises(RefusedError, match=r"keep what is right in the file, .*, and delete the markers in it"):
        hand_over(out(stack("ours")), hcl, validate=True, mark_conflicts=True)
    marked = written(hcl)
    for mark, check in ((False, False), (True, False), (False, True)):
        with pytest.raises(RefusedError) as refused:
            hand_over(out(stack("ours")), hcl, validate=True, mark_conflicts=mark, check=check)
        (problem,) = refused.value.problems
        assert (problem.where, problem.what) == (str(file), "has conflict markers of an earlier handover")
        assert problem.hint.startswith("keep what is right")
        assert written(hcl) == marked

    file.write_text(_CONFLICT.sub(keep, file.read_text()))
    resolved = file.read_text()
    assert f'input = "{kept}"' in resolved
    hand_over(out(stack("ours")), hcl, validate=True, check=True)
    hand_over(out(stack("ours")), hcl, validate=True)
    assert file.read_text() == resolved
    assert (hcl / ".handed-over" / "files" / "web" / "terraform_data.tf").read_text().count('"ours"') == 1

    capsys.readouterr()
    hand_over(out(stack("ours", "later")), hcl, validate=True)
    assert file.read_text() == resolved.replace('"more"', '"later"')
    assert ("merged: " in capsys.readouterr().err) == (kept != "ours")


def test_a_conflict_that_is_resolved_in_a_wrong_way_is_not_taken(out: Callable[..., Path], tmp_path: Path) -> None:
    hcl = tmp_path / "hcl"
    file = hcl / "web" / "terraform_data.tf"
    hand_over(out(stack("first")), hcl)
    file.write_text(file.read_text().replace('"first"', '"theirs"'))
    with pytest.raises(RefusedError):
        hand_over(out(stack("ours")), hcl, mark_conflicts=True)
    file.write_text(_CONFLICT.sub(r"\1\2", file.read_text()))  # both lines: the argument stands twice
    with pytest.raises(RefusedError, match="Attribute redefined"):
        hand_over(out(stack("ours")), hcl, validate=True, check=True)
