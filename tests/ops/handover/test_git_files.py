"""Git keeps the files of a handover as they are, and leaves out what belongs to one machine."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover import hand_over
from ops.handover.folder import write
from tests.ops.handover.folders import TOPIC, change, written

pytestmark = pytest.mark.tool("terraform")


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=a@example.com")
    command = ["git", *settings, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_git_checks_out_the_same_bytes_and_ignores_states(out: Callable[..., Path], tmp_path: Path) -> None:
    hcl, copy = tmp_path / "hcl", tmp_path / "copy"
    folder = out() / "stacks" / "web" / "assets"
    contents = {"x.zip": b"\0a\nb\r\n", "windows.txt": b"a\r\nb\r\n", "a b [1]*.txt": b"a\r\n", "unix.txt": b"a\n"}
    write(contents, folder)
    hand_over(tmp_path / "cdktf.out", hcl)
    before = {path: (hcl / path).read_bytes() for path in written(hcl)}
    write({"web/.terraform/x": b"", "web/terraform.tfstate": b"", "web/terraform.tfstate.backup": b""}, hcl)
    git(hcl, "init", "-q")
    git(hcl, "add", "-A")
    git(hcl, "commit", "-qm", "x")
    git(tmp_path, "clone", "-q", "hcl", "copy")
    assert {path: (copy / path).read_bytes() for path in before} == before
    tracked = set(git(copy, "ls-files", "-z").split("\0")) - {""}
    assert tracked == before.keys()
    hand_over(tmp_path / "cdktf.out", copy, check=True)


def test_leaves_files_for_git_that_people_wrote(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hcl = tmp_path / "hcl"
    write({".gitignore": b"mine\n"}, hcl)
    for _ in range(2):
        hand_over(out(), hcl)
        assert (hcl / ".gitignore").read_text() == "mine\n"
        assert capsys.readouterr().err == f"kept: {hcl}/.gitignore, which no handover wrote\n"


def test_check_says_once_that_only_line_ends_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hcl = tmp_path / "hcl"
    files = {"README.md": "a\nb\n", "sns.tf": "locals {\n}\n"}
    change(hcl, files).put()
    for path in hcl.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    change(hcl, files).refuse_differences()
    assert capsys.readouterr().err == f"{hcl}: 2 files differ in their line ends only\n"
    with pytest.raises(RefusedError, match="1 file would be written differently"):
        change(hcl, {**files, "sns.tf": "locals {}\n"}).refuse_differences()


def test_hands_over_a_stack_as_before(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(TOPIC), tmp_path / "hcl")
    assert (tmp_path / "hcl" / ".gitattributes").read_text() == "* text=auto eol=lf\n"
