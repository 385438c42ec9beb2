"""How long to wait for an end, and how often to try again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .failures import UnreachableError

_ATTEMPTS = 5
_FIRST_PAUSE = 0.3
_NO_FURTHER_ATTEMPT_AFTER = 60

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, for any single read or write, and for the target to look at a push before it answers."""

    connect: float = 30
    silence: float = 90
    answer: float = 900


DEFAULT_TIMEOUTS = Timeouts()


class FinalError(UnreachableError):
    """An end answered, and would answer the same again. `about` names what it answered."""

    def __init__(self, text: str, *about: str) -> None:
        super().__init__(text)
        self.about = about


def patiently(attempt: Callable[[], _Result], failures: type[Exception]) -> _Result:
    """Try again after `failures` but FinalError, up to five times in a minute, with growing pauses of random length."""
    started = time.monotonic()
    for number in range(_ATTEMPTS):
        try:
            return attempt()
        except failures as error:  # noqa: PERF203
            last = number == _ATTEMPTS - 1 or time.monotonic() - started > _NO_FURTHER_ATTEMPT_AFTER
            if last or isinstance(error, FinalError):
                raise
            time.sleep(_FIRST_PAUSE * 2**number * random.uniform(0.5, 1))  # noqa: S311  (no secret)
    raise AssertionError
