"""Splits Terraform's templates into text and expressions, and an expression into code and strings.

https://developer.hashicorp.com/terraform/language/expressions/strings and, for strings in JSON,
https://developer.hashicorp.com/terraform/language/syntax/json#expression-mapping
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_OPENING = re.compile(r"(\$+|%+)\{")
_LONE_CARRIAGE_RETURN = re.compile(r"\r(?!\n)")
_IN_EXPRESSION = re.compile(r'["{}#]|//|/\*|<<-?([^\W\d][\w-]*)\r?\n')
_IN_STRING = re.compile(r'\\.|"|(\$+|%+)\{', re.DOTALL)


@dataclass(frozen=True)
class Literal:
    """Text without escapes."""

    text: str


@dataclass(frozen=True)
class Interpolation:
    """`${source}`. `source` keeps its spaces and its trim markers (`~`)."""

    source: str


@dataclass(frozen=True)
class Directive:
    """`%{source}`: if, else, endif, for, endfor."""

    source: str


Part = Literal | Interpolation | Directive


class TemplateError(ValueError):
    """A template or expression that cannot be split reliably."""


def parts(text: str) -> list[Part]:
    """Split a template into its parts. Two literals never follow each other. Raises TemplateError."""
    found: list[Part] = []
    literal = ""
    position = 0
    text = text.removeprefix("\ufeff")  # as Terraform does, which parses every template like a file
    while opening := _OPENING.search(text, position):
        signs = opening[1]
        literal += text[position : opening.start()]
        if len(signs) > 1:  # escaped: the last sign is doubled
            if len(signs) % 2 and _LONE_CARRIAGE_RETURN.search(text, 0, opening.start()):
                raise TemplateError(f"Terraform reads {opening[0]!r} differently after a lone carriage return")
            literal += signs[:-1] + "{"
            position = opening.end()
            continue
        if literal:
            found.append(Literal(literal))
            literal = ""
        end = _closing_brace(text, opening.end())
        source = text[opening.end() : end]
        found.append(Interpolation(source) if signs == "$" else Directive(source))
        position = end + 1
    literal += text[position:]
    if literal:
        found.append(Literal(literal))
    return found


def escaped(text: str) -> str:
    """The template that evaluates to `text`: a shell's `${X}` is written `$${X}`.

    https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
    """
    return text.replace("${", "$${").replace("%{", "%%{")


def jsonencode(value: Any) -> str:
    """The string that Terraform's jsonencode returns: sorted keys, no spaces, and escapes for HTML's characters.

    https://developer.hashicorp.com/terraform/language/functions/jsonencode
    """
    encoded = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda mark: f"\\u{ord(mark[0]):04x}", encoded)


def rewritten(source: str, change: Callable[[str], str]) -> str:
    """An expression with `change` applied to its code: everything except strings, comments and heredocs.

    Expressions interpolated into strings and heredocs are code.
    """
    return "".join(change(text) if is_code else text for text, is_code in pieces(source))


def code(source: str) -> str:
    """The code of an expression; each string, comment and heredoc becomes a space."""
    return "".join(text if is_code else " " for text, is_code in pieces(source))


def masked(source: str) -> str:
    """An expression in which NULs replace every character of its strings, comments and heredocs."""
    position, kept = 0, ""
    while found := _IN_EXPRESSION.search(source, position):
        end = _end(source, found)
        kept += source[position : found.start()] + (found[0] if found[0] in "{}" else "\0" * (end - found.start()))
        position = end
    return kept + source[position:]


def arguments_of(call: str) -> list[str]:
    """The arguments in what stands between the parentheses of a call.

    Raises TemplateError if its brackets are not in pairs.
    """
    depth, ends = 0, [-1]
    for position, mark in enumerate(masked(call)):
        depth += (mark in "([{") - (mark in ")]}")
        if depth < 0:
            break
        if mark == "," and depth == 0:
            ends.append(position)
    if depth != 0:
        raise TemplateError(f"{call!r} has brackets that are not in pairs")
    found = [call[start + 1 : end].strip() for start, end in pairwise([*ends, len(call)])]
    return found if found[-1] else found[:-1]


def pieces(source: str) -> Iterator[tuple[str, bool]]:
    """The pieces of an expression, each with whether it is code: no part of a string, comment or heredoc."""
    position = start = 0
    while found := _IN_EXPRESSION.search(source, position):
        position = _end(source, found)
        if found[0] in "{}":
            continue
        yield source[start : found.start()], True
        if found[0] == '"' or found[1]:
            yield from _code_of_template(source[found.start() : position])
        else:
            yield source[found.start() : position], False
        start = position
    yield source[start:], True


def _code_of_template(text: str) -> Iterator[tuple[str, bool]]:
    position = 0
    while opening := _OPENING.search(text, position):
        yield text[position : opening.end()], False
        position = opening.end()
        if len(opening[1]) == 1:
            end = _closing_brace(text, position)
            yield from pieces(text[position:end])
            position = end
    yield text[position:], False


def _closing_brace(text: str, position: int) -> int:
    """The index of the brace that closes the one before `position`."""
    depth = 0
    while found := _IN_EXPRESSION.search(text, position):
        if found[0] == "}" and depth == 0:
            return found.start()
        depth += (found[0] == "{") - (found[0] == "}")
        position = _end(text, found)
    raise TemplateError("a '${' or '%{' has no '}'")


def _end(text: str, opening: re.Match[str]) -> int:
    """The end of a brace, string, comment or heredoc that starts with `opening`."""
    if opening[0] in "{}":
        return opening.end()
    if opening[0] == '"':
        return _end_of_string(text, opening.end())
    if opening[0] in ("#", "//"):
        end = text.find("\n", opening.end()) % (len(text) + 1)  # the end of its line, or of the text
    elif opening[0] == "/*":
        end = text.find("*/", opening.end())
        end = end if end < 0 else end + 2
    else:
        closing = re.compile(rf"^[ \t]*{re.escape(opening[1])}[ \t]*\r?$", re.MULTILINE).search(text, opening.end())
        end = -1 if closing is None else closing.end()
    if end < 0:
        raise TemplateError(f"{opening[0].strip()!r} has no end")
    return end


def _end_of_string(text: str, position: int) -> int:
    while found := _IN_STRING.search(text, position):
        if found[0] == '"':
            return found.end()
        position = found.end()
        if found[1] is not None and len(found[1]) == 1:
            position = _closing_brace(text, position) + 1
    raise TemplateError("a '\"' in an expression has no end")
