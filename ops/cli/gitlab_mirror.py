"""The commands `gitlab-mirror apply|status|sync`."""

import typer

from ops.cli.options import EXAMPLE, DeploymentFile, DryRun, TokenFile, WaitSeconds, load
from ops.cli.usage import group
from ops.git_access import PATIENCE_SECONDS

app = group(
    "Set up, check and run GitLab's push mirrors into production.",
    example="gitlab-mirror status deployments/mine.yaml",
    statuses={1: "refused or failed, or a mirror is stale"},
)


@app.command(example="gitlab-mirror apply deployments/mine.yaml --dry-run")
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


@app.command(
    example="gitlab-mirror status deployments/mine.yaml",
    statuses={0: "all are up to date", 1: "one is stale or has failed"},
)
def status(deployment: DeploymentFile = EXAMPLE, *, token_file: TokenFile = None) -> None:
    """Show each mirror's last success and error."""
    from ops.git_access import gitlab_mirror

    mirrors = gitlab_mirror.connected(load(deployment), token_file)
    if mirrors is not None and not gitlab_mirror.status(mirrors):
        raise typer.Exit(1)


@app.command(example="gitlab-mirror sync --wait-seconds 1200")
def sync(
    deployment: DeploymentFile = EXAMPLE, *, token_file: TokenFile = None, wait_seconds: WaitSeconds = PATIENCE_SECONDS
) -> None:
    """Run every mirror now, and wait until all have succeeded."""
    from ops.git_access import gitlab_mirror

    mirrors = gitlab_mirror.connected(load(deployment), token_file, patience_seconds=wait_seconds)
    if mirrors is not None:
        gitlab_mirror.sync(mirrors)
