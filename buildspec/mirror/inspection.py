"""Looks at a pack on its way to the target for what the guards have to know: rewritten branches, and Git LFS."""

from __future__ import annotations

import hashlib
import re
from collections import deque

from .failures import LookNeededError
from .foreign import shown
from .lfs import Look, blob_suspected, delta_may_be_suspected
from .model import Change, Push
from .pack import BLOB, COMMIT, OFFSET_DELTA, REF_DELTA, DeltaReader, PackError, PackReader, Part
from .report import first_of

_MOST_COMMITS = 100_000
_MOST_STEPS = 1_000_000
_NAMED = 10
_ID = 20
_HEAD_OF_COMMIT = re.compile(rb"tree [0-9a-f]{40}\n((?:parent [0-9a-f]{40}\n)*)")


class Inspector:
    """Looks at the pack of one push.

    `lfs` is `refuse` or `warn`. `permitted` is how many of the push's unproved moves may stay unproved. Both methods
    raise LookNeededError, after which the push has to be broken off. `warnings` are sentences for the log.

    What cannot be seen counts as not proved: a commit that the pack lacks, or has as a delta. A pack that cannot be
    read needs a look, too.
    """

    def __init__(self, push: Push, *, lfs: str, permitted: int) -> None:
        self.warnings: list[str] = []
        self._permitted = permitted
        self._refuses_lfs = lfs == "refuse"
        self._looks_for_lfs = True
        self._look = Look()
        self._delta = DeltaReader()
        self._reader = PackReader()
        self._began = False
        self._unproved = push.unproved
        self._history = _History()

    def feed(self, chunk: bytes) -> None:
        self._began = self._began or bool(chunk)
        if not self._looks_for_lfs and not self._unproved:
            return
        try:
            for part in self._reader.feed(chunk):
                self._take(part)
        except PackError as error:
            raise LookNeededError(f"the pack cannot be inspected: {error}") from error

    def finish(self) -> None:
        """All of the pack was fed; nothing if there are only deletions. Its checksum is the target's to check."""
        if self._began and not self._reader.complete and (self._looks_for_lfs or self._unproved):
            raise LookNeededError("the pack cannot be inspected: it ends too early")
        if len(self._unproved) <= self._permitted:
            return
        left = [change for change in self._unproved if not self._history.proves(change)]
        if len(left) > self._permitted:
            names = sorted(shown(change.ref) for change in left)
            raise LookNeededError(
                f"the pack does not show whether these branches still contain what they had: {first_of(names, _NAMED)}"
            )

    def _take(self, part: Part) -> None:
        if part.kind == COMMIT:
            if self._unproved and part.whole:
                self._history.add(part.content)
        elif not self._looks_for_lfs:
            return
        elif part.kind == BLOB:
            if part.whole:
                self._suspect(blob_suspected(part.content), "file")
            else:
                self._part_of_blob(part)
        elif part.kind in (OFFSET_DELTA, REF_DELTA) and (not part.whole or delta_may_be_suspected(part.content)):
            self._part_of_delta(part)

    def _part_of_blob(self, part: Part) -> None:
        if part.first:
            self._look = Look()
        self._look.feed(part.content)
        if part.last:
            self._look.finish()
        self._suspect(self._look.suspected, "file")

    def _part_of_delta(self, part: Part) -> None:
        if part.first:
            self._look, self._delta = Look(), DeltaReader()
        for literal in self._delta.feed(part.content):
            if literal:
                self._look.feed(literal)
            else:
                self._look.skip()
        if part.last:
            self._delta.finish()
            self._look.finish()
        self._suspect(self._look.suspected, "change of a file")

    def _suspect(self, suspected: bool, what: str) -> None:
        if not suspected:
            return
        self._looks_for_lfs = False
        if self._refuses_lfs:
            raise LookNeededError(f"a {what} looks like the use of Git LFS")
        self.warnings.append(
            f"a {what} looks like the use of Git LFS; the content of files in Git LFS does not reach the target"
        )


class _History:
    """The commits of a pack and their parents; so many that they fit into some 20 MB."""

    def __init__(self) -> None:
        self._parents: dict[bytes, bytes] = {}
        self._steps = _MOST_STEPS

    def add(self, commit: bytes) -> None:
        if len(self._parents) < _MOST_COMMITS:
            name = hashlib.sha1(b"commit %d\0" % len(commit) + commit, usedforsecurity=False).digest()
            head = _HEAD_OF_COMMIT.match(commit)
            self._parents[name] = bytes.fromhex(head[1].replace(b"parent ", b"").decode()) if head else b""

    def proves(self, change: Change) -> bool:
        """Whether the old commit is seen in the history of the new one."""
        if not change.old or not change.new:
            return False
        old, new = (bytes.fromhex(name.decode()) for name in (change.old, change.new))
        seen, waiting = {new}, deque([new])
        while waiting and self._steps:
            self._steps -= 1
            commit = waiting.popleft()
            if commit == old:
                return True
            parents = self._parents.get(commit, b"")
            for begin in range(0, len(parents), _ID):
                parent = parents[begin : begin + _ID]
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return False
