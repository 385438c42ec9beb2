"""Marks the key of a member in a text, so that texts of several members can be compared."""

import re

from ops.handover.hcl import Expression, Template
from ops.handover.scopes import code_of
from ops.handover.strings import quoted_template
from ops.handover.style.brackets import has_comments
from ops.handover.texts import is_long
from terraform.templates import Directive, Interpolation, Literal, Part

HERE = "\0"
"""Stands for a member's key."""


def with_key_in_text(expression: Expression, key: str) -> str | None:
    """A text with a reference in place of the key where it is a word; None if it is no text or has several lines."""
    if not isinstance(expression, Template) or is_long(expression) or not all(map(is_simple, expression.parts)):
        return None
    if any("\n" in source or has_comments(source) for source, _ in code_of(expression)):
        return None
    parts: list[Part] = []
    for part in expression.parts:
        if not isinstance(part, Literal):
            parts.append(part)
            continue
        # A `$` or `%` in front would escape the reference.
        for number, piece in enumerate(re.split(rf"(?<![\w.$%-]){re.escape(key)}(?![\w.-])", part.text)):
            parts += [Interpolation(HERE), Literal(piece)] if number else [Literal(piece)]
    return quoted_template(Template(tuple(it for it in parts if it != Literal(""))))


def is_simple(part: Part) -> bool:
    """Whether a part of a text is no directive and has no trim marker."""
    return not isinstance(part, Directive) and (isinstance(part, Literal) or "~" not in part.source)
