"""Promises about roles: AWS services assume them, and only a build's role writes code."""

from collections.abc import Iterator

from iam import codecommit, powers
from iam.promises.promise import Breach, PromiseSubject, promise


@promise(
    id="roles-are-for-services",
    what="only AWS services can assume a role",
    why="people who can assume a role can push from wherever they are",
)
def roles_are_for_services(subject: PromiseSubject) -> Iterator[Breach]:
    for role in subject.roles:
        for statement in role.trust.statements if role.trust else ():
            if not statement.allows:
                continue
            if statement.but_principals or set(statement.principals or ()) != {"Service"}:
                yield Breach(place=statement.place, what=f"lets others than a service assume {role.name}")
            elif statement.named_actions != {"sts:assumerole"} or statement.action_patterns or statement.but_actions:
                yield Breach(place=statement.place, what=f"lets a service do more than assume {role.name}")


@promise(
    id="only-builds-write",
    what="only a build's role can write to a repository",
    why="on a machine that people can log in to, its role's credentials can be copied and used elsewhere",
)
def only_builds_write(subject: PromiseSubject) -> Iterator[Breach]:
    for role in subject.roles:
        if role.trusted_services <= {"codebuild.amazonaws.com"}:
            continue
        for statement in powers.allowing(role):
            written = next((action for action in powers.actions(statement) if action in codecommit.WRITES), None)
            if written is not None:
                yield Breach(place=statement.place, what=f"lets {role.name} {written}, which is not a build's role")
