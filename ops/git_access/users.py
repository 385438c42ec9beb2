"""Which Git users a deployment has, and how their secrets are called."""

from dataclasses import dataclass

from errors import WRONG_USAGE, refused
from errors.shown import shown
from modules.labels import Labels
from settings import Deployment
from settings.codecommit import CodeCommitSettings


@dataclass(frozen=True, kw_only=True)
class GitUser:
    """An IAM user for Git: `role` is what people call it, such as `push`, `pull` or `pull-NAME` for a named room's."""

    role: str
    name: str
    secret: str


def git_users(deployment: Deployment) -> list[GitUser]:
    """Every Git user of the deployment, the one that pushes first."""
    settings = codecommit(deployment)
    labels = production_labels(deployment)
    roles = [
        *([("push",)] if settings.push is not None else []),
        *([("pull",)] if settings.pull is not None else []),
        *(("pull", room) for room in settings.rooms),
    ]
    return [
        GitUser(role="-".join(role), name=labels.git_user(*role), secret=labels.git_secret(*role)) for role in roles
    ]


def git_user(deployment: Deployment, asked: str) -> GitUser:
    """The user that is called `asked`, by its role or by its name in IAM. Raises RefusedError."""
    users = git_users(deployment)
    for user in users:
        if asked in (user.role, user.name):
            return user
    raise refused(
        "USER",
        f"{shown(asked)} is no Git user of this deployment",
        f"use one of {', '.join(user.role for user in users)}",
        status=WRONG_USAGE,
    )


def codecommit(deployment: Deployment) -> CodeCommitSettings:
    """The deployment's repositories and users. Raises RefusedError where it has none."""
    if deployment.prd is None or deployment.prd.codecommit is None:
        raise refused("prd.codecommit", "the deployment has no Git users", "add prd.codecommit to it")
    return deployment.prd.codecommit


def production_labels(deployment: Deployment) -> Labels:
    """What makes the names of production's resources."""
    return Labels(project=deployment.name, environment="prd", owner=deployment.owner)
