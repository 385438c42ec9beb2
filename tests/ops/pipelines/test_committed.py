"""What a merge commits beside the deployment file runs nothing with the role that applies."""

import shutil
from pathlib import Path

import pytest

from tests.ops.pipelines import fake_provider
from tests.ops.pipelines.steps import Step, commit, git, some_record, write_stacks


@pytest.mark.parametrize("name", ["plan", "apply", "drift"])
@pytest.mark.tool("git")
def test_refuses_a_repository_that_has_files_where_the_steps_write(step: Step, repository: Path, name: str) -> None:
    kept = git(repository, "rev-parse", "HEAD")
    for place in (
        ".cache/terraform-plugins/x",
        "approved",
        "cdktf.out/stacks/x/terraform.d",
        "plans/applied",
        "terraform.d",
    ):
        file = repository / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to("../cdktf.out")
        git(repository, "add", "--force", place)
        git(repository, "commit", "-qm", "whatever")
        refused = step(name, "network", **some_record(repository))
        assert refused.returncode == 1
        assert refused.stderr == (
            f"error: {place}: it is committed, where this pipeline writes files of its own\n"
            "hint: remove it from the repository, and name its folder in .gitignore\n"
        )
        git(repository, "reset", "-q", "--hard", kept)


@pytest.fixture
def swapped(repository: Path, tmp_path: Path) -> dict[str, str]:
    """A provider below `tmp_path/swapped`, and a committed lock file that names it; gives what finds the other one."""
    swapped = tmp_path / "swapped"
    swapped.mkdir()
    fake_provider.install(swapped, "1.0.0")
    write_stacks(repository, {"network": {"terraform": fake_provider.REQUIRED}})
    lock = repository / "deployments" / "locks" / "network.lock.hcl"
    lock.parent.mkdir(parents=True)
    lock.write_text(fake_provider.lock(swapped, "1.0.0"))
    commit(repository)
    found = fake_provider.install(tmp_path, "1.0.0")
    [program] = (tmp_path / "mirror").rglob("terraform-provider-fake_*")
    program.write_text(program.read_text() + "# the registry's\n")
    return found


@pytest.mark.terraform
def test_an_apply_starts_no_provider_of_a_cache_and_none_before_it_has_the_approved_record(
    step: Step, repository: Path, tmp_path: Path, swapped: dict[str, str]
) -> None:
    cache = {"TF_PLUGIN_CACHE_DIR": str(tmp_path / "swapped" / "mirror")}
    approved = some_record(repository)
    refused = step("apply", "network", **swapped, **cache, **approved)
    assert refused.returncode == 1
    assert fake_provider.started(tmp_path / "swapped") == []

    shutil.rmtree(repository / "deployments" / "locks")
    commit(repository)
    refused = step("apply", "network", **swapped, **{**approved, "APPROVAL_DIGEST": "another"})
    assert refused.stderr == (
        "error: plans/approval.json: it is not the record that was approved\n"
        "hint: run the pipeline again for this commit, and approve what it shows\n"
    )
    assert fake_provider.started(tmp_path) == []
    step("apply", "network", **swapped, **approved)
    assert fake_provider.started(tmp_path) == ["1.0.0"], "the right record lets the plan begin"


@pytest.mark.terraform
@pytest.mark.usefixtures("swapped")
def test_terraform_takes_no_provider_from_the_folders_it_runs_in(step: Step, repository: Path, tmp_path: Path) -> None:
    for folder in (repository / "terraform.d", repository / "cdktf.out/stacks/network/terraform.d"):
        shutil.copytree(tmp_path / "swapped" / "mirror", folder / "plugins")
    (repository / ".gitignore").write_text("cdktf.out/\nplans/\nterraform.d/\n")
    commit(repository)
    # No registry can be reached.
    offline = {"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:1", "TF_REGISTRY_DISCOVERY_RETRY": "0"}
    for name in ("plan", "apply"):
        assert step(name, "network", **offline, **some_record(repository)).returncode == 1
        assert fake_provider.started(tmp_path / "swapped") == []
    own = (tmp_path / "terraformrc").rename(tmp_path / ".terraformrc")
    own.write_text(own.read_text().replace(f"{tmp_path}/mirror", f"{tmp_path}/swapped/mirror"))
    step("plan", "network", **offline)
    assert fake_provider.started(tmp_path / "swapped") == ["1.0.0"], "the runner's own settings hold"


def test_python_imports_nothing_from_the_repository(step: Step, repository: Path, tmp_path: Path) -> None:
    (repository / "json.py").write_text(f"open({str(tmp_path / 'started')!r}, 'w')\n")
    commit(repository)
    curl = tmp_path / "programs" / "curl"
    curl.write_text('#!/bin/sh\necho \'{"value": "the token"}\'\n')
    curl.chmod(0o755)
    github = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/?", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
    step("apply", "network", **github, **some_record(repository))
    assert not (tmp_path / "started").exists()
    assert (repository / "plans" / ".token").read_text() == "the token"
