"""Writes objects in expressions as people do: `{"id" = x}`, as cdktf's functions write it, becomes `{ id = x }`."""

import re
from collections.abc import Iterator

from ops.handover.expressions import Syntax, parsed
from ops.handover.names import KEYWORDS

# What Terraform reads as a name wherever it stands as a key.
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def with_plain_objects(source: str) -> str:
    """The expression with names as keys, where all keys of an object can be names, and with spaces in braces."""
    if "{" not in source:
        return source
    syntax = parsed(source)
    edits = sorted(edit for it in syntax.within() if it.kind == "object" for edit in _edits(it))
    parts, written = [], 0
    for start, end, text in edits:
        parts += [source[written:start], text]
        written = end
    return "".join(parts) + source[written:]


def _edits(object_: Syntax) -> Iterator[tuple[int, int, str]]:
    """What to write from where to where, in characters of the expression."""
    elements = [it for it in object_.children if it.kind == "object_elem"]
    if not elements:
        return
    opening, *_, closing = object_.children
    if object_.text_between(opening, elements[0]).strip(" ") == "":
        yield opening.span[1], elements[0].span[0], " "
    if object_.text_between(elements[-1], closing).strip(" ") == "":
        yield elements[-1].span[1], closing.span[0], " "
    keys = [it.children[0] for it in elements]
    names = [it.text[1:-1] if it.core.kind == "string_lit" else it.text for it in keys]
    are_names = all(_NAME.fullmatch(it) and it not in KEYWORDS for it in names)
    for element, key, name in zip(elements, keys, names, strict=True):
        if are_names:
            yield *key.span, name
        match element.children:
            case [_, sign, value]:  # and no comment
                yield key.span[1], sign.span[0], " "
                yield sign.span[0], value.span[0], "= "
