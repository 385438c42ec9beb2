"""A small stack, and the content of a folder."""

from pathlib import Path

TOPIC = {"resource": {"aws_sns_topic": {"news": {"name": "news"}}}}


def written(folder: Path) -> dict[str, str]:
    """The text of every file in the folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
