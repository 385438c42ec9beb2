"""Writes a deployment's Terraform: checks all of it, and writes nothing if anything is refused."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cdktf import App

import limits
from errors import WRONG_USAGE, Problem, RefusedError
from iam import deployed, known, promises
from settings import Deployment
from stacks import as_asked
from stacks.base import BaseStack
from stacks.composition import compose
from terraform import output
from terraform.references import Configuration, configurations

_TEXTS = ("gitlab.rb", "squid.conf")
"""What people read beside a stack's Terraform."""
_WRITTEN_HERE = (output.FILE, *_TEXTS)
_CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")
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

    Files of another deployment in `out` are removed, except Terraform's own. Raises RefusedError with everything that
    AWS would refuse and every broken promise; then nothing in `out` has changed.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        draft = Path(folder)
        app = App(outdir=str(draft))
        stacks = compose(app, deployment)
        app.synth()
        # The output holds only one of two resources with one name: nothing else can be checked.
        _refuse([problem for stack in stacks.values() for problem in _clashes(stack)])
        written = {stack.name: stack for stack in output.read(draft)}
        terraform = {name: written[name].document for name in stacks}
        # Limits and promises read what is known alone.
        read = configurations(terraform, defaults=False)
        _refuse([problem for stack in read.values() for problem in known.problems(stack)])
        found = [*limits.problems(terraform), *as_asked.problems(deployment, read), *_broken_promises(read)]
        _refuse([*found, *_other_configuration(out, stacks)])
        _refuse([*_unread_files(draft, stacks)])
        for name, stack in stacks.items():
            for file, text in stack.files.items():
                (draft / "stacks" / name / file).write_text(text, encoding="utf-8")
        _replace(draft, out)
    return [
        SynthesisedStack(
            name=name,
            account_id=stack.account.id,
            resources=sum(1 for _ in written[name].resources()),
            folder=out / "stacks" / name,
        )
        for name, stack in stacks.items()
    ]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise RefusedError(problems, status=WRONG_USAGE)


def _broken_promises(stacks: Mapping[str, Configuration]) -> Iterator[Problem]:
    """The promises that the policies break, or why that cannot be known."""
    try:
        findings = promises.broken(deployed.model_of(stacks.values()))
    except RefusedError as error:
        yield from error.problems
        return
    for finding in findings:
        hint = f"in every deployment {finding.promise.what}: {finding.promise.why}"
        yield Problem(where=finding.place, what=finding.what, hint=hint)


def _other_configuration(out: Path, stacks: Iterable[str]) -> Iterator[Problem]:
    """Files that Terraform would read beside ours: they may change any resource, and nothing here reads them."""
    for name in stacks:
        for path in sorted((out / "stacks" / name).glob("*")):
            if path.name != output.FILE and path.name.endswith(_CONFIGURATION):
                what = "Terraform would read this file too, and nothing checks it"
                yield Problem(where=str(path), what=what, hint="move it out of the folder, into a stack of your own")


def _unread_files(draft: Path, stacks: Mapping[str, BaseStack]) -> Iterator[Problem]:
    """What would be written beside the Terraform that was read, except texts that Terraform does not read."""
    checked = {Path("manifest.json"), *(Path("stacks", name, output.FILE) for name in stacks)}
    found = {path.relative_to(draft) for path in draft.rglob("*") if path.is_file()}
    found |= {
        Path("stacks", name, file) for name, stack in stacks.items() for file in stack.files if file not in _TEXTS
    }
    for path in sorted(found - checked):
        yield Problem(where=str(path), what="nothing checks this file", hint="this is a fault of Kakehashi")
    for path in sorted(
        checked & {Path("stacks", name, file) for name, stack in stacks.items() for file in stack.files}
    ):
        yield Problem(where=str(path), what="a text would replace this file", hint="this is a fault of Kakehashi")


def _clashes(stack: BaseStack) -> Iterator[Problem]:
    for name, paths in stack.paths_by_name().items():
        if len(paths) > 1:
            what = f"{' and '.join(sorted(paths))} would share the Terraform name {name!r}"
            hint = "rename one: letters, digits, '_' and '-' tell names apart"
            yield Problem(where=stack.node.id, what=what, hint=hint)


def _replace(draft: Path, out: Path) -> None:
    """Replace the files that an earlier synthesis wrote below `out` by those in `draft`.

    Files that Terraform or people wrote stay: variables' values, plans, states.
    """
    before = {folder.name: _project(folder) for folder in _stack_folders(out)}
    written = {path.relative_to(draft) for path in draft.rglob("*") if path.is_file()}
    for path in sorted(written):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).replace(out / path)
    for folder in _stack_folders(out):
        of_this_deployment = any(path.parts[:2] == ("stacks", folder.name) for path in written)
        for name in _WRITTEN_HERE:
            if (folder / name).relative_to(out) not in written:
                (folder / name).unlink(missing_ok=True)
        if not of_this_deployment or before.get(folder.name) not in (None, _project(folder)):
            # It was initialised for another deployment's state, which Terraform would offer to copy to this one's.
            _forget_initialisation(folder)
        if not of_this_deployment and not any(folder.iterdir()):
            folder.rmdir()


def _stack_folders(out: Path) -> list[Path]:
    stacks = out / "stacks"
    return [folder for folder in stacks.iterdir() if folder.is_dir()] if stacks.is_dir() else []


def _project(folder: Path) -> str | None:
    """The name of the deployment that a stack's folder was last written for."""
    try:
        provider = output.Stack(name=folder.name, document=output.load(folder / output.FILE)).provider
        project: str = provider["default_tags"][0]["tags"]["project"]
    except (RefusedError, LookupError, TypeError):
        return None
    return project


def _forget_initialisation(folder: Path) -> None:
    for name in _WRITTEN_BY_TERRAFORM:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
