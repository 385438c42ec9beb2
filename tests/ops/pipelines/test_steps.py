"""The pipelines' steps with the real Terraform and Git. Folders replace the buckets; a stand-in judges the roles."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ops.pipelines import fake_provider, stand_in

pytestmark = pytest.mark.terraform

PLAN, APPLY, READ, WRITE = (f"arn:aws:iam::111111111111:role/{name}" for name in ("plan", "apply", "read", "write"))
STATES = "arn:aws:s3:::states"
TRUST: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity"}]}
READING: dict[str, Any] = {
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [STATES, f"{STATES}/*"]},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": READ},
    ]
}
ROLES: dict[str, dict[str, Any]] = {
    PLAN: {"trust": TRUST, "permissions": READING},
    APPLY: {"trust": TRUST, "permissions": stand_in.ALL},
    READ: {"permissions": READING},
    WRITE: {"permissions": stand_in.ALL},
}
TOKEN = json.dumps({"iss": "https://example.com", "sub": "a job"})

Step = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one stack that needs no provider from a registry."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / ".gitignore").write_text("plans/\n")
    git(folder, "init", "-q", "-b", "main")
    write_stacks(folder, {"network": {"resource": {"terraform_data": {"it": {"input": "reviewed"}}}}})
    return folder


def write_stacks(folder: Path, stacks: dict[str, Any]) -> None:
    """Put an output into the repository, each stack's state beside it, and commit it."""
    out = folder / "cdktf.out"
    shutil.rmtree(out, ignore_errors=True)
    entries = {}
    for number, (name, content) in enumerate(stacks.items()):
        stack = out / "stacks" / name
        stack.mkdir(parents=True)
        backend = {"backend": {"local": {"path": str(folder.parent / f"{name}.tfstate")}}}
        terraform = {"terraform": {**backend, **content.get("terraform", {})}}
        (stack / "cdk.tf.json").write_text(json.dumps({**content, **terraform}))
        entries[name] = {
            "workingDirectory": f"stacks/{name}",
            "synthesizedStackPath": f"stacks/{name}/cdk.tf.json",
            "dependencies": list(stacks)[:number],
        }
    (out / "manifest.json").write_text(json.dumps({"stacks": entries}))
    commit(folder)


