"""The commands for people: `python main.py WORD`."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ops.existing import existing_resources
from settings import Deployment, load

Synthesise = Callable[[Deployment, Path], object]

DeploymentFile = Annotated[Path, typer.Argument(envvar="DEPLOYMENT", help="The deployment file.")]


def run(arguments: list[str], synthesise: Synthesise) -> NoReturn:
    """Run one command and exit; `synthesise` writes a deployment's Terraform into a folder."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

    @app.callback()
    def kakehashi() -> None:
        """Kakehashi: a one-way Git bridge into a locked-down AWS account."""

    @app.command()
    def rehearse(deployment: DeploymentFile = Path("deployments/example.yaml")) -> None:
        """Apply a deployment against an emulated AWS on this machine, change it, and destroy it again."""
        raise typer.Exit(_rehearse(deployment, synthesise))

    app(arguments, prog_name="main.py")
    raise AssertionError("typer exits by itself")


def _rehearse(file: Path, synthesise: Synthesise) -> int:
    from ops.rehearse import RehearsalError, rehearse

    deployment = load(file)
    with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
        out = Path(folder) / "cdktf.out"
        synthesise(deployment, out)
        try:
            rehearse(out, existing_resources(deployment))
        except RehearsalError as error:
            print(error, file=sys.stderr)
            return 1
    return os.EX_OK
