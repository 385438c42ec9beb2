"""Finds what texts and expressions have in common if only a key in them differs."""

import re
from collections.abc import Mapping, Sequence

from ops.handover.expressions import parsed
from ops.handover.hcl import Expression, Template, Verbatim, text
from ops.handover.strings import quoted
from terraform.templates import Interpolation, Literal, Part

# What an ARN without a word for it names, by its service.
_NOUNS = {"codecommit": "repository", "s3": "bucket", "sns": "topic", "sqs": "queue"}

Keys = Mapping[str, Sequence[str]]
"""Expressions such as `each.key`, each with its value for every member. Values of one expression differ."""


def text_by_key(texts: Sequence[str], keys: Keys) -> list[Part] | None:
    """The parts of a template that evaluates to each of the texts, or None."""
    parts: list[Part] = []
    rest = list(texts)
    while True:
        common = _common_start(rest)
        found = _first_key(rest, len(common), keys)
        literal = common if found is None else common[: found[0]]
        if literal:
            parts.append(Literal(literal))
        if found is None:
            return parts if all(len(it) == len(common) for it in rest) else None
        start, name = found
        parts.append(Interpolation(name))
        rest = [text[start + len(key) :] for text, key in zip(rest, keys[name], strict=True)]


def expression_by_key(members: Sequence[Expression], keys: Keys) -> Expression | None:
    """The expression of members that differ in the key alone, with `each.key` in its place, or None."""
    if verbatims := [it for it in members if isinstance(it, Verbatim)]:
        source = source_by_key([it.source for it in verbatims], keys) if len(verbatims) == len(members) else None
        return None if source is None else Verbatim(source)
    parts = [it.parts for it in members if isinstance(it, Template)]
    if len(parts) != len(members) or len({tuple(type(part) for part in one) for one in parts}) != 1:
        return None
    merged: list[Part] = []
    for column in zip(*parts, strict=True):
        part = _part_by_key(column, keys)
        if part is None:
            return None
        merged += part
    return Template(tuple(merged))


def _part_by_key(column: Sequence[Part], keys: Keys) -> list[Part] | None:
    first = column[0]
    if all(part == first for part in column):
        return [first]
    if isinstance(first, Literal):
        return text_by_key([part.text for part in column if isinstance(part, Literal)], keys)
    # Of directives that differ, there is none.
    source = source_by_key([part.source for part in column if isinstance(part, Interpolation)], keys)
    return None if source is None else [Interpolation(source)]


def _first_key(texts: Sequence[str], end: int, keys: Keys) -> tuple[int, str] | None:
    """The first position, up to `end`, at which every text has its key, and the key's expression."""
    first = texts[0]
    starts = sorted(
        (start, name)
        for name, values in keys.items()
        if values[0]
        for start in range(end + 1)
        if first.startswith(values[0], start)
    )
    for start, name in starts:
        # A `$` or `%` before an interpolation would escape it.
        escaping = start > 0 and first[start - 1] in "$%"
        if not escaping and all(text.startswith(key, start) for text, key in zip(texts, keys[name], strict=True)):
            return start, name
    return None


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:length]


def without_common_ends(values: Sequence[Expression]) -> tuple[str, tuple[Expression, ...], tuple[Literal, ...]]:
    """The common start of ARNs, their different middles, and their common end. Other values have no common start."""
    texts = [it.text for it in values if isinstance(it, Template) and it.text is not None]
    start = _up_to_separator(_common_start(texts)) if len(texts) == len(values) else ""
    if not start.startswith("arn:"):
        return "", tuple(values), ()
    rests = [it[len(start) :] for it in texts]
    end = _up_to_separator(_common_start([it[::-1] for it in rests]))[::-1]
    middles = [it[: len(it) - len(end)] for it in rests]
    if not all(middles):
        return "", tuple(values), ()
    return start, tuple(map(text, middles)), (Literal(end),) if end else ()


def noun(start: str) -> str:
    """What follows the start of an ARN: a role after `…:role/`."""
    words = re.findall(r"[A-Za-z]\w*", start.replace("-", "_"), re.ASCII)
    last: str = words[-1].lower() if start.endswith("/") or len(words) < 3 else words[2].lower()
    return _NOUNS.get(last, last)


def _up_to_separator(start: str) -> str:
    return start[: max(start.rfind(":"), start.rfind("/")) + 1]


def source_by_key(sources: Sequence[str], keys: Keys) -> str | None:
    """An expression in which indexes such as `["batch"]` become `[each.key]`, and operands `each.key`, or None."""
    changed = list(sources)
    if len(set(changed)) > 1:
        for name, values in keys.items():
            changed = [_exchanged(*it, name) for it in zip(changed, values, strict=True)]
    return changed[0] if len(set(changed)) == 1 else None


def _exchanged(source: str, value: str, name: str) -> str:
    """The expression with `[name]` in place of `["value"]`, and `name` where the value is an operand: `it != "value"`.

    Both may be text inside a string, too.
    """
    written = quoted(value)
    bracketed = f"[{written}]"
    if written not in source:
        return source
    found: dict[tuple[int, int], str] = {}
    for it in parsed(source).within():
        if it.kind in ("new_index", "tuple") and it.text == bracketed:
            found[it.span] = f"[{name}]"
        if it.kind == "binary_operation":
            found |= {one.span: name for one in it.operands if one.text == written}
    for start, end in sorted(found, reverse=True):
        source = f"{source[:start]}{found[start, end]}{source[end:]}"
    return source
