"""The handover writes a folder completely, the same way every time, and never overwrites people's changes."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import hand_over
from ops.handover.folder import FolderChange, write
from ops.handover.formatting import HclFormatter
from ops.handover.stacks import read
from terraform.cli import TerraformCli
from tests.ops.handover.folders import TOPIC, written

pytestmark = pytest.mark.tool("terraform")


def put(files: dict[str, bytes], destination: Path) -> None:
    FolderChange(files, destination, HclFormatter(TerraformCli())).put()


def test_writes_a_folder_for_each_stack_and_a_list_of_files(out: Callable[..., Path], tmp_path: Path) -> None:
    assert hand_over(out(), tmp_path / "hcl") == [tmp_path / "hcl" / "web"]
    files = written(tmp_path / "hcl")
    assert files["web/sns.tf"] == 'resource "aws_sns_topic" "news" {\n  name = "news"\n}\n'
    handed_over = {".gitattributes", ".gitignore", "README.md", "web/README.md", "web/sns.tf"}
    copies = {f".handed-over/files/{path}" for path in handed_over}
    assert files.keys() == {".handed-over.sha256", ".handed-over/addresses.json", *handed_over, *copies}
    assert all(files[f".handed-over/files/{path}"] == files[path] for path in handed_over)


def test_the_list_has_the_digest_of_every_file(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    lines = (tmp_path / "hcl" / ".handed-over.sha256").read_text().splitlines()
    paths = [line.split("  ")[1] for line in lines]
    assert paths == [
        ".gitattributes",
        ".gitignore",
        ".handed-over/addresses.json",
        "README.md",
        "web/README.md",
        "web/sns.tf",
    ]
    for line in lines:
        digest, path = line.split("  ")
        assert hashlib.sha256((tmp_path / "hcl" / path).read_bytes()).hexdigest() == digest


def test_keeps_a_file_that_no_handover_wrote(out: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "hcl" / "web").mkdir(parents=True)
    (tmp_path / "hcl" / "web" / "sns.tf").write_text("# by hand\n")
    with pytest.raises(RefusedError, match=r"web/sns\.tf: was not written by a handover\nhint: "):
        hand_over(out(), tmp_path / "hcl")
    assert written(tmp_path / "hcl") == {"web/sns.tf": "# by hand\n"}


def test_refuses_a_folder_with_other_things_before_it_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk(*_: object) -> None:
        raise AssertionError("the folder is read")

    monkeypatch.setattr("ops.handover.paths.os.walk", walk)
    for folder, what in ((Path("/"), "is the root of all folders"), (tmp_path, "has 'notes', and was not written by")):
        (tmp_path / "notes").mkdir(exist_ok=True)
        with pytest.raises(RefusedError, match=f"error: {folder}: {what}"):
            FolderChange({"web/sns.tf": b""}, folder, HclFormatter(TerraformCli()), overwrite=True)


def test_keeps_other_files_of_terraform_and_people(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    for path in ("web/.terraform/environment", "web/.terraform.lock.hcl", "web/notes.txt", "web/local.auto.tfvars"):
        (tmp_path / "hcl" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "hcl" / path).write_text("kept")
    hand_over(out({"resource": {"aws_sns_topic": {"news": {"name": "herald"}}}}), tmp_path / "hcl")
    files = written(tmp_path / "hcl")
    assert [path for path, text in files.items() if text == "kept"] != []
    assert sum(text == "kept" for text in files.values()) == 4
    assert '"herald"' in files["web/sns.tf"]


def test_names_the_files_that_people_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hcl = tmp_path / "hcl"
    handed_over = {"README.md": b"", "1/web/README.md": b"", "1/web/sns.tf": b"", "1/web/files/README.md": b""}
    put(handed_over, hcl)
    assert capsys.readouterr().err == ""
    of_terraform = {"1/web/.terraform/x": b"", "1/web/.terraform.lock.hcl": b"", "1/web/terraform.tfstate.backup": b""}
    added = {"1/web/extra.tf": b"", "1/web/files/new": b"", "1/local.txt": b"", "x.tfvars": b"", "other/x.tf": b""}
    write(of_terraform | added, hcl)
    put(handed_over, hcl)
    assert capsys.readouterr().err == "".join(
        f"kept: {hcl}/{path}, which no handover wrote\n"
        for path in ("1/local.txt", "1/web/extra.tf", "1/web/files/new", "x.tfvars")
    )


def test_removes_the_files_of_a_removed_stack(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(web=TOPIC, mail=TOPIC), tmp_path / "hcl")
    shutil.rmtree(tmp_path / "cdktf.out")
    hand_over(out(mail=TOPIC), tmp_path / "hcl")
    assert not (tmp_path / "hcl" / "web").exists()
    assert (tmp_path / "hcl" / "mail" / "sns.tf").exists()


def test_a_second_handover_changes_nothing(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    before = written(tmp_path / "hcl")
    hand_over(out(), tmp_path / "hcl")
    assert written(tmp_path / "hcl") == before


def test_removes_no_file_outside_the_folder(out: Callable[..., Path], tmp_path: Path) -> None:
    hand_over(out(), tmp_path / "hcl")
    (tmp_path / "precious").write_text("precious")
    digest = hashlib.sha256(b"precious").hexdigest()
    with (tmp_path / "hcl" / ".handed-over.sha256").open("a") as file:
        file.write(f"{digest}  ../precious\n{digest}  {tmp_path / 'precious'}\n")
    hand_over(out(), tmp_path / "hcl")
    assert (tmp_path / "precious").read_text() == "precious"


def test_hands_over_assets_but_not_states_and_plans(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out() / "stacks" / "web"
    (folder / "assets" / "code").mkdir(parents=True)
    (folder / "assets" / "code" / "lambda.zip").write_bytes(b"\x00\xff")
    for name in (
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "plan",
        "x.tfplan",
        ".terraform.lock.hcl",
    ):
        (folder / name).write_text("of the account")
    hand_over(tmp_path / "cdktf.out", tmp_path / "hcl")
    assert (tmp_path / "hcl" / "web" / "assets" / "code" / "lambda.zip").read_bytes() == b"\x00\xff"
    assert [
        path for path in (tmp_path / "hcl").rglob("*") if path.is_file() and path.read_bytes() == b"of the account"
    ] == []


SIZED = {"variable": {"size": {"default": 1, "type": "number"}}, "output": {"size": {"value": "${var.size}"}}}


def test_hands_over_files_of_values_and_keeps_defaults_beside_them(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out(SIZED)
    (folder / "stacks" / "web" / "terraform.tfvars").write_text("size = 5\n")
    (folder / "stacks" / "web" / "x.auto.tfvars").write_text("size = 6\n")
    with pytest.raises(RefusedError, match=r"web/terraform\.tfvars: the handover writes a file of this name"):
        hand_over(folder, tmp_path / "hcl")
    hand_over(folder, tmp_path / "hcl", keep_defaults=True)
    files = written(tmp_path / "hcl")
    assert (files["web/terraform.tfvars"], files["web/x.auto.tfvars"]) == ("size = 5\n", "size = 6\n")
    assert "default = 1" in " ".join(files["web/variables.tf"].split())


def test_leaves_out_files_that_terraform_does_not_read(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out({"locals": {"a": '${file("${path.module}/read.conf")}', "b": "cp x /etc/unread.conf\n"}})
    for name in ("read.conf", "unread.conf", "more.tf"):
        (folder / "stacks" / "web" / name).write_text("")
    hand_over(tmp_path / "cdktf.out", tmp_path / "hcl")
    assert {path.name for path in (tmp_path / "hcl" / "web").iterdir()} == {
        "README.md",
        "locals.tf",
        "more.tf",
        "read.conf",
    }


@pytest.mark.parametrize(
    ("value", "is_read"),
    [
        ("a", True),
        ("${path.module}/a", True),
        ("${abspath(path.module)}/a", True),
        ('${templatefile("./a", {})}', True),
        ('${join("/", [path.module, "a"])}', True),
        ('${"${filebase64("a")}"}', True),
        ("an apple", False),
        ("copied to a", False),
        ('${file("ab")}', False),
        ("/etc/a", False),
    ],
)
def test_hands_over_a_file_only_where_the_terraform_names_it(
    value: str, is_read: bool, out: Callable[..., Path]
) -> None:
    folder = out({"locals": {"x": value}})
    (folder / "stacks" / "web" / "a").write_text("")
    (stack,) = read(folder)
    assert set(stack.files_read) == ({"a"} if is_read else set())


@pytest.mark.parametrize(
    ("document", "reader"),
    [
        ({"locals": {"x": "${file(var.name)}"}}, "file()"),
        ({"locals": {"x": '${fileset(path.module, "*.conf")}'}}, "fileset()"),
        ({"locals": {"x": '${"${filemd5("${var.name}.conf")}"}'}}, "filemd5()"),
        ({"resource": {"x": {"y": {"provisioner": [{"local-exec": {"command": "sh x"}}]}}}}, "local-exec"),
        ({"locals": {"x": "${unclosed"}}, "an expression that cannot be split"),
    ],
)
def test_refuses_a_file_of_which_it_is_not_known_whether_terraform_reads_it(
    document: dict[str, Any], reader: str, out: Callable[..., Path]
) -> None:
    folder = out(document)
    file = folder / "stacks" / "web" / "a.conf"
    assert [stack.files_read for stack in read(folder)] == [{}]
    file.write_text("")
    with pytest.raises(RefusedError) as refusal:
        read(folder)
    assert [(it.where, it.what, it.hint) for it in refusal.value.problems] == [
        (
            str(file),
            f"Terraform may read it: {reader} can read a file whose name is not in the JSON",
            "move it to a subfolder, or out of the stack",
        )
    ]


@pytest.mark.parametrize("path", ["../escaped", "web/../../escaped", "/escaped"])
def test_writes_no_file_outside_the_folder(path: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="is outside the folder to write"):
        put({"web/sns.tf": b"", path: b""}, tmp_path / "hcl")
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_file_where_other_files_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"error: README\.md: would be a file and a folder"):
        put({"README.md": b"", "README.md/sns.tf": b""}, tmp_path / "hcl")
    assert list(tmp_path.iterdir()) == []


def test_refuses_what_stands_in_place_of_a_file_but_no_empty_folder(tmp_path: Path) -> None:
    hcl = tmp_path / "hcl"
    (hcl / "web" / "moved.tf").mkdir(parents=True)
    put({"web/moved.tf": b"# new\n"}, hcl)
    assert (hcl / "web" / "moved.tf").read_text() == "# new\n"
    (hcl / "mail" / "sns.tf" / "mine").mkdir(parents=True)
    (hcl / "app").write_text("mine")
    before = written(hcl)
    with pytest.raises(RefusedError) as refused:
        put({"mail/sns.tf": b"", "app/sns.tf": b""}, hcl)
    assert [it.where for it in refused.value.problems] == [str(hcl / "app/sns.tf"), str(hcl / "mail/sns.tf")]
    assert written(hcl) == before


@pytest.mark.parametrize("place", ["web", "web/sns.tf", ".handed-over", ".handed-over.sha256", "web/notes"])
def test_writes_nothing_through_a_link(place: str, tmp_path: Path) -> None:
    hcl, elsewhere = tmp_path / "hcl", tmp_path / "elsewhere"
    put({"mail/README.md": b"", "web/README.md": b""}, hcl)
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("precious")
    if (hcl / place).exists():
        (hcl / place).rename(tmp_path / "away")
    (hcl / place).symlink_to(elsewhere)
    before = written(hcl)
    with pytest.raises(RefusedError, match=f"{place}: is a symbolic link"):
        put({"mail/README.md": b"changed", "web/sns.tf": b""}, hcl)
    assert written(hcl) == before
    assert written(elsewhere) == {"precious": "precious"}


def test_writes_into_no_other_file_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "hcl" / "web").mkdir(parents=True)
    (tmp_path / "hcl" / "web" / "mine").write_text("mine")
    (tmp_path / "hcl" / "web" / ".handed-over-draft").symlink_to("mine")
    put({"web/sns.tf": b"new"}, tmp_path / "hcl")
    assert (tmp_path / "hcl" / "web" / "mine").read_text() == "mine"
    assert (tmp_path / "hcl" / "web" / "sns.tf").read_text() == "new"


def test_says_in_two_lines_that_a_file_cannot_be_written(tmp_path: Path) -> None:
    name = "x" * 300
    with pytest.raises(RefusedError, match="File name too long\nhint: "):
        put({name: b""}, tmp_path / "hcl")


def test_keeps_the_permissions_of_a_file(tmp_path: Path) -> None:
    put({"web/run.sh": b"1"}, tmp_path / "hcl")
    file = tmp_path / "hcl" / "web" / "run.sh"
    assert file.stat().st_mode & 0o777 == (tmp_path / "hcl" / ".handed-over.sha256").stat().st_mode & 0o777 != 0o600
    file.chmod(0o755)
    put({"web/run.sh": b"2"}, tmp_path / "hcl")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("2", 0o755)


def test_refuses_a_file_of_the_stack_that_the_handover_writes_too(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out()
    (folder / "stacks" / "web" / "sns.tf").write_text("")
    with pytest.raises(RefusedError, match=r"stacks/web/sns\.tf: the handover writes a file of this name"):
        hand_over(folder, tmp_path / "hcl")


def test_writes_the_same_bytes_in_every_locale(out: Callable[..., Path], tmp_path: Path, project: Path) -> None:
    document = {
        "variable": {"greeting": {"type": "string", "default": "架け橋 \r\n é"}},
        "resource": {"aws_sns_topic": {name: {"name": f"ü{name}"} for name in ("b", "ä", "a", "Z")}},
    }
    out(document)
    python = project / ".venv" / "bin" / "python"
    no_providers = tmp_path / "terraformrc"
    no_providers.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/none"\n  }}\n}}\n'
    )
    results = []
    for name, locale in (("one", "C"), ("two", "tr_TR.UTF-8")):
        path = f"{Path(str(shutil.which('terraform'))).parent}:/usr/bin:/bin"
        environment = {"PATH": path, "LC_ALL": locale, "TF_CLI_CONFIG_FILE": str(no_providers)}
        command = [
            str(it)
            for it in (python, "main.py", "handover", "--from", tmp_path / "cdktf.out", "--out", tmp_path / name)
        ]
        subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
        results.append({path: (tmp_path / name / path).read_bytes() for path in written(tmp_path / name)})
    assert results[0] == results[1]


def test_says_which_folders_it_removes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hcl = tmp_path / "hcl"
    both = {"README.md": b"", "web/README.md": b"", "web/sns.tf": b"", "app/README.md": b"", "app/files/a": b""}
    for files in (both, {path: b"" for path in both if not path.startswith("app/")}):
        assert capsys.readouterr().err == ""
        put(files, hcl)
    assert capsys.readouterr().err == (
        f"removed: {hcl}/app (2 files)\nthe resources of app still exist, unless you destroyed them\n"
    )
    assert not (hcl / "app").exists()


def test_names_what_stays_in_the_folder_of_a_removed_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hcl = tmp_path / "hcl"
    put({"README.md": b"", "1/app/README.md": b"", "1/app/files/README.md": b""}, hcl)
    write({"1/app/extra.tf": b"", "1/app/.terraform/x": b"", "1/app/terraform.tfstate": b""}, hcl)
    put({"README.md": b""}, hcl)
    assert capsys.readouterr().err == (
        f"removed: 2 files of {hcl}/1/app; these stay: .terraform/, extra.tf, terraform.tfstate\n"
        "the resources of app still exist, unless you destroyed them\n"
    )
    assert (hcl / "1/app/extra.tf").exists()
