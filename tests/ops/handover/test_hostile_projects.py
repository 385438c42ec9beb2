"""What a project's author chose runs no program and becomes no HCL of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import convert, hand_over, shipped
from ops.handover.folder import write
from ops.handover.stacks import read
from ops.handover.validation import environment_of_validation
from tests.ops.handover.folders import TOPIC, change, written


@pytest.mark.parametrize(
    "path", ["terraform.d/plugins/x", "Terraform.D/x", "modules/a/terraform.d/x", ".terraformrc", "Terraform.rc"]
)
def test_refuses_files_of_a_stack_that_configure_terraform(path: str, out: Callable[..., Path]) -> None:
    folder = out()
    file = folder / "stacks" / "web" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    with pytest.raises(RefusedError) as refused:
        read(folder)
    assert [(it.where, it.what) for it in refused.value.problems] == [
        (str(file), "configures Terraform itself, which may then run programs from this folder")
    ]


@pytest.mark.tool("terraform")
def test_validates_without_files_of_people_that_configure_terraform(tmp_path: Path) -> None:
    write({"web/terraform.d/plugins/x": b"", "web/.terraformrc": b"", "web/more.tf": b""}, tmp_path / "hcl")
    found = change(tmp_path / "hcl", {"web/README.md": "", "web/sns.tf": ""}).stacks_to_validate(["web"])
    assert set(found["web"]) == {"README.md", "sns.tf", "more.tf"}


@pytest.mark.tool("terraform")
def test_what_stands_beside_the_stacks_is_validated_without_what_configures_terraform(tmp_path: Path) -> None:
    hcl = tmp_path / "hcl"
    own = {f"web/m/{it}": b"" for it in ("terraform.d/plugins/x", ".terraformrc", ".terraform/x", "it.tfstate")}
    write({"web/m/m.tf": b"", "web/.git/x": b"", ".handed-over/files/x": b"", **own}, hcl)
    change(hcl, {"web/README.md": "", "web/sns.tf": ""}).lay_out(tmp_path / "copy")
    assert set(written(tmp_path / "copy")) == {"web/m/m.tf", "web/README.md", "web/sns.tf"}


def test_validates_with_the_users_configuration_wherever_terraform_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "terraformrc")
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", "cache")
    found = environment_of_validation(tmp_path / "plugins")
    assert found["TF_CLI_CONFIG_FILE"] == str(tmp_path / "terraformrc")
    assert found["TF_PLUGIN_CACHE_DIR"] == str(tmp_path / "cache")


@pytest.mark.terraform
def test_runs_no_provider_where_none_is_wanted(
    out: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {
        "terraform": {"required_providers": {"acme": {"source": "example.invalid/acme/acme"}}},
        "resource": {"acme_thing": {"it": {}}},
    }
    log = tmp_path / "log"
    monkeypatch.setenv("TF_LOG_PATH", str(log))
    monkeypatch.setenv("TF_LOG", "trace")
    with pytest.raises(RefusedError, match=r"the schema of provider example\.invalid/acme/acme is not known"):
        hand_over(out(document), tmp_path / "hcl", run_providers=False)
    hand_over(out(TOPIC), tmp_path / "hcl", validate=True, run_providers=False)
    assert (tmp_path / "hcl" / "web" / "sns.tf").exists()
    assert '"init"' not in log.read_text()


INJECTED = 'x\n}\ndata "external" "p" {\n  program = ["id"]\n#'
LINE_ENDS = "a\nb\rc\r\nd\x0be\x0cf\x1cg\x85h\u2028i\u2029j\x00k"


@pytest.mark.parametrize(
    "noted",
    [
        {"acknowledged": {LINE_ENDS: LINE_ENDS}},
        {"acknowledged": {f"CKV_1: {INJECTED}": INJECTED}},
        {"comment": f"{LINE_ENDS}{INJECTED}"},
        f"{LINE_ENDS}{INJECTED}",
    ],
)
def test_a_comment_is_nothing_but_comment(noted: object) -> None:
    document = {"resource": {"aws_sns_topic": {"news": {"//": noted, "name": "news"}}}}
    text = convert(document, name="web", schemas=shipped()).files["sns.tf"]
    assert [line for line in text.splitlines() if not line.lstrip().startswith("#")] in (
        ['resource "aws_sns_topic" "news" {', "", '  name = "news"', "}"],
        ['resource "aws_sns_topic" "news" {', '  name = "news"', "}"],
    )
    assert text.isascii()
    assert all(line.isprintable() for line in text.splitlines())
    if "acknowledged" in str(noted):
        assert text.count("#  ") == 0
        assert text.count("checkov:skip") == 1


BACKEND = {"terraform": {"backend": {"s3": {"bucket": "b", "x": 1}}}}
PROVISIONER = {"provisioner": [{"local-exec": {"command": "x", "x": 1}}]}
AWS_5 = {"terraform": {"required_providers": {"aws": {"source": "aws", "version": "~> 5.0"}}}}
DYNAMIC = {"dynamic": {"ingress": {"for_each": [], "content": {"x": 1}}}}

NAMES = {
    "module.m.x": {"module": {"m": {"source": "./m", "x": 1}}},
    "module.x": {"module": {"x": {"source": "./m"}}},
    "variable.x": {"variable": {"x": {"default": "v"}}},
    "output.x": {"output": {"x": {"value": "v"}}},
    "check.x": {"check": {"x": {"assert": {"condition": True, "error_message": "a"}}}},
    "terraform.backend.s3.x": BACKEND,
    "terraform.required_providers.x": {"terraform": {"required_providers": {"x": {"source": "hashicorp/aws"}}}},
    "terraform.cloud.x": {"terraform": {"cloud": {"x": 1}}},
    "resource.terraform_data.d.provisioner.local-exec.x": {"resource": {"terraform_data": {"d": PROVISIONER}}},
    "resource.terraform_data.d.connection.x": {"resource": {"terraform_data": {"d": {"connection": {"x": 1}}}}},
    "resource.aws_security_group.d.ingress.x": AWS_5
    | {"resource": {"aws_security_group": {"d": {"ingress": [{"x": 1}]}}}},
    "resource.aws_security_group.d.dynamic.ingress.content.x": {"resource": {"aws_security_group": {"d": DYNAMIC}}},
}


@pytest.mark.parametrize("where", NAMES)
def test_refuses_a_name_that_is_no_identifier(where: str) -> None:
    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {INJECTED if name == "x" else name: named(it) for name, it in value.items()}
        return [named(it) for it in value] if isinstance(value, list) else value

    with pytest.raises(RefusedError) as refused:
        convert(named(NAMES[where]), name="web", schemas=shipped())
    (problem,) = refused.value.problems
    assert problem.where == f"web: {where.removesuffix('x')}{INJECTED}"
    assert problem.what.endswith(" is not a valid Terraform name")
