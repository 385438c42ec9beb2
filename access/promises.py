"""What a deployment promises about access, checked on its policies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from access.model import Model


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A broken promise: `place` names the policy and the statement, or the resource, that breaks it."""

    promise: str
    place: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise, why it is made, and what finds where it is broken: a place, and what happens there."""

    id: str
    what: str
    why: str
    check: Callable[[Model], Iterator[tuple[str, str]]]


PROMISES: tuple[Promise, ...] = ()


def broken(model: Model) -> list[Finding]:
    """Every promise that `model` breaks, and where."""
    return [
        Finding(promise=promise.id, place=place, what=what)
        for promise in PROMISES
        for place, what in promise.check(model)
    ]
