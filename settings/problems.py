"""Problems of a deployment file, and their places in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

import errors
from errors import RefusedError
from errors.shown import shown

Path = tuple[str | int, ...]
"""A value's place in the file: keys and list positions from the top."""


@dataclass(frozen=True, kw_only=True)
class SettingProblem:
    """One problem in the values of a file: what is wrong (with the value), and the next action."""

    what: str
    hint: str
    path: Path = ()
    is_missing: bool = False
    """Whether the problem is that a value is missing at `path`."""
    meant: Path | None = None
    """The setting that the unknown one at `path` was probably meant to be."""


@dataclass(frozen=True, kw_only=True)
class LocatedProblem:
    """A problem and its place; `line` and `column` count from 1, and are None if the problem has none."""

    file: str
    what: str
    hint: str
    line: int | None = None
    column: int | None = None
    path: Path = ()

    @property
    def where(self) -> str:
        """The place as people write it: `deployments/x.yaml:41: prd.codecommit.pull.from_cidrs[0]`."""
        place = "".join(f":{number}" for number in (self.line, self.column) if number is not None)
        path = f": {dotted(self.path)}" if self.path else ""
        return f"{self.file}{place}{path}"

    @property
    def printed(self) -> errors.Problem:
        """The problem as it is printed."""
        return errors.Problem(where=self.where, what=self.what, hint=self.hint)

    def __str__(self) -> str:
        return str(self.printed)


class SettingsError(RefusedError):
    """All problems of a deployment, found before anything was written; `located` has their places in the file."""

    def __init__(self, problems: Iterable[LocatedProblem]) -> None:
        self.located = tuple(problems)
        super().__init__((problem.printed for problem in self.located), status=errors.WRONG_USAGE)


def refuse(what: str, hint: str, *, is_secret: bool = False) -> PydanticCustomError:
    """The exception a validator raises for one value: `what` names the value, `hint` the next action.

    `is_secret` is for a value that may be a secret, and of which nothing else shows a part.
    """
    return PydanticCustomError("refused", "{what}", {"what": what, "hint": hint, "is_secret": is_secret})


def dotted(path: Path) -> str:
    """A path as people write it: `prd.codecommit.pull.from_cidrs[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w.-]{1,100}", step):
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text
