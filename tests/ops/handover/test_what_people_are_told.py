"""What a handover says about files that people changed: their own lines, and what to do."""

from pathlib import Path

import pytest

from errors import RefusedError
from tests.ops.handover.folders import change
from tests.ops.handover.test_handing_over_again import FIRST, NEITHER, SECOND, THEIRS, hand_over

pytestmark = pytest.mark.tool("terraform")


@pytest.fixture
def hcl(tmp_path: Path) -> Path:
    return tmp_path / "hcl"


def test_force_names_each_file_that_it_overwrites(hcl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = dict.fromkeys(("a.tf", "b.tf", "c.tf", "d.tf", "e.tf"), FIRST)
    change(hcl, files).put()
    (hcl / "a.tf").write_text(THEIRS)
    (hcl / "b.tf").write_text(SECOND)
    (hcl / "d.tf").write_text(THEIRS)
    (hcl / "e.tf").unlink()
    (hcl / "f.tf").write_text(THEIRS)
    change(hcl, {**{path: SECOND for path in files if path != "d.tf"}, "f.tf": SECOND}, overwrite=True).put()
    assert capsys.readouterr().err == (
        f"overwritten: {hcl}/a.tf, which was changed since the last handover\n"
        f"removed: {hcl}/d.tf, which was changed since the last handover\n"
        f"overwritten: {hcl}/f.tf, which was changed since the last handover\n"
    )
    assert not (hcl / "d.tf").exists()


def test_shows_the_lines_of_a_conflict_as_people_wrote_them(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(NEITHER.replace("name         = ", "name=").replace("display_name = ", "display_name="))
    with pytest.raises(RefusedError, match=r'<<<<<<< as it is\n  name="gazette"\n'):
        hand_over(hcl, SECOND)
