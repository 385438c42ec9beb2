"""Writes a deployment's Terraform: all of it, checked, or nothing."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cdktf import App

from settings import Deployment, LocatedProblem, SettingsError
from stacks import aws_limits
from stacks.base import BaseStack
from stacks.composition import compose

_WRITTEN_BY_TERRAFORM = (".terraform", ".terraform.lock.hcl")


@dataclass(frozen=True, kw_only=True)
class SynthesisedStack:
    """What was written for one stack."""

    name: str
    account_id: str
    resources: int
    folder: Path


def synthesise(deployment: Deployment, out: Path) -> list[SynthesisedStack]:
    """Write every stack of `deployment` below `out`, in the order they are deployed.

    What lies in `out` from another deployment is removed, but for Terraform's own files. Raises SettingsError for what
    AWS would refuse; then nothing in `out` has changed.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        draft = Path(folder)
        app = App(outdir=str(draft))
        stacks = compose(app, deployment)
        app.synth()
        clashes = [problem for stack in stacks.values() for problem in _clashes(stack)]
        if clashes:
            raise SettingsError(clashes)
        terraform = {name: json.loads((draft / "stacks" / name / "cdk.tf.json").read_text()) for name in stacks}
        problems = aws_limits.problems([aws_limits.Stack(name, content) for name, content in terraform.items()])
        if problems:
            raise SettingsError(problems)
        for name, stack in stacks.items():
            for file, text in stack.files.items():
                (draft / "stacks" / name / file).write_text(text)
        _replace(draft, out)
    return [
        SynthesisedStack(
            name=name,
            account_id=stack.account.id,
            resources=sum(len(named) for named in terraform[name].get("resource", {}).values()),
            folder=out / "stacks" / name,
        )
        for name, stack in stacks.items()
    ]


def _clashes(stack: BaseStack) -> Iterator[LocatedProblem]:
    for name, paths in stack.paths.items():
        if len(paths) > 1:
            what = f"{' and '.join(sorted(paths))} would share the Terraform name {name!r}"
            yield LocatedProblem(
                file=stack.node.id, what=what, hint="rename one: letters, digits, '_' and '-' tell names apart"
            )


def _replace(draft: Path, out: Path) -> None:
    """Put what `draft` holds in place of what an earlier synthesis wrote below `out`."""
    written = {path.relative_to(draft) for path in draft.rglob("*") if path.is_file()}
    for path in sorted(written):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).replace(out / path)
    for folder in (out / "stacks").iterdir():
        stale = [path for path in folder.iterdir() if path.relative_to(out) not in written]
        gone = not any(path.parts[:2] == ("stacks", folder.name) for path in written)
        for path in stale:
            if path.name in _WRITTEN_BY_TERRAFORM and gone and path.is_dir():
                shutil.rmtree(path)
            elif path.is_file() and (path.suffix in (".json", ".rb") or (gone and path.name in _WRITTEN_BY_TERRAFORM)):
                path.unlink()
        if gone and not any(folder.iterdir()):
            folder.rmdir()
