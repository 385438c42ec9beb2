"""A repository with one stack, and the steps of its pipeline."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.ops.pipelines import stand_in
from tests.ops.pipelines.steps import APPLY, PLAN, ROLES, TOKEN, Step, git, write_stacks


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one stack that needs no provider from a registry."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / ".gitignore").write_text("cdktf.out/\nplans/\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", str(folder))
    write_stacks(folder, {"network": {"resource": {"terraform_data": {"it": {"input": "reviewed"}}}}})
    return folder


@pytest.fixture
def step(project: Path, tmp_path: Path, repository: Path) -> Step:
    """Runs one step in the repository."""
    given = stand_in.install(tmp_path, tmp_path / "buckets", ROLES)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "ACTIONS_"))}
        fixed = {
            "APPLIED": "s3://states/kakehashi/plans/applied",
            "AWS_ID_TOKEN": TOKEN,
            "BRANCH": "main",
            "CHECKPOINT_DISABLE": "1",
            "DEPLOYMENT": "deployments/mine.yaml",
            "ROLE": APPLY if arguments[0] == "apply" else PLAN,
        }
        return subprocess.run(
            [project / "ops" / "pipelines" / "steps.sh", *arguments],
            cwd=repository,
            env={**kept, **given, **fixed, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
