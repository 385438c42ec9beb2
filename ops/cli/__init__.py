"""The commands: `python main.py COMMAND`.

Commands import what they run when they run it, so that `--help` does not wait for it.
"""

from typing import NoReturn

import typer

from ops.cli import backlog, credentials, deployment, gitlab_mirror, review
from ops.cli.options import Synthesise

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown"
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
    """Kakehashi: a one-way Git bridge into a locked-down AWS account."""


def run(arguments: list[str], synthesise: Synthesise) -> NoReturn:
    """Run one command and exit; `synthesise` writes a deployment's Terraform into a folder."""
    app(arguments, prog_name="main.py", obj=synthesise)
    raise AssertionError("typer exits by itself")
