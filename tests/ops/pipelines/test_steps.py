"""The pipelines' steps with the real Terraform and Git. A folder replaces the bucket; no AWS role is assumed."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.terraform

# A stand-in for `aws s3 cp`: buckets are folders in BUCKETS, and its arguments are appended to a file there.
AWS = """#!/usr/bin/env bash
set -euo pipefail
[ "$1" = --profile ] && [ "$3 $4" = "s3 cp" ]
shift 4
echo "$*" >>"$BUCKETS/calls"
while [[ $1 == --* ]]; do case $1 in --sse | --sse-kms-key-id) shift 2 ;; *) shift ;; esac; done
from=${1/s3:\\/\\//$BUCKETS/} to=${2/s3:\\/\\//$BUCKETS/}
mkdir -p "$(dirname "$to")"
cp "$from" "$to" 2>/dev/null
"""

Step = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one stack that needs no provider from a registry."""
    folder = tmp_path / "repository"
    stack = folder / "cdktf.out" / "stacks" / "network"
    stack.mkdir(parents=True)
    configuration = {
        "terraform": {"backend": {"local": {"path": str(tmp_path / "network.tfstate")}}},
        "resource": {"terraform_data": {"it": {"input": "reviewed"}}},
    }
    (stack / "cdk.tf.json").write_text(json.dumps(configuration))
    (stack / ".terraform.lock.hcl").write_text("# what init writes for providers of a registry's\n")
    (folder / ".gitignore").write_text("plans/\ncdktf.out/**/.terraform*\n")
    _git(folder, "init", "-q", "-b", "main")
    _commit(folder)
    return folder


def _git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def _commit(folder: Path) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "whatever", "--allow-empty")


@pytest.fixture
def step(project: Path, tmp_path: Path, repository: Path) -> Step:
    """Runs one step in the repository."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "aws").write_text(AWS)
    (programs / "aws").chmod(0o755)
    buckets = tmp_path / "buckets"
    buckets.mkdir()

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "ACTIONS_"))}
        given = {
            "AWS_ID_TOKEN": "vouched",
            "BUCKETS": str(buckets),
            "CHECKPOINT_DISABLE": "1",
            "PATH": f"{programs}:{kept['PATH']}",
            "PLANS": "s3://states/kakehashi/plans",
            "ROLE": "arn:aws:iam::111111111111:role/plan",
        }
        return subprocess.run(
            [project / "ops" / "pipelines" / "steps.sh", *arguments],
            cwd=repository,
            env={**kept, **given, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def _done(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stderr + run.stdout
    return run.stdout


def test_exactly_the_reviewed_plan_is_applied_after_a_merge(step: Step, repository: Path, tmp_path: Path) -> None:
    _done(step("plan", "network"))
    assert json.loads((repository / "plans" / "network.json").read_text())["format_version"]
    _done(step("keep", "network", PLANS_KEY="alias/plans"))
    assert "--sse aws:kms --sse-kms-key-id alias/plans" in (tmp_path / "buckets" / "calls").read_text()

    _commit(repository)  # a merge: another commit of the same content
    shutil.rmtree(repository / "plans")
    lock = repository / "cdktf.out" / "stacks" / "network" / ".terraform.lock.hcl"
    lock.unlink()
    digest = _done(step("fetch", "network")).strip()
    assert len(digest) == 64
    assert lock.exists()

    refused = step("apply", "network", REVIEWED_DIGEST="0" * 64)
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "error: the plans are not the ones that were approved\nhint: run the pipeline again, and review what it shows\n"
    )
    assert not (tmp_path / "network.tfstate").exists()

    assert not (repository / "plans" / "network.applied.lock.hcl").exists()
    applied = repository / "plans" / "applied" / "stacks" / "network" / "cdk.tf.json"
    assert applied.parent.is_dir()
    assert not applied.exists()
    assert "Apply complete! Resources: 1 added" in _done(step("apply", "network", REVIEWED_DIGEST=digest))
    _done(step("plan", "network"))
    locks = [repository / "plans" / f"network.{which}" for which in ("lock.hcl", "applied.lock.hcl")]
    assert [file.read_text() for file in locks] == [lock.read_text()] * 2
    assert applied.read_text() == lock.with_name("cdk.tf.json").read_text()
    _done(step("fetch", "network"))
    again = step("apply", "network", REVIEWED_DIGEST=digest)
    assert again.returncode == 1
    assert "Saved plan is stale" in again.stderr

    assert step("drift", "network").returncode == 0
    state = tmp_path / "network.tfstate"
    state.write_text(state.read_text().replace('"reviewed"', '"changed by hand"'))
    assert step("drift", "network").returncode == 1


def test_content_that_was_not_planned_in_a_reviewed_change_is_not_applied(
    step: Step, repository: Path, tmp_path: Path
) -> None:
    _done(step("plan", "network"))
    _done(step("keep", "network"))
    (repository / "another.txt").write_text("merged meanwhile\n")
    _commit(repository)
    for arguments in (("fetch", "network"), ("apply", "network")):
        refused = step(*arguments, REVIEWED_DIGEST="0" * 64)
        assert refused.returncode == 1
        assert refused.stderr == (
            "error: network: this commit's content was never planned in a reviewed change\n"
            "hint: bring the branch up to date in a new change, and have it reviewed\n"
        )
    assert not (tmp_path / "network.tfstate").exists()


def test_the_bucket_may_have_a_separate_role(step: Step, repository: Path) -> None:
    _done(step("plan", "network"))
    _done(step("keep", "network", PLANS_ROLE="arn:aws:iam::333333333333:role/plans"))
    profiles = (repository / "plans" / ".aws").read_text()
    assert profiles.endswith(
        "[profile plans]\nrole_arn = arn:aws:iam::333333333333:role/plans\nsource_profile = role\n"
    )
    assert (repository / "plans" / ".token").read_text() == "vouched"
    assert (repository / "plans" / ".token").stat().st_mode & 0o077 == 0


def test_refuses_an_unknown_step(step: Step) -> None:
    refused = step("deploy", "network")
    assert refused.returncode == 2
    assert refused.stderr == "error: deploy: there is no such step\nhint: plan, keep, fetch, apply or drift\n"
