"""The Git users of a deployment, and the names of their secrets."""

from dataclasses import dataclass

from errors import WRONG_USAGE, refused
from errors.shown import shown
from ops.production import production_labels
from settings import Deployment
from settings.codecommit import CodeCommitSettings


@dataclass(frozen=True, kw_only=True)
class CredentialUser:
    """An IAM user that uses Git; `role` is what commands call it: `push`, `pull`, or `pull-NAME` for a named room."""

    role: str
    name: str
    secret: str


def git_users(deployment: Deployment) -> list[CredentialUser]:
    """Every Git user of the deployment; the push user comes first."""
    settings = codecommit(deployment)
    labels = production_labels(deployment)
    roles = [
        *([("push",)] if settings.push is not None else []),
        *([("pull",)] if settings.pull is not None else []),
        *(("pull", room) for room in settings.rooms),
    ]
    return [
        CredentialUser(role="-".join(role), name=labels.git_user(*role), secret=labels.git_secret(*role))
        for role in roles
    ]


def git_user(deployment: Deployment, role_or_name: str) -> CredentialUser:
    """The user with this role, or with this name in IAM. Raises RefusedError where there is none."""
    users = git_users(deployment)
    for user in users:
        if role_or_name in (user.role, user.name):
            return user
    raise refused(
        "USER",
        f"{shown(role_or_name)} is not a Git user of this deployment",
        f"use one of {', '.join(user.role for user in users)}",
        status=WRONG_USAGE,
    )


def codecommit(deployment: Deployment) -> CodeCommitSettings:
    """The deployment's repositories and users. Raises RefusedError where it has none."""
    if deployment.prd is None or deployment.prd.codecommit is None:
        raise refused("prd.codecommit", "the deployment has no Git users", "add prd.codecommit to it")
    return deployment.prd.codecommit
