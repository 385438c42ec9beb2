"""The commands `synth`, `access`, `rehearse` and `handover`, which make or read a deployment's Terraform."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import WRONG_USAGE, RefusedError, refused
from ops.cli.options import EXAMPLE, DeploymentFile, Force, load, synthesised
from ops.cli.usage import Commands
from ops.waiting import waiting

if TYPE_CHECKING:
    from settings import Deployment

app = Commands()


@app.command(
    example="synth deployments/mine.yaml",
    statuses={0: "written", 1: "a file cannot be written", 2: "wrong usage or settings; nothing is written"},
)
def synth(deployment: DeploymentFile = EXAMPLE) -> None:
    """Write a deployment's Terraform into cdktf.out, beside a deployment file outside this folder.

    CDKTF_OUTDIR names another folder. When anything is refused, what is in the folder stays as it is.
    """
    from stacks.command import synth

    raise typer.Exit(synth(deployment))


@app.command(
    example="access deployments/mine.yaml --json access.json",
    statuses={
        0: "shown",
        2: "wrong usage or settings, or policies that break a promise or cannot be evaluated",
    },
)
def access(
    context: typer.Context,
    deployment: DeploymentFile = EXAMPLE,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Write this as Markdown; - for the standard output."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Write this and what else policies allow as JSON; - for the standard output.",
        ),
    ] = None,
) -> None:
    """Show who may push, pull or change what, from where, and the policy and statement that decides.

    Computed by evaluating the policies in the Terraform that the deployment becomes. Without --markdown and --json, it
    is printed for people.
    """
    if markdown is not None and markdown == json:
        hint = "write one of the two to another file"
        raise refused("--json", f"{str(json)!r} is given to --markdown too", hint, status=WRONG_USAGE)
    from ops import access

    with synthesised(context, load(deployment)) as out, waiting("evaluating the policies"):
        found = access.access(out)
    if markdown is None and json is None:
        access.show(found)
    for target, shown in ((markdown, access.as_markdown), (json, access.as_json)):
        if target == Path("-"):
            print(shown(found), end="")
        elif target is not None:
            target.write_text(shown(found), encoding="utf-8")


@app.command(example="rehearse deployments/mine.yaml", statuses={0: "applied, changed and destroyed"})
def rehearse(context: typer.Context, deployment: DeploymentFile = EXAMPLE) -> None:
    """Apply a deployment against an emulated AWS on this machine, change it, and destroy it again."""
    from ops.handover import convert, hand_over, shipped
    from ops.rehearse.command import rehearse
    from ops.rehearse.prerequisites_from_settings import prerequisites_of
    from ops.rehearse.rehearsal import Handover
    from terraform import output

    def moved(stack: output.Stack) -> dict[str, str]:
        return convert(output.load(stack.file, exact_numbers=True), name=stack.name, schemas=shipped()).moved

    settings = load(deployment)
    with synthesised(context, settings) as out:
        handover = Handover(write=hand_over, moved_addresses=moved)
        rehearse(out, prerequisites_of(settings), handover=handover)


@app.command(
    example="handover deployments/mine.yaml",
    statuses={
        0: "written, or with --check up to date",
        1: "refused, or with --mark-conflicts written with conflicts, or with --check not up to date",
    },
)
def handover(
    context: typer.Context,
    deployment: DeploymentFile = EXAMPLE,
    *,
    cdktf_out: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FOLDER", help="An output folder of any cdktf project, in place of a deployment file."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder to write; by default handover, beside a deployment file outside this checkout.",
            show_default=False,
        ),
    ] = None,
    schema: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="What `terraform providers schema -json` printed for other providers or releases."
        ),
    ] = None,
    force: Force = False,
    mark_conflicts: Annotated[
        bool,
        typer.Option(
            "--mark-conflicts",
            help="Write both versions of lines that conflict into the file, with Git's markers, and exit with 1.",
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; validate, and show what would be written.")
    ] = False,
    no_providers: Annotated[
        bool, typer.Option("--no-providers", help="Run no provider: validate nothing, and ask for no schema.")
    ] = False,
) -> None:
    """Write a deployment's Terraform as HCL for people, one folder for each account and stack.

    Needs Terraform, which validates each stack that changes before anything is written, and every stack with --check.
    What was changed since an earlier handover is merged with what is new, by Git. If both changed the same lines, they
    are shown, and nothing is written without --mark-conflicts or --force. Files that were added since are kept and
    named. Files of stacks that are no longer there are removed; each stack is named.
    """
    from ops.handover import hand_over

    source = context.get_parameter_source("deployment")
    if cdktf_out is not None and source is not None and source.name == "COMMANDLINE":
        raise refused("--from", "a deployment file is given too", "give one of the two", status=WRONG_USAGE)
    if sum((force, mark_conflicts, check)) > 1:
        what = "only one of --force, --mark-conflicts and --check makes sense"
        raise refused("handover", what, "give one of them", status=WRONG_USAGE)
    with ExitStack() as stack:
        if cdktf_out is not None:
            terraform, larger = cdktf_out, None
            beside, usual = Path(), cdktf_out
        else:
            from settings.place import folder_of

            settings = load(deployment)
            beside = folder_of(deployment)
            terraform, larger = stack.enter_context(synthesised(context, settings)), _larger(context, settings, stack)
            usual = Path(os.environ.get("CDKTF_OUTDIR") or beside / "cdktf.out")
        stack.enter_context(waiting("writing HCL"))
        folders = hand_over(
            terraform,
            out or beside / "handover",
            schema_files=schema or [],
            force=force,
            mark_conflicts=mark_conflicts,
            check=check,
            validate=True,
            run_providers=not no_providers,
            states_from=usual,
            keep_defaults=cdktf_out is not None,
            larger=larger,
        )
    for folder in [] if check else folders:
        print(folder)


def _larger(context: typer.Context, settings: "Deployment", stack: ExitStack) -> Path | None:
    """The output folder of the deployment with one more member of each collection, until `stack` is closed.

    None if there is none, or if it is refused, as where a deployment is as large as AWS takes it. That is said.
    """
    from stacks.one_more import with_one_more

    more = with_one_more(settings)
    if more is None:
        return None
    try:
        return stack.enter_context(synthesised(context, more))
    except RefusedError as error:
        print(f"lists of a single member stay as they are: with one more, {error.problems[0].what}", file=sys.stderr)
        return None
