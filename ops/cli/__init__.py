"""The commands: `python main.py COMMAND`.

Commands import what they run when they run it, so that `--help` does not wait for it.
"""

from typing import Annotated

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError  # typer has no public names for these

from errors import WRONG_USAGE
from ops.cli import approval, backlog, credentials, deployment, gitlab_mirror, review
from ops.cli.help import ending
from ops.cli.options import Synthesise
from ops.cli.usage import CommandGroup, refusal
from ops.cli.version import version

app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # ours is laid out in help.py
    epilog=ending(
        "synth deployments/mine.yaml",
        {
            3: "review: something dangerous was found; approval compare: the plans do not do what was approved",
            130: "interrupted",
        },
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(deployment.app)
app.add_typer(review.app)
app.add_typer(approval.app, name="approval")
app.add_typer(credentials.app, name="credentials")
app.add_typer(gitlab_mirror.app, name="gitlab-mirror")
app.add_typer(backlog.app)
app.add_typer(backlog.webhook_app, name="backlog-webhook")
app.add_typer(backlog.key_app, name="backlog-key")


@app.callback()
def kakehashi(
    _: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Show Kakehashi's version and exit.")
    ] = False,
) -> None:
    """Kakehashi: a one-way Git bridge into a locked-down AWS account.

    Without a command, it does what synth does.
    """


def run(arguments: list[str], synthesise: Synthesise) -> int:
    """Run one command and give its exit status; `synthesise` writes a deployment's Terraform into a folder.

    Raises RefusedError for wrong usage.
    """
    try:
        status = app(arguments, prog_name="main.py", obj=synthesise, standalone_mode=False)
    except NoArgsIsHelpError:
        return WRONG_USAGE  # typer has printed the help
    except UsageError as error:
        raise refusal(error) from None
    except typer.Abort:
        return 130
    return status if isinstance(status, int) else 0
