"""How `--help` is laid out: at most 80 columns, no word broken, no last line of a single word."""

import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from typer._click import Command, HelpFormatter  # typer has no public names for these

_STATUSES = {0: "done", 1: "refused or failed", 2: "wrong usage or settings"}
"""What an exit status means where a command says nothing else."""

_WIDTH = 78
_PROGRAM = ".venv/bin/python main.py"


def ending(example: str, statuses: Mapping[int, str]) -> str:
    """The last part of a help: an example, given without the program's name, and what the exit statuses mean."""
    written = Formatter(width=_WIDTH)
    with written.section("Example"):
        written.write(f"  $ {_PROGRAM} {example}\n")
    with written.section("Exit status"):
        written.write_dl([(str(status), what) for status, what in sorted({**_STATUSES, **statuses}.items())])
    return written.getvalue()


class Formatter(HelpFormatter):
    """Wraps texts so that no last line is a single word."""

    def write_text(self, text: str) -> None:
        """Write paragraphs, which blank lines separate."""
        indent = " " * self.current_indent
        paragraphs = (_wrapped(each, self.width - len(indent)) for each in text.split("\n\n"))
        self.write("\n\n".join("\n".join(indent + line for line in lines) for lines in paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 22, col_spacing: int = 2) -> None:
        """Write names with their explanations. A name wider than `col_max` has a line of its own."""
        rows = list(rows)
        column = max(len(name) for name, _ in rows if len(name) <= col_max) + col_spacing
        indent = " " * self.current_indent
        for name, text in rows:
            first, *others = _wrapped(text, self.width - len(indent) - column) or [""]
            fits = len(name) + col_spacing <= column
            lines = [f"{name:<{column}}{first}"] if fits else [name, " " * column + first]
            lines += [" " * column + line for line in others]
            self.write("".join(f"{indent}{line}\n" for line in lines))


class Helpful(Command):
    """A command or group whose help has this form. Mixed in before typer's class."""

    def format_help(self, ctx: Any, formatter: HelpFormatter) -> None:
        """Write the help."""
        ours = Formatter(width=formatter.width)
        super().format_help(ctx, ours)
        formatter.write(ours.getvalue())

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments of the usage line, without typer's braces around those that are required."""
        pieces = super().collect_usage_pieces(ctx)
        return [re.sub(r"[{}]", "", piece).replace("…...", "…") for piece in pieces]

    def format_options(self, ctx: Any, formatter: HelpFormatter) -> None:
        """Write the arguments, without the types that typer adds, and the options."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            records = (one.get_help_record(ctx) for one in self.get_params(ctx) if one.param_type_name == kind)
            if rows := [(name.partition(" <")[0], text) for name, text in filter(None, records)]:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if commands := getattr(self, "commands", None):
            with formatter.section("Commands"):
                # No limit: the first sentence of each, whole.
                formatter.write_dl([(name, one.get_short_help_str(10_000)) for name, one in commands.items()])

    def format_epilog(self, _: Any, formatter: HelpFormatter) -> None:
        """Write the example and the exit statuses as they stand."""
        formatter.write_paragraph()
        formatter.write(f"{self.epilog}\n")


def _wrapped(text: str, width: int) -> list[str]:
    for narrower in range(width, width // 2, -1):
        lines = textwrap.wrap(text, narrower, break_long_words=False, break_on_hyphens=False)
        if len(lines) < 2 or " " in lines[-1]:
            return lines
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
