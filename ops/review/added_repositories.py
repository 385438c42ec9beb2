"""Finds new repositories that everyone reaches as they reach an existing one, and policies that only add them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from iam.comparison import ATTRIBUTES, statements
from iam.matching import names_resource
from iam.statements import Statement, UnsupportedError
from ops.review.access_table import AccessChange, Origins, table
from ops.review.plan_moment import PlanMoment
from ops.review.rule import Plans, ReviewedChange
from ops.review.text import placeholder
from terraform.plan import Action

_REPOSITORY = "aws_codecommit_repository"
_OWN = {"repository_name", "description"}
"""What two repositories that are reached in the same way may have different."""

PolicyPlace = tuple[str, str, str]
"""A policy by stack, address and attribute."""


@dataclass(frozen=True, kw_only=True)
class AddedRepository:
    """A repository that is created, and the existing one that everyone reaches in the same way."""

    change: ReviewedChange
    name: str
    like: str
    pull: Origins
    push: Origins


@dataclass(frozen=True, kw_only=True)
class AddedRepositories:
    """What is added to the plans, and the policies that only name it beside the existing repository."""

    repositories: Sequence[AddedRepository] = ()
    policies: frozenset[PolicyPlace] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The names of all that are added."""
        return frozenset(repository.name for repository in self.repositories)


@lru_cache(maxsize=1)
def added(plans: Plans) -> AddedRepositories:
    """The repositories that a review may read as one line each; none where anything about them is not known."""
    try:
        return _Reader(plans).added()
    except (UnsupportedError, ValueError):
        return AddedRepositories()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Repository:
    change: ReviewedChange
    name: str
    arn: str


class _Reader:
    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        moment = PlanMoment(plans, True, placeholder)
        found = [
            _Repository(
                change=change,
                name=moment.known_text(change, "repository_name"),
                arn=str(moment.arn(change, "repository_name")),
            )
            for change in moment.existing(_REPOSITORY)
        ]
        self._new = [one for one in found if one.change.action is Action.CREATE]
        self._old = [one for one in found if not one.change.is_changed]

    def added(self) -> AddedRepositories:
        if not self._new or not self._old or table(self._plans).unreadable:
            return AddedRepositories()
        policies = dict(_policies(self._plans))
        alike = {
            new: old
            for new in self._new
            if (old := next((old for old in self._old if self._is_alike(new, old, policies.values())), None))
        }
        names = frozenset(new.arn for new in alike)
        changed = {place: found for place, found in policies.items() if found[0] != found[1]}
        adding = {place for place, (was, now) in changed.items() if was == _without(now, names)}
        others = [one for place, (_, now) in changed.items() if place not in adding for one in now]
        repositories = [
            AddedRepository(
                change=new.change,
                name=new.name,
                like=old.name,
                pull=Origins().union(*(pull.after for pull, _ in self._access(new).values())),
                push=Origins().union(*(push.after for _, push in self._access(new).values())),
            )
            for new, old in alike.items()
            if not any(names_resource(statement, new.arn) for statement in others)
        ]
        # A policy that names one with findings of its own has findings, too.
        return (
            AddedRepositories(repositories=repositories, policies=frozenset(adding))
            if len(repositories) == len(alike)
            else AddedRepositories()
        )

    def _is_alike(self, new: _Repository, old: _Repository, policies: Any) -> bool:
        return (
            new.change.stack == old.change.stack
            and new.arn.removesuffix(new.name) == old.arn.removesuffix(old.name)
            and _is_configured_alike(new.change, old.change)
            and all(_treats_alike(statement, new, old) for _, now in policies for statement in now)
            and self._is_reached_alike(new, old)
        )

    def _is_reached_alike(self, new: _Repository, old: _Repository) -> bool:
        ours, theirs = self._access(new), self._access(old)
        return not any(change.is_changed for both in theirs.values() for change in both) and all(
            who in theirs and change.after <= existing.after
            for who, both in ours.items()
            for change, existing in zip(both, theirs.get(who, both), strict=True)
        )

    def _access(self, repository: _Repository) -> Mapping[str, tuple[AccessChange, AccessChange]]:
        rows = table(self._plans).rows
        return {row.principal: (row.pull, row.push) for row in rows if repository.name in row.repositories}


def _is_configured_alike(new: ReviewedChange, old: ReviewedChange) -> bool:
    """Whether both have the same arguments and tags, all of them known."""
    configured = [one.references.configuration.arguments(one.address) for one in (new, old)]
    if None in configured:
        return False
    ours, theirs = ((names or frozenset()) - _OWN for names in configured)
    return ours == theirs and all(
        not new.unknown(name) and new.after.get(name) == old.after.get(name) for name in (*ours, "tags_all")
    )


def _treats_alike(statement: Statement, new: _Repository, old: _Repository) -> bool:
    """Whether a statement is about both or neither."""
    varies = statement.has_variables and any("${" in resource for resource in statement.resources)
    return not varies and names_resource(statement, new.arn) == names_resource(statement, old.arn)


def _without(found: Sequence[Statement], arns: frozenset[str]) -> list[Statement]:
    return [replace(one, resources=tuple(text for text in one.resources if text not in arns)) for one in found]


def _policies(plans: Plans) -> Iterator[tuple[PolicyPlace, tuple[list[Statement], list[Statement]]]]:
    """Every policy before and after. Raises UnsupportedError where one after the apply is not known."""
    for change in plans.changes():
        for name in sorted(ATTRIBUTES):
            after = _read(_written(change, name))
            if after is None:
                raise UnsupportedError(change.address, f"a {name} that is not known")
            yield (change.stack, change.address, name), (_read(change.before.get(name)) or [], after)


def _written(change: ReviewedChange, name: str) -> object:
    if change.is_removed:
        return None
    if change.action is Action.FORGET:
        return change.before.get(name)
    if not change.unknown(name):
        return change.after.get(name)
    resolved = change.references.policy_after(change, name) if change.is_configured(name) else None
    is_open = resolved is None and change.is_configured(name)
    return _NOT_KNOWN if is_open else resolved and resolved.written(placeholder)


_NOT_KNOWN = "not known"


def _read(written: object) -> list[Statement] | None:
    """The statements of a policy, or of a role's inline ones; None where they cannot be read."""
    if not written:
        return []
    if not isinstance(written, list):
        return statements(written)
    found = [statements(entry.get("policy")) if isinstance(entry, Mapping) else None for entry in written]
    return None if None in found else [statement for one in found for statement in one or ()]
