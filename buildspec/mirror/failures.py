"""Why a mirror did not become equal."""

from __future__ import annotations

import re


def cause_of(error: Exception) -> str:
    """What an error is about, without its words, which may name requests, sessions and numbers."""
    return " ".join((type(error).__name__, *getattr(error, "about", ())))


class StoppedError(Exception):
    """A guard stopped the mirror, and pushed nothing of what it is about. `advice` says what people can do."""

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem, advice)
        self._problem = problem
        self._advice = advice
        # The text is this program's own, but its numbers change with each push.
        self.about = (re.sub("[0-9]+", "", problem),)

    def __str__(self) -> str:
        return self.said(pushed=False)

    def said(self, *, pushed: bool) -> str:
        """The whole text. `pushed` says that the build may have pushed something before."""
        if not self._advice:
            return self._problem
        state = "what this build pushed before stays at the target" if pushed else "nothing was pushed"
        return f"{self._problem}; {state}. {self._advice}"


class UnreachableError(Exception):
    """An end did not answer, or broke off, after all retries."""


class SourceUnreachableError(UnreachableError):
    """The source did not answer, or broke off."""


class RelayRefusedError(Exception):
    """The target does not take what the source sent; the copy strategy may succeed."""


class LookNeededError(Exception):
    """The pack raised a suspicion that only a copy can confirm; nothing was pushed."""


class NotLookedAtError(Exception):
    """There is more history than a look may read, so what it would show is not known."""
