"""Decides what makes the target equal to the source: in which order, in how many requests, and whether it may be."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Union

from .failures import StoppedError
from .model import Action, Change, Limits, Listing, Push, SetDefault

_Step = Union[list[Change], SetDefault]

HEADS = b"refs/heads/"
TAGS = b"refs/tags/"

FEW = 9
"""So many refs may be deleted, or branches rewritten, whatever their share is."""


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


def plan(
    source: Listing,
    target: Listing,
    default: bytes | None,
    target_default: bytes | None,
    limits: Limits,
    build: Build,
) -> tuple[Action, ...]:
    """What to do at the target, in order. Nothing if the ends are equal.

    `default` and `target_default` are the default branches of the ends, as `refs/heads/main`; None is one that an end
    does not have or name. Refs other than heads and tags stay as they are.

    StoppedError: a guard forbids it, or CodeCommit cannot do it; nothing is to be pushed.
    """
    _check_limits(limits)
    wanted, had = mirrored(source), mirrored(target)
    changes = [Change(ref, had.get(ref), wanted[ref]) for ref in sorted(wanted) if had.get(ref) != wanted[ref]]
    gone = {ref for ref in had if ref not in wanted}
    if changes or gone:
        _check_deletions(wanted, len(gone), len(had), limits, build)
    default = default if default in wanted else None
    # The first branch that a target without branches receives becomes its default.
    changes.sort(key=lambda change: change.ref != default)
    moved = [change for change in changes if change.old and change.ref.startswith(HEADS)]
    unproved = frozenset(moved if len(moved) > rewrites_permitted(target, limits) else ())
    order = _Order(wanted, had, changes, gone, default, target_default)
    return tuple(_in_parts(order.steps(), limits.changes_per_push, unproved))


def mirrored(listing: Listing) -> dict[bytes, bytes]:
    """The refs of an end that are mirrored: heads and tags."""
    if all(ref.startswith((HEADS, TAGS)) for ref in listing.refs):
        return listing.refs  # no second dictionary of 100,000
    return {ref: commit for ref, commit in listing.refs.items() if ref.startswith((HEADS, TAGS))}


def _check_deletions(wanted: dict[bytes, bytes], gone: int, had: int, limits: Limits, build: Build) -> None:
    """To mirror an emptied source would be to empty the target."""
    if not any(ref.startswith(HEADS) for ref in wanted):
        raise StoppedError("the source has no branch", "If that is right, empty the target by hand")
    if gone > _permitted(had, limits.max_lost_percent, limits.allow_deletions):
        raise StoppedError(
            f"the source lacks {gone} of the target's {had} refs, more than {limits.max_lost_percent} %",
            f"If that is right, allow it once: {build.allowing('ALLOW_DELETIONS', gone)}",
        )


def rewrites_permitted(target: Listing, limits: Limits) -> int:
    """How many of the target's branches a pass may move to commits that do not contain their old ones."""
    return _permitted(_branches(target), limits.max_rewritten_percent, limits.allow_rewrites)


def unproved_permitted(actions: Iterable[Action], target: Listing, limits: Limits) -> int:
    """How many unproved moves the pack of each of these pushes may leave.

    None where several pushes have such moves: what one of them leaves could not be added up before it is applied.
    """
    pushes = sum(isinstance(action, Push) and bool(action.unproved) for action in actions)
    return 0 if pushes > 1 else rewrites_permitted(target, limits)


def check_rewrites(rewritten: Collection[Change], target: Listing, limits: Limits, build: Build) -> None:
    """StoppedError if a pass would rewrite too many branches; `rewritten` are those of all its pushes."""
    if len(rewritten) > rewrites_permitted(target, limits):
        raise StoppedError(
            f"the source rewrote {len(rewritten)} of the target's {_branches(target)} branches, more than "
            f"{limits.max_rewritten_percent} %: their new commits do not contain the old ones",
            f"If that is right, allow it once: {build.allowing('ALLOW_REWRITES', len(rewritten))}",
        )


def _check_limits(limits: Limits) -> None:
    for name, number in vars(limits).items():
        if number < (name == "changes_per_push"):
            raise StoppedError(f"{name.upper()} is {number}", "Set it to a number that is not negative")


