"""Puts what a plan holds into Markdown, so that it shows as it is and does nothing else."""

import json
import unicodedata
from typing import Any

MOST_SHOWN = 160
"""Characters of a value that are shown where it is not the point."""

NOT_SHOWN = "(sensitive)"
NOT_SHOWN_CHANGED = "(sensitive, changed)"
UNKNOWN = "(known after apply)"


def code(text: str, most: int = MOST_SHOWN) -> str:
    """A code span: no mention, link, HTML or table cell comes of what stands in it."""
    shown = visible(text)
    if len(shown) > most:
        shown = f"{shown[: most - 1]}…"
    if not shown.strip():
        return "` `" if shown else "(empty)"
    fence = "`" * (_longest_run(shown) + 1)
    padding = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def block(text: str, language: str = "") -> str:
    """A fenced block, which nothing in it can end."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def value(found: Any) -> str:
    """A value as text of one line: JSON, texts without quotes where that is not ambiguous."""
    if isinstance(found, str) and found and found == found.strip():
        return visible(found)
    return visible(json.dumps(found, ensure_ascii=False, sort_keys=True))


def visible(text: str) -> str:
    """Without characters that show as nothing, break a line, or turn text around."""
    return "".join(
        character if unicodedata.category(character) not in _INVISIBLE else _escaped(character) for character in text
    )


def cell(text: str) -> str:
    """Markdown for one cell of a table, in which a bar would begin the next."""
    return text.replace("|", "\\|").replace("\n", " ")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 stack`, `2 stacks`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def _longest_run(text: str) -> int:
    longest = current = 0
    for character in text:
        current = current + 1 if character == "`" else 0
        longest = max(longest, current)
    return longest
