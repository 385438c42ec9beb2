"""The commands `backlog-webhook show|check` and `backlog-key put|check`."""

from pathlib import Path
from typing import Annotated

import typer

from ops.backlog import key as backlog_key
from ops.backlog import webhook as backlog_webhook
from ops.cli.credentials import EXAMPLE, DeploymentFile, DryRun
from settings import load

webhook_app = typer.Typer(no_args_is_help=True, help="What Backlog calls when a repository is pushed to.")
key_app = typer.Typer(no_args_is_help=True, help="The SSH key that mirrors fetch with.")

SpaceOption = Annotated[
    str | None, typer.Option("--space", help="A key of prd.backlog.spaces; needed where there are several.")
]


@webhook_app.command()
def show(deployment: DeploymentFile = EXAMPLE) -> None:
    """Print the URL to register in each Backlog repository's settings."""
    backlog_webhook.show(load(deployment))


@webhook_app.command("check")
def check_webhook(
    deployment: DeploymentFile = EXAMPLE,
    *,
    repository: Annotated[str | None, typer.Option(help="A key of prd.backlog.repositories; by default all.")] = None,
) -> None:
    """Call each hook once, which starts a build, and print what CodeBuild answered.

    Exit status: 0 every build was started, 1 one was not.
    """
    if not backlog_webhook.check(load(deployment), repository):
        raise typer.Exit(1)


@key_app.command()
def put(
    file: Annotated[Path, typer.Argument(help="The private key, without passphrase.", show_default=False)],
    deployment: DeploymentFile = EXAMPLE,
    *,
    space: SpaceOption = None,
    dry_run: DryRun = False,
) -> None:
    """Store a private key as the SecureString that the deployment names. It is never printed."""
    backlog_key.put(load(deployment), file, space, dry_run=dry_run)


@key_app.command("check")
def check_key(deployment: DeploymentFile = EXAMPLE, *, space: SpaceOption = None) -> None:
    """Say whether the stored key's public half is the one that the deployment expects."""
    backlog_key.check(load(deployment), space)
