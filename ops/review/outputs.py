"""Reads the synthesised outputs of two moments: what the last apply had, and what the plans were made from."""

from pathlib import Path

from errors import WRONG_USAGE, refused
from terraform import output
from terraform.guards import guards, ignored
from terraform.output import Json, Stack
from terraform.unreadable import refused_at

Folders = tuple[Path, ...]
"""Before and after, or none: each has `stacks/STACK/cdk.tf.json`, as in `cdktf.out`."""


def compared(named: tuple[Path, Path] | None) -> Folders:
    """The folders that --outputs names. Raises RefusedError for what is no folder."""
    for folder in named or ():
        if not folder.is_dir():
            hint = "name a folder such as cdktf.out, which has stacks/STACK/cdk.tf.json"
            raise refused("--outputs", f"{str(folder)!r} is not a folder", hint, status=WRONG_USAGE)
    return named or ()


def of(stack: str, folders: Folders) -> tuple[Stack, Stack] | None:
    """A stack's Terraform before and after; None where it is not in both. Raises RefusedError for what is no JSON."""
    files = [folder / "stacks" / stack / output.FILE for folder in folders]
    if not files or not all(file.is_file() for file in files):
        return None
    before, after = (_read(stack, file) for file in files)
    return before, after


def local_values(stack: str, folders: Folders) -> Json:
    """What a stack's local values are made of in the output of the plans; nothing where it is not in it."""
    file = folders[-1] / "stacks" / stack / output.FILE if folders else Path()
    return _read(stack, file).locals if file.is_file() else {}


def _read(stack: str, file: Path) -> Stack:
    found = Stack(name=stack, file=file, document=output.load(file))
    with refused_at(str(file)):
        guards(found), ignored(found), found.states
    return found
