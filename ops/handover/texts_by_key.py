"""Finds texts in nested blocks of some members that are written by key elsewhere in the block.

Two members may have the same text because they share a value: the parameter of one space, which both mirror. Written as
it is, the text would be wrong for the next member.
"""

from collections.abc import Mapping, Sequence

from ops.handover.by_key import Keys
from ops.handover.hcl import Block, Expression, Template, TupleExpr
from ops.handover.strings import joined
from terraform.templates import Interpolation, Literal, Part

TextsByKey = Mapping[Template, Sequence[Template]]
"""Templates with `each.key` or `each.value`, and what each evaluates to for every member."""


def texts_by_key(block: Block, keys: Keys, values: Mapping[str, Sequence[Expression]]) -> TextsByKey:
    """The texts of a block for all members. `values` are those of `each.value`, by name."""
    known: dict[str, Sequence[Expression]] = {f"each.value.{name}": it for name, it in values.items()}
    known |= {name: [Template((Literal(it),)) for it in own] for name, own in keys.items()}
    count = len(next(iter(keys.values())))
    found: dict[Template, list[Template]] = {}
    for it in block.expressions():
        if isinstance(it, Template) and any(isinstance(part, Literal) for part in it.parts):
            texts = [_for_member(it, known, number) for number in range(count)]
            whole = [text for text in texts if text is not None and text != it]
            if len(whole) == count:
                found[it] = whole
    return found


def written_by_key(texts: Sequence[Expression], rows: Sequence[int], known: TextsByKey) -> Expression | None:
    """The texts of the members with these numbers as one template; None if no template evaluates to all of them."""
    if all(isinstance(it, Template) for it in texts):
        return next((it for it, own in known.items() if [own[row] for row in rows] == list(texts)), None)
    tuples = [it.items for it in texts if isinstance(it, TupleExpr)]
    if len(tuples) < len(texts) or len({len(it) for it in tuples}) != 1:
        return None
    columns = list(zip(*tuples, strict=True))
    written = [written_by_key(column, rows, known) for column in columns]
    if not any(written):
        return None
    items = [
        column[0] if it is None and len(set(column)) == 1 else it for it, column in zip(written, columns, strict=True)
    ]
    whole = tuple(it for it in items if it is not None)
    return TupleExpr(whole) if len(whole) == len(items) else None


def _for_member(template: Template, known: Mapping[str, Sequence[Expression]], number: int) -> Template | None:
    """What the template evaluates to for one member; None if that is not a text."""
    parts: list[Part] = []
    for part in template.parts:
        values = known.get(part.source.strip()) if isinstance(part, Interpolation) else None
        value = None if values is None else values[number]
        if isinstance(value, Template):
            parts += value.parts
        elif isinstance(part, Literal) or "each." not in part.source:
            parts.append(part)
        else:
            return None
    return Template(tuple(joined(parts)))