def git(folder: Path, *arguments: str) -> str:
    """Run Git in a repository; gives what it prints."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> None:
    """Commit everything but what Terraform has written."""
    git(folder, "add", "-A", "--", ".", ":!**/.terraform*")
    git(folder, "commit", "-qm", "whatever", "--allow-empty")


@pytest.fixture
def step(project: Path, tmp_path: Path, repository: Path) -> Step:
    """Runs one step in the repository."""
    given = stand_in.install(tmp_path, tmp_path / "buckets", ROLES)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "ACTIONS_"))}
        fixed = {
            "APPLIED": "s3://states/kakehashi/plans/applied",
            "AWS_ID_TOKEN": TOKEN,
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


def record(project: Path, repository: Path, *stacks: str) -> dict[str, str]:
    """Record the plans as the pipelines do; gives the environment of an apply."""
    program = [str(project / ".venv/bin/python"), str(project / "main.py")]
    plans = [f"plans/{stack}.json" for stack in stacks]
    head = git(repository, "rev-parse", "HEAD")
    command = [*program, "approval", "record", "--commit", head, "--to", "plans/approval.json", *plans]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    return {"APPROVAL": "plans/approval.json", "APPROVAL_DIGEST": _done(done).strip()}


def _done(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stderr + run.stdout
    return run.stdout


def test_what_was_approved_is_planned_again_and_applied(
    step: Step, project: Path, repository: Path, tmp_path: Path
) -> None:
    _done(step("plan", "network"))
    approved = record(project, repository, "network")
    assert "Apply complete! Resources: 1 added" in _done(step("apply", "network", **approved, STATE_KEY="alias/states"))
    calls = (tmp_path / "buckets" / "calls").read_text()
    assert "--sse aws:kms --sse-kms-key-id alias/states cdktf.out" in calls
    applied = tmp_path / "buckets" / "states" / "kakehashi" / "plans" / "applied" / "network.tf.json"
    assert applied.read_text() == (repository / "cdktf.out/stacks/network/cdk.tf.json").read_text()

    assert step("drift", "network").returncode == 0
    state = tmp_path / "network.tfstate"
    state.write_text(state.read_text().replace('"reviewed"', '"changed by hand"'))
    assert step("drift", "network").returncode == 1


def test_nothing_is_applied_that_was_not_approved(step: Step, project: Path, repository: Path, tmp_path: Path) -> None:
    _done(step("plan", "network"))
    approved = record(project, repository, "network")
    file = repository / "cdktf.out/stacks/network/cdk.tf.json"
    file.write_text(file.read_text().replace("reviewed", "swapped"))
    refused = step("apply", "network", **approved)
    assert refused.returncode == 1
    place = "network: terraform_data.it.change.after.input"
    assert f'{place}: approved "reviewed", now "swapped"' in refused.stdout
    assert "kakehashi-review" in refused.stdout
    assert refused.stderr.endswith(
        "error: network: nothing was applied: its plan is another one than what was approved\n"
        "hint: run the pipeline again for this commit, and approve the new plan\n"
    )
    assert not (tmp_path / "network.tfstate").exists()


def test_a_plan_does_not_hold_the_role_that_writes_states(step: Step, repository: Path) -> None:
    _done(step("plan", "network", STATE_ROLE=WRITE, STATE_READ_ROLE=READ))
    profiles = (repository / "plans" / ".aws").read_text()
    assert profiles.endswith(f"[profile states]\nrole_arn = {READ}\nsource_profile = role\n")
    assert (repository / "plans" / ".token").read_text() == TOKEN
    assert (repository / "plans" / ".token").stat().st_mode & 0o077 == 0
    refused = step("plan", "network", STATE_ROLE=WRITE)
    assert refused.returncode != 0
    assert "STATE_READ_ROLE: the job has no role that reads the states" in refused.stderr


def test_refuses_an_unknown_step(step: Step) -> None:
    refused = step("deploy", "network")
    assert refused.returncode == 2
    assert refused.stderr == "error: deploy: there is no such step\nhint: plan, apply or drift\n"


APPLIED = "buckets/states/kakehashi/plans/applied/network.lock.hcl"


def test_the_lock_file_of_the_last_apply_is_restored_and_a_committed_one_takes_its_place(
    step: Step, repository: Path, tmp_path: Path
) -> None:
    environment = fake_provider.install(tmp_path, "1.0.0", "1.1.0")
    old, new = (fake_provider.lock(tmp_path, version) for version in ("1.0.0", "1.1.0"))
    write_stacks(repository, {"network": {"terraform": fake_provider.REQUIRED}})
    step("plan", "network", **environment)
    assert fake_provider.started(tmp_path) == ["1.1.0"]

    (tmp_path / APPLIED).parent.mkdir(parents=True)
    (tmp_path / APPLIED).write_text(old)
    for name in ("plan", "drift", "apply"):
        step(name, "network", **environment)
        assert fake_provider.started(tmp_path) == ["1.0.0"], name

    committed = repository / "deployments/locks/network.lock.hcl"
    committed.parent.mkdir(parents=True)
    committed.write_text(new)
    for name in ("plan", "drift", "apply"):
        step(name, "network", **environment)
        assert fake_provider.started(tmp_path) == ["1.1.0"], name
    assert (repository / "plans" / "network.applied.lock.hcl").read_text() == old


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject"])
def test_a_lock_file_that_cannot_be_read_is_not_taken_for_a_missing_one(
    step: Step, tmp_path: Path, action: str
) -> None:
    (tmp_path / APPLIED).parent.mkdir(parents=True)
    (tmp_path / APPLIED).write_text("# what the last apply had")
    less = {"Statement": [*READING["Statement"], {"Effect": "Deny", "Action": action}]}
    stand_in.install(tmp_path, tmp_path / "buckets", {**ROLES, PLAN: {"trust": TRUST, "permissions": less}})
    refused = step("plan", "network")
    assert refused.returncode == 254
    assert refused.stdout == ""
