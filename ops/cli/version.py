"""The version of this copy of Kakehashi: the newest in CHANGELOG.md, which every copy has, with or without Git."""

import re
from pathlib import Path

import typer

_CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def version(wanted: bool) -> None:
    """Print the version and stop, if that is wanted."""
    if wanted:
        print(f"kakehashi {newest(_CHANGELOG.read_text(encoding='utf-8'))}")
        raise typer.Exit


def newest(changelog: str) -> str:
    """The version of the first numbered section, and whether changes follow that are in none."""
    unreleased, number, _ = re.split(r"^## (\d\S*).*$", changelog, maxsplit=1, flags=re.MULTILINE)
    return f"{number} with unreleased changes" if re.search(r"^\* ", unreleased, re.MULTILINE) else number
