"""The commands `gitlab-mirror apply|status|sync`."""

import typer

from ops.cli.credentials import EXAMPLE, DeploymentFile, DryRun, TokenFile, WaitSeconds
from ops.git_access import gitlab_mirror
from ops.git_access.mirrors import PATIENCE_SECONDS
from settings import load

app = typer.Typer(no_args_is_help=True, help="Push mirrors of GitLab's projects into production.")


@app.command()
def apply(
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    wait_seconds: WaitSeconds = PATIENCE_SECONDS,
    dry_run: DryRun = False,
) -> None:
    """Create the mirrors that are missing, correct those that differ, and see that they succeed.

    A mirror is the deployment's by where it pushes to; every other one is left alone.
    """
    settings = load(deployment)
    mirrors = gitlab_mirror.connected(settings, token_file, patience_seconds=wait_seconds)
    gitlab_mirror.apply(settings, mirrors, dry_run=dry_run)


@app.command()
def status(deployment: DeploymentFile = EXAMPLE, *, token_file: TokenFile = None) -> None:
    """Show each mirror's last success and error. Exit status 1 when one is stale."""
    if not gitlab_mirror.status(gitlab_mirror.connected(load(deployment), token_file)):
        raise typer.Exit(1)


@app.command()
def sync(
    deployment: DeploymentFile = EXAMPLE, *, token_file: TokenFile = None, wait_seconds: WaitSeconds = PATIENCE_SECONDS
) -> None:
    """Have every mirror run now, and wait until all have succeeded."""
    gitlab_mirror.sync(gitlab_mirror.connected(load(deployment), token_file, patience_seconds=wait_seconds))
