"""The commands `gitlab-mirror apply|status|sync`."""

import typer

from ops.cli.options import EXAMPLE, DeploymentFile, DryRun, TokenFile, WaitSeconds, load
from ops.cli.usage import CommandGroup, Commands
from ops.git_access import PATIENCE_SECONDS

app = Commands(
    cls=CommandGroup, no_args_is_help=True, help="Set up, check and run GitLab's push mirrors into production."
)


@app.command()
def apply(
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    wait_seconds: WaitSeconds = PATIENCE_SECONDS,
    dry_run: DryRun = False,
) -> None:
    """Create the mirrors that are missing, correct those that differ, and see that they succeed.

    Only mirrors that push to this deployment's repositories are changed.
    """
    from ops.git_access import gitlab_mirror

    settings = load(deployment)
    mirrors = gitlab_mirror.connected(settings, token_file, patience_seconds=wait_seconds)
    if mirrors is not None:
        gitlab_mirror.apply(settings, mirrors, dry_run=dry_run)


@app.command()
def status(deployment: DeploymentFile = EXAMPLE, *, token_file: TokenFile = None) -> None:
    """Show each mirror's last success and error. Exit status 1 when one is stale."""
    from ops.git_access import gitlab_mirror

    mirrors = gitlab_mirror.connected(load(deployment), token_file)
    if mirrors is not None and not gitlab_mirror.status(mirrors):
        raise typer.Exit(1)


@app.command()
def sync(
    deployment: DeploymentFile = EXAMPLE, *, token_file: TokenFile = None, wait_seconds: WaitSeconds = PATIENCE_SECONDS
) -> None:
    """Run every mirror now, and wait until all have succeeded."""
    from ops.git_access import gitlab_mirror

    mirrors = gitlab_mirror.connected(load(deployment), token_file, patience_seconds=wait_seconds)
    if mirrors is not None:
        gitlab_mirror.sync(mirrors)
