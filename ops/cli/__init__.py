"""The commands: `python main.py COMMAND`.

Commands import what they run when they run it, so that `--help` does not wait for it.
"""

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError  # typer has no public names for these

from errors import WRONG_USAGE
from ops.cli import backlog, credentials, deployment, gitlab_mirror, review
from ops.cli.options import Synthesise
from ops.cli.usage import CommandGroup, refusal

app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(deployment.app)
app.add_typer(review.app)
app.add_typer(credentials.app, name="credentials")
app.add_typer(gitlab_mirror.app, name="gitlab-mirror")
app.add_typer(backlog.app)
app.add_typer(backlog.webhook_app, name="backlog-webhook")
app.add_typer(backlog.key_app, name="backlog-key")


@app.callback()
def kakehashi() -> None:
    """Kakehashi: a one-way Git bridge into a locked-down AWS account.

    Without a command: writes Terraform for the deployment file that DEPLOYMENT names into cdktf.out.
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
