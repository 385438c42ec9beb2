"""Where isolated rooms pull from, as Terraform expressions."""

from cdktf import Precondition, Token

from modules.policies import git_users
from modules.policies.statement import PolicyStatement
from settings.codecommit import CodeCommitSettings, PullSettings
from stacks.variables import ONLY_PUBLIC, WELL_FORMED
from terraform.address_lists import (
    MOST_ADDRESSES,
    has_one_source,
    has_own_endpoints,
    room_is_at_most,
    room_is_public,
    room_is_well_formed,
)


def room_cidrs(settings: CodeCommitSettings) -> dict[str, str | list[str]]:
    """The local value ROOM_CIDRS: the variable of each room that works from networks, and nothing for the others."""
    return {
        name: f"${{var.room_{name}_from_cidrs}}" if room.from_cidrs is not None else []
        for name, room in settings.rooms.items()
    }


def room_endpoints(settings: CodeCommitSettings) -> dict[str, list[str]]:
    """The local value ROOM_ENDPOINTS: the VPC endpoints of each room that works through some."""
    return {name: list(room.from_vpc_endpoints or ()) for name, room in settings.rooms.items()}


def room_checks(name: str, settings: CodeCommitSettings) -> list[tuple[Precondition, str]]:
    """What an entry of a room must fulfil in the HCL, as its settings must: they are checked before Terraform runs."""
    room = settings.rooms[name]
    checks = [
        (room_is_well_formed(name), WELL_FORMED),
        (room_is_public(name), ONLY_PUBLIC),
        (has_one_source(name), "Give the room either networks or VPC endpoints, and not both."),
        (
            has_own_endpoints(name, settings.pull.from_vpc_endpoints or () if settings.pull is not None else ()),
            "A VPC endpoint of this room is also one of another room: give every room endpoints of its own.",
        ),
    ]
    if room.open_to_the_world_because is None:
        most = f"All networks of a room together have at most {MOST_ADDRESSES:,} addresses, those of one /8."
        checks.append((room_is_at_most(name, MOST_ADDRESSES), most))
    return [(Precondition(condition=condition, error_message=message), "") for condition, message in checks]


def pulled_from(settings: CodeCommitSettings, rooms: str) -> list[str]:
    """Terraform expressions of the networks that may pull: those of the pull user, and the expression `rooms`."""
    pull = settings.pull is not None and settings.pull.from_cidrs is not None
    return [*(["var.pull_from_cidrs"] if pull else []), *([rooms] if settings.rooms else [])]


def only_here(room: PullSettings, cidrs: str | None) -> PolicyStatement:
    """What denies a room's user everything from outside the room: from elsewhere than `cidrs` or its endpoints."""
    if room.from_vpc_endpoints is not None:
        return git_users.only_through(list(room.from_vpc_endpoints))
    return git_users.only_from(Token.as_list(f"${{{cidrs}}}"))
