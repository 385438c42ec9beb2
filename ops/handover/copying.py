"""Copies what people added to a handover, so that Terraform finds it beside the stacks that it validates."""

import contextlib
import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from ops.handover.last_handover import MEMORY
from ops.handover.paths import CONFIGURES_TERRAFORM

_STATE = re.compile(r"\.tfstate(\.|$)")
_NOT_COPIED = (".git", ".terraform", MEMORY)


def copy_added(source: Path, folder: Path, others: Collection[str]) -> None:
    """Copy the files below `source` to `folder`: no state, nothing of Git, nothing that configures Terraform itself.

    `others` are the paths that are left out. A link to a folder becomes one to the same folder of the copy; links that
    lead out of `source` must have been refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = source.resolve()
    for place, folders, files in os.walk(source):
        inside = Path(place).relative_to(source)
        folders[:] = [it for it in folders if it not in _NOT_COPIED and not _is_for_terraform(inside / it)]
        for path in (inside / it for it in folders if (source / inside / it).is_symlink()):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(folder / (source / path).resolve().relative_to(root), target_is_directory=True)
        for path in (inside / it for it in files):
            if path.as_posix() not in others and not _is_for_terraform(path) and (source / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(OSError):  # what cannot be read here, Terraform cannot read either
                    shutil.copyfile(source / path, folder / path)


def _is_for_terraform(path: Path) -> bool:
    """Whether it is a state, or configures Terraform itself."""
    text = path.as_posix()
    return bool(_STATE.search(text) or CONFIGURES_TERRAFORM.search(text))
