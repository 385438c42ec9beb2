"""The users that commands know are the users that are deployed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops.git_access.users import git_users
from settings import load
from tests.terraform import Stacks


@pytest.mark.parametrize("name", ["example", "everything"])
def test_every_user_that_is_deployed_is_known_by_its_name(
    synthesised: Callable[[str], Stacks], project: Path, name: str
) -> None:
    deployed = synthesised(name)["prd-codecommit"].resources("aws_iam_user").values()
    users = git_users(load(project / "deployments" / f"{name}.yaml"))
    assert sorted(user.name for user in users) == sorted(user["name"] for user in deployed)
    assert len({user.secret for user in users} | {user.role for user in users}) == 2 * len(users)
