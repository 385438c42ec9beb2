"""The commands `gitlab-mirror apply|status|sync|remove-branches`."""

from typing import Annotated

import typer

from ops.cli.options import EXAMPLE, DeploymentFile, DryRun, TokenFile, WaitSeconds, load
from ops.cli.usage import group
from ops.git_access import PATIENCE_SECONDS

app = group(
    "Set up, check and run GitLab's push mirrors into production.",
    example="gitlab-mirror status deployments/mine.yaml",
    statuses={1: "refused or failed, or a mirror is stale"},
)

_MIRROR = "its number, its project's path, or all. May be repeated."


@app.command(example="gitlab-mirror apply deployments/mine.yaml --dry-run")
def apply(
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    wait_seconds: WaitSeconds = PATIENCE_SECONDS,
    adopt: Annotated[
        list[str] | None,
        typer.Option(metavar="MIRROR", help=f"Record a mirror that nothing records as this deployment's: {_MIRROR}"),
    ] = None,
    not_ours: Annotated[
        list[str] | None,
        typer.Option(metavar="MIRROR", help=f"Record it as another deployment's, to be left alone: {_MIRROR}"),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Create the mirrors that are missing, correct those that differ, and see that they succeed.

    Only mirrors that are recorded as this deployment's are changed or deleted. While another mirror pushes to the same
    address and nothing records whose it is, the command refuses to change anything.
    """
    from ops.git_access import gitlab_mirror

    settings = load(deployment)
    mirrors = gitlab_mirror.connected(settings, token_file, patience_seconds=wait_seconds)
    if mirrors is not None:
        gitlab_mirror.apply(settings, mirrors, adopt=adopt or [], not_ours=not_ours or [], dry_run=dry_run)


@app.command(
    "status",
    example="gitlab-mirror status deployments/mine.yaml",
    statuses={0: "all are up to date", 1: "one is stale, has failed or is not recorded"},
)
def show_status(
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    branches: Annotated[
        bool, typer.Option("--branches", help="List the branches, too, that CodeCommit has and GitLab has no longer.")
    ] = False,
) -> None:
    """Show each mirror, whose it is, its last success and error."""
    from ops.git_access import gitlab_mirror
    from ops.git_access.mirror_status import status

    settings = load(deployment)
    mirrors = gitlab_mirror.connected(settings, token_file)
    if mirrors is None:
        return
    is_in_order = status(mirrors)
    if branches:
        from ops.git_access.branches import Branches

        Branches(settings, mirrors).show()
    if not is_in_order:
        raise typer.Exit(1)


@app.command(example="gitlab-mirror sync --wait-seconds 1200")
def sync(
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    wait_seconds: WaitSeconds = PATIENCE_SECONDS,
    dry_run: DryRun = False,
) -> None:
    """Run every mirror now, and wait until all have succeeded."""
    from ops.git_access import gitlab_mirror

    mirrors = gitlab_mirror.connected(load(deployment), token_file, patience_seconds=wait_seconds)
    if mirrors is not None:
        gitlab_mirror.sync(mirrors, dry_run=dry_run)


@app.command(example="gitlab-mirror remove-branches mine.yaml --dry-run")
def remove_branches(
    deployment: DeploymentFile = EXAMPLE,
    *,
    token_file: TokenFile = None,
    allow_deletions: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, help="Delete up to so many branches of a repository this time.")
    ] = 0,
    dry_run: DryRun = False,
) -> None:
    """Delete the branches in CodeCommit that were deleted in GitLab.

    A mirror only deletes those that were merged. A default branch is never deleted, and nothing where GitLab shows no
    branch, or lacks ten or more and a larger share than a mirror may delete.
    """
    from ops.git_access import gitlab_mirror
    from ops.git_access.branches import Branches
    from ops.steps import Steps

    settings = load(deployment)
    mirrors = gitlab_mirror.connected(settings, token_file)
    if mirrors is not None:
        Branches(settings, mirrors).remove(allow_deletions=allow_deletions, steps=Steps(dry_run=dry_run))
