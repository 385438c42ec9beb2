"""The one error type: what a user reads when something was refused or failed, always in two lines.

error: <where>: <what is wrong, with the value>
hint: <the next action>

The texts are where the problems are found: search the project for the words between "error:" and the value.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from errors.shown import printable, shortened

FAILED = 1
"""The exit status of a command that was refused or failed."""

WRONG_USAGE = 2
"""The exit status for wrong usage or wrong settings."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, what (with the value), and the next action.

    Printing it leaves out the user and password of every URL, and escapes control characters.
    """

    where: str
    what: str
    hint: str

    def __str__(self) -> str:
        return self._lines("error")

    def as_warning(self) -> str:
        """The same two lines for something that stops nothing."""
        return self._lines("warning")

    def _lines(self, severity: str) -> str:
        where, what, hint = (printable(without_credentials(text)) for text in (self.where, self.what, self.hint))
        return f"{severity}: {where}: {what}\nhint: {hint}"


class RefusedError(Exception):
    """Every problem that stopped a command.

    `status` is the command's exit status. `details` is longer text that explains the problems, such as a diff or the
    output of another program; it is printed before them, without credentials and control characters.
    """

    def __init__(self, problems: Iterable[Problem], *, status: int = FAILED, details: str = "") -> None:
        self.problems = tuple(problems)
        self.status = status
        self.details = "\n".join(map(printable, without_credentials(details.strip()).split("\n")))
        super().__init__("\n".join([*([self.details] if self.details else []), *map(str, self.problems)]))


def refused(where: str, what: str, hint: str, *, status: int = FAILED, details: str = "") -> RefusedError:
    """The error for one problem. `what` may hold text from outside: it is put on one line, and its middle is cut."""
    one_line = shortened(" ".join(without_credentials(what).split()))
    return RefusedError([Problem(where=where, what=one_line, hint=hint)], status=status, details=details)


def without_credentials(text: str) -> str:
    """`text` with the user and password of every URL replaced by `…`."""
    # Up to the last @ of the word: temporary passwords of AWS have slashes in them.
    return re.sub(r"://[^\s'\"]*@", "://…@", text)
