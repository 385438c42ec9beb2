"""The commands `credentials issue|list|rotate|revoke`."""

from pathlib import Path
from typing import Annotated

import typer

from errors import WRONG_USAGE, refused
from ops.cli.options import EXAMPLE, DeploymentFile, DryRun, TokenFile, WaitSeconds, load
from ops.cli.usage import group
from ops.git_access import PATIENCE_SECONDS

app = group(
    "Issue, list, rotate and revoke the users' Git credentials: kept in Secrets Manager, never shown.",
    example="credentials rotate push deployments/mine.yaml",
)

User = Annotated[
    str,
    typer.Argument(
        metavar="USER",
        help="push, pull or pull-NAME of a named room, or the user's name in IAM.",
        show_default=False,
    ),
]
ALL = "all"


@app.command(example="credentials issue pull deployments/mine.yaml")
def issue(user: User, deployment: DeploymentFile = EXAMPLE, *, dry_run: DryRun = False) -> None:
    """Create a user's first credential and put it into Secrets Manager."""
    from ops.git_access import credentials

    credentials.issue(load(deployment), user, dry_run=dry_run)


@app.command("list", example="credentials list all deployments/mine.yaml")
def list_(
    user: Annotated[str, typer.Argument(metavar="USER", help="One user, or all of them.")] = ALL,
    deployment: DeploymentFile = EXAMPLE,
) -> None:
    """Show every credential with its age, and warn of old ones."""
    from ops.git_access import credentials

    if Path(user).suffix in (".yaml", ".yml"):
        hint = f"name the user first: credentials list {ALL} {user}"
        raise refused("USER", f"{user!r} is a file, not a user", hint, status=WRONG_USAGE)
    credentials.show(load(deployment), None if user == ALL else user)


@app.command(example="credentials rotate push deployments/mine.yaml")
def rotate(
    user: User,
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    wait_seconds: WaitSeconds = PATIENCE_SECONDS,
    dry_run: DryRun = False,
) -> None:
    """Replace a user's credential.

    GitLab's mirrors get the push user's second credential, and the first is deleted when all have succeeded with the
    second. For other users, the old credential stays until you run `revoke --superseded`. If the command stops, run
    it again.
    """
    from ops.git_access.mirror_client import MirrorClient
    from ops.git_access.rotation import rotate

    settings = load(deployment)

    def connect() -> MirrorClient:
        return MirrorClient.connected(settings, token_file, patience_seconds=wait_seconds)

    rotate(settings, user, connect_mirrors=connect, dry_run=dry_run)


@app.command(example="credentials revoke pull --superseded")
def revoke(
    user: User,
    deployment: DeploymentFile = EXAMPLE,
    *,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Only what the current credential replaced.")
    ] = False,
    id: Annotated[str | None, typer.Option(metavar="TEXT", help="Only the credential of this id.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Delete a user's credentials: all of them and the secret, or only some."""
    if superseded and id is not None:
        raise refused("--id", "--superseded is given too", "give one of the two", status=WRONG_USAGE)
    from ops.git_access import credentials

    credentials.revoke(load(deployment), user, superseded=superseded, credential_id=id, dry_run=dry_run)
