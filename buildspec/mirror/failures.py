"""Why a mirror did not become equal."""

from __future__ import annotations


class StoppedError(Exception):
    """A guard stopped the mirror before anything was pushed; its text tells people what to do."""


class UnreachableError(Exception):
    """An end did not answer, or broke off, after all retries."""


class RelayRefusedError(Exception):
    """The target does not take what the source sent; the copy strategy may succeed."""


class LookNeededError(Exception):
    """The pack raised a suspicion that only a copy can confirm; nothing was pushed."""
