"""Terraform validates a handover before it is put in place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover import hand_over
from ops.handover.validation import errors_in
from terraform.cli import TerraformCli
from tests.ops.handover.folders import TOPIC, written

pytestmark = pytest.mark.terraform


@pytest.fixture(autouse=True)
def _providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache of providers but the command's own."""
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    monkeypatch.setenv("TF_VAR_unused", "x")


def test_writes_nothing_where_terraform_finds_an_error(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cycle = {"locals": {"a": "${local.b}", "b": "${local.a}"}, "output": {"it": {"value": "${local.a}"}}}
    missing = {"resource": {"terraform_data": {"it": {"input": "${terraform_data.other.id}"}}}}
    with pytest.raises(RefusedError) as refused:
        hand_over(out(cycle=cycle, missing=missing), tmp_path / "hcl", validate=True)
    assert not (tmp_path / "hcl").exists()
    first, second = refused.value.problems
    assert first.where == str(tmp_path / "hcl" / "cycle")
    assert sorted(first.what.removeprefix("Cycle: ").split(", ")) == ["local.a (expand)", "local.b (expand)"]
    assert second.where == f"{tmp_path}/hcl/missing/terraform_data.tf:2"
    assert second.what.startswith("Reference to undeclared resource: A managed resource")
    assert {it.hint for it in refused.value.problems} == {
        "correct it in the project, where `terraform validate` says the same of the JSON; else, report it"
    }
    assert capsys.readouterr().err == "validating 2 stacks with Terraform\n"


def test_validates_what_people_added_together_with_what_is_new(out: Callable[..., Path], tmp_path: Path) -> None:
    data = {"resource": {"terraform_data": {"it": {"input": 1}}}}
    hand_over(out(data), tmp_path / "hcl", validate=True)
    added = tmp_path / "hcl" / "web" / "more.tf"
    added.write_text('resource "terraform_data" "it" {}\n')
    before = written(tmp_path / "hcl")
    hand_over(out(data), tmp_path / "hcl", validate=True)  # nothing changes
    data["resource"]["terraform_data"]["it"]["input"] = 2
    with pytest.raises(RefusedError) as refused:
        hand_over(out(data), tmp_path / "hcl", validate=True)
    assert "Duplicate resource" in str(refused.value)
    assert written(tmp_path / "hcl") == before
    added.write_text('resource "terraform_data" "mine" {\n  input = local.none\n}\n')
    with pytest.raises(RefusedError) as refused:
        hand_over(out(data), tmp_path / "hcl", validate=True)
    (problem,) = refused.value.problems
    assert problem.where == f"{added}:2"
    assert problem.hint == "correct it in this file, which was changed or added since the last handover"


def test_shows_the_line_of_a_merged_file_because_nobody_has_the_merged_text(
    out: Callable[..., Path], tmp_path: Path
) -> None:
    values = {name: {"value": f"the {name}"} for name in ("b", "m", "y")}
    hand_over(out({"output": values}), tmp_path / "hcl")
    file = tmp_path / "hcl" / "web" / "outputs.tf"
    file.write_text(file.read_text().replace('"the y"', "local.none"))
    before = file.read_text()
    with pytest.raises(RefusedError) as refused:
        hand_over(out({"output": {"a": {"value": "new"}, **values}}), tmp_path / "hcl", validate=True)
    (problem,) = refused.value.problems
    assert problem.where == str(file)
    assert problem.what.startswith("Reference to undeclared local value: A local value with the name")
    assert problem.what.endswith("(after the merge, in 'value = local.none')")
    assert problem.hint == "correct it in this file or in the project; nothing was written"
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("document", "place", "what"),
    [
        (
            {"terraform": {"required_version": ">= 99"}, "module": {"it": {"source": "./assets/none"}}},
            "versions.tf:2",
            "Unsupported Terraform Core version: ",
        ),
        (
            {"module": {"it": {"source": "git::https://127.0.0.1:1/none.git"}}},
            "modules.tf:1",
            "Failed to download module",
        ),
        (
            {"provider": {"aws": {"region": "${module.it.id}"}}, "module": {"it": {"source": "::"}}},
            "modules.tf:2",
            "Invalid module source address",
        ),
    ],
)
def test_refuses_what_init_finds_in_a_file_however_the_error_is_worded(
    out: Callable[..., Path], tmp_path: Path, document: dict[str, object], place: str, what: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        hand_over(out(document), tmp_path / "hcl", validate=True)
    assert not (tmp_path / "hcl").exists()
    problem = refused.value.problems[0]
    assert problem.where == f"{tmp_path}/hcl/web/{place}"
    assert problem.what.startswith(what)
    assert "--no-providers" in problem.hint


def test_a_failure_that_terraform_does_not_explain_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "terraform"
    # What 1.8 says, which has no `init -json`: https://github.com/hashicorp/terraform/pull/34886
    old.write_text("#!/bin/sh\necho 'flag provided but not defined: -json' >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (found,) = errors_in({"web": {"main.tf": b""}}, TerraformCli())
    assert (found.stack, found.place) == ("web", "")
    assert found.what == "`terraform init` failed: flag provided but not defined: -json"


def test_says_in_one_line_that_a_provider_cannot_be_had(
    out: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    config = tmp_path / "terraformrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/none"\n  }}\n}}\n')
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    assert hand_over(out(TOPIC), tmp_path / "hcl", validate=True) == [tmp_path / "hcl" / "web"]
    (first, line) = capsys.readouterr().err.splitlines()
    assert first == "validating 1 stack with Terraform"
    assert line.startswith("not validated: web: Failed to query available provider packages: ")
    assert (tmp_path / "hcl" / "web" / "sns.tf").exists()


def test_validates_stacks_with_a_provider_that_all_share() -> None:
    files = {"sns.tf": b'resource "aws_sns_topic" "news" {\n  nam = "news"\n}\n'}
    found = errors_in({"web": files, "mail": files}, TerraformCli())
    assert [(it.stack, it.place, it.what.partition(":")[0]) for it in found] == [
        ("web", "sns.tf:2", "Unsupported argument"),
        ("mail", "sns.tf:2", "Unsupported argument"),
    ]


def test_a_module_that_people_put_beside_the_stacks_is_there(out: Callable[..., Path], tmp_path: Path) -> None:
    data = {"resource": {"terraform_data": {"it": {"input": 1}}}}
    hcl = tmp_path / "hcl"
    hand_over(out(data), hcl)
    module = hcl / "modules" / "m"
    (module / "texts").mkdir(parents=True)
    (module / "texts" / ".profile").write_text("it")
    (hcl / "web" / "linked").symlink_to(module)
    (module / "m.tf").write_text('output "it" {\n  value = file("${path.module}/texts/.profile")\n}\n')
    for name, source in (("m", "../modules/m"), ("linked", "./linked")):
        (hcl / "web" / f"{name}.tf").write_text(f'module "{name}" {{\n  source = "{source}"\n}}\n')
    data["resource"]["terraform_data"]["it"]["input"] = 2
    hand_over(out(data), hcl, validate=True)
    assert "input = 2" in (hcl / "web" / "terraform_data.tf").read_text()
    (module / "m.tf").write_text('output "it" {\n  value = local.none\n}\n')
    (hcl / "web" / "linked").unlink()
    (hcl / "web" / "linked.tf").unlink()
    data["resource"]["terraform_data"]["it"]["input"] = 3
    with pytest.raises(RefusedError) as refused:
        hand_over(out(data), hcl, validate=True)
    (problem,) = refused.value.problems
    assert problem.where == f"{module}/m.tf:2"
    assert problem.hint == "correct it in this file, which was changed or added since the last handover"
