"""Writes the handover, and never overwrites files that people changed."""

import difflib
import hashlib
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from errors import Problem, RefusedError, refused

MANIFEST = ".handed-over.sha256"
"""The list of the files that were written, in the format of `sha256sum --check`."""


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files below `folder`. Paths contain names from the JSON, so a path that leads out of it is refused."""
    if strays := [path for path in files if not _is_below(path)]:
        what, hint = "is outside the folder to write", "rename the block that it is named after, and synthesise again"
        raise RefusedError([Problem(where=path, what=what, hint=hint) for path in strays])
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def replace(draft: Path, destination: Path, *, force: bool) -> None:
    """Replace the files of the last handover below `destination` with those of `draft`.

    Raises RefusedError, and writes nothing, if one of them was changed or removed since, or if a file would be
    overwritten that no handover wrote. `force` overwrites these. Files with other names are never touched.
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
    for line in _removed_folders(destination, before.keys() - new.keys(), new):
        print(line, file=sys.stderr)
    for path in before.keys() - new.keys():
        (destination / path).unlink(missing_ok=True)
        _remove_empty(destination, (destination / path).parent)
    for path in sorted(new):
        (destination / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).replace(destination / path)
    digests = "".join(f"{_digest(content)}  {path}\n" for path, content in sorted(new.items()))
    (destination / MANIFEST).write_text(digests, encoding="utf-8")


def _removed_folders(destination: Path, gone: Collection[str], new: Collection[str]) -> Iterator[str]:
    """A line for each stack whose folder is removed. Every stack's folder has a README.md."""
    for folder in sorted(path.removesuffix("README.md") for path in gone if path.endswith("/README.md")):
        if not any(path.startswith(folder) for path in new):
            files = sum(path.startswith(folder) and (destination / path).is_file() for path in gone)
            yield f"removed: {destination / folder} ({files} {'file' if files == 1 else 'files'})"


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
    return {path: digest for path, digest in found.items() if _is_below(path)}


def _is_below(path: str) -> bool:
    """Whether a path stays in its folder; other people may have written it."""
    return bool(path) and not Path(path).is_absolute() and ".." not in Path(path).parts


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
