"""The bridge from Backlog: its hooks, its SSH keys, and whether its mirrors are complete."""

from errors import refused
from settings import Deployment
from settings.backlog import BacklogSettings


def bridge(deployment: Deployment) -> BacklogSettings:
    """The deployment's settings of the bridge. Raises RefusedError where it has none."""
    if deployment.prd is None or deployment.prd.backlog is None:
        raise refused("prd.backlog", "the deployment has no bridge from Backlog", "add prd.backlog to it")
    return deployment.prd.backlog
