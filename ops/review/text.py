"""Writes values as Markdown that shows them literally."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ops.masking import SENSITIVE, Mask
from ops.review.translatable import Joined, said
from terraform.plan_configuration import remote_output
from terraform.plan_values import KnownAfterApply, Sensitive

MOST_SHOWN = 160
"""How many characters of a value are shown."""

LONGEST_LINE = 200
"""How many characters a line of the comment has at most, but for headings and the rows of tables."""

_MOST_FENCE = 24

_KNOWN_AFTER_APPLY = "known after apply"


def code(text: str, most: int = MOST_SHOWN) -> str:
    """A code span, in which no text becomes a mention, a link, HTML or the end of a table cell."""
    shown = visible(text)
    if len(shown) > most:
        shown = f"{shown[: most - 1]}…"
    if not shown.strip():
        return "` `" if shown else "(empty)"
    while len(whole := span(shown)) > most + _MOST_FENCE:
        shown = f"{shown[: len(shown) // 2]}…"
    return whole


def span(shown: str) -> str:
    """A code span around a text that needs no escapes."""
    fence = "`" * (_longest_run(shown) + 1)
    padding = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def plain(text: str, most: int = MOST_SHOWN) -> str:
    """A plain name as it is; any other text as a code span, because a platform makes links and mentions of some."""
    return text if len(text) <= most and _PLAIN.fullmatch(masked(text)) else code(text, most)


# Neither `GH-1`, which is a link on GitHub, nor what may be a commit's id.
_PLAIN = re.compile(r"\d{1,5}|(?!.*[0-9a-f]{7})[A-Za-z][A-Za-z0-9]*(-[A-Za-z][A-Za-z0-9]*)*")


def codes(texts: Iterable[str]) -> str:
    """Code spans, separated by commas."""
    return ", ".join(map(code, texts))


def block(text: str, language: str = "") -> str:
    """A fenced block that no text in it can end."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def shown(found: Any) -> str:
    """A value as Markdown: a code span, or words for what is absent, sensitive or not known yet."""
    if found is None:
        return said("none")
    if isinstance(found, Sensitive):
        return said(placeholder(found))
    return placeholder(found) if isinstance(found, KnownAfterApply) else code(line(found))


def change(before: Any, after: Any) -> str:
    """A value before and after as Markdown; of long values, the parts that differ."""
    if any(found is None or isinstance(found, KnownAfterApply | Sensitive) for found in (before, after)):
        return Joined(" → ", (shown(before), shown(after)))
    was, now = cut_alike(line(before), line(after), MOST_SHOWN)
    return f"{code(was)} → {code(now)}"


