"""The copy that is kept between builds, in CodeBuild's cache or a file system that builds share.

It is data, not a repository: packs, and one file that lists them with the refs. Nothing else in the folder is opened,
and what does not have exactly the expected form is not used.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .failures import StoppedError

_PACK = re.compile(r"pack-[0-9a-f]{40}\.(?:pack|idx)", re.ASCII)
_ID = re.compile(rb"[0-9a-f]{40}")
# https://git-scm.com/docs/git-check-ref-format
_REF = re.compile(rb"refs/(?:heads|tags)(?:/(?!\.)(?:(?!\.\.|@\{)[^\0-\x20\x7f~^:?*\[\\/])+(?<!\.lock)(?<!\.))+")
_LIST = "copy"


class Kept:
    """A copy in `folder`, which others may have written to since."""

    def __init__(self, folder: Path, source_url: str) -> None:
        self.folder = folder
        self._source_url = source_url.encode()

    def linked(self, objects: Path) -> dict[bytes, bytes] | None:
        """The refs of the copy, after its packs were linked below `objects`; None where it cannot be used."""
        found = self._read()
        if found is None:
            return None
        files, refs = found
        (objects / "pack").mkdir(parents=True)
        for name in files:
            (objects / "pack" / name).symlink_to(self.folder / name)
        return refs

    def keep(self, packs: Path, refs: Mapping[bytes, bytes], alone: bool) -> None:
        """Add the packs of a folder, or keep them `alone`; a build that is killed meanwhile leaves the old copy."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            self.folder.unlink(missing_ok=True)
            self.folder.mkdir(mode=0o700, parents=True)
        found = None if alone else self._read()
        files = dict(found[0]) if found else {}
        for file in sorted(packs.iterdir()):
            if _PACK.fullmatch(file.name) and not file.is_symlink():
                _copy(file, self.folder / file.name)
                files[file.name] = file.stat().st_size
        written = self.folder / f"{_LIST}.new"
        _remove(written)
        written.write_bytes(listed(self._source_url, files, refs))
        _put(written, self.folder / _LIST)
        for entry in list(self.folder.iterdir()):
            if entry.name != _LIST and entry.name not in files:
                _remove(entry)

    def packs(self) -> int:
        found = self._read()
        return len(found[0]) // 2 if found else 0

    def _read(self) -> tuple[dict[str, int], dict[bytes, bytes]] | None:
        """Files and refs of the list, if all of it is as `keep` writes it, and the files are there."""
        if self.folder.is_symlink() or not _is_file(self.folder / _LIST):
            return None
        text = (self.folder / _LIST).read_bytes()
        files: dict[str, int] = {}
        refs: dict[bytes, bytes] = {}
        for line in text.split(b"\n"):
            kind, _, rest = line.partition(b" ")
            value, _, name = rest.partition(b" ")
            if kind == b"file" and value.isdigit() and _PACK.fullmatch(name.decode("ascii", "replace")):
                files[name.decode()] = int(value)
            elif kind == b"ref" and _ID.fullmatch(value) and _REF.fullmatch(name):
                refs[name] = value
        if text != listed(self._source_url, files, refs) or _in_the_way(refs):
            return None
        whole = all(name.replace(".pack", ".idx") in files and name.replace(".idx", ".pack") in files for name in files)
        there = all(_is_file(self.folder / name, size) for name, size in files.items())
        return (files, refs) if whole and there else None


def lock(file: Path, seconds: float, say: Callable[[str], None]) -> int:
    """Wait until no other build uses the copy; the lock lasts until the descriptor is closed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    started, pause = time.monotonic(), 0.0
    while not _locked(descriptor):
        waited = time.monotonic() - started
        if waited >= seconds:
            os.close(descriptor)
            raise StoppedError(
                f"another build has held the lock of this repository's copy for {_duration(seconds)}. See whether one "
                "of the project's builds still runs, and stop it if it does nothing"
            )
        if not pause:
            say("waits for another build of this repository")
        pause = min(pause + 0.1, 2, seconds - waited + 0.01)
        time.sleep(pause)
    if pause:
        say(f"waited {time.monotonic() - started:.1f} s for another build of this repository")
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def listed(source_url: bytes, files: Mapping[str, int], refs: Mapping[bytes, bytes]) -> bytes:
    lines = [b"source %b" % source_url]
    lines += [b"file %d %b" % (size, name.encode()) for name, size in sorted(files.items())]
    lines += [b"ref %b %b" % (oid, name) for name, oid in sorted(refs.items())]
    text = b"\n".join(lines) + b"\n"
    return text + b"sha256 %b\n" % hashlib.sha256(text).hexdigest().encode()


def _in_the_way(refs: Iterable[bytes]) -> bool:
    """Whether one ref's name is a folder of another's, which Git does not store."""
    names = set(refs)
    return any(name[:place] in names for name in names for place, byte in enumerate(name) if byte == ord("/"))


def _is_file(path: Path, size: int | None = None) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and size in (None, status.st_size)


def _copy(file: Path, to: Path) -> None:
    new = to.with_name(f"{to.name}.new")
    _remove(new)
    shutil.copyfile(file, new)
    _put(new, to)


def _put(new: Path, to: Path) -> None:
    if to.is_dir():
        _remove(to)
    new.replace(to)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
