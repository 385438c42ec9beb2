"""Stops a mirror that would lose or rewrite more of the target than it may without being asked.

The passes of a build are counted together against what the target had when the build began: a source that changes
before each pass would shrink the target step by step otherwise. Branches and tags are counted apart, so that many of
one kind do not make a loss of the other look small.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .failures import StoppedError
from .model import HEADS, TAGS, Action, Change, Limits, Listing, Push, mirrored

FEW = 9
"""So many refs of a kind may be deleted or rewritten, whatever their share is."""

_KINDS = {HEADS: "branches", TAGS: "tags"}


@dataclass(frozen=True)
class Build:
    """The build that people start to allow something once: its CodeBuild project, and the mirror that it is about."""

    project: str
    mirror: str

    def allowing(self, variable: str, number: int) -> str:
        return (
            f"aws codebuild start-build --project-name {self.project} --environment-variables-override "
            f"name=MIRROR,value={self.mirror} name={variable},value={number}"
        )


class Guards:
    """The guards of one mirror in one build. `check` comes first in each pass, before anything of it is pushed."""

    limits: Limits

    def __init__(self, limits: Limits, build: Build) -> None:
        self.limits = limits
        self._build = build
        self._first: Mapping[bytes, bytes] | None = None
        self._now: Mapping[bytes, bytes] = {}
        self._lost: set[bytes] = set()
        self._moved: set[bytes] = set()
        self._proved: dict[bytes, bytes] = {}

    def check(self, source: Listing, target: Listing) -> frozenset[Change]:
        """The moved branches of this pass that somebody has to prove, none where they are few.

        Raises StoppedError where the source has no branch, or lost or moved too much.
        """
        _check_limits(self.limits)
        wanted, self._now = mirrored(source), mirrored(target)
        if self._first is None:
            self._first = self._now
        if wanted == self._now:
            return frozenset()
        if not any(ref.startswith(HEADS) for ref in wanted):  # to mirror it would be to empty the target
            raise StoppedError("the source has no branch", "If that is right, empty the target by hand")
        self._count()
        self._check_deletions(wanted)
        moved = {ref for ref, commit in self._now.items() if wanted.get(ref, commit) != commit} - self._moved
        self._check_tags(moved)
        branches = [ref for ref in moved if ref.startswith(HEADS)]
        if len(branches) <= self._rewrites_left(HEADS):
            return frozenset()
        return frozenset(Change(ref, self._now[ref], wanted[ref]) for ref in branches)

    def unproved_permitted(self, actions: Iterable[Action]) -> int:
        """How many unproved moves the pack of each of these pushes may leave.

        None where several pushes have such moves: what one of them leaves could not be added up before it is applied.
        """
        pushes = sum(isinstance(action, Push) and bool(action.unproved) for action in actions)
        return 0 if pushes > 1 else self._rewrites_left(HEADS)

    def check_rewrites(self, unproved: Collection[Change], rewritten: Collection[Change]) -> None:
        """StoppedError if too many of the branches that had to be proved are rewritten; the others are proved."""
        if len(rewritten) > self._rewrites_left(HEADS):
            raise self._too_many_rewrites(
                "rewrote", HEADS, len(rewritten), ": their new commits do not contain the old ones"
            )
        for change in frozenset(unproved).difference(rewritten):
            if change.new and change.old in ((self._first or {}).get(change.ref), self._proved.get(change.ref)):
                self._proved[change.ref] = change.new

    def _count(self) -> None:
        """Add what the target no longer has of what it had first. What is not known to be proved is not."""
        for ref, commit in (self._first or {}).items():
            now = self._now.get(ref)
            if now is None:
                self._lost.add(ref)
            elif now not in (commit, self._proved.get(ref)):
                self._moved.add(ref)

    def _check_deletions(self, wanted: Mapping[bytes, bytes]) -> None:
        first = self._first or {}
        lost = self._lost.union(ref for ref in first if ref not in wanted)
        gone = [ref for ref in self._now if ref not in wanted]
        if not gone:
            return
        said, most = [], 0
        for kind, name in _KINDS.items():
            for refs, had in ((lost, first), (gone, self._now)):
                number, of = _number(refs, kind), _number(had, kind)
                if number > _permitted(of, self.limits.max_lost_percent, self.limits.allow_deletions):
                    said.append(f"{number} of the target's {of} {name}")
                    most = max(most, number)
                    break
        if said:
            raise StoppedError(
                f"the source lacks {' and '.join(said)}, more than {self.limits.max_lost_percent} %",
                f"If that is right, allow it once: {self._build.allowing('ALLOW_DELETIONS', most)}",
            )

    def _check_tags(self, moved: Collection[bytes]) -> None:
        """Nobody expects a tag to move, whatever it moves to."""
        number = _number(moved, TAGS)
        if number > self._rewrites_left(TAGS):
            raise self._too_many_rewrites("moved", TAGS, number)

    def _rewrites_left(self, kind: bytes) -> int:
        """How many refs of a kind this pass may rewrite beside those that were moved before."""
        first = self._rewrites_permitted(self._first or {}, kind) - _number(self._moved, kind)
        return max(0, min(first, self._rewrites_permitted(self._now, kind)))

    def _rewrites_permitted(self, had: Collection[bytes], kind: bytes) -> int:
        return _permitted(_number(had, kind), self.limits.max_rewritten_percent, self.limits.allow_rewrites)

    def _too_many_rewrites(self, verb: str, kind: bytes, number: int, explanation: str = "") -> StoppedError:
        first = self._first or {}
        before = min(_number(self._moved, kind), self._rewrites_permitted(first, kind))
        of = max(_number(first, kind), _number(self._now, kind))
        earlier = f" ({before} of them may have been in earlier passes of this build)" if before else ""
        return StoppedError(
            f"the source {verb} {before + number} of the target's {of} {_KINDS[kind]}{earlier}, more than "
            f"{self.limits.max_rewritten_percent} %{explanation}",
            f"If that is right, allow it once: {self._build.allowing('ALLOW_REWRITES', before + number)}",
        )


def _check_limits(limits: Limits) -> None:
    for name, number in vars(limits).items():
        if number < (name == "changes_per_push"):
            raise StoppedError(f"{name.upper()} is {number}", "Set it to a number that is not negative")


def _permitted(had: int, percent: int, allowed: int) -> int:
    return max(FEW, had * percent // 100, allowed)


def _number(refs: Iterable[bytes], kind: bytes) -> int:
    return sum(ref.startswith(kind) for ref in refs)
