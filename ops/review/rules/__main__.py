"""Writes the table of rules into docs/review.md: `.venv/bin/python -m ops.review.rules`."""

import re
from pathlib import Path

from ops.review.rules import as_markdown

DOCUMENT = Path(__file__).parents[3] / "docs" / "review.md"


def renewed(document: str) -> str:
    """The document with the current table between its markers."""
    return re.sub(
        r"(<!-- rules[^>]*-->\n).*?(<!-- end of rules -->)",
        lambda markers: f"{markers[1]}\n{as_markdown()}\n\n{markers[2]}",
        document,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
