"""The commands `approval record` and `approval compare`, between which a person approves plans."""

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.usage import group

app = group(
    "Record the plans that people approve, and compare new plans with them.",
    example="approval record dev.json --commit ID --to ok",
    statuses={3: "compare: applying the plans does not do what was approved"},
)

Plans = Annotated[
    list[Path],
    typer.Argument(
        metavar="STACK.json…",
        help="What `terraform show -json` printed, in the order of the applies. Beside it: STACK.lock.hcl, and "
        "STACK.tfstate, which `terraform state pull` printed.",
        show_default=False,
    ),
]
Folder = Annotated[Path, typer.Option("--from", metavar="FOLDER", help="The output that the plans were made from.")]
Commit = Annotated[str, typer.Option(metavar="ID", help="The commit of the run.", show_default=False)]
OUT = Path("cdktf.out")


@app.command(
    "record",
    example="approval record dev.json --commit ID --to ok",
    statuses={0: "recorded", 1: "a plan cannot be read or is missing"},
)
def record(
    plans: Plans,
    commit: Commit,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Write the record here.", show_default=False)],
    folder: Folder = OUT,
) -> None:
    """Record plans for a person's approval, in the order of their applies, and print the record's digest.

    Sensitive values are in the record as digests, with the lineage of the stack's state as the key.
    """
    from ops.pipelines.approval import run_record

    raise typer.Exit(run_record(plans, folder, commit, to))


@app.command(
    "compare",
    example="approval compare ok dev.json --digest D --commit ID",
    statuses={
        0: "applying the plans does what was approved",
        1: "a plan or the record cannot be read or is another one",
        3: "it does not",
    },
)
def compare(
    approved: Annotated[Path, typer.Argument(metavar="RECORD", help="The approved record.", show_default=False)],
    plans: Plans,
    digest: Annotated[str, typer.Option(metavar="TEXT", help="The record's digest.", show_default=False)],
    commit: Commit,
    folder: Folder = OUT,
) -> None:
    """Compare new plans with the approved ones, and print the differences.

    What an apply that stopped half-way has done already is no difference, and neither is what the record foretells of
    the outputs of other stacks.
    """
    from ops.pipelines.approval import run_compare

    raise typer.Exit(run_compare(approved, digest, plans, folder, commit))
