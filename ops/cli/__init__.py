"""The commands for people: `python main.py WORD`."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

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

    @app.command()
    def handover(
        deployment: DeploymentFile = Path("deployments/example.yaml"),
        *,
        synthesised: Annotated[
            Path | None,
            typer.Option("--from", help="An output folder of any cdktf project, in place of a deployment file."),
        ] = None,
        out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("handover"),
        schema: Annotated[
            list[Path] | None,
            typer.Option(help="What `terraform providers schema -json` said of providers other than AWS."),
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="Overwrite files that were changed since.")] = False,
    ) -> None:
        """Write a deployment's Terraform as HCL for people, one folder for each account and stack.

        Files of an earlier handover that were changed since are shown, and not overwritten without --force.

        Exit status: 0 written, 1 refused, 2 wrong settings.
        """
        raise typer.Exit(_handover(deployment, synthesised, out, schema or [], force, synthesise))

    @app.command()
    def verify(deployment: DeploymentFile = Path("deployments/example.yaml")) -> None:
        """Compare every Backlog mirror's target with its source: heads, tags and the default branch.

        Reads the source with your own SSH keys and the target with your own AWS credentials, through
        git-remote-codecommit. Repositories that no Backlog mirror pushes to are left out: their source is not known
        here. A push that is being mirrored at this moment shows as a difference.

        Exit status: 0 all equal, 1 something differs or cannot be read, 2 wrong settings.
        """
        from ops.backlog.verify import verify

        raise typer.Exit(verify(load(deployment)))

    @app.command()
    def access(
        deployment: DeploymentFile = Path("deployments/example.yaml"),
        markdown: Annotated[
            Path | None, typer.Option(dir_okay=False, help="Write this as Markdown; - for the standard output.")
        ] = None,
        json: Annotated[
            Path | None,
            typer.Option(
                dir_okay=False, help="Write this and what else policies allow as JSON; - for the standard output."
            ),
        ] = None,
    ) -> None:
        """Show who may push, pull or change what, from where, and the policy and statement that decides.

        Computed by evaluating the policies in the Terraform that the deployment becomes. Without --markdown and --json,
        prints a table.

        Exit status: 0 shown, 2 wrong settings, or policies that break a promise or cannot be told.
        """
        raise typer.Exit(_access(deployment, synthesise, markdown, json))

    @app.command()
    def host_key(
        space_host: Annotated[
            str, typer.Argument(help="The space's Git server, for example example.git.backlog.jp.", show_default=False)
        ],
        port: Annotated[int, typer.Option(min=1, max=65535, help="The server's SSH port.")] = 22,
    ) -> None:
        """Print a server's SSH host keys as lines of known_hosts, with fingerprints, for checking by eye."""
        from ops.backlog.host_keys import host_key

        raise typer.Exit(host_key(space_host, port))

    @app.command()
    def review(
        plans: Annotated[
            list[str],
            typer.Argument(
                metavar="PLAN.json…",
                help="What `terraform show -json` printed, one file for each stack: STACK=FILE, or FILE named as its "
                "stack. - is standard input.",
                show_default=False,
            ),
        ],
        allow: Annotated[
            list[str] | None,
            typer.Option(metavar="RULE:ADDRESS", help="A finding that is meant; needs --because.", show_default=False),
        ] = None,
        because: Annotated[
            list[str] | None,
            typer.Option(metavar="TEXT", help="Why it is; shown in the comment.", show_default=False),
        ] = None,
        acknowledged: Annotated[
            Path | None, typer.Option(metavar="FILE", help="A YAML list of {allow, because}.", show_default=False)
        ] = None,
        platform: Annotated[str, typer.Option("--for", help="Whose limit to keep to: github or gitlab.")] = "github",
        post: Annotated[
            str | None,
            typer.Option(
                metavar="PLATFORM", help="Comment on the pull request of the pipeline it runs in.", show_default=False
            ),
        ] = None,
    ) -> None:
        """Review Terraform plans: Markdown for a pull request, what becomes dangerous first.

        Exit status: 0 nothing dangerous, 3 dangerous, 1 a plan cannot be read, 2 wrong usage.
        """
        from ops.review import run

        done = run(
            plans,
            allow=allow or [],
            because=because or [],
            acknowledged=acknowledged,
            platform=platform,
            post_to=post,
        )
        raise typer.Exit(done)

    @app.command()
    def ci(
        platform: Annotated[str, typer.Argument(help="github or gitlab.", show_default=False)],
        deployment: DeploymentFile = Path("deployments/example.yaml"),
        out: Annotated[Path, typer.Option(help="The repository to write into.")] = Path(),
        branch: Annotated[str, typer.Option(help="The protected branch that is applied.")] = "main",
        force: Annotated[bool, typer.Option("--force", help="Replace another file.")] = False,
    ) -> None:
        """Write the pipeline that plans, reviews and applies a deployment.

        Exit status: 0 written, 1 another file is in its place, 2 wrong usage or settings.
        """
        from ops.pipelines import write

        written = write(platform, deployment, load(deployment), synthesise, out=out, branch=branch, force=force)
        print(f"wrote {written}; its head says what to set up")

    from ops.cli.backlog import key_app, webhook_app
    from ops.cli.credentials import app as credentials_app
    from ops.cli.gitlab_mirror import app as gitlab_mirror_app

    app.add_typer(credentials_app, name="credentials")
    app.add_typer(gitlab_mirror_app, name="gitlab-mirror")
    app.add_typer(webhook_app, name="backlog-webhook")
    app.add_typer(key_app, name="backlog-key")

    app(arguments, prog_name="main.py")
    raise AssertionError("typer exits by itself")


def _access(file: Path, synthesise: Synthesise, markdown: Path | None, json: Path | None) -> int:
    from ops.access import access, as_json, as_markdown, show

    deployment = load(file)
    with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
        out = Path(folder) / "cdktf.out"
        synthesise(deployment, out)
        found = access(out)
    if markdown is None and json is None:
        show(found)
    for target, shown in ((markdown, as_markdown), (json, as_json)):
        if target == Path("-"):
            print(shown(found), end="")
        elif target is not None:
            target.write_text(shown(found))
    return os.EX_OK


def _handover(
    deployment: Path, synthesised: Path | None, out: Path, schemas: list[Path], force: bool, synthesise: Synthesise
) -> int:
    from ops.handover import hand_over

    with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
        if synthesised is None:
            synthesised = Path(folder) / "cdktf.out"
            synthesise(load(deployment), synthesised)
        folders = hand_over(synthesised, out, schema_files=schemas, force=force)
    for path in folders:
        print(path)
    return os.EX_OK


def _rehearse(file: Path, synthesise: Synthesise) -> int:
    from ops.handover import hand_over, moved_addresses, shipped
    from ops.rehearse.command import rehearse
    from ops.rehearse.prerequisites_from_settings import prerequisites_of
    from ops.rehearse.rehearsal import Handover
    from terraform.output import Stack
    from terraform.output import load as load_stack

    def moved(stack: Stack) -> dict[str, str]:
        return moved_addresses(load_stack(stack.file, exact_numbers=True), name=stack.name, schemas=shipped())

    deployment = load(file)
    with tempfile.TemporaryDirectory(prefix="kakehashi-") as folder:
        out = Path(folder) / "cdktf.out"
        synthesise(deployment, out)
        handover = Handover(write=hand_over, moved_addresses=moved)
        rehearse(out, prerequisites_of(deployment), handover=handover)
    return os.EX_OK
