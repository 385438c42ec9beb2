"""Where what is written for a deployment file lies."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

STATE_FOLDER = "terraform-state"
"""Local states are next to the output folder instead of in it, because the output may be deleted."""


def is_outside(file: Path) -> bool:
    """Whether a deployment file lies outside this checkout, in a repository of its own."""
    return not file.parent.resolve().is_relative_to(CHECKOUT)


def folder_of(file: Path) -> Path:
    """Where a deployment's output, local states and handover lie: beside a file outside this checkout, else here."""
    return file.parent if is_outside(file) else Path()
