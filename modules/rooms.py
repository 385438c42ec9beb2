"""The users of several isolated rooms."""

from collections.abc import Mapping

from constructs import Construct

from modules.git_user import GitUser, GitUserProps


class Rooms(Construct):
    """One Git user for each room, by the room's name."""

    users: dict[str, GitUser]

    def __init__(self, scope: Construct, id: str, users: Mapping[str, GitUserProps]) -> None:
        super().__init__(scope, id)
        self.users = {name: GitUser(self, name, props) for name, props in users.items()}
