"""Promises about units: a build writes to its own targets, itself or through a role that it alone may assume."""

from collections.abc import Iterator, Sequence

from iam import powers, tags
from iam.chains import may_assume
from iam.model import Identity, Resource, Unit
from iam.promises.promise import Breach, PromiseSubject, promise
from iam.statements import Statement
from terraform.arns import Arn

_UNIT_TAG = f"{tags.OURS}mirrored-by"
"""The key of the tag with the name of the unit that mirrors into a repository."""

_TAGGING = ("codecommit:tagresource", "codecommit:untagresource", "codecommit:createrepository")


@promise(
    id="builds-reach-their-targets",
    what="a build reaches the repositories that its unit mirrors into, itself or through the role that it assumes, "
    "and no other",
    why="what takes over one build may change no other unit's repositories",
)
def builds_reach_their_targets(subject: PromiseSubject) -> Iterator[Breach]:
    for unit in subject.model.units:
        for role in subject.roles_of(unit):
            for statement in filter(_is_about_code, powers.allowing(role)):
                for found in _beyond(statement, unit, subject.model.repositories):
                    what = f"lets {role.name} reach {found}, which {unit.name} does not mirror into"
                    yield Breach(place=statement.place, what=what)


def _is_about_code(statement: Statement) -> bool:
    return any(action.lower().startswith("codecommit:") for action in powers.actions(statement))


def _beyond(statement: Statement, unit: Unit, repositories: Sequence[Resource]) -> Iterator[str]:
    for repository in repositories:
        if repository.arn not in unit.targets and tags.may_apply(statement, repository):
            yield Arn.of(repository.arn).resource
    for resource in statement.resources:
        if resource in statement.named_resources and resource != "*" and resource not in unit.targets:
            yield resource
    for condition in tags.conditions(statement):
        if condition.key != _UNIT_TAG or condition.values != (unit.name,):
            yield f"what has the tag {condition.written_key.partition('/')[2]} of {' or '.join(condition.values)}"


@promise(
    id="one-build-assumes-a-role",
    what="a role that no service assumes is assumed by one build's role alone, which cannot use CodeCommit itself",
    why="a session of that role that nobody has narrowed can write to every repository of its unit",
)
def one_build_assumes_a_role(subject: PromiseSubject) -> Iterator[Breach]:
    for identity in subject.model.identities:
        for statement in powers.allowing(identity):
            if may_assume(statement) and not _assumes_its_own(subject, identity, statement):
                what = f"lets {identity.name} assume a role that is not one for its build alone"
                yield Breach(place=statement.place, what=what)
    for role in subject.roles:
        if role.trusted_principals and (len(role.trusted_principals) > 1 or role.trusted_services):
            yield Breach(place=role.address, what=f"{role.name} is for others than one build")
    for unit in subject.model.units:
        if subject.builds[unit.role] is not unit:
            what = f"has the role of {subject.builds[unit.role].address}, whose repositories are others"
            yield Breach(place=unit.address, what=what)
        yield from _more_than_one_role(unit, subject.roles_of(unit))


def _more_than_one_role(unit: Unit, roles: Sequence[Identity]) -> Iterator[Breach]:
    """Roles that write where one would do: several that a build may become, or its own beside another."""
    build, assumed = roles[:1], roles[1:]
    if len(assumed) > 1:
        what = f"may become {' and '.join(role.name for role in assumed)}, which are not one role"
        yield Breach(place=unit.address, what=what)
    for role in build if assumed else ():
        for statement in filter(_is_about_code, powers.allowing(role)):
            what = f"lets {role.name} use CodeCommit without the session that its program narrows"
            yield Breach(place=statement.place, what=what)


def _assumes_its_own(subject: PromiseSubject, identity: Identity, statement: Statement) -> bool:
    """Whether all that a statement names are roles that trust this build's role and nothing else."""
    trusting = {role.arn for role in subject.roles if role.trusted_principals == {identity.arn}}
    return (
        identity.arn in subject.builds
        and not (statement.but_actions or statement.but_resources)
        and set(statement.resources) <= trusting
    )


@promise(
    id="nobody-tags",
    what="no user or role can tag a repository, take a tag away, or create a repository with tags",
    why="policies name repositories by their tags, which Terraform alone sets",
)
def nobody_tags(subject: PromiseSubject) -> Iterator[Breach]:
    for identity in subject.model.identities:
        for statement in powers.allowing(identity):
            tagging = next((name for name in powers.actions(statement) if _tags(name)), None)
            if tagging is not None:
                yield Breach(place=statement.place, what=f"lets {identity.name} {powers.as_written(tagging)}")


def _tags(action: str) -> bool:
    return action.lower() in _TAGGING or action.lower().startswith("tag:")
