"""Where isolated rooms pull from, as Terraform expressions."""

from cdktf import Token

from modules.policies import git_users
from modules.policies.statement import PolicyStatement
from settings.codecommit import CodeCommitSettings, PullSettings


def room_cidrs(settings: CodeCommitSettings) -> dict[str, str | list[str]]:
    """The local value ROOM_CIDRS: the variable of each room that works from networks, and nothing for the others."""
    return {
        name: f"${{var.room_{name}_from_cidrs}}" if room.from_cidrs is not None else []
        for name, room in settings.rooms.items()
    }


def pulled_from(settings: CodeCommitSettings, rooms: str) -> list[str]:
    """Terraform expressions of the networks that may pull: those of the pull user, and the expression `rooms`."""
    pull = settings.pull is not None and settings.pull.from_cidrs is not None
    return [*(["var.pull_from_cidrs"] if pull else []), *([rooms] if settings.rooms else [])]


def only_here(room: PullSettings, cidrs: str | None) -> PolicyStatement:
    """What denies a room's user everything from outside the room: from elsewhere than `cidrs` or its endpoints."""
    if room.from_vpc_endpoints is not None:
        return git_users.only_through(list(room.from_vpc_endpoints))
    return git_users.only_from(Token.as_list(f"${{{cidrs}}}"))
