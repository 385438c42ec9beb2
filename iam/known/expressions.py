"""What is known of the functions in Terraform's expressions: none of ours reads a file, the clock or the machine.

https://developer.hashicorp.com/terraform/language/functions
"""

import re
from collections.abc import Iterator
from string import ascii_letters, digits

from errors import Problem
from errors.shown import shown
from terraform.references import Configuration
from terraform.templates import Literal, TemplateError, code, parts

FUNCTIONS = frozenset(
    (
        "alltrue",
        "anytrue",
        "base64encode",
        "base64gzip",
        "can",
        "chunklist",
        "cidrhost",
        "cidrnetmask",
        "cidrsubnet",
        "coalescelist",
        "concat",
        "contains",
        "distinct",
        "flatten",
        "floor",
        "join",
        "jsondecode",
        "jsonencode",
        "keys",
        "length",
        "max",
        "min",
        "pow",
        "range",
        "regex",
        "replace",
        "setproduct",
        "sha1",
        "split",
        "sum",
        "toset",
        "try",
        "values",
    )
)
"""The functions of our expressions: the value of each follows from its arguments alone."""

_KEYWORDS = frozenset(("if", "in"))
"""Words before a parenthesis that call nothing."""

_EXPRESSION = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
"""What may open an expression: `$${` alone does not."""

_OF_A_NAME = f"{ascii_letters}{digits}_-:"


def problems(stack: Configuration) -> Iterator[Problem]:
    """Every function of a stack's expressions that is not among the known ones, and what cannot be split."""
    for block, content in stack.stack.document.items():
        for place, text in _texts(content, (block,)) if block != "//" else ():
            where = f"{stack.name}.{'.'.join(place)}"
            try:
                called = list(_called(text))
            except TemplateError as error:
                hint = "write each brace and quotation mark of an expression in pairs"
                yield Problem(where=where, what=f"{shown(text)} is no text that Terraform takes: {error}", hint=hint)
                continue
            for name in dict.fromkeys(called):
                if name not in FUNCTIONS:
                    what = f"nothing is known of the function {name}, which may read more than its arguments"
                    hint = "write the value itself, or say in iam/known/expressions.py that it follows from them"
                    yield Problem(where=where, what=what, hint=hint)


def _texts(value: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts that may call functions; Terraform reads a map's keys as texts, too."""
    match value:
        case str():
            if "(" in value and _EXPRESSION.search(value):
                yield place, value
        case dict():
            for key, item in value.items():
                yield from _texts(key, place)
                yield from _texts(item, (*place, key))
        case list():
            for item in value:
                yield from _texts(item, place)


def _called(text: str) -> Iterator[str]:
    """The word before each parenthesis: the name of a function, with its provider's if it has one."""
    for part in parts(text):
        if not isinstance(part, Literal):
            for before in map(str.rstrip, code(part.source).split("(")[:-1]):
                name = before[len(before.rstrip(_OF_A_NAME)) :].strip("-:")
                if name and name not in _KEYWORDS:
                    yield name
