"""What is wrong with a deployment file, said the same way everywhere."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

Path = tuple[str | int, ...]
"""Where a value stands in the file: keys and list positions from the top."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing the user has to mend: what is wrong (with the value), and what to do about it."""

    what: str
    hint: str
    path: Path = ()


@dataclass(frozen=True, kw_only=True)
class LocatedProblem:
    """A problem with the place it was found at, for example `deployments/x.yaml:41: prd.codecommit`."""

    where: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"error: {self.where}: {self.what}\nhint: {self.hint}"


class SettingsError(Exception):
    """Every problem of a deployment, found before anything was written."""

    def __init__(self, problems: Iterable[LocatedProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Problems(ValueError):
    """Several problems found by one validator, with paths below the value it looked at."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.what for problem in self.problems))


def refuse(what: str, hint: str) -> PydanticCustomError:
    """The exception a validator raises for one value: `what` names the value, `hint` the next action."""
    return PydanticCustomError("refused", "{what}", {"what": what, "hint": hint})


def raise_all(problems: list[Problem]) -> None:
    """Raise `problems` together, or return when there are none."""
    if problems:
        raise Problems(problems)


def dotted(path: Path) -> str:
    """A path as people write it: `prd.codecommit.pull.from_cidrs[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
