"""Keeps relative paths of local states: the HCL lies in another folder, and its paths name the same files."""

import copy
import os.path
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from errors import Problem, RefusedError
from errors.shown import shown
from ops.handover.local_states import computed_settings, local_settings
from ops.handover.stacks import HandoverStack

_DEFAULT = "terraform.tfstate"
_PATHS = {"path", "workspace_dir"}
_WRITE_OUT = "write an absolute path, or one whose only expression is ${path.module} at the start"
_AS_OBJECT = "write `config` as an object with its `path`"

# Both name the folder that Terraform runs in, as a relative path does.
_OWN_FOLDER = re.compile(r"^\$\{\s*path\.(?:module|root)\s*\}/+")
_SIGNS = re.compile(r"[$%]\{")


def with_state_paths(
    stacks: Sequence[HandoverStack], out: Path, original: Path, destination: Path
) -> list[HandoverStack]:
    """The stacks of `out`, which usually lies at `original`, with paths of states as they are below `destination`.

    A path in a stack's folder stays there. Raises RefusedError for such a state that exists (it would be left behind),
    and for a path that is or has an expression, of which it is not known what file it names.
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
        for expression in computed_settings(stack.document):
            what = f"{shown(expression)} has the path of a local state, and may name another file from the new folder"
            problems.append(Problem(where=stack.name, what=what, hint=_AS_OBJECT))
        document = copy.deepcopy(dict(stack.document))
        for settings in local_settings(document):
            for name in _PATHS & settings.keys():
                path = settings[name]
                if not _is_relative(path):
                    continue
                own = prefix[0] if (prefix := _OWN_FOLDER.match(path)) else ""
                rest = path.removeprefix(own)
                if _SIGNS.search(rest):
                    what = f"{shown(path)} is the path of a local state, and may name another file from the new folder"
                    problems.append(Problem(where=stack.name, what=what, hint=_WRITE_OUT))
                    continue
                file = _moved(os.path.abspath(os.path.join(folder, rest)), moves)
                settings[name] = own + Path(os.path.relpath(file, target)).as_posix()
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
    return isinstance(path, str) and bool(path) and not PureWindowsPath(path).anchor
