"""What a project's author chose runs no program and becomes no HCL of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover import hand_over
from ops.handover.folder import write
from ops.handover.stacks import read
from ops.handover.validation import environment_of_validation
from tests.ops.handover.folders import TOPIC, change


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
