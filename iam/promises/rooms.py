"""Promises about isolated rooms: code may come in, and nothing may go out."""

from collections.abc import Iterator

from iam import codecommit, powers
from iam.model import Identity
from iam.operators import is_private
from iam.promises.promise import Breach, PromiseSubject, promise
from iam.sources import RequestSource


@promise(
    id="rooms-never-push",
    what="nobody can push from an isolated room's addresses",
    why="what is in the room may not get out, whoever's password is used there",
)
def rooms_never_push(subject: PromiseSubject) -> Iterator[Breach]:
    for source in subject.sources:
        if source.is_room:
            for user in subject.users:
                yield from _writes(user, source)
    for place in subject.model.places:
        for room in place.may_overlap:
            what = f"nothing keeps these addresses apart from those of {room} when Terraform plans"
            yield Breach(place=place.name, what=what)


@promise(
    id="rooms-reach-no-git-server",
    what="no security group lets in an isolated room",
    why="a room that reaches a Git server in development can push to it",
)
def rooms_reach_no_git_server(subject: PromiseSubject) -> Iterator[Breach]:
    rooms = [(place.name, network) for place in subject.model.places if place.is_room for network in place.networks]
    for opening in subject.model.openings:
        for network in opening.networks:
            for room, other in rooms:
                if network.version == other.version and network.overlaps(other) and not is_private(network):
                    yield Breach(place=opening.address, what=f"lets in {network}, which overlaps {other} of {room}")


@promise(
    id="pull-users-never-push",
    what="a user that works from a room cannot write from anywhere",
    why="its password is known in the room, and people may take it out of the room",
)
def pull_users_never_push(subject: PromiseSubject) -> Iterator[Breach]:
    for user in subject.users:
        if any(_works_from(user, source) for source in subject.sources if source.is_room):
            for source in subject.sources:
                yield from _writes(user, source)


def _works_from(user: Identity, source: RequestSource) -> bool:
    return any(True for _ in powers.powers(user, source))


def _writes(user: Identity, source: RequestSource) -> Iterator[Breach]:
    for power in powers.powers(user, source, only=codecommit.WRITES):
        what = f"lets {user.name} {power.action} from {source.name}"
        yield Breach(place=power.decision.statements[0].place, what=what)
