"""Runs the pipelines' steps with the real Terraform and Git, in a repository of their own."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ops.pipelines import stand_in

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


def write_stacks(folder: Path, stacks: dict[str, Any]) -> None:
    """Put an output into the repository, and make a commit."""
    write_output(folder, stacks)
    commit(folder)


def write_output(folder: Path, stacks: dict[str, Any]) -> None:
    """Put an output into the repository, each stack's state beside the repository."""
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


def git(folder: Path, *arguments: str) -> str:
    """Run Git in a repository; gives what it prints."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> None:
    """Commit everything that is not ignored."""
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "whatever", "--allow-empty")


def record(project: Path, repository: Path, *stacks: str) -> dict[str, str]:
    """Record the plans as the pipelines do; gives the environment of an apply."""
    program = [str(project / ".venv/bin/python"), str(project / "main.py")]
    plans = [f"plans/{stack}.json" for stack in stacks]
    head = git(repository, "rev-parse", "HEAD")
    command = [*program, "approval", "record", "--commit", head, "--to", "plans/approval.json", *plans]
    recorded = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    return {"APPROVAL": "plans/approval.json", "APPROVAL_DIGEST": done(recorded).strip()}


def some_record(repository: Path) -> dict[str, str]:
    """The environment of an apply with some record, which is compared after the plan."""
    record = repository / "plans" / "approval.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text("{}")
    return {"APPROVAL": "plans/approval.json", "APPROVAL_DIGEST": hashlib.sha256(b"{}").hexdigest()}


def done(run: subprocess.CompletedProcess[str]) -> str:
    """What a run printed that should succeed."""
    assert run.returncode == 0, run.stderr + run.stdout
    return run.stdout
