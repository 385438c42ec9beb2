"""The arguments and options that several commands share, and the deployment that a command works on."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.waiting import waiting

if TYPE_CHECKING:
    from settings import Deployment

Synthesise = Callable[["Deployment", Path], object]
"""Writes a deployment's Terraform into a folder. It is the context's `obj`."""

DeploymentFile = Annotated[Path, typer.Argument(metavar="FILE", envvar="DEPLOYMENT", help="The deployment file.")]
EXAMPLE = Path("deployments/example.yaml")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done; reads the account.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that were changed since.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file that holds GitLab's token; by default it is in GITLAB_TOKEN."),
]
WaitSeconds = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="How long to wait for mirrors to succeed.")]
SpaceKey = Annotated[
    str | None,
    typer.Option("--space", metavar="TEXT", help="A key of prd.backlog.spaces; needed where there are several."),
]


def load(file: Path) -> "Deployment":
    """The deployment in a file, after printing the warnings about it. Raises SettingsError."""
    # Not imported by `--help`: the models take a quarter of a second to load.
    import settings

    deployment = settings.load(file)
    warn(deployment, file)
    return deployment


def warn(deployment: "Deployment", file: Path) -> None:
    """Print the warnings about `file`, which `deployment` was read from."""
    import settings

    for warning in settings.warnings(deployment, file):
        typer.echo(warning.printed.as_warning(), err=True)


@contextmanager
def synthesised(context: typer.Context, deployment: "Deployment") -> Iterator[Path]:
    """A temporary output folder with the deployment's Terraform."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
        out = Path(folder) / "cdktf.out"
        with waiting("synthesising"):
            context.obj(deployment, out)
        yield out
