"""What people change in a handover is kept, and merged with what the next one changes."""

import shutil
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover.folder import FolderChange
from ops.handover.formatting import HclFormatter
from ops.handover.last_handover import MANIFEST
from terraform.cli import TerraformCli
from tests.ops.handover.folders import change, written

pytestmark = pytest.mark.tool("terraform")

FIRST = """\
resource "aws_sns_topic" "news" {
  name         = "news"
  display_name = "News"

  tags = {
    owner = "platform"
  }
}
"""
THEIRS = FIRST.replace('"platform"', '"operations"')
SECOND = FIRST.replace('"news"\n', '"herald"\n')
NEITHER = FIRST.replace('"news"\n', '"gazette"\n')


@pytest.fixture
def hcl(tmp_path: Path) -> Path:
    return tmp_path / "hcl"


def hand_over(
    hcl: Path, text: str | None = None, *, file: str = "sns.tf", mark: bool = False, force: bool = False
) -> None:
    """Hand over one file with this text, or none."""
    found = change(hcl, {"README.md": "# Terraform\n", **({} if text is None else {file: text})}, overwrite=force)
    if not mark:
        found.refuse_conflicts()
    found.put(mark_conflicts=mark)


def test_replaces_a_file_that_nobody_changed(hcl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_over(hcl, FIRST)
    hand_over(hcl, SECOND)
    assert (hcl / "sns.tf").read_text() == SECOND
    assert capsys.readouterr().err == ""


def test_keeps_a_change_of_a_file_that_the_handover_does_not_change(
    hcl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(THEIRS)
    for _ in range(2):
        hand_over(hcl, FIRST)
        assert (hcl / "sns.tf").read_text() == THEIRS
        assert capsys.readouterr().err == f"kept: {hcl}/sns.tf, as it was changed since the last handover\n"


def test_merges_changes_of_different_lines(hcl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(THEIRS)
    hand_over(hcl, SECOND)
    both = SECOND.replace('"platform"', '"operations"')
    assert (hcl / "sns.tf").read_text() == both
    assert capsys.readouterr().err.startswith(f"merged: {hcl}/sns.tf, which has what was changed since the last")
    hand_over(hcl, SECOND.replace('"News"', '"Latest"'))
    assert (hcl / "sns.tf").read_text() == both.replace('"News"', '"Latest"')


def test_merges_lines_of_which_only_the_alignment_conflicts(hcl: Path) -> None:
    rows = 'locals {\n  mirrors = {\n    web = "a"\n    app = "b"\n  }\n  text = <<-EOT\n    x   = 1\n  EOT\n}\n'
    hand_over(hcl, rows)
    (hcl / "sns.tf").write_text(rows.replace('"a"', '"theirs"'))
    longer = rows.replace('web = "a"\n    app = "b"\n', 'web       = "a"\n    app       = "b"\n    long-name = "c"\n')
    hand_over(hcl, longer)
    assert (hcl / "sns.tf").read_text() == longer.replace('"a"', '"theirs"')


@pytest.mark.parametrize(
    "reformat",
    [
        lambda text: text.replace("name         =", "name="),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("  name         =", "name =").replace("\n", "\r\n"),
    ],
)
def test_a_changed_format_is_no_change(reformat: object, hcl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(reformat(FIRST), newline="")  # type: ignore[operator]
    hand_over(hcl, NEITHER)
    assert (hcl / "sns.tf").read_bytes().decode() == NEITHER
    assert capsys.readouterr().err == ""


def test_merges_a_file_whose_line_ends_git_changed(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    for path in hcl.rglob("*"):
        if path.is_file():
            path.write_text(
                path.read_text().replace('"platform"', '"operations"') if path.name == "sns.tf" else path.read_text(),
                newline="\r\n",
            )
    copy = hcl / ".handed-over" / "files" / "sns.tf"
    copy.write_text(FIRST, newline="\r\n")
    hand_over(hcl, SECOND)
    assert (hcl / "sns.tf").read_bytes().decode() == SECOND.replace('"platform"', '"operations"')


def test_reads_a_list_of_files_that_was_written_on_windows(hcl: Path) -> None:
    hand_over(hcl, FIRST, file="web/sns.tf")
    lines = (hcl / MANIFEST).read_text().replace("web/", "web\\").replace("  ", " *")
    (hcl / MANIFEST).write_bytes(b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode())
    (hcl / "web" / "sns.tf").write_text(THEIRS)
    hand_over(hcl, SECOND, file="web/sns.tf")
    assert (hcl / "web" / "sns.tf").read_text() == SECOND.replace('"platform"', '"operations"')


def test_shows_a_conflict_with_its_lines_and_all_versions_and_writes_nothing(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    theirs = "# ours\n" + NEITHER
    (hcl / "sns.tf").write_text(theirs)
    before = written(hcl)
    with pytest.raises(RefusedError) as refused:
        hand_over(hcl, SECOND)
    assert str(refused.value) == (
        "sns.tf, line 3:\n"
        "<<<<<<< as it is\n"
        '  name         = "gazette"\n'
        "||||||| the last handover\n"
        '  name         = "news"\n'
        "=======\n"
        '  name         = "herald"\n'
        ">>>>>>> this handover\n"
        f"error: {hcl}/sns.tf:3: was changed since the last handover, and this handover changes the same lines\n"
        "hint: make the same change in the deployment file or the project, write both versions into the file with "
        "--mark-conflicts, or overwrite it with --force"
    )
    assert written(hcl) == before


def test_marks_conflicts_until_they_are_resolved(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(NEITHER)
    with pytest.raises(RefusedError) as refused:
        hand_over(hcl, SECOND, mark=True)
    assert str(refused.value) == (
        f"error: {hcl}/sns.tf: was changed since the last handover, and this handover changes the same lines\n"
        "hint: keep what is right in the file, which has both versions now, and delete the markers in it"
    )
    text = (hcl / "sns.tf").read_text()
    assert '<<<<<<< as it is\n  name         = "gazette"\n|||||||' in text
    assert '=======\n  name         = "herald"\n>>>>>>> this handover\n' in text
    with pytest.raises(RefusedError, match=r"sns\.tf: has conflict markers of an earlier handover"):
        hand_over(hcl, SECOND)
    (hcl / "sns.tf").write_text(NEITHER)
    hand_over(hcl, SECOND)
    assert (hcl / "sns.tf").read_text() == NEITHER


@pytest.mark.parametrize("theirs", [THEIRS, NEITHER])
def test_force_overwrites_a_changed_file(theirs: str, hcl: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(theirs)
    hand_over(hcl, SECOND, force=True)
    assert (hcl / "sns.tf").read_text() == SECOND


def test_leaves_out_a_removed_file_that_the_handover_does_not_change(
    hcl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").unlink()
    hand_over(hcl, FIRST)
    assert not (hcl / "sns.tf").exists()
    assert capsys.readouterr().err == f"left out: {hcl}/sns.tf, which was removed since the last handover\n"
    hand_over(hcl)
    hand_over(hcl, FIRST)
    assert (hcl / "sns.tf").read_text() == FIRST


def test_does_not_decide_about_a_removed_file_that_the_handover_changes(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").unlink()
    with pytest.raises(RefusedError, match="was removed since the last handover, and this handover changes it"):
        hand_over(hcl, SECOND)
    with pytest.raises(RefusedError, match=r"\nhint: restore it as it was handed over, hand over again, and repeat"):
        hand_over(hcl, SECOND, mark=True)
    assert not (hcl / "sns.tf").exists()
    with pytest.raises(RefusedError, match="was removed since the last handover"):
        hand_over(hcl, SECOND)
    (hcl / "sns.tf").write_text(FIRST)
    hand_over(hcl, SECOND)
    (hcl / "sns.tf").unlink()
    hand_over(hcl, SECOND)
    assert not (hcl / "sns.tf").exists()


def test_does_not_decide_about_a_changed_file_that_is_no_longer_part_of_the_handover(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(THEIRS)
    with pytest.raises(
        RefusedError, match="was changed since the last handover, and is no longer part of the handover"
    ):
        hand_over(hcl)
    with pytest.raises(RefusedError, match=r"\nhint: give it another name if you need it, else delete it"):
        hand_over(hcl, mark=True)
    with pytest.raises(RefusedError, match="is no longer part of the handover"):
        hand_over(hcl)
    (hcl / "sns.tf").rename(hcl / "topic.tf")
    hand_over(hcl)
    assert (hcl / "topic.tf").read_text() == THEIRS


def test_does_not_decide_between_a_text_and_what_is_none(hcl: Path) -> None:
    hand_over(hcl, FIRST, file="logo.bin")
    (hcl / "logo.bin").write_bytes(b"\0theirs")
    before = {path: path.read_bytes() for path in hcl.rglob("*") if path.is_file()}
    for _ in range(2):
        with pytest.raises(RefusedError, match=r"is no text, and both it and the handover changed\nhint: restore it"):
            hand_over(hcl, SECOND, file="logo.bin", mark=True)
    assert {path: path.read_bytes() for path in hcl.rglob("*") if path.is_file()} == before
    (hcl / "logo.bin").write_text(FIRST)
    hand_over(hcl, SECOND, file="logo.bin")
    assert (hcl / "logo.bin").read_text() == SECOND


def test_shows_a_file_that_no_handover_wrote(hcl: Path) -> None:
    hcl.mkdir()
    (hcl / "sns.tf").write_text("# by hand\n")
    with pytest.raises(RefusedError, match=r"-# by hand\n(.|\n)*sns\.tf: was not written by a handover\n"):
        hand_over(hcl, FIRST)
    with pytest.raises(RefusedError):
        hand_over(hcl, FIRST, mark=True)
    assert "# by hand\n" in (hcl / "sns.tf").read_text()
    assert FIRST in (hcl / "sns.tf").read_text()


def test_refuses_changed_files_of_a_handover_that_kept_no_copies(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    shutil.rmtree(hcl / ".handed-over")
    (hcl / "sns.tf").write_text(THEIRS)
    with pytest.raises(RefusedError, match=r"sns\.tf: was changed since the last handover\n"):
        hand_over(hcl, SECOND)
    (hcl / "sns.tf").write_text(FIRST)
    hand_over(hcl, SECOND)
    assert (hcl / "sns.tf").read_text() == SECOND


def test_does_not_merge_with_a_copy_that_somebody_changed(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / ".handed-over" / "files" / "sns.tf").write_text(THEIRS)
    (hcl / "sns.tf").write_text(THEIRS)
    with pytest.raises(RefusedError, match=r"sns\.tf: was changed since the last handover\n"):
        hand_over(hcl, SECOND)


def test_does_not_merge_what_is_no_text(hcl: Path) -> None:
    for first, second in ((b"\0a", b"\0b"), (b"\xffa", b"\xffb")):
        FolderChange({"x.zip": first}, hcl, HclFormatter(TerraformCli())).put()
        (hcl / "x.zip").write_bytes(first + b"theirs")
        with pytest.raises(RefusedError, match=r"x\.zip: is no text, and both it and the handover changed"):
            FolderChange({"x.zip": second}, hcl, HclFormatter(TerraformCli())).refuse_conflicts()
        shutil.rmtree(hcl)


MOVES = [
    f"moved {{\n  from = terraform_data.{old}\n  to   = terraform_data.{new}\n}}\n"
    for old, new in (("a", 'x["a"]'), ("b", 'x["b c"]'), ("c", 'x["c"]'))
]


@pytest.mark.parametrize("file", ["moved.tf", "web/moved.tf"])
def test_moves_that_people_deleted_do_not_come_back(file: str, hcl: Path) -> None:
    hand_over(hcl, "\n".join(MOVES[:2]), file=file)
    (hcl / file).unlink()
    hand_over(hcl, "\n".join(MOVES[:2]), file=file)
    assert not (hcl / file).exists()
    hand_over(hcl, "\n".join(MOVES), file=file)
    assert (hcl / file).read_text() == MOVES[2]
    (hcl / file).write_text(MOVES[2] + "\n" + MOVES[2].replace(".c", ".d"))
    hand_over(hcl, "\n".join(MOVES[1:]), file=file)
    assert (hcl / file).read_text() == MOVES[2].replace(".c", ".d") + "\n" + MOVES[2]
    hand_over(hcl, file=file, force=True)
    (hcl / file).unlink(missing_ok=True)
    hand_over(hcl, file=file)


def test_deleted_moves_of_a_handover_that_kept_no_copies_are_no_conflict(hcl: Path) -> None:
    hand_over(hcl, MOVES[0], file="moved.tf")
    shutil.rmtree(hcl / ".handed-over")
    (hcl / "moved.tf").unlink()
    hand_over(hcl, MOVES[1], file="moved.tf")
    assert (hcl / "moved.tf").read_text() == MOVES[1]


def test_check_writes_nothing_and_refuses_what_a_handover_would_change(hcl: Path) -> None:
    with pytest.raises(RefusedError, match="2 files would be written differently"):
        change(hcl, {"README.md": "", "sns.tf": FIRST}).refuse_differences()
    assert not hcl.exists()
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(THEIRS)
    same = {"README.md": "# Terraform\n", "sns.tf": FIRST}
    change(hcl, same).refuse_differences()
    before = written(hcl)
    with pytest.raises(RefusedError) as refused:
        change(hcl, {**same, "sns.tf": SECOND}).refuse_differences()
    assert str(refused.value) == (
        "--- sns.tf (as it is)\n+++ sns.tf (as it would be written)\n@@ -1,5 +1,5 @@\n"
        ' resource "aws_sns_topic" "news" {\n'
        '-  name         = "news"\n+  name         = "herald"\n'
        '   display_name = "News"\n \n   tags = {\n'
        f"error: {hcl}: 1 file would be written differently\n"
        "hint: run the same command without --check, and commit what it writes"
    )
    assert written(hcl) == before
    shutil.rmtree(hcl / ".handed-over" / "files")
    (hcl / "sns.tf").write_text(FIRST)
    with pytest.raises(RefusedError, match=r"every file is up to date, but not \.handed-over\.sha256 and"):
        change(hcl, same).refuse_differences()


def test_check_shows_conflicts(hcl: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(NEITHER)
    with pytest.raises(RefusedError, match=r"sns\.tf:2: was changed since the last handover, and this handover"):
        change(hcl, {"README.md": "# Terraform\n", "sns.tf": SECOND}).refuse_differences()


def test_says_that_a_merge_needs_git(hcl: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hand_over(hcl, FIRST)
    (hcl / "sns.tf").write_text(THEIRS)
    terraform = shutil.which("terraform")
    assert terraform is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "terraform").symlink_to(terraform)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(RefusedError) as refused:
        hand_over(hcl, SECOND)
    assert str(refused.value) == (
        "error: git: is not installed; it is needed to merge what people changed with what is new\n"
        "hint: install Git, or overwrite the files that were changed since with --force"
    )
