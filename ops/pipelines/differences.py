"""The places where two values of plans differ, and what is known after the apply only."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from errors.shown import printable, shortened
from ops.masking import SENSITIVE
from terraform.canonical_plan import HIDDEN

MISSING = object()
"""Stands for what only the other plan has."""

Path = tuple[str | int, ...]
Open = frozenset[Path]
"""Places that may have any value: the approved plan leaves them to the apply, or foretells that they change."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One place where two plans differ; a value may be MISSING."""

    place: Path
    approved: Any
    now: Any


def shown(difference: Difference) -> str:
    """A difference on one line."""
    place = ".".join(map(str, difference.place))
    return f"{place}: approved {_value(difference.approved)}, now {_value(difference.now)}"


def _value(value: Any) -> str:
    if value is MISSING or value is None:
        return "nothing"
    return shortened(printable(json.dumps(_without_digests(value), ensure_ascii=False)))


def _without_digests(value: Any) -> Any:
    if isinstance(value, dict):
        return SENSITIVE if value.keys() == {HIDDEN} else {key: _without_digests(item) for key, item in value.items()}
    return [_without_digests(item) for item in value] if isinstance(value, list) else value


def leaves(was: Any, now: Any, open_: Open = frozenset(), place: Path = ()) -> Iterator[Difference]:
    """The places where two values differ, but for open ones. What is hidden without a digest always differs."""
    if place in open_:
        return
    if _is_hidden(was) and _is_hidden(now):
        if was != now or was[HIDDEN] is None:
            yield Difference(place=place, approved=was, now=now)
    elif isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            yield from leaves(was.get(key, MISSING), now.get(key, MISSING), open_, (*place, key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, pair in enumerate(zip(was, now, strict=True)):
            yield from leaves(*pair, open_, (*place, number))
    elif type(was) is not type(now) or was != now:
        yield Difference(place=place, approved=was, now=now)


def _is_hidden(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {HIDDEN}


def marked(marks: Any, place: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The places that have a mark, of what is known after the apply only, and the mark: true, or what is no mark."""
    if isinstance(marks, dict | list):
        for key, item in marks.items() if isinstance(marks, dict) else enumerate(marks):
            yield from marked(item, (*place, key))
    elif marks not in (None, False):
        yield place, marks


def open_places(marks: Any) -> Open:
    """The places that are known after the apply only."""
    return frozenset(place for place, mark in marked(marks) if mark is True)


def is_below(marks: Any, open_: Open) -> bool:
    """Whether all marks are at open places."""
    return all(any(place[:length] in open_ for length in range(len(place) + 1)) for place, _ in marked(marks))


def follows(was: Any, now: Any, written: Any) -> bool:
    """Whether two values of an argument differ only where `written`, its expression in a plan, has a reference.

    A set has no order, so an item of a list may be at another place.
    """
    if not list(leaves(was, now)):
        return True
    if isinstance(written, dict) and written and written.keys() <= {"constant_value", "references"}:
        if "constant_value" not in written:
            return bool(written["references"])
        written = written["constant_value"]
    if isinstance(written, str) or MISSING in (was, now):
        return _has_reference(written)
    if isinstance(was, dict) and isinstance(now, dict) and isinstance(written, dict):
        keys = was.keys() | now.keys()
        return all(follows(was.get(key, MISSING), now.get(key, MISSING), written.get(key)) for key in keys)
    if not (isinstance(was, list) and isinstance(now, list) and len(was) == len(now)):
        return False
    items = [item for item in (written if isinstance(written, list) else [written]) if _has_reference(item)]
    old, new = (
        [item for item in one if all(list(leaves(item, it)) for it in other)] for one, other in ((was, now), (now, was))
    )
    return len(new) <= len(items) and all(any(follows(a, b, item) for a in old for item in items) for b in new)


def _has_reference(written: Any) -> bool:
    """Whether an expression of a plan, or one in it, has a reference."""
    if isinstance(written, dict):
        return bool(written.get("references")) or any(map(_has_reference, written.values()))
    return any(map(_has_reference, written)) if isinstance(written, list) else "${" in str(written)


def at(value: Any, *steps: str, default: Any = None) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return default if value is None else value


def without(value: Any, *names: str) -> Any:
    return {key: item for key, item in value.items() if key not in names} if isinstance(value, Mapping) else value
