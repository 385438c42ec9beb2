"""Why a command stopped, in the two lines that a user needs."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from errors.shown import printable, shortened

WRONG_USAGE = 2


class RefusedError(Exception):
    """`where` it went wrong, `what` with the value, and the next action. No URL in it keeps its credentials.

    `status` is what the command exits with: 1 refused or failed, 2 wrong usage.
    """

    def __init__(self, where: str, what: str, hint: str, *, status: int = 1) -> None:
        self.status = status
        super().__init__(f"error: {printable(where)}: {_told(what)}\nhint: {printable(hint)}")


class RefusalsError(RefusedError):
    """Several refusals at once."""

    def __init__(self, refusals: Sequence[RefusedError]) -> None:
        self.status = max(refusal.status for refusal in refusals)
        Exception.__init__(self, "\n".join(str(refusal) for refusal in refusals))


@contextmanager
def told_and_left() -> Iterator[None]:
    """Print a RefusedError, and leave with its exit status."""
    try:
        yield
    except RefusedError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)


def scrubbed(text: str) -> str:
    """`text` with the user and password of every URL left out."""
    return re.sub(r"://[^/\s'\"]*@", "://…@", text)


def _told(what: str) -> str:
    return printable(shortened(" ".join(scrubbed(what).split())))
