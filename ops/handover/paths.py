"""Which paths and names stay in their folder; other people may have written them."""

import os
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

from errors import Problem, RefusedError
from errors.shown import shown

CONFIGURES_TERRAFORM = re.compile(r"(^|/)(\.?terraform\.d(/|$)|\.terraformrc$|terraform\.rc$)", re.IGNORECASE)
"""Paths of which Terraform takes settings or programs, wherever it looks for them.

https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
"""

_LONGEST_NAME = 255  # bytes, in the file systems of Linux, macOS and Windows


def is_below(path: str) -> bool:
    """Whether a path of a file leads to somewhere below its folder, on every operating system."""
    windows = PureWindowsPath(path)
    return bool(path) and not windows.anchor and ".." not in windows.parts and not path.endswith(("/", "\\"))


def leads_out(path: str, *, folder: str = "") -> bool:
    """Whether a local path, as Terraform reads it in `folder` of a stack, leads out of the stack's folder."""
    normal = posixpath.normpath(posixpath.join(folder, path.replace("\\", "/")))
    return bool(PureWindowsPath(path).anchor) or path.startswith("~") or normal == ".." or normal.startswith("../")


def wrong_name(name: str) -> str | None:
    """Why nothing can be written in a folder called `name`; None if something can."""
    if not name.isprintable():
        return f"{shown(name)} has a character that is not printable"
    if name.startswith("."):
        return f"{shown(name)} begins with a dot, as hidden folders do"
    if "/" in name or "\\" in name:
        return f"{shown(name)} has a slash or a backslash"
    if not name.strip() or len(name.encode()) > _LONGEST_NAME:
        return f"{shown(name)} is too {'long' if name.strip() else 'short'} for a folder's name"
    return None


def refuse_links(folder: Path, paths: Iterable[str]) -> None:
    """Raise RefusedError if writing one of `paths` below `folder` would follow a link.

    Every other link below `folder` that leads out of it is refused too, except those that Git and Terraform keep.
    """
    where = {folder / part for path in paths for part in (path, *map(str, Path(path).parents)) if part != "."}
    links = {path for path in where if path.is_symlink()} | set(_links_out(folder))
    what, hint = "is a symbolic link", "put a folder or a file in its place, or name another folder with --out"
    if links:
        raise RefusedError([Problem(where=str(link), what=what, hint=hint) for link in sorted(links)])


def _links_out(folder: Path) -> Iterable[Path]:
    root = folder.resolve()
    for place, folders, files in os.walk(folder):
        folders[:] = [it for it in folders if it not in (".terraform", ".git")]
        links = (path for name in (*folders, *files) if (path := Path(place) / name).is_symlink())
        yield from (link for link in links if not link.resolve().is_relative_to(root))
