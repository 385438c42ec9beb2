"""What a promise is, what it is checked on, and what breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from iam.model import Identity, Model
from iam.sources import RequestSource, sources


@dataclass(frozen=True)
class PromiseSubject:
    """A deployment's model, and what is computed from it once for all promises."""

    model: Model

    @cached_property
    def sources(self) -> list[RequestSource]:
        """Every part of the internet that the policies distinguish."""
        return sources(self.model)

    @cached_property
    def users(self) -> list[Identity]:
        """The identities with a password or key of their own."""
        return [identity for identity in self.model.identities if identity.trust is None]

    @cached_property
    def roles(self) -> list[Identity]:
        """The identities that are assumed."""
        return [identity for identity in self.model.identities if identity.trust is not None]


@dataclass(frozen=True, kw_only=True)
class Breach:
    """Why a promise is broken: `place` names the policy and the statement, or the resource."""

    place: str
    what: str


Check = Callable[[PromiseSubject], Iterator[Breach]]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise that every deployment keeps, why it is made, and the check that finds every breach."""

    id: str
    what: str
    why: str
    check: Check


def promise(*, id: str, what: str, why: str) -> Callable[[Check], Promise]:
    """Makes a promise of the check function below it."""
    return lambda check: Promise(id=id, what=what, why=why, check=check)


@dataclass(frozen=True, kw_only=True)
class BrokenPromise:
    """A promise with one breach of it."""

    promise: Promise
    place: str
    what: str
