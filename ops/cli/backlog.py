"""The commands that serve the bridge from Backlog: `verify`, `host-key` and those that start with `backlog-`."""

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.options import EXAMPLE, DeploymentFile, DryRun, SpaceKey, load
from ops.cli.usage import Commands, group

app = Commands()
webhook_app = group(
    "Show, test and register the webhooks that Backlog calls.", example="backlog-webhook show deployments/mine.yaml"
)
key_app = group(
    "Store and check the SSH key that mirrors fetch with.",
    example="backlog-key put ~/.ssh/backlog",
)


@app.command(
    example="verify deployments/mine.yaml", statuses={0: "all are equal", 1: "something differs or cannot be read"}
)
def verify(deployment: DeploymentFile = EXAMPLE) -> None:
    """Compare every Backlog mirror's target with its source: heads, tags and the default branch.

    Reads the source with your own SSH keys and the target with your own AWS credentials, through
    git-remote-codecommit. Repositories that no Backlog mirror pushes to are left out: their source is not known
    here. A push that is being mirrored at this moment shows as a difference.
    """
    from ops.backlog.verify import verify

    if not verify(load(deployment)):
        raise typer.Exit(1)


@app.command(example="host-key example.git.backlog.jp")
def host_key(
    space_host: Annotated[
        str,
        typer.Argument(
            metavar="HOST", help="The space's Git server, for example example.git.backlog.jp.", show_default=False
        ),
    ],
    port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="The server's SSH port.")] = 22,
) -> None:
    """Print a server's SSH host keys as lines of known_hosts, with fingerprints, for checking by eye."""
    from ops.backlog import host_keys

    host_keys.show(space_host, port)


@app.command(
    "backlog-repositories",
    example="backlog-repositories deployments/mine.yaml --agree",
    statuses={0: "the lists are complete", 1: "something is new or gone, or has to be done by hand"},
)
def repositories(
    deployment: DeploymentFile = EXAMPLE,
    *,
    agree: Annotated[
        bool, typer.Option("--agree", help="Write what is new into the deployment file, which mirrors it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what is new and gone in the Backlog projects that prd.backlog.repositories names by from_project.

    Reads each project's Git repositories through Backlog's API, with the key in the space's api_key_parameter. Only
    repositories in the lists `agreed` are mirrored. --agree adds to these, and changes nothing else in the file; what
    is gone in Backlog stays there, because its CodeCommit repository does.
    """
    from ops.backlog.discovery import discover

    if not discover(load(deployment), deployment, agreeing=agree, as_json=json):
        raise typer.Exit(1)


@webhook_app.command(example="backlog-webhook show deployments/mine.yaml")
def show(deployment: DeploymentFile = EXAMPLE) -> None:
    """Print the URL to register in each Backlog repository's settings."""
    from ops.backlog import webhook

    webhook.show(load(deployment))


@webhook_app.command(
    "check",
    example="backlog-webhook check --repository website",
    statuses={0: "every build was started", 1: "one was not"},
)
def check_webhook(
    deployment: DeploymentFile = EXAMPLE,
    *,
    repository: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="A mirror's key, of a project's ENTRY-NAME; by default all."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Call each hook once, which starts a build, and print what CodeBuild answered."""
    from ops.backlog import webhook

    if not webhook.check(load(deployment), repository, dry_run=dry_run):
        raise typer.Exit(1)


@webhook_app.command(
    example="backlog-webhook register --dry-run",
    statuses={0: "every project's webhook is registered", 1: "one is not, or pushes start builds twice"},
)
def register(deployment: DeploymentFile = EXAMPLE, *, dry_run: DryRun = False) -> None:
    """Add to each Backlog project the webhook that starts its mirrors, or change it where it differs.

    Uses Backlog's API with the key in the space's api_key_parameter, whose user has to be an administrator of the
    projects. A space without that key is named, and the others go on. Other webhooks are left alone. With
    `isolation: repository` it refuses: register what show prints.
    """
    from ops.backlog import project_hooks

    if not project_hooks.register(load(deployment), dry_run=dry_run):
        raise typer.Exit(1)


@key_app.command(example="backlog-key put ~/.ssh/backlog")
def put(
    file: Annotated[
        Path, typer.Argument(metavar="KEY_FILE", help="The private key, without passphrase.", show_default=False)
    ],
    deployment: DeploymentFile = EXAMPLE,
    *,
    space: SpaceKey = None,
    dry_run: DryRun = False,
) -> None:
    """Store a private key as the SecureString that the deployment names. It is never printed."""
    from ops.backlog import key

    key.put(load(deployment), file, space, dry_run=dry_run)


@key_app.command("check", example="backlog-key check deployments/mine.yaml")
def check_key(deployment: DeploymentFile = EXAMPLE, *, space: SpaceKey = None) -> None:
    """Say whether the stored key's public half is the one that the deployment expects."""
    from ops.backlog import key

    key.check(load(deployment), space)
