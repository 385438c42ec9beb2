"""Splits a text of Terraform into literal text and the expressions within it.

https://developer.hashicorp.com/terraform/language/expressions/strings#string-templates
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Interpolation:
    """The expression between `${` and `}`; or a whole text that cannot be split, as one with a directive, `%{…}`."""

    source: str


_MARK = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_IN_EXPRESSION = re.compile(r'["{}]')
_IN_QUOTES = re.compile(r'\\.|"|\$\$\{|\$\{', re.DOTALL)


def split(written: str) -> list[str | Interpolation]:
    """The parts of `written`, literal text without its escapes."""
    parts: list[str | Interpolation] = []
    literal, at = "", 0
    while mark := _MARK.search(written, at):
        literal += written[at : mark.start()]
        at = mark.end()
        if len(mark[0]) == 3:
            literal += mark[0][1:]
            continue
        end = _end(written, at) if mark[0] == "${" else None
        if end is None:
            return [Interpolation(written)]
        parts += [literal, Interpolation(written[at:end].strip())]
        literal, at = "", end + 1
    parts.append(literal + written[at:])
    return [part for part in parts if part] or [""]


def _end(written: str, at: int) -> int | None:
    """The position of the brace that ends the expression that begins at `at`."""
    inside = ["{"]
    while inside:
        found = (_IN_QUOTES if inside[-1] == '"' else _IN_EXPRESSION).search(written, at)
        if found is None:
            return None
        at = found.end()
        if found[0] in ("{", "${"):
            inside.append("{")
        elif found[0] == '"' and inside[-1] != '"':
            inside.append('"')
        elif found[0] in ("}", '"'):
            inside.pop()
    return at - 1
