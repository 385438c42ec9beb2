"""Writes the handover, and never overwrites files that people changed."""

import difflib
import hashlib
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from errors import Problem, RefusedError, refused
from errors.shown import counted
from ops.handover.paths import is_below

MANIFEST = ".handed-over.sha256"
"""The list of the files that were written, in the format of `sha256sum --check`."""

_OF_TERRAFORM = re.compile(r"(^|/)\.|\.tfstate(\.|$)")
"""Hidden files, among them Terraform's folder and lock file, and states."""


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files below `folder`. Paths contain names from the JSON, so a path that leads out of it is refused."""
    if strays := [path for path in files if not is_below(path)]:
        what, hint = "is outside the folder to write", "rename the block that it is named after, and synthesise again"
        raise RefusedError([Problem(where=path, what=what, hint=hint) for path in strays])
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def replace(draft: Path, destination: Path, *, force: bool) -> None:
    """Replace the files of the last handover below `destination` with those of `draft`.

    Raises RefusedError, and writes nothing, if one of them was changed or removed since, or if a file would be
    overwritten that no handover wrote. `force` overwrites these. Files with other names are only named.
    """
    new = {path.relative_to(draft).as_posix(): path.read_bytes() for path in draft.rglob("*") if path.is_file()}
    if destination.exists() and not destination.is_dir():
        raise refused(str(destination), "is a file", "name a folder with --out")
    before = _last_handover(destination)
    present = {path: _content(destination / path) for path in {*before, *new}}
    changed = {path: now for path, now in sorted(present.items()) if _is_changed(path, now, before, new)}
    if changed and not force:
        raise RefusedError(
            [_problem(destination, path, now, before) for path, now in changed.items()],
            details="".join(_difference(path, now, new.get(path)) for path, now in changed.items()),
        )
    for path in before.keys() - new.keys():
        (destination / path).unlink(missing_ok=True)
        _remove_empty(destination, (destination / path).parent)
    for path in sorted(new):
        (destination / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).replace(destination / path)
    digests = "".join(f"{_digest(content)}  {path}\n" for path, content in sorted(new.items()))
    (destination / MANIFEST).write_text(digests, encoding="utf-8")
    gone = {path: present[path] for path in before.keys() - new.keys()}
    for line in (*_removed_stacks(destination, gone, new), *_added_files(destination, new)):
        print(line, file=sys.stderr)


def _removed_stacks(destination: Path, gone: Mapping[str, bytes | None], new: Collection[str]) -> Iterator[str]:
    """Two lines for each stack that is no longer there. `gone` is what its files were, None if they were missing."""
    for folder in _stack_folders(gone):
        if any(path.startswith(folder) for path in new):
            continue
        place, count = destination / folder, sum(it is not None for path, it in gone.items() if path.startswith(folder))
        files = counted(count, "file")
        if place.is_dir():
            stay = sorted(f"{it.name}/" if it.is_dir() else it.name for it in place.iterdir())
            yield f"removed: {files} of {place}; these stay: {', '.join(stay)}"
        else:
            yield f"removed: {place} ({files})"
        yield f"the resources of {place.name} still exist, unless you destroyed them"


def _added_files(destination: Path, new: Collection[str]) -> Iterator[str]:
    """A line for each file that no handover wrote, in the folders of stacks and above; not of Terraform's own files."""
    folders = [destination / folder for folder in _stack_folders(new)]
    above = {parent for folder in folders for parent in folder.parents if parent.is_relative_to(destination)}
    inside = [path for folder in folders for path in folder.rglob("*")]
    found = {path.relative_to(destination).as_posix() for path in inside if path.is_file()}
    found |= {
        path.relative_to(destination).as_posix() for folder in above for path in folder.iterdir() if path.is_file()
    }
    for path in sorted(found - {*new}):
        if not _OF_TERRAFORM.search(path):
            yield f"kept: {destination / path}, which no handover wrote"


def _stack_folders(paths: Collection[str]) -> list[str]:
    """The folders of stacks, each with a slash at its end. Each has a README.md; so may a folder inside one."""
    found: list[str] = []
    for folder in sorted(path.removesuffix("README.md") for path in paths if path.endswith("/README.md")):
        if not found or not folder.startswith(found[-1]):
            found.append(folder)
    return found


def _is_changed(path: str, now: bytes | None, before: Mapping[str, str], new: Mapping[str, bytes]) -> bool:
    if now == new.get(path):
        return False
    if path not in before:
        return now is not None
    return now is None or _digest(now) != before[path]


def _problem(destination: Path, path: str, now: bytes | None, before: Mapping[str, str]) -> Problem:
    if path not in before:
        what = "was not written by a handover"
    else:
        what = f"was {'removed' if now is None else 'changed'} since the last handover"
    hint = "make the same change in the deployment file or the project, or overwrite it with --force"
    return Problem(where=str(destination / path), what=what, hint=hint)


def _difference(path: str, now: bytes | None, new: bytes | None) -> str:
    old_lines, new_lines = ((it or b"").decode(errors="replace").splitlines(keepends=True) for it in (now, new))
    lines = difflib.unified_diff(old_lines, new_lines, f"{path} (as it is)", f"{path} (as it would be written)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _last_handover(destination: Path) -> dict[str, str]:
    """The digests of the last handover's files, by path."""
    try:
        lines = (destination / MANIFEST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    return {path: digest for path, digest in found.items() if is_below(path)}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _remove_empty(destination: Path, folder: Path) -> None:
    while folder != destination and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
