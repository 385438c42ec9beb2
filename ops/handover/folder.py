"""Writes what is handed over, and never over what somebody changed since."""

import difflib
import hashlib
from collections.abc import Mapping
from pathlib import Path

from ops.handover.errors import HandoverError, Problem

MANIFEST = ".handed-over.sha256"
"""What was written, in the form that `sha256sum --check` takes."""


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Names in the JSON are parts of paths: whatever admitted one that leads elsewhere, nothing is written there."""
    if strays := [path for path in files if not _is_below(path)]:
        what, hint = "would be written outside the folder", "rename what it is called after, and synthesise again"
        raise HandoverError([Problem(where=path, what=what, hint=hint) for path in strays])
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def replace(draft: Path, destination: Path, *, force: bool) -> None:
    """Put the files of `draft` in place of those that an earlier handover wrote below `destination`.

    Raises HandoverError, with nothing written, when one of those was changed or removed since, or when a file would be
    overwritten that no handover wrote. With `force` they are overwritten. Files that have other names stay in any case.
    """
    new = {path.relative_to(draft).as_posix(): path.read_bytes() for path in draft.rglob("*") if path.is_file()}
    if destination.exists() and not destination.is_dir():
        what = "is a file"
        raise HandoverError([Problem(where=str(destination), what=what, hint="name a folder with --out")])
    before = _written(destination)
    present = {path: _bytes(destination / path) for path in {*before, *new}}
    changed = {path: now for path, now in present.items() if _is_changed(path, now, before, new)}
    if changed and not force:
        raise HandoverError(
            [_changed(destination, path, now, before) for path, now in sorted(changed.items())],
            said="".join(_difference(path, now, new.get(path)) for path, now in sorted(changed.items())),
        )
    for path in before.keys() - new.keys():
        (destination / path).unlink(missing_ok=True)
        _remove_empty(destination, (destination / path).parent)
    for path in sorted(new):
        (destination / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).replace(destination / path)
    digests = "".join(f"{_digest(content)}  {path}\n" for path, content in sorted(new.items()))
    (destination / MANIFEST).write_text(digests, encoding="utf-8")


def _is_changed(path: str, now: bytes | None, before: Mapping[str, str], new: Mapping[str, bytes]) -> bool:
    if now == new.get(path):
        return False
    if path not in before:
        return now is not None
    return now is None or _digest(now) != before[path]


def _changed(destination: Path, path: str, now: bytes | None, before: Mapping[str, str]) -> Problem:
    how = "was removed" if now is None else "was changed" if path in before else "was not written by a handover"
    hint = "carry the change over into the deployment file or the project, or overwrite it with --force"
    return Problem(
        where=str(destination / path), what=f"{how} since the last handover" if path in before else how, hint=hint
    )


def _difference(path: str, now: bytes | None, new: bytes | None) -> str:
    there, ours = ((content or b"").decode(errors="replace").splitlines(keepends=True) for content in (now, new))
    lines = difflib.unified_diff(there, ours, f"{path} (as it is)", f"{path} (as it would be written)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _written(destination: Path) -> dict[str, str]:
    try:
        lines = (destination / MANIFEST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    return {path: digest for path, digest in found.items() if _is_below(path)}


def _is_below(path: str) -> bool:
    """Whether a path, which somebody else may have written, stays in the folder that it is read from."""
    return bool(path) and not Path(path).is_absolute() and ".." not in Path(path).parts


def _bytes(path: Path) -> bytes | None:
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
