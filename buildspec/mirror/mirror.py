"""One mirror: passes until the target has what the source has.

A pass lists both ends, plans what differs and delivers it. Passes follow each other until there is nothing left, so a
push that arrives meanwhile is not lost; and whatever a killed build left behind, the next one starts from what the ends
say.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Generic, Protocol, TypeVar

from .aws import AwsRefusedError
from .failures import (
    LookNeededError,
    NotLookedAtError,
    RelayRefusedError,
    SourceUnreachableError,
    StoppedError,
    UnreachableError,
    cause_of,
)
from .foreign import shown
from .guards import Build, Guards
from .model import HEADS, Action, Change, Limits, Listing, Push, SetDefault, mirrored
from .plan import plan
from .refusals import Part, Refusals, named, parts_of
from .report import Log, counted
from .retries import FinalError

MOST_PASSES = 10
MOST_FAILURES = 3
_MOST_BROKEN_RELAYS = 2


class Session(AbstractContextManager["Session"], Protocol):
    """An open connection to the source, and what it listed."""

    listing: Listing


class Strategy(Protocol):
    """The copy strategy, as `copies.Copy` has it."""

    def bring(self, source: Listing, target: Listing, changes: Collection[Change]) -> None: ...

    def uses_lfs(self, new: Collection[bytes], old: Iterable[bytes]) -> bytes | None: ...

    def contains(self, new: bytes, old: bytes) -> bool: ...

    def deliver(self, push: Push, target: Any) -> Mapping[bytes, str | None]: ...


_Session = TypeVar("_Session", bound=Session)


class Ends(Protocol[_Session]):
    """Both ends of a mirror, and the ways between them. `target` is what a copy pushes to."""

    target: Any

    def list_target(self) -> Listing: ...

    def default_branch(self) -> bytes | None: ...

    def set_default_branch(self, ref: bytes) -> None: ...

    def open_source(self, like: Listing) -> _Session: ...

    def relay(self, session: _Session, push: Push, listing: Listing, permitted: int) -> Mapping[bytes, str | None]:
        """Why each ref was refused, None where it was not; nothing of a ref that the source has no longer.

        `permitted` of the push's unproved moves may stay unproved.
        """

    def copy(self) -> Strategy: ...

    def moved(self) -> tuple[int, int]:
        """The bytes of packs that came in and went out so far."""


@dataclass(frozen=True)
class Rules:
    """How a mirror is made equal. `transfer` is `relay` or `copy`, `lfs` is `refuse` or `warn`."""

    limits: Limits
    build: Build
    transfer: str = "relay"
    lfs: str = "refuse"
    pause: float = 2


@dataclass(frozen=True)
class Outcome:
    """What became of a mirror. `reason` says why it is not equal, and `cause` what that is about in a few fixed words.

    `final`: the next build will not do better, so somebody has to. `compared`: both ends were read at least
    once, the last time from `read` on.
    """

    equal: bool
    compared: bool
    reason: str = ""
    final: bool = False
    cause: str = ""
    read: datetime | None = field(default=None, compare=False)
    refs: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class Mirror(Generic[_Session]):
    """One mirror in one build. `run` does it all, and lets no failure of an end out."""

    def __init__(self, ends: Ends[_Session], rules: Rules, log: Log) -> None:
        self._ends = ends
        self._rules = rules
        self._log = log
        self._guards = Guards(rules.limits, rules.build)
        self._refused = Refusals()
        self._by_copy = rules.transfer != "relay"
        self._broken_relays = 0
        self._pushed = False
        self._default: bytes | None = None
        self._outcome = Outcome(equal=False, compared=False)

    def run(self) -> Outcome:
        """Make the target equal, and say in the last line what became of it."""
        try:
            outcome = self._passes()
        except StoppedError as error:
            outcome = self._stopped(error.said(pushed=self._pushed), final=True)
        except (AwsRefusedError, FinalError) as error:
            outcome = self._stopped(str(error), final=True, cause=cause_of(error))
        except UnreachableError as error:
            outcome = self._stopped(str(error))
        received, sent = self._ends.moved()
        return replace(outcome, bytes_in=received, bytes_out=sent)

    def _passes(self) -> Outcome:
        failures = 0
        for _ in range(MOST_PASSES):
            try:
                outcome = self._pass()
            except FinalError:
                raise
            except (UnreachableError, RelayRefusedError) as error:
                # Another build may have been quicker, or an end was away.
                failures += 1
                if failures == MOST_FAILURES:
                    raise UnreachableError(f"{MOST_FAILURES} passes failed, the last because {error}") from error
                self._log(f"failed: {error}")
                time.sleep(self._rules.pause * failures)
                continue
            if outcome:
                return outcome
        return self._stopped(f"the source still changes after {MOST_PASSES} passes; the next build goes on")

    def _stopped(self, reason: str, *, final: bool = False, cause: str = "") -> Outcome:
        self._log(f"stopped: {reason}")
        return replace(self._outcome, reason=reason, final=final, cause=cause)

    def _pass(self) -> Outcome | None:
        """Deliver what differs; an outcome where nothing is left that the target takes."""
        began = datetime.now(timezone.utc)
        # The target first: what it has and the source, asked later, has not, was deleted there.
        with self._log.step("read the refs of the target"):
            target = self._ends.list_target()
            target_default = self._ends.default_branch()
        self._refused.note_listed(target)
        with self._log.step("read the refs of the source"):
            session = self._ends.open_source(target)
        with session:
            source = session.listing
            self._outcome = replace(self._outcome, compared=True, read=began, refs=len(mirrored(source)))
            planned = plan(source, target, source.default, target_default, self._guards)
            actions = [action for action in map(self._refused.without, planned) if action]
            if not actions:
                return self._end(planned, target)
            self._say_what_differs(actions)
            self._default = target_default
            left: Sequence[Action] = actions
            if not self._by_copy:
                left = self._relay(session, target, actions)
        if left:
            self._try_copy(source, target, left, _unproved(actions))
        return None

    def _try_copy(
        self, source: Listing, target: Listing, actions: Sequence[Action], unproved: Collection[Change]
    ) -> None:
        """Deliver by a copy. Where that was only for what the target had refused, a failure leaves the refusal."""
        try:
            self._copy(source, target, actions, unproved)
        except (UnreachableError, RelayRefusedError) as error:
            if not self._refused.tried_again(well=False):
                raise
            self._log(f"failed: {error}")
        else:
            self._refused.tried_again(well=True)

    def _end(self, refused: Sequence[Action], target: Listing) -> Outcome | None:
        """Nothing is left to do but what the target refused: `refused`."""
        if not refused:
            self._log(f"done: the target has the source's {counted(self._outcome.refs, 'ref')}")
            return replace(self._outcome, equal=True)
        parts = parts_of(refused)
        if self._refused.are_fewer(parts):
            time.sleep(self._rules.pause)
            return None
        if not self._by_copy and self._refused.set_aside(parts, target):
            # The source may have left objects out that the target has not.
            self._log("the copy strategy tries what the target refused")
            self._by_copy = True
            return None
        reason = f"the target refuses {self._refused.shown(parts)}; everything else is equal"
        self._log(reason)
        return replace(self._outcome, reason=reason, final=True, cause=f"refused {', '.join(map(named, parts))}")

    def _say_what_differs(self, actions: Iterable[Action]) -> None:
        changes = _changes(actions)
        gone = sum(change.new is None for change in changes)
        lacking = counted(len(changes) - gone, "ref")
        self._log(f"the target lacks {lacking}, and has {gone} that {'is' if gone == 1 else 'are'} gone")

    def _relay(self, session: _Session, target: Listing, actions: Sequence[Action]) -> Sequence[Action]:
        """Relay packs; returns what a copy has to deliver instead."""
        permitted = self._guards.unproved_permitted(actions)
        for number, action in enumerate(actions):
            if isinstance(action, SetDefault):
                self._set_default(action)
                continue
            try:
                with self._log.step(f"relayed {_described(action)}", self._ends.moved):
                    results = self._ends.relay(session, action, target, permitted)
            except (RelayRefusedError, LookNeededError) as error:
                self._log(f"{error}; the copy strategy takes over")
                return actions[number:]
            except UnreachableError as error:
                self._pushed = True  # perhaps
                self._note_broken_relay(error)
                raise
            self._broken_relays = 0
            self._note(action, results)
            # What arrived need not be sent again with the next push.
            arrived = {change.ref: change.new for change in action.changes if results.get(change.ref, "") is None}
            target = replace(target, refs={**target.refs, **{ref: new for ref, new in arrived.items() if new}})
        return ()

    def _note_broken_relay(self, error: UnreachableError) -> None:
        """A target may break off instead of saying that a pack is too large for it."""
        self._broken_relays = 0 if isinstance(error, SourceUnreachableError) else self._broken_relays + 1
        if self._broken_relays == _MOST_BROKEN_RELAYS:
            self._log(f"the target broke off {_MOST_BROKEN_RELAYS} relays in a row; the copy strategy takes over")
            self._by_copy = True

    def _copy(self, source: Listing, target: Listing, actions: Sequence[Action], unproved: Collection[Change]) -> None:
        copy = self._ends.copy()
        changes = _changes(actions)
        if changes:
            with self._log.step(f"brought {counted(len(changes), 'ref')} into the copy", self._ends.moved):
                copy.bring(source, target, changes)
            self._look(copy, target, changes, unproved)
        for action in actions:
            if isinstance(action, SetDefault):
                self._set_default(action)
            else:
                self._pushed = True  # perhaps
                with self._log.step(f"pushed {_described(action)}", self._ends.moved):
                    results = copy.deliver(action, self._ends.target)
                self._note(action, results)

    def _look(self, copy: Strategy, target: Listing, changes: Iterable[Change], unproved: Collection[Change]) -> None:
        """Ask the history what the relay cannot see."""
        new = {change.new for change in changes if change.new}.difference(target.refs.values())
        with self._log.step("looked at the history", self._ends.moved):
            lfs = self._lfs_in(copy, new, target)
            rewritten = [
                change for change in unproved if change.new and change.old and not copy.contains(change.new, change.old)
            ]
        self._guards.check_rewrites(unproved, rewritten)
        if lfs and self._rules.lfs == "refuse":
            raise StoppedError(lfs, "With 'lfs: warn' everything else is mirrored")
        if lfs:
            self._log(f"WARNING: {lfs}")

    def _lfs_in(self, copy: Strategy, new: Collection[bytes], target: Listing) -> str:
        """What to say about Git LFS in new history."""
        try:
            path = copy.uses_lfs(new, target.refs.values()) if new else None
        except NotLookedAtError as error:
            return f"the history could not be looked at for Git LFS, whose content the target cannot hold: {error}"
        name = shown(path) if path else ""
        return f"the source uses Git LFS ({name}), whose content the target cannot hold" if path else ""

    def _set_default(self, action: SetDefault) -> None:
        try:
            with self._log.step(f"changed the default branch from {_short(self._default)} to {_short(action.ref)}"):
                self._ends.set_default_branch(action.ref)
        except AwsRefusedError as error:
            self._refuse({action: str(error)})
        else:
            self._default, self._pushed = action.ref, True

    def _note(self, push: Push, results: Mapping[bytes, str | None]) -> None:
        self._pushed = self._pushed or None in results.values()
        reasons = ((change, results.get(change.ref)) for change in push.changes)
        self._refuse({change: reason for change, reason in reasons if reason is not None})

    def _refuse(self, reasons: Mapping[Part, str]) -> None:
        """Remember what the target does not take; it keeps nothing else from arriving."""
        for line in self._refused.add(reasons):
            self._log(line)


def _changes(actions: Iterable[Action]) -> list[Change]:
    return [change for action in actions if isinstance(action, Push) for change in action.changes]


def _unproved(actions: Iterable[Action]) -> list[Change]:
    return [change for action in actions if isinstance(action, Push) for change in action.unproved]


def _described(push: Push) -> str:
    gone = sum(change.new is None for change in push.changes)
    parts = ((len(push.changes) - gone, "new or moved ref"), (gone, "deletion"))
    return " and ".join(counted(number, what) for number, what in parts if number)


def _short(ref: bytes | None) -> str:
    """A branch without `refs/heads/`."""
    return shown((ref or b"none")[len(HEADS) if ref else 0 :])
