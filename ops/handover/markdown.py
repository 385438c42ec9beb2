"""Writes text that other people chose as Markdown, in which it is only text.

https://github.github.com/gfm/
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

from errors.shown import printable

# Characters that Markdown replaces, and marks that make text read as another one.
_INVISIBLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")


def code(text: str) -> str:
    """A code span outside a table, with as many backticks as its text needs."""
    text = _visible(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if {text[:1], text[-1:]} & {"`", " "} else ""
    return f"{fence}{space}{text}{space}{fence}" if text.strip() else ""


def cell(text: str) -> str:
    """A code span in a table."""
    return code(text).replace("|", "\\|")


def plain(text: str) -> str:
    """Text, with Markdown escaped."""
    return re.sub(r"([\\`*_{}\[\]<>|#&~])", r"\\\1", _visible(text).strip())


def command(text: str) -> str:
    """A command in a fenced block, on one line, with nothing invisible: after the prompt, no text ends the block."""
    return f"$ {printable(text)}"


def link(path: str) -> str:
    """A link in a table to a file or a folder beside the README."""
    return f"[{cell(path.rstrip('/'))}]({quote(path)})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, or nothing without rows."""
    lines = [head, ["---"] * len(head), *rows] if rows else []
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _visible(text: str) -> str:
    """Text on one line, with an escape in place of what cannot be seen."""
    return _INVISIBLE.sub(lambda it: printable(it[0]), re.sub(r"\s+", " ", text))
