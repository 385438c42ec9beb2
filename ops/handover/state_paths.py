"""Keeps relative paths of local states: the HCL lies in another folder, and its paths name the same files."""

import copy
import os.path
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from errors import Problem, RefusedError
from ops.handover.local_states import local_settings
from ops.handover.stacks import HandoverStack

_DEFAULT = "terraform.tfstate"


def with_state_paths(
    stacks: Sequence[HandoverStack], out: Path, original: Path, destination: Path
) -> list[HandoverStack]:
    """The stacks of `out`, which usually lies at `original`, with paths of states as they are below `destination`.

    A path in a stack's folder stays there. Raises RefusedError for such a state that exists: it would be left behind.
    """
    before = [os.path.abspath(original / stack.folder.relative_to(out)) for stack in stacks]
    after = [os.path.abspath(destination / stack.target) for stack in stacks]
    moves = dict(zip(before, after, strict=True))
    found, problems = [], []
    for stack, folder, target in zip(stacks, before, after, strict=True):
        if (state := _own_file(stack, folder)) is not None and state.is_file():
            place = Path(_moved(str(state), moves))
            hint = f"move it to {place}, or its backend to another place, and hand over again"
            problems.append(Problem(where=str(state), what="is a state in the output folder", hint=hint))
        document = copy.deepcopy(dict(stack.document))
        for settings in local_settings(document):
            if _is_relative(settings.get("path")):
                file = _moved(os.path.abspath(os.path.join(folder, settings["path"])), moves)
                settings["path"] = Path(os.path.relpath(file, target)).as_posix()
        found.append(replace(stack, document=document))
    if problems:
        raise RefusedError(problems)
    return found


def _moved(file: str, moves: dict[str, str]) -> str:
    """Where a file of the output lies after the handover; a file elsewhere stays."""
    for before, after in moves.items():
        if Path(file).is_relative_to(before):
            return os.path.join(after, Path(file).relative_to(before))
    return file


def _own_file(stack: HandoverStack, folder: str) -> Path | None:
    """The file of the stack's state, if it is in the stack's own folder."""
    path = stack.state.settings.get("path") or _DEFAULT
    if stack.state.backend != "local" or stack.state_place.startswith("cloud: ") or not _is_relative(path):
        return None
    file = Path(os.path.abspath(os.path.join(folder, path)))
    return file if file.is_relative_to(folder) else None


def _is_relative(path: Any) -> bool:
    return isinstance(path, str) and bool(path) and "${" not in path and not PureWindowsPath(path).anchor
