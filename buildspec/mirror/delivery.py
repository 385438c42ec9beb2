"""Pushes from a copy, in steps where one push would be too large for the target."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import BinaryIO, Protocol

from .foreign import shown
from .git import Git, TooLargeError
from .model import Change

_PART = 1 << 16
_MOST_HEADS = 50


class TakesPushes(Protocol):
    """What a copy needs of a target: None for a ref that it took, else why not."""

    def push(self, changes: Sequence[Change], pack: Iterator[bytes]) -> Mapping[bytes, str | None]:
        """Ask for the changes in one request."""


@dataclass
class Delivery:
    """Pushes to one target, which has everything that the ids in `had` need.

    A push may have `most_bytes`. `results` has what became of each ref, `moved` where refs are that are on their way.
    """

    git: Git
    target: TakesPushes
    capabilities: frozenset[bytes]
    had: list[bytes]
    most_bytes: int
    say: Callable[[str], None]
    results: dict[bytes, str | None] = field(default_factory=dict)
    moved: dict[bytes, bytes] = field(default_factory=dict)

    def deliver(self, changes: Sequence[Change]) -> None:
        """Push the changes, in their order, in as few pushes as their size allows."""
        changes = [replace(change, old=self.moved.get(change.ref, change.old)) for change in changes]
        # Objects may be larger in the pack than in the copy, so half of what a push may have is planned.
        self._deliver(changes, self.most_bytes // 2)

    def _deliver(self, changes: Sequence[Change], planned: int) -> None:
        pack = self._pack(changes) if self._size(changes) <= planned else None
        if pack is not None:
            self.results.update(self._push(changes, pack))
        elif len(changes) > 1:
            half = len(changes) // 2
            self._deliver(changes[:half], planned)
            self._deliver(changes[half:], planned)
        else:
            self._step(changes[0], planned)

    def _step(self, change: Change, planned: int) -> None:
        """Move one ref along its history, each time as far as a push can."""
        assert change.new is not None  # noqa: S101  (a deletion has no size)
        at_once = planned
        while change.ref not in self.results:
            between, smallest = _intermediate(self.git, change.new, self.had, at_once)
            step = replace(change, new=between)
            pack = self._pack([step])
            if pack is not None:
                self.say(f"pushes {shown(change.ref)} in steps, as far as {between.decode()}")
                refused = self._push([step], pack)[change.ref]
                if refused is not None or between == change.new:
                    self.results[change.ref] = refused
                self.moved[change.ref] = between
                change = replace(change, old=between)
                at_once = planned
            elif smallest:
                self.results[change.ref] = (
                    f"commit {between.decode()} alone has more than the {self.most_bytes} bytes that a push may have"
                )
            else:
                at_once //= 2

    def _push(self, changes: Sequence[Change], pack: BinaryIO) -> dict[bytes, str | None]:
        with pack:
            results = dict(self.target.push(changes, iter(lambda: pack.read(_PART), b"")))
        self.had += [change.new for change in changes if change.new and results.get(change.ref, "") is None]
        return results

    def _size(self, changes: Iterable[Change]) -> int:
        """How many bytes the copy has of what the target lacks."""
        new = _new(changes)
        if not new:
            return 0
        (size,) = self.git.lines("rev-list", "--objects", "--disk-usage", "--stdin", given=self._range(new))
        return int(size)

    def _pack(self, changes: Iterable[Change]) -> BinaryIO | None:
        """What the target lacks; None where that is more than a push may have."""
        new = _new(changes)
        if not new:
            return io.BytesIO()
        options = [] if b"no-thin" in self.capabilities else ["--thin"]
        options += ["--delta-base-offset"] if b"ofs-delta" in self.capabilities else []
        try:
            return self.git.run(
                *("pack-objects", "--revs", "--stdout", "--quiet", *options),
                given=self._range(new),
                most_bytes=self.most_bytes,
            )
        except TooLargeError:
            return None

    def _range(self, new: Iterable[bytes]) -> Iterable[bytes]:
        return chain(new, (b"^" + oid for oid in self.had))


def _new(changes: Iterable[Change]) -> list[bytes]:
    return list(dict.fromkeys(change.new for change in changes if change.new is not None))


def _intermediate(git: Git, new: bytes, had: Iterable[bytes], planned: int) -> tuple[bytes, bool]:
    """A commit in the history of `new` that needs at most `planned` bytes beside `had`, and whether none needs fewer.

    Among the oldest commits that have these bytes together, it is the one whose history has most of them.
    """
    own: dict[bytes, int] = {}
    parents: dict[bytes, list[bytes]] = {}
    commit, total = new, 0
    order = ("--topo-order", "--reverse", "--objects", "--in-commit-order", "--no-object-names")
    given = [new, *(b"^" + oid for oid in had)]
    with git.run("rev-list", "--parents", *order, "--stdin", given=given) as listed:
        sized = ("--buffer", "--batch-check=%(objecttype) %(objectsize:disk)")
        with git.run("cat-file", *sized, given=(line.split()[0] for line in listed)) as sizes:
            listed.seek(0)
            for line, answer in zip(listed, sizes):
                oid, *its_parents = line.split()
                kind, size = answer.split()
                if kind == b"commit":
                    commit = oid
                    parents[oid] = its_parents
                own[commit] = own.get(commit, 0) + int(size)
                total += int(size)
                if total > planned:
                    break
            else:
                return new, len(parents) < 2
    if len(own) < 2:
        return commit, True
    del own[commit]  # the first that is too much
    heads = own.keys() - {parent for oid in own for parent in parents[oid]}
    latest = [oid for oid in own if oid in heads][-_MOST_HEADS:]
    best = max(latest, key=lambda head: sum(own[oid] for oid in _history(head, parents, own)))
    return best, len(own) == 1


def _history(head: bytes, parents: Mapping[bytes, Sequence[bytes]], among: Mapping[bytes, int]) -> set[bytes]:
    found, left = {head}, [head]
    while left:
        for parent in parents[left.pop()]:
            if parent in among and parent not in found:
                found.add(parent)
                left.append(parent)
    return found
