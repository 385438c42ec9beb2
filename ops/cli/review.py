"""The commands `review` and `ci`, which serve pull requests."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from errors.shown import counted
from ops.cli.options import EXAMPLE, DeploymentFile, synthesised, warn
from ops.cli.usage import Commands
from ops.waiting import waiting

app = Commands()

Language = Annotated[str, typer.Option(metavar="LANGUAGE", help="The language of the comment: en or ja.")]


@app.command(
    example="review prd-codecommit=plan.json --for gitlab",
    statuses={
        0: "nothing dangerous",
        1: "a plan cannot be read",
        2: "wrong usage",
        3: "something dangerous, or acknowledgements to remove",
    },
)
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
        typer.Option(
            metavar="RULE:STACK/ADDRESS@DIGEST",
            help="Accept this finding, as the comment shows it; needs --because.",
            show_default=False,
        ),
    ] = None,
    because: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="The reason; shown in the comment.", show_default=False),
    ] = None,
    acknowledged: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A YAML list of {allow, because, until}.", show_default=False)
    ] = None,
    platform: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="PLATFORM",
            help="Shorten the comment to this platform's limit: github, gitlab, or github-summary (of a step).",
        ),
    ] = "github",
    outputs: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="BEFORE AFTER",
            help="The output of the last apply and that of the plans, such as cdktf.out: compares what no plan shows.",
            show_default=False,
        ),
    ] = None,
    in_order: Annotated[
        bool,
        typer.Option(
            "--in-order",
            help="The stacks are applied in this order, each planned again before and compared, as the pipelines do.",
        ),
    ] = False,
    language: Language = "en",
    post: Annotated[
        str | None,
        typer.Option(
            metavar="PLATFORM", help="Comment on the pull request of the pipeline it runs in.", show_default=False
        ),
    ] = None,
) -> None:
    """Review Terraform plans: Markdown for a pull request, dangerous changes first."""
    from ops.review import run

    with waiting(f"reviewing {counted(len(plans), 'plan')}"):
        status = run(
            plans,
            allow=allow or [],
            because=because or [],
            acknowledged=acknowledged,
            platform=platform,
            post_to=post,
            language=language,
            outputs=outputs,
            in_order=in_order,
        )
    raise typer.Exit(status)


@app.command(
    example="ci github deployments/mine.yaml --language ja",
    statuses={0: "written", 1: "another file is in its place"},
)
def ci(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(metavar="PLATFORM", help="github or gitlab.", show_default=False)],
    deployment: DeploymentFile = EXAMPLE,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The repository to write into; by default that of the deployment file.",
            show_default=False,
        ),
    ] = None,
    kakehashi: Annotated[
        str | None,
        typer.Option(
            metavar="REPOSITORY@TAG",
            help="What a pipeline of another repository takes Kakehashi from: a tag of this checkout, or a commit.",
            show_default=False,
        ),
    ] = None,
    branch: Annotated[str, typer.Option(metavar="TEXT", help="The protected branch that is applied.")] = "main",
    language: Language = "en",
    force: Annotated[bool, typer.Option("--force", help="Replace another file.")] = False,
) -> None:
    """Write the pipeline that plans, reviews and applies a deployment, and name every file that is written.

    The other file is acknowledged.yaml beside the deployment file, unless it exists: an empty list, which the
    pipeline's reviews read.
    """
    from ops.pipelines import write
    from ops.review.language import language as language_named
    from settings import load

    language_named(language)  # refuses one that the review does not have
    settings, synthesise = load(deployment), partial(synthesised, context)
    written = write(
        platform,
        deployment,
        settings,
        synthesise,
        out=out,
        branch=branch,
        force=force,
        language=language,
        kakehashi=kakehashi,
    )
    warn(settings, deployment)  # after the errors: a profile would have been both
    for file, what in written.items():
        print(f"wrote {file}: {what}")
