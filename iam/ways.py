"""By which roles each build reaches which repositories, and what keeps it from the others."""

from collections.abc import Iterator
from dataclasses import dataclass

from iam import powers, tags
from iam.model import Model
from iam.promises.promise import PromiseSubject
from terraform.arns import Arn

NARROWED = (
    "The build's own role cannot use CodeCommit. Its program asks for a session of the other role that a session "
    "policy narrows to one repository; no plan shows that policy. So a fault in one mirror cannot reach another's "
    "repository, but whoever takes the program over can ask for a session for any repository of this unit. IAM keeps "
    "it from those of other units."
)
BY_IAM = (
    "The build's own role reaches its unit's repositories alone: IAM keeps it from all others, whatever its program "
    "does."
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """The `roles` that a unit's build works with, its own first, and the names of the repositories that they reach.

    `by_tag` says that the policy names them by a tag.
    """

    unit: str
    roles: tuple[str, ...]
    repositories: tuple[str, ...]
    by_tag: bool

    @property
    def protection(self) -> str:
        """What keeps the build from other repositories."""
        return NARROWED if len(self.roles) > 1 else BY_IAM


def ways(model: Model) -> Iterator[Way]:
    """One for each unit, in their order."""
    subject = PromiseSubject(model)
    for unit in model.units:
        roles = subject.roles_of(unit)
        allowing = [
            statement
            for role in roles
            for statement in powers.allowing(role)
            if any(action.lower().startswith("codecommit:") for action in powers.actions(statement))
        ]
        yield Way(
            unit=unit.name,
            roles=tuple(role.name for role in roles),
            repositories=tuple(
                Arn.of(repository.arn).resource
                for repository in model.repositories
                if any(tags.may_apply(statement, repository) for statement in allowing)
            ),
            by_tag=any(map(tags.conditions, allowing)),
        )
