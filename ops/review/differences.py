"""What changes in an object, attribute by attribute."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from terraform.plan import Change
from terraform.plan_values import KnownAfterApply, marked


@dataclass(frozen=True, kw_only=True)
class AttributeDifference:
    """One attribute, or one item of a list, before and after the apply; None where it is absent."""

    path: str
    before: Any
    after: Any

    @property
    def name(self) -> str:
        """The attribute of the object that the path begins with."""
        return re.split(r"[.\[]", self.path)[0]


def differences(change: Change) -> list[AttributeDifference]:
    """Every attribute that changes, in the order of the names."""
    after = None if change.is_removed else change.after
    return list(_walk("", change.before or None, after or None, change.after_unknown))


def _walk(path: str, before: Any, after: Any, unknown: Any) -> Iterator[AttributeDifference]:
    if unknown is True:
        yield AttributeDifference(path=path, before=before, after=KnownAfterApply())
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
        yield AttributeDifference(path=path, before=before, after=after)


def _lists(path: str, before: list[Any], after: list[Any], unknown: Any) -> Iterator[AttributeDifference]:
    if any(map(_is_nested, (*before, *after))) or (isinstance(unknown, list) and any(unknown)):
        for place in range(max(len(before), len(after))):
            was = before[place] if place < len(before) else None
            now = after[place] if place < len(after) else None
            yield from _walk(f"{path}[{place}]", was, now, marked(unknown, place))
        return
    old, new = ([json.dumps(item, default=repr) for item in items] for items in (before, after))
    yield from (
        AttributeDifference(path=path, before=item, after=None)
        for item, key in zip(before, old, strict=True)
        if key not in new
    )
    yield from (
        AttributeDifference(path=path, before=None, after=item)
        for item, key in zip(after, new, strict=True)
        if key not in old
    )
    if sorted(old) == sorted(new) and old != new:
        yield AttributeDifference(path=path, before=before, after=after)


def _is_nested(found: Any) -> bool:
    return isinstance(found, Mapping | list) and bool(found)


def _is_nothing(found: Any) -> bool:
    return found in (None, {}, [])
