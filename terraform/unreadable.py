"""Refuses Terraform whose form is another than what reads it expects: what was not read is not safe."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

from errors import WRONG_USAGE, refused

_OURS = Path(__file__).parents[1]


@contextmanager
def refused_at(place: str) -> Iterator[None]:
    """Raise RefusedError, with `place`, instead of an error of Python's.

    An argument is missing or has another type than the line expects that failed.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        frames = extract_tb(error.__traceback__)
        # A function of the standard library fails for what one of ours passes to it.
        failed = next((frame for frame in reversed(frames) if _is_ours(Path(frame.filename))), frames[-1])
        what = f"cannot be read: {type(error).__name__}: {error}"
        hint = f"write it as cdktf does, or correct {failed.name} in {Path(failed.filename).name}, line {failed.lineno}"
        raise refused(place, what, hint, status=WRONG_USAGE) from error


def _is_ours(file: Path) -> bool:
    return file.is_relative_to(_OURS) and "site-packages" not in file.parts
