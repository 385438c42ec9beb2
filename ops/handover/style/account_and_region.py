"""Names the account's number and the region that a stack repeats: `local.account_id`, `local.region`.

They are those of the default AWS provider. Descriptions, texts that become files, and the states' places keep them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ops.handover.hcl import Block, Expression, Template, TupleExpr, Verbatim, text
from ops.handover.metadata import TopLevelBlock
from ops.handover.style.local_values import is_text, local_values, values, with_changed_values, with_local_values
from ops.handover.texts import is_long
from terraform.templates import Interpolation, Literal, Part

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]")

# In front: a `$` or `%` would escape the interpolation. Behind a region may stand the letter of a zone.
_BEFORE = r"(?<![A-Za-z0-9$%])"
_BEHIND = {"account_id": r"(?![A-Za-z0-9])", "region": r"(?![0-9]|[A-Za-z][A-Za-z0-9])"}

_LEAST_USES = 2
"""Outside the providers. A person would not name what is used once."""


def with_account_and_region(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with references in place of the account's number and the region."""
    before = local_values(blocks)
    named = {name: it for name, it in _of_provider(blocks).items() if before.get(name, text(it)) == text(it)}
    pattern = _pattern(named)
    uses = Counter(match.lastgroup for literal in _literals(blocks) for match in pattern.finditer(literal.text))
    named = {name: value for name, value in named.items() if uses[name] >= _LEAST_USES}
    if not named:
        return blocks
    pattern = _pattern(named)
    changed = [
        found
        if found.block.type == "locals" and named.keys() & found.block.arguments
        else with_changed_values(found, lambda it: _named(it, pattern))
        for found in blocks
    ]
    return with_local_values(changed, {name: text(it) for name, it in named.items() if name not in before})


def _of_provider(blocks: Sequence[TopLevelBlock]) -> dict[str, str]:
    """The account's number and the region in the default provider's settings, by the local values' names."""
    for block in (found.block for found in blocks):
        if block.type == "provider" and block.labels == ("aws",) and "alias" not in block.arguments:
            found = {"account_id": _account_id(block), "region": is_text(block.arguments.get("region", Verbatim("")))}
            wanted = {"account_id": _ACCOUNT_ID, "region": _REGION}
            return {name: it for name, it in found.items() if it is not None and wanted[name].fullmatch(it)}
    return {}


def _account_id(provider: Block) -> str | None:
    match provider.arguments.get("allowed_account_ids"):
        case TupleExpr((only,)):
            return is_text(only)
    return None


def _pattern(named: Mapping[str, str]) -> re.Pattern[str]:
    """Matches each value; the name of the group is that of its local value."""
    alternatives = (f"(?P<{name}>{_BEFORE}{re.escape(it)}{_BEHIND[name]})" for name, it in named.items())
    return re.compile("|".join(alternatives) or "(?!)")


def _literals(blocks: Sequence[TopLevelBlock]) -> Iterator[Literal]:
    """The texts, outside the providers, in which a reference may stand."""
    for it in values([found for found in blocks if found.block.type != "provider"]):
        if isinstance(it, Template) and not _becomes_file(it):
            yield from (part for part in it.parts if isinstance(part, Literal))


def _becomes_file(template: Template) -> bool:
    return template.text is not None and is_long(template)


def _named(expression: Expression, pattern: re.Pattern[str]) -> Expression:
    """The expression with references in place of what the pattern matches."""
    if not isinstance(expression, Template) or _becomes_file(expression):
        return expression
    parts: list[Part] = []
    for part in expression.parts:
        position = 0
        if isinstance(part, Literal):
            for match in pattern.finditer(part.text):
                parts += [Literal(part.text[position : match.start()]), Interpolation(f"local.{match.lastgroup}")]
                position = match.end()
            part = Literal(part.text[position:])
        parts.append(part)
    return Template(tuple(part for part in parts if part != Literal("")))