def _permitted(had: int, percent: int, allowed: int) -> int:
    return max(FEW, had * percent // 100, allowed)


def _branches(listing: Listing) -> int:
    return sum(ref.startswith(HEADS) for ref in listing.refs)


@dataclass(frozen=True)
class _Order:
    """The order of changes in which the target refuses none.

    A ref cannot be created while another is in its way, as `a` is for `a/b` and `a/b` for `a`. CodeCommit deletes no
    default branch, and takes as default only a branch that is there.
    https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-delete-branch.html
    """

    wanted: dict[bytes, bytes]
    had: dict[bytes, bytes]
    changes: list[Change]
    gone: set[bytes]
    default: bytes | None
    target_default: bytes | None

    def steps(self) -> Iterator[_Step]:
        """First what nothing is in the way of, so that nothing is deleted before what takes its place is there."""
        leaving = {ref for ref in self.gone if ref == self.target_default}
        first, blocked = _divided(self.changes, self.gone)
        yield first
        current, deleted = self.target_default, self.gone
        if leaving and not self._successor(blocked, leaving):
            # The next default branch itself waits for a deletion, but not for that of the old default.
            deleted = leaving
            yield self._deletions(self.gone - leaving)
            second, blocked = _divided(blocked, leaving)
            yield second
            if not self._successor(blocked, leaving):
                raise self._nowhere_to_go()
        successor = self._successor(blocked, leaving)
        if successor and successor != current:
            yield SetDefault(successor)
            current = successor
        yield self._deletions(deleted)
        yield blocked
        if self.default and self.default != current:
            yield SetDefault(self.default)

    def _successor(self, blocked: list[Change], leaving: set[bytes]) -> bytes | None:
        """The branch to become the target's default now: the source's, or another for a while."""
        waiting = {change.ref for change in blocked}
        if self.default and self.default not in waiting:
            return self.default
        free_without_leaving = {change.ref for change in _divided(blocked, leaving)[0]}
        if not leaving or self.default in free_without_leaving:
            return None
        branches = (ref for ref in self.wanted if ref.startswith(HEADS) and ref not in waiting)
        return min(branches, key=lambda ref: (ref not in self.had, ref), default=None)

    def _deletions(self, refs: Iterable[bytes]) -> list[Change]:
        return [Change(ref, self.had[ref], None) for ref in sorted(refs)]

    def _nowhere_to_go(self) -> StoppedError:
        old = (self.target_default or b"")[len(HEADS) :].decode(errors="replace")
        new = min(ref for ref in self.wanted if ref.startswith(HEADS))[len(HEADS) :].decode(errors="replace")
        push = shlex.join(["git", "push", "origin", f"origin/{new}:refs/heads/moving"])
        return StoppedError(
            f"the target's default branch '{old}' is in the way of every branch of the source, as of '{new}', and "
            "CodeCommit deletes no default branch",
            f"Push a branch with another name to the source, for example: {push}. When it is mirrored, delete it there",
        )


def _divided(changes: Iterable[Change], gone: Collection[bytes]) -> tuple[list[Change], list[Change]]:
    """The changes that none of the refs `gone` is in the way of, and the others."""
    folders = {folder for ref in gone for folder in _folders(ref)}
    free: list[Change] = []
    blocked: list[Change] = []
    for change in changes:
        ref = change.ref
        in_the_way = ref in folders or any(folder in gone for folder in _folders(ref))
        (blocked if in_the_way else free).append(change)
    return free, blocked


def _folders(ref: bytes) -> Iterator[bytes]:
    """`refs/heads/a`, `refs/heads` and `refs` for `refs/heads/a/b`."""
    end = ref.rfind(b"/")
    while end > 0:
        yield ref[:end]
        end = ref.rfind(b"/", 0, end)


def _in_parts(steps: Iterable[_Step], most: int, unproved: frozenset[Change]) -> Iterator[Action]:
    for step in steps:
        if isinstance(step, SetDefault):
            yield step
            continue
        for begin in range(0, len(step), most):
            part = tuple(step[begin : begin + most])
            yield Push(part, unproved.intersection(part))
