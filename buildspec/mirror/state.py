"""Since when mirrors differ, and of which people were told, kept in a parameter between builds.

The parameter's value is JSON: for each mirror that differs, the time since when, followed by the time of the last
notice and a digest of its reason if there was one. Times are in UTC.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from .mirror import Outcome

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
_MOST_BYTES = 4096
_AGAIN_AFTER = timedelta(days=1)
_TIME = "%Y-%m-%dT%H:%MZ"
_OTHERS = "+"


@dataclass(frozen=True)
class Entry:
    """A mirror that differs. `told` is when people were last told, and `reason` a digest of what they were told."""

    since: datetime
    told: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class State:
    """The mirrors that differ, by their keys, and how many more there are that did not fit."""

    entries: dict[str, Entry] = field(default_factory=dict)
    others: int = 0

    def oldest(self, now: datetime) -> float:
        """How many seconds the mirror differs that differs longest; 0 where none does."""
        return max(((now - entry.since).total_seconds() for entry in self.entries.values()), default=0)


@dataclass(frozen=True)
class Verdict:
    """What the state becomes, and the mirrors to tell people of: those that differ, and those that are equal again."""

    state: State
    differ: tuple[str, ...] = ()
    again: tuple[str, ...] = ()


def parse(text: str) -> State:
    """The state in a parameter's value. Raises ValueError where it is none."""
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("the value is no JSON object")
    others = content.pop(_OTHERS, 0)
    if type(others) is not int or others < 0:
        raise ValueError(f"{_OTHERS!r} is no number")
    return State({key: _entry(value) for key, value in content.items()}, others)


def written(state: State) -> str:
    """The value of the parameter: those that differ longest, as many as fit, and the number of the others."""
    oldest = sorted(state.entries.items(), key=lambda item: (item[1].since, item[0]))
    content: dict[str, str | int] = {}
    size = len(json.dumps({_OTHERS: 10**6}))
    for key, entry in oldest:
        value = _text(entry)
        size += len(json.dumps({key: value}))
        if size > _MOST_BYTES:
            break
        content[key] = value
    others = state.others + len(oldest) - len(content)
    if others:
        content[_OTHERS] = others
    return json.dumps(content, separators=(",", ":"))


def decide(
    before: State, outcomes: Mapping[str, Outcome], *, whole: bool, now: datetime, alert_hours: int, told: bool = True
) -> Verdict:
    """What the outcomes make of the state. `whole`: they are those of all mirrors; others stay as they are.

    People are told of a mirror that differs for `alert_hours`, or will not become equal by itself: at once, when the
    reason of the latter changes, and again each day. With `told` false nobody could be told.
    """
    now = now.replace(second=0, microsecond=0)
    entries = {} if whole else dict(before.entries)
    differ, again = [], []
    for key, outcome in outcomes.items():
        known = before.entries.get(key)
        if outcome.equal:
            entries.pop(key, None)
            if known and known.told:
                again.append(key)
                if not told:
                    entries[key] = known
            continue
        # One that did not fit may be among those of which people were told already.
        entry = known or Entry(now, now if before.others else None)
        if _is_due(entry, outcome, now, alert_hours):
            differ.append(key)
            if told:
                entry = replace(entry, told=now, reason=_digest(outcome.reason))
        entries[key] = entry
    return Verdict(State(entries, 0 if whole else before.others), tuple(differ), tuple(again))


def _is_due(entry: Entry, outcome: Outcome, now: datetime, alert_hours: int) -> bool:
    if not outcome.final and now - entry.since < timedelta(hours=alert_hours):
        return False
    if entry.told is None or now - entry.told >= _AGAIN_AFTER:
        return True
    return outcome.final and entry.reason not in ("", _digest(outcome.reason))


def shown(time: datetime) -> str:
    """A time as people read it."""
    return time.strftime("%Y-%m-%d %H:%M UTC")


def _digest(reason: str) -> str:
    return hashlib.sha256(reason.encode()).hexdigest()[:6]


def _text(entry: Entry) -> str:
    parts = [entry.since.strftime(_TIME)]
    if entry.told:
        parts += [entry.told.strftime(_TIME), entry.reason or "-"]
    return " ".join(parts)


def _entry(value: object) -> Entry:
    since, *told = str(value).split(" ")
    if not told:
        return Entry(_time(since))
    last, reason = told
    return Entry(_time(since), _time(last), "" if reason == "-" else reason)


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)
