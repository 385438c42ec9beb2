"""Shows how a long text changes, such as user data, a buildspec or a document: decoded, and line by line."""

import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from ops.review.text import cut, cut_alike, masked, visible
from terraform.encoded_texts import decoded

_CONTEXT = 2
_MOST_COMPARED = 4_000  # lines on both sides; more of them would be compared for too long
_SHORTEST_ENCODED = 24  # characters; a shorter text may be a word
_LONGEST_LINE = 190  # characters, which leaves room for the indentation


def is_long(text: Any) -> bool:
    """Whether a value is a text that has several lines when it is decoded."""
    return isinstance(text, str) and len(_lines(text)) > 1


def changed_lines(before: str | None, after: str | None) -> list[str]:
    """The lines that change and some around them, in the form of a diff; empty if only the encoding changes."""
    was, now = (_shown(text or "") for text in (before, after))
    return list(_diff(was if before is not None else [], now if after is not None else []))


def _shown(text: str) -> list[str]:
    # Secrets are replaced before the text is decoded, because one may be encoded as a whole, and before it is divided,
    # because one may have several lines.
    return [visible(line) for line in masked("\n".join(_lines(masked(text, is_encoded=True)))).split("\n")]


def shortened(lines: Sequence[str], most: int) -> list[str]:
    """The first lines of a diff, and how many are left out."""
    left_out = len(lines) - most
    return [*lines] if left_out <= 0 else [*lines[:most], f"@@ {left_out} more lines are left out here @@"]


def _lines(text: str) -> list[str]:
    encoded = decoded(text) if len(text) >= _SHORTEST_ENCODED else None
    text = text if encoded is None else encoded
    return (_json(text) or text).split("\n")


def _json(text: str) -> str | None:
    """An object or a list in JSON, with one line for each member; None for any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.dumps(json.loads(text, object_pairs_hook=_members), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return None


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member twice, of which only one would be shown")
    return members


def _diff(was: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    if len(was) + len(now) > _MOST_COMPARED:
        groups = [[("replace", 0, len(was), 0, len(now))]]
    else:
        groups = [*map(list, SequenceMatcher(None, was, now).get_grouped_opcodes(_CONTEXT))]
    for group in groups:
        (_, start, _, new_start, _), (_, _, end, _, new_end) = group[0], group[-1]
        yield f"@@ -{start + 1},{end - start} +{new_start + 1},{new_end - new_start} @@"
        for kind, first, last, new_first, new_last in group:
            if kind == "equal":
                yield from (f" {cut(text, _LONGEST_LINE)}" for text in was[first:last])
            else:
                removed, added = _cut(was[first:last], now[new_first:new_last])
                yield from (f"-{text}" for text in removed)
                yield from (f"+{text}" for text in added)


def _cut(removed: Sequence[str], added: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of both sides, each cut in such a way that it shows where it differs from its counterpart."""
    both = [cut_alike(was, now, _LONGEST_LINE) for was, now in zip(removed, added, strict=False)]
    more = [[cut(text, _LONGEST_LINE) for text in texts[len(both) :]] for texts in (removed, added)]
    return [was for was, _ in both] + more[0], [now for _, now in both] + more[1]
