"""A promise about resources that have a policy of their own."""

from collections.abc import Iterator

from iam.promises.promise import Breach, PromiseSubject, promise
from iam.statements import Statement


@promise(
    id="nothing-is-public",
    what="no resource's policy admits everybody or another account",
    why="a cache contains code, and a topic reports what happens to it",
)
def nothing_is_public(subject: PromiseSubject) -> Iterator[Breach]:
    for resource in subject.model.resources:
        for statement in resource.policy.statements if resource.policy else ():
            if statement.allows and _admits_strangers(statement, resource.account):
                yield Breach(place=statement.place, what=f"lets everybody into {resource.address}")


def _admits_strangers(statement: Statement, account: str) -> bool:
    """Whether it names more than services and this account; its conditions are ignored."""
    if statement.but_principals:
        return True
    named = statement.principals or {}
    return any(
        kind != "Service" and not (name == account or f"::{account}:" in name)
        for kind, names in named.items()
        for name in names
    )
