"""What others wrote, as it may stand in what people read: names and messages of servers, of Git and of ssh."""

from __future__ import annotations

LONGEST_LINE = 4000
"""In characters: with its end, a line then has less than the 16 KiB at which log drivers cut one into two events."""
_MOST_SHOWN = 300


def shown(text: str | bytes, most: int = _MOST_SHOWN) -> str:
    """One short line without control characters, and without quotation marks, so that no JSON can be in it."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    # Python prints no control, direction, line or paragraph character, and nothing that Unicode does not have.
    line = "".join(sign if sign.isprintable() else " " for sign in text[: 2 * most]).replace('"', "″")
    line = " ".join(line.split())
    return line if len(line) <= most and len(text) <= 2 * most else line[:most].rstrip() + "…"
