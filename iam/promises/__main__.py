"""Writes the table of promises into docs/access.md: `python -m iam.promises`."""

import re
from pathlib import Path

from iam.promises import as_markdown

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"


def renewed(document: str) -> str:
    """The document with the table between its markers as it has to be."""
    return re.sub(
        r"(<!-- promises[^>]*-->\n).*?(<!-- end of promises -->)",
        lambda markers: f"{markers[1]}\n{as_markdown()}\n\n{markers[2]}",
        document,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
