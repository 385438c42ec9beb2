"""The project's own deployment files. Tests name them: a user's file in the same folder is not theirs to test."""

from pathlib import Path

DEPLOYMENTS = ("backlog-only", "everything", "example", "existing-proxy", "gitlab-existing-vpc", "minimal")

_FOLDER = Path(__file__).parents[1] / "deployments"


def deployment_file(name: str) -> Path:
    """The file of one of `DEPLOYMENTS`."""
    return _FOLDER / f"{name}.yaml"
