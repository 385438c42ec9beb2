"""Precise answers about history, from a copy that has it."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from .failures import NotLookedAtError
from .git import Git, TooLargeError, TooLateError
from .lfs import Look

_ATTRIBUTES = b".gitattributes"
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_KIND_OF_FILE, _REGULAR_FILE = 0o170000, 0o100000
_LARGEST_ATTRIBUTES = 100 << 20  # Git ignores larger ones: https://github.com/git/git/blob/master/attr.h
_AT_ONCE = 1000
_MOST_AT_ONCE = 64 << 20
_PART = 1 << 16


@dataclass(frozen=True)
class LookLimits:
    """How long a look at the history takes at most, and how many bytes of Git's output it reads."""

    seconds: float = 900
    most_bytes: int = 32 << 30


LOOK = LookLimits()


def uses_lfs(git: Git, new: Collection[bytes], old: Iterable[bytes], limits: LookLimits = LOOK) -> bytes | None:
    """The path of a `.gitattributes`, of any commit that is in `new` and not in `old`, that hands files to Git LFS.

    Each tree is read once, however often the history has it. What the commits before the new ones already have as
    `.gitattributes` does not count. Raises NotLookedAtError where there is too much to read.
    """
    budget = _Budget(limits)
    revisions = [*new, *(b"^" + oid for oid in old)]
    found: dict[bytes, bytes] = {}
    for blob, path in _attributes(git, budget, revisions):
        found.setdefault(blob, path)
    using = [blob for blob in _small(git, budget, found) if _uses_lfs(git, budget, blob)]
    if not using:
        return None
    with budget.run(git, "rev-list", "--boundary", "--stdin", given=revisions) as output:
        before = [line[1:].strip() for line in output if line.startswith(b"-")]
    had = {blob for blob, _ in _attributes(git, budget, before, "--no-walk")} if before else set()
    return next((found[blob] for blob in using if blob not in had), None)


def contains(git: Git, new: bytes, old: bytes) -> bool:
    """Whether commit `old` is in the history of `new`, both of which the copy has."""
    return new == old or git.check("merge-base", "--is-ancestor", old.decode(), new.decode())


def present(git: Git, ids: Iterable[bytes]) -> list[bytes]:
    """Those of the ids that the copy has, in their order."""
    unique = list(dict.fromkeys(ids))
    if not unique:
        return []
    found = git.lines("cat-file", "--batch-check", "--buffer", given=unique)
    return [oid for oid, line in zip(unique, found) if not line.endswith(b" missing")]


class _Budget:
    """What is left of the limits."""

    def __init__(self, limits: LookLimits) -> None:
        self._until = time.monotonic() + limits.seconds
        self._bytes = limits.most_bytes

    def run(self, git: Git, *arguments: str, given: Iterable[bytes], most_bytes: int | None = None) -> BinaryIO:
        """Run Git, whose output counts. Raises TooLargeError only where it is larger than `most_bytes`."""
        most = self._bytes if most_bytes is None else min(most_bytes, self._bytes)
        try:
            if time.monotonic() >= self._until:
                raise TooLateError("no time is left")
            output = git.run(*arguments, given=given, most_bytes=most, until=self._until)
        except TooLateError as error:
            raise NotLookedAtError("it takes too long") from error
        except TooLargeError as error:
            if most == most_bytes:
                raise
            raise NotLookedAtError("it is too large") from error
        self._bytes -= os.fstat(output.fileno()).st_size
        return output


def _attributes(git: Git, budget: _Budget, revisions: Iterable[bytes], *options: str) -> Iterator[tuple[bytes, bytes]]:
    """Id and path of each `.gitattributes` in the trees of commits, and of tags that name a tree."""
    with budget.run(git, "rev-list", "--objects", "--filter=blob:none", *options, "--stdin", given=revisions) as listed:
        lines = (line.rstrip(b"\n").partition(b" ") for line in listed)
        paths = ((oid, path) for oid, space, path in lines if space)  # commits have none
        while part := dict(itertools.islice(paths, _AT_ONCE)):
            for oid, content in _contents(git, budget, list(part)):
                yield from ((blob, _join(part[oid], _ATTRIBUTES)) for blob in _attributes_of_tree(content))


def _attributes_of_tree(content: bytes) -> Iterator[bytes]:
    if b" " + _ATTRIBUTES + b"\0" in content:
        for mode, name, oid in _ENTRY.findall(content):
            if name == _ATTRIBUTES and int(mode, 8) & _KIND_OF_FILE == _REGULAR_FILE:
                yield bytes(oid.hex(), "ascii")


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name


def _contents(git: Git, budget: _Budget, ids: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The trees among the objects, read so few at a time that the disk holds them."""
    try:
        output = budget.run(git, "cat-file", "--batch", "--buffer", given=ids, most_bytes=_MOST_AT_ONCE)
    except TooLargeError as error:
        if len(ids) == 1:
            raise NotLookedAtError("a folder has too many entries") from error
        for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
            yield from _contents(git, budget, half)
        return
    with output:
        for oid in ids:
            _, kind, size = output.readline().split(b" ")
            if kind == b"tree":
                yield oid, output.read(int(size))
            else:
                output.seek(int(size), os.SEEK_CUR)
            output.read(1)


def _small(git: Git, budget: _Budget, blobs: Collection[bytes]) -> list[bytes]:
    """The blobs that are not too large for Git to read attributes from."""
    if not blobs:
        return []
    with budget.run(git, "cat-file", "--batch-check=%(objectsize)", "--buffer", given=blobs) as output:
        return [blob for blob, size in zip(blobs, output) if int(size) < _LARGEST_ATTRIBUTES]


def _uses_lfs(git: Git, budget: _Budget, blob: bytes) -> bool:
    look = Look()
    with budget.run(git, "cat-file", "blob", blob.decode(), given=()) as output:
        while part := output.read(_PART):
            look.feed(part)
    look.finish()
    return look.suspected
