"""Finds lists in the text of an expression."""

import re
from collections.abc import Iterator

from terraform.templates import masked, pieces

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def has_comments(source: str) -> bool:
    """Whether an expression has comments or heredocs, which need line breaks of their own."""
    texts = (text for text, is_code in pieces(f"{source}\n") if not is_code)
    return any(text.startswith(("#", "//", "/*", "<<")) for text in texts)


def lists(source: str) -> Iterator[tuple[int, int, list[str]]]:
    """Each list's start, end and items, in the order of their starts. Indexes and `for` expressions are no lists."""
    code = masked(source)
    for start in (it.start() for it in re.finditer(r"\[", code)):
        before = code[:start].rstrip()[-1:]
        if not (before.isalnum() or (before and before in "_-])}.\0")):
            end, items = _items(source, code, start)
            if items and not items[0].startswith("for "):
                yield start, end, items


def _items(source: str, code: str, start: int) -> tuple[int, list[str]]:
    """The end of the bracket, and what stands between its commas."""
    items, depth, item = [], 0, start + 1
    for index in range(start, len(code)):
        depth += (code[index] in _CLOSING) - (code[index] in _CLOSING.values())
        if depth == 0 or (depth == 1 and code[index] == "," and index > start):
            items.append(source[item:index].strip())
            item = index + 1
        if depth == 0:
            return index + 1, items if items[-1] else items[:-1]
    return len(code), []
