"""What the target of a mirror refused in this build, and what of it is worth another try."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Union

from .foreign import shown
from .model import Action, Change, Listing, Push, SetDefault
from .report import counted, first_of

Part = Union[Change, SetDefault]

_MOST_REASONS = 10
_NAMED = 5


class Refusals:
    """The parts of actions that the target does not take, with its reasons."""

    def __init__(self) -> None:
        self._reasons: dict[Part, str] = {}
        self._listed: set[bytes] = set()
        self._fewest = sys.maxsize
        self._set_aside: dict[Part, str] = {}

    def note_listed(self, target: Listing) -> None:
        """Remember the refs of every pass: one that others push may be in the way of a change, and be gone later."""
        self._listed.update(target.refs)

    def add(self, reasons: Mapping[Part, str]) -> Iterator[str]:
        """Remember what the target does not take; yields what to say of it."""
        self._reasons.update(reasons)
        for text in _by_reason(reasons):
            yield f"the target refuses {text}"

    def without(self, action: Action) -> Action | None:
        """The action without what the target has refused already."""
        if isinstance(action, SetDefault):
            return None if action in self._reasons else action
        changes = tuple(change for change in action.changes if change not in self._reasons)
        return Push(changes, action.unproved.intersection(changes)) if changes else None

    def are_fewer(self, parts: Sequence[Part]) -> bool:
        """Whether fewer are left than ever before: then what others were in the way of can be tried again.

        A build at the same time may have held the lock of such a ref, and made it equal. And what was in the way of
        others, as the default branch is of its deletion, may have gone.
        """
        if len(parts) >= self._fewest:
            return False
        self._fewest = len(parts)
        self._reasons = {part: self._reasons[part] for part in _refused_for_themselves(parts, self._listed)}
        return True

    def set_aside(self, parts: Iterable[Part], target: Listing) -> bool:
        """Try those again that need objects which the target lacks; whether there are such."""
        there = frozenset(target.refs.values())
        self._set_aside = {
            part: self._reasons.pop(part)
            for part in parts
            if isinstance(part, Change) and part.new is not None and part.new not in there
        }
        return bool(self._set_aside)

    def tried_again(self, *, well: bool) -> bool:
        """Take back what was set aside, where it could not be tried; whether something was."""
        were, self._set_aside = self._set_aside, {}
        if not well:
            self._reasons.update(were)
        return bool(were)

    def shown(self, parts: Sequence[Part]) -> str:
        """These parts with their reasons, some of them if they are many."""
        return ", ".join(_by_reason({part: self._reasons[part] for part in parts}))


def parts_of(actions: Iterable[Action]) -> list[Part]:
    """Every change and every change of the default branch."""
    parts: list[Part] = []
    for action in actions:
        parts += (action,) if isinstance(action, SetDefault) else action.changes
    return parts


def named(part: Part) -> str:
    """A part as people read it."""
    name = shown(part.ref)
    return f"the default branch {name}" if isinstance(part, SetDefault) else name


def _by_reason(reasons: Mapping[Part, str]) -> Iterator[str]:
    """Each reason once, with the names of its first refs and their number. The last text counts what is left out."""
    refused: dict[str, list[str]] = {}
    for part, reason in reasons.items():
        refused.setdefault(reason, []).append(named(part))
    left = len(reasons)
    for reason, names in list(refused.items())[:_MOST_REASONS]:
        several = f"{len(names)} refs ({first_of(names, _NAMED)})"
        yield f"{names[0] if len(names) == 1 else several}: {reason}"
        left -= len(names)
    if left:
        yield counted(left, "other")


def _refused_for_themselves(parts: Iterable[Part], listed: Collection[bytes]) -> Iterator[Change]:
    """Those that create or move a ref which no other ref was in the way of."""
    folders = {folder for ref in listed for folder in _folders(ref)}
    for part in parts:
        if isinstance(part, Change) and part.new:
            in_the_way = part.ref in folders or any(folder in listed for folder in _folders(part.ref))
            if part.old or not in_the_way:
                yield part


def _folders(ref: bytes) -> Iterator[bytes]:
    while ref:
        ref = ref.rpartition(b"/")[0]
        yield ref