def cut(text: str, most: int, start: int = 0, end: int | None = None) -> str:
    """The text in at most `most` characters, of which those from `start` to `end` are shown rather than others."""
    end = len(text) if end is None else end
    if len(text) <= most:
        return text
    room = most - 3  # for "…" at the beginning, in the middle and at the end
    if end - start > room:
        half = room // 2
        first, last, inside = start, end, f"{text[start : start + half]}…{text[end - half : end]}"
    else:
        first = max(0, min(start - (room - (end - start)) // 2, len(text) - room))
        last = first + room
        inside = text[first:last]
    return f"{'…' if first else ''}{inside}{'…' if last < len(text) else ''}"


def cut_alike(before: str, after: str, most: int) -> tuple[str, str]:
    """Both texts in at most `most` characters each, cut in such a way that they show where they differ."""
    if max(len(before), len(after)) <= most:
        return before, after
    start = _alike(before, after)
    same = _alike(before[start:][::-1], after[start:][::-1])
    return cut(before, most, start, len(before) - same), cut(after, most, start, len(after) - same)


def _alike(one: str, other: str) -> int:
    """How many characters both texts begin with."""
    places = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(places, min(len(one), len(other)))


def wrapped(text: str) -> str:
    """Markdown without lines over LONGEST_LINE: such a line continues in the next, and no code span is divided."""
    return "\n".join(_wrapped(line) if len(line) > LONGEST_LINE else line for line in text.split("\n"))


def _wrapped(line: str) -> str:
    words = [found[0] for found in _WORD.finditer(line)]
    # Headings and the rows of tables are one line each, and what is too long for a line is there to be copied.
    if line.startswith(("#", "|")) or max(map(len, words)) > LONGEST_LINE:
        return line
    indentation = line[: len(line) - len(line.lstrip())] + ("  " if line.lstrip().startswith("- ") else "")
    lines = [""]
    for word in words:
        if len(lines[-1] + word.rstrip()) > LONGEST_LINE:
            lines.append(indentation)
        lines[-1] += word
    return "\n".join(line.rstrip() for line in lines)


# A code span is closed by as many backticks as open it.
_WORD = re.compile(r"(?:(?<!`)(?P<fence>`+)(?!`).*?(?<!`)(?P=fence)(?!`)|\S)+\s*|\s+")


def line(found: Any) -> str:
    """A value as one line of plain text: JSON, but texts without quotes where they cannot be misread."""
    if isinstance(found, str) and found and found == found.strip():
        return visible(found)
    if isinstance(found, KnownAfterApply | Sensitive):
        return placeholder(found)
    return visible(json.dumps(_masked_inside(found), ensure_ascii=False, sort_keys=True, default=placeholder))


def _masked_inside(found: Any) -> Any:
    """A value with each of its texts masked by itself, because JSON escapes it once more."""
    if isinstance(found, str):
        return masked(found)
    if isinstance(found, Mapping):
        return {masked(key): _masked_inside(item) for key, item in found.items()}
    return [_masked_inside(item) for item in found] if isinstance(found, list) else found


def placeholder(found: KnownAfterApply | Sensitive) -> str:
    """The words for a value that cannot be shown."""
    if isinstance(found, Sensitive):
        return "(sensitive, changed)" if found.is_changed else SENSITIVE
    return f"({found.reference}, {_KNOWN_AFTER_APPLY})" if found.reference else f"({_KNOWN_AFTER_APPLY})"


def origin(found: KnownAfterApply, name: Callable[[str], str] = code) -> str:
    """Where the apply takes a value from; `name` writes a name, as Markdown if not said otherwise."""
    reference = found.reference or "an expression"
    remote = remote_output(reference)
    if remote is not None:
        return said("{stack}'s output {output}", stack=remote[0].replace("_", "-"), output=name(remote[1]))
    if reference.startswith("var."):
        return said("the variable {variable}", variable=name(reference.removeprefix("var.")))
    return name(reference)


@contextmanager
def masking(mask: Mask) -> Iterator[None]:
    """Has `mask` replace the secrets in every text that is shown meanwhile, before it is escaped or cut."""
    before = _MASK.set(mask)
    try:
        yield
    finally:
        _MASK.reset(before)


_MASK: ContextVar[Mask | None] = ContextVar("mask", default=None)


def masked(text: str, *, is_encoded: bool = False) -> str:
    """The text without the secrets of the plans; one that `is_encoded` is masked again when it is decoded."""
    mask = _MASK.get()
    if mask is None:
        return text
    return mask.literally(text) if is_encoded else mask(text)


def visible(text: str) -> str:
    """The text without secrets, and with escapes for characters that are invisible, break a line or reverse it."""
    shown = masked(text)
    if shown.isprintable():  # nothing of the categories below is
        return shown
    return "".join(
        character if unicodedata.category(character) not in _INVISIBLE else _escaped(character) for character in shown
    )


def cell(text: str) -> str:
    """Markdown for one cell of a table, in which a bar would begin the next cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 stack`, `2 stacks`."""
    return said("{number} " + (noun if number == 1 else plural or f"{noun}s"), number=number)


_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def _longest_run(text: str) -> int:
    longest = current = 0
    for character in text:
        current = current + 1 if character == "`" else 0
        longest = max(longest, current)
    return longest
