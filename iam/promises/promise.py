"""What a promise is, what it is checked on, and what breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from iam.chains import assumed_from
from iam.model import Identity, Model, Unit
from iam.sources import RequestSource, sources
from iam.statements import Statement
from terraform.arns import Arn


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

    @cached_property
    def builds(self) -> dict[str, Unit]:
        """The unit of each build's role, by the role's ARN; the first where builds share a role."""
        return {unit.role: unit for unit in reversed(self.model.units)}

    @cached_property
    def _roles_of_builds(self) -> dict[str, list[Identity]]:
        return {role.arn: [role, *assumed_from(role, self.roles)] for role in self.roles if role.arn in self.builds}

    def roles_of(self, unit: Unit) -> list[Identity]:
        """The role of a unit's build, then those that it may become: that trust it, or that it may ask for."""
        return self._roles_of_builds.get(unit.role, [])


def is_for_account(statement: Statement, account: str) -> bool:
    """Whether a statement's conditions demand that a service works for this account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return any(
        condition.operator in ("StringEquals", "ArnEquals")
        and not condition.if_exists
        and not condition.quantifier
        and all(_is_of(value, condition.key, account) for value in condition.values)
        for condition in statement.conditions
    )


def _is_of(value: str, key: str, account: str) -> bool:
    if key == "aws:sourceaccount":
        return value == account
    return key == "aws:sourcearn" and value.count(":") >= 5 and Arn.of(value).account == account


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
