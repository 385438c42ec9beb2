"""A handover names the values that may be secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops.handover import hand_over

pytestmark = pytest.mark.tool("terraform")


def test_names_the_files_of_values_that_it_copies(
    out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, hcl = out({"variable": {"size": {}}, "output": {"size": {"value": "${var.size}"}}}), tmp_path / "hcl"
    for name in ("x.auto.tfvars", "prd.tfvars.json"):
        (folder / "stacks" / "web" / name).write_text("{}" if name.endswith("json") else 'size = "s3cr3t"\n')
    hand_over(folder, hcl)
    assert capsys.readouterr().err == (
        f"copied with their values, which may be secret: {hcl}/web/prd.tfvars.json, {hcl}/web/x.auto.tfvars\n"
    )
    hand_over(folder, hcl, check=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("keep_defaults", "file"), [(True, "variables.tf"), (False, "terraform.tfvars")])
def test_names_sensitive_variables_that_have_a_default(
    keep_defaults: bool, file: str, out: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {
        "password": {"default": "s3cr3t", "sensitive": True},
        "token": {"default": ["s3cr3t"], "sensitive": "true"},
        "empty": {"default": "", "sensitive": True},
        "none": {"default": None, "sensitive": True},
        "required": {"sensitive": True},
        "name": {"default": "x", "sensitive": False},
    }
    hcl = tmp_path / "hcl"
    hand_over(out({"variable": variables}), hcl, keep_defaults=keep_defaults)
    assert capsys.readouterr().err == (
        f"written with the defaults of sensitive variables: password in {hcl}/web/{file}, token in {hcl}/web/{file}\n"
    )
