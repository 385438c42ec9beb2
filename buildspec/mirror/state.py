"""Since when mirrors differ, and of which people were told, kept in a parameter between builds.

The parameter's value is JSON: for each mirror that differs, the time since when, followed by the time of the last
notice (`-` if there was none), and by a digest of what somebody has to mend (not if the next build may do better). Of
others that do not fit there are the number (`+`), and a time and digest for those among them that somebody has to mend
(`!`). Times are in UTC.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from .foreign import LONGEST_LINE, shown
from .mirror import Outcome

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
_MOST_BYTES = 4096
_DIGITS = 6
_NEVER = datetime(1, 1, 1, tzinfo=timezone.utc)
_AGAIN_AFTER = timedelta(days=1)
_TIME = "%Y-%m-%dT%H:%MZ"
_OTHERS, _OTHERS_FINAL = "+", "!"


@dataclass(frozen=True)
class Entry:
    """A mirror that differs. `told` is when people were last told.

    `cause` is a digest of what somebody has to mend; it is empty where the next build may do better.
    """

    since: datetime
    told: datetime | None = None
    cause: str = ""


@dataclass(frozen=True)
class State:
    """The mirrors that differ, by their keys, and how many more there are that did not fit.

    `final` has when people were told of those among the others that somebody has to mend, and a digest of them.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    others: int = 0
    final: Entry | None = field(default=None, compare=False)

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
    final = content.pop(_OTHERS_FINAL, None)
    return State(
        {key: _entry(value) for key, value in content.items()}, others, None if final is None else _entry(final)
    )


def written(state: State) -> str:
    """The value of the parameter: as many mirrors as fit, and the number of the others."""
    content: dict[str, str | int] = {**_fitting(state.entries)}
    others = state.others + len(state.entries) - len(content)
    if others:
        content[_OTHERS] = others
        if state.final:
            content[_OTHERS_FINAL] = _text(state.final)
    return json.dumps(content, separators=(",", ":"))


def _fitting(entries: Mapping[str, Entry]) -> dict[str, str]:
    """First those that somebody has to mend, of which people are told at once; then those that differ longest."""
    fitting: dict[str, str] = {}
    size = len(json.dumps({_OTHERS: 10**6, _OTHERS_FINAL: _text(Entry(_NEVER, _NEVER, "0" * _DIGITS))}))
    for key, entry in sorted(entries.items(), key=lambda item: (not item[1].cause, item[1].since, item[0])):
        value = _text(entry)
        size += len(json.dumps({key: value}))
        if size > _MOST_BYTES:
            break
        fitting[key] = value
    return fitting


def decide(
    before: State, outcomes: Mapping[str, Outcome], *, whole: bool, now: datetime, alert_hours: int, told: bool = True
) -> Verdict:
    """What the outcomes make of the state. `whole`: they are those of all mirrors; others stay as they are.

    People are told of a mirror that differs for `alert_hours`, or will not become equal by itself: at once, when the
    cause of the latter changes, and again each day. With `told` false nobody could be told.
    """
    now = now.replace(second=0, microsecond=0)
    entries = {} if whole else dict(before.entries)
    differ, again = [], []
    old = before.final if whole and before.final and before.final.cause == _final(outcomes, before.entries) else None
    for key, outcome in outcomes.items():
        known = before.entries.get(key)
        if known and outcome.read and outcome.read < (known.told or known.since):
            entries[key] = known  # another build has read both ends later
            continue
        if outcome.equal:
            entries.pop(key, None)
            if known and known.told:
                again.append(key)
                if not told:
                    entries[key] = known
            continue
        cause = _digest(outcome.cause) if outcome.final else ""
        # One that did not fit is not new if all of these are the same as before.
        entry = known or (Entry(now, old.told, cause) if old and cause else Entry(now))
        if _is_due(entry, cause, now, alert_hours):
            differ.append(key)
            if told:
                entry = replace(entry, told=now)
        if cause and (told or not entry.told):
            entry = replace(entry, cause=cause)
        entries[key] = entry
    if not whole:
        return Verdict(State(entries, before.others, before.final), tuple(differ), tuple(again))
    fitting = _fitting(entries)
    left = [entries[key].told for key, outcome in outcomes.items() if outcome.final and key not in fitting]
    told_of_all = min((time for time in left if time), default=None) if all(left) else None
    final = Entry(now, told_of_all, _final(outcomes, fitting)) if left else None
    return Verdict(State(entries, 0, final), tuple(differ), tuple(again))


def _final(outcomes: Mapping[str, Outcome], but: Collection[str]) -> str:
    """A digest of the mirrors that somebody has to mend, and of what."""
    found = sorted((key, outcome.cause) for key, outcome in outcomes.items() if outcome.final and key not in but)
    return _digest(json.dumps(found))


def _is_due(entry: Entry, cause: str, now: datetime, alert_hours: int) -> bool:
    if not cause and now - entry.since < timedelta(hours=alert_hours):
        return False
    if entry.told is None or now - entry.told >= _AGAIN_AFTER:
        return True
    return cause not in ("", entry.cause)


def minute(time: datetime) -> str:
    """A time as people read it."""
    return time.strftime("%Y-%m-%d %H:%M UTC")


def _digest(text: str) -> str:
    return hashlib.sha256(shown(text, LONGEST_LINE).encode()).hexdigest()[:_DIGITS]


def _text(entry: Entry) -> str:
    told = entry.told.strftime(_TIME) if entry.told else "-"
    parts = [entry.since.strftime(_TIME), *([told] if entry.told or entry.cause else []), *filter(None, [entry.cause])]
    return " ".join(parts)


def _entry(value: object) -> Entry:
    since, told, cause, *more = [*str(value).split(" "), "", ""]
    if any(more) or told == "" != cause:
        raise ValueError(f"{value!r} is no entry")
    return Entry(_time(since), None if told in ("", "-") else _time(told), cause)


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)
