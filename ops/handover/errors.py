"""What keeps a stack from being handed over, in the words a user needs."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Where it is, what is wrong, and what to do next."""

    where: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"error: {self.where}: {self.what}\nhint: {self.hint}"


class HandoverError(Exception):
    """Every problem that was found; nothing was written. `said` stands before them: a difference, for example."""

    def __init__(self, problems: Sequence[Problem], *, said: str = "") -> None:
        self.problems = list(problems)
        self.said = said
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __str__(self) -> str:
        problems = "\n".join(str(problem) for problem in self.problems)
        return f"{self.said.rstrip()}\n{problems}" if self.said else problems
