"""Decides what makes the target equal to the source: in which order, in how many requests, and whether it may be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Union

from .failures import StoppedError
from .foreign import shown
from .guards import Guards
from .model import HEADS, Action, Change, Listing, Push, SetDefault, mirrored

_Step = Union[list[Change], SetDefault]


def plan(
    source: Listing,
    target: Listing,
    default: bytes | None,
    target_default: bytes | None,
    guards: Guards,
) -> tuple[Action, ...]:
    """What to do at the target, in order. Nothing if the ends are equal.

    `default` and `target_default` are the default branches of the ends, as `refs/heads/main`; None is one that an end
    does not have or name. Refs other than heads and tags stay as they are.

    StoppedError: a guard forbids it, or CodeCommit cannot do it; nothing is to be pushed.
    """
    unproved = guards.check(source, target)
    wanted, had = mirrored(source), mirrored(target)
    changes = [Change(ref, had.get(ref), wanted[ref]) for ref in sorted(wanted) if had.get(ref) != wanted[ref]]
    gone = {ref for ref in had if ref not in wanted}
    default = default if default in wanted else None
    # The first branch that a target without branches receives becomes its default.
    changes.sort(key=lambda change: change.ref != default)
    order = _Order(wanted, had, changes, gone, default, target_default)
    return tuple(_in_parts(order.steps(), guards.limits.changes_per_push, unproved))


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
        old = shown((self.target_default or b"")[len(HEADS) :])
        new = shown(min(ref for ref in self.wanted if ref.startswith(HEADS))[len(HEADS) :])
        return StoppedError(
            f"the target's default branch '{old}' is in the way of every branch of the source, as of '{new}', and "
            "CodeCommit deletes no default branch",
            "Push a branch with another name to the source, for example: git push origin HEAD:refs/heads/moving. When "
            "it is mirrored, delete it there",
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
