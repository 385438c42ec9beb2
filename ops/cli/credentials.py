"""The commands `credentials issue|list|rotate|revoke`."""

from pathlib import Path
from typing import Annotated

import typer

from ops.git_access import credentials, gitlab_mirror
from ops.git_access.mirrors import PATIENCE_SECONDS, PushMirrors
from settings import load

DeploymentFile = Annotated[Path, typer.Argument(envvar="DEPLOYMENT", help="The deployment file.")]
EXAMPLE = Path("deployments/example.yaml")
User = Annotated[
    str, typer.Argument(help="push, pull or pull-NAME of a named room, or the user's name in IAM.", show_default=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
TokenFile = Annotated[
    Path | None, typer.Option(help="A file that holds GitLab's token; by default it is in GITLAB_TOKEN.")
]
WaitSeconds = Annotated[float, typer.Option(min=1, help="How long to wait for mirrors to succeed.")]

app = typer.Typer(no_args_is_help=True, help="Git credentials of the users: kept in Secrets Manager, never shown.")


@app.command()
def issue(user: User, deployment: DeploymentFile = EXAMPLE, *, dry_run: DryRun = False) -> None:
    """Create a user's first credential and put it into Secrets Manager."""
    credentials.issue(load(deployment), user, dry_run=dry_run)


@app.command("list")
def list_(
    user: Annotated[str, typer.Argument(help="One user, or all of them.")] = credentials.ALL,
    deployment: DeploymentFile = EXAMPLE,
) -> None:
    """Show every credential with its age, and warn of old ones."""
    credentials.listed(load(deployment), user)


@app.command()
def rotate(
    user: User,
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    wait_seconds: WaitSeconds = PATIENCE_SECONDS,
    dry_run: DryRun = False,
) -> None:
    """Replace a user's credential.

    The push user's goes to GitLab's mirrors, and the first is deleted when all have succeeded with the second. The
    first of other users stays until `revoke --superseded`. Stopped anywhere, it can simply be run again.
    """
    settings = load(deployment)

    def mirrors() -> PushMirrors:
        return gitlab_mirror.connected(settings, token_file, patience_seconds=wait_seconds)

    credentials.rotate(settings, user, mirrors=mirrors, dry_run=dry_run)


@app.command()
def revoke(
    user: User,
    deployment: DeploymentFile = EXAMPLE,
    *,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Only what the current credential replaced.")
    ] = False,
    id: Annotated[str | None, typer.Option(help="Only the credential of this id.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Delete a user's credentials: all of them and the secret, or only some."""
    if superseded and id is not None:
        raise typer.BadParameter("give --superseded or --id, not both")
    credentials.revoke(load(deployment), user, superseded=superseded, credential_id=id, dry_run=dry_run)
