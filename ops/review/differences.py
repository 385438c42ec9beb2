"""What changes in an object, attribute by attribute."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.review.text import UNKNOWN, value
from terraform.plan import Change, marked


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One attribute before and after, as text; None where it is not there. Lists tell what comes and goes."""

    path: str
    before: str | None
    after: str | None


def differences(change: Change) -> list[Difference]:
    """Every attribute that changes, in the order of the names."""
    after = None if change.is_gone else change.after
    return list(_walk("", change.before or None, after or None, change.after_unknown))


def _walk(path: str, before: Any, after: Any, unknown: Any) -> Iterator[Difference]:
    if unknown is True:
        yield Difference(path=path, before=_shown(before), after=UNKNOWN)
    elif isinstance(before, Mapping | None) and isinstance(after, Mapping | None) and (before or after):
        marks = unknown if isinstance(unknown, Mapping) else {}
        for key in sorted({*(before or {}), *(after or {}), *marks}):
            inner = f"{path}.{key}" if path else str(key)
            yield from _walk(inner, (before or {}).get(key), (after or {}).get(key), marked(unknown, key))
    elif isinstance(before, list | None) and isinstance(after, list | None) and (before or after):
        yield from _lists(path, before or [], after or [], unknown)
    elif _is_nested(before) or _is_nested(after):
        yield from _walk(path, before, None, False)
        yield from _walk(path, None, after, unknown)
    elif before != after and not (_is_nothing(before) and _is_nothing(after)):
        yield Difference(path=path, before=_shown(before), after=_shown(after))


def _lists(path: str, before: list[Any], after: list[Any], unknown: Any) -> Iterator[Difference]:
    if not any(map(_is_nested, (*before, *after))) and not (isinstance(unknown, list) and any(unknown)):
        old, new = ([json.dumps(item, sort_keys=True) for item in items] for items in (before, after))
        for item, shown in zip(before, old, strict=True):
            if shown not in new:
                yield Difference(path=path, before=_shown(item), after=None)
        for item, shown in zip(after, new, strict=True):
            if shown not in old:
                yield Difference(path=path, before=None, after=_shown(item))
        if sorted(old) == sorted(new) and old != new:
            yield Difference(path=path, before="in this order", after="in another order")
        return
    for place in range(max(len(before), len(after))):
        was = before[place] if place < len(before) else None
        now = after[place] if place < len(after) else None
        yield from _walk(f"{path}[{place}]", was, now, marked(unknown, place))


def _is_nested(found: Any) -> bool:
    return isinstance(found, Mapping | list) and bool(found)


def _is_nothing(found: Any) -> bool:
    return found is None or found == {} or found == []


def _shown(found: Any) -> str | None:
    return None if found is None else value(found)
