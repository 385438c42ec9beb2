"""How commands are registered, and how their wrong usage is reported."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer
from typer._click.exceptions import NoSuchOption, UsageError  # typer has no public names for these
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandFunctionType

from errors import WRONG_USAGE, RefusedError, refused
from errors.shown import shown
from ops.cli.help import Helpful, ending


class Commands(typer.Typer):
    """Commands whose wrong usage names the command: typer's parser leaves it out where an option's value is missing."""

    def command(  # type: ignore[override]
        self, name: str | None = None, *, example: str, statuses: Mapping[int, str] | None = None
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Register a function as a command. `example` and `statuses` are shown by its --help."""
        return super().command(name, cls=_Command, epilog=ending(example, statuses or {}))


def group(help: str, *, example: str, statuses: Mapping[int, str] | None = None) -> Commands:
    """Commands below a common name."""
    return Commands(cls=CommandGroup, no_args_is_help=True, help=help, epilog=ending(example, statuses or {}))


class _Command(Helpful, TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class CommandGroup(Helpful, TyperGroup):
    """A group that refuses unknown commands in two lines."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name."""
        command = super().get_command(ctx, cmd_name)
        if command is None and not cmd_name.startswith("-"):
            raise refused(
                ctx.command_path, f"{cmd_name!r} is not a command", self._hint(ctx, cmd_name), status=WRONG_USAGE
            )
        return command

    def _hint(self, ctx: typer.Context, name: str) -> str:
        if Path(name).suffix in (".yaml", ".yml"):
            return f"run {ctx.command_path} synth {name}"
        near = difflib.get_close_matches(name[:100], self.commands, 1)
        return f"did you mean {near[0]}?" if near else f"see {ctx.command_path} --help"


def _wrong_number(error: BaseException | None) -> tuple[str, str] | None:
    """What is wrong with the number of an option, and the hint; None where pydantic, which typer asks, says else."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        details = error.errors(include_url=False)[0]
        given = shown(details["input"])
        match details["type"]:
            case "greater_than_equal":
                return f"{given} is too small", f"use at least {details['ctx']['ge']:g}"
            case "int_parsing" | "float_parsing":
                return f"{given} is not a number of this kind", "write digits, for example 30"
    return None


def refusal(error: UsageError) -> RefusedError:
    """A wrong option or argument as a refusal."""
    command = error.ctx.command_path if error.ctx is not None else "main.py"
    hint = f"see {command} --help"
    if isinstance(error, NoSuchOption):
        near = error.possibilities
        what = f"{error.option_name!r} is not an option"
        return refused(command, what, f"did you mean {near[0]}?" if near else hint, status=WRONG_USAGE)
    if isinstance(error, typer.BadParameter) and error.param and (number := _wrong_number(error.__cause__)):
        what, hint = number
        return refused(f"{command}: {error.param.opts[-1]}", what, hint, status=WRONG_USAGE)
    message = error.format_message().rstrip(".")
    return refused(command, message[:1].lower() + message[1:], hint, status=WRONG_USAGE)
