"""Names JSON that a resource needs twice, as a text and for its digest: one local value, with `for_each` by key.

`jsonencode({ host = each.value.host })` becomes `local.program_units[each.key]`, which is
`{ for key, mirror in local.mirrors : key => jsonencode({ host = mirror.host }) }`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ops.handover.hcl import Block, Expression, FunctionCall, ObjectExpr, Verbatim, mapped, within
from ops.handover.metadata import TopLevelBlock
from ops.handover.printing import expression
from ops.handover.references import address, with_code
from ops.handover.scopes import bound_names, code_of, references
from ops.handover.style.keys import TAKEN, key_name, local_name
from ops.handover.style.local_values import is_same_everywhere, local_values

_KEY = "key"
_INDENT = "    "
_PLAIN = {"each", "local", "var"}


def with_json_by_key(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks with a local value in front of each block that has the same long JSON twice."""
    values = local_values(blocks)
    written: list[TopLevelBlock] = []
    for found in blocks:
        for json in _repeated(found.block):
            name = found.block.labels[-1]
            value = _value(found.block, json, values)
            if value is None or name in values:
                continue
            values[name] = value
            own = Block("locals", arguments={name: value})
            written.append(TopLevelBlock(block=own, path=found.path, same_file_as=address(found.block)))
            index = "[each.key]" if "for_each" in found.block.arguments else ""
            found = replace(found, block=_exchanged(found.block, json, Verbatim(f"local.{name}{index}")))
        written.append(found)
    return written


def _value(block: Block, json: FunctionCall, values: Mapping[str, Expression]) -> Expression | None:
    """The local value of a block's JSON, if it can have one: the JSON itself, or that of each key."""
    if "for_each" not in block.arguments:
        return json
    over, member = local_name(block.arguments["for_each"]), key_name(block.arguments["for_each"])
    if not isinstance(values.get(over), ObjectExpr) or member in (_KEY, *TAKEN):
        return None
    return Verbatim(f"{{\n  for {_KEY}, {member} in local.{over} : {_KEY} => {_text(json, member)}\n}}")


def _repeated(block: Block) -> Iterator[FunctionCall]:
    """The calls of `jsonencode` that stand in the block's own arguments twice, and refer to its key and constants."""
    # With count, there may be no instance for which Terraform evaluates it.
    if block.type != "resource" or "count" in block.arguments or bound_names(Block("", arguments=block.arguments)):
        return
    calls = Counter(it for argument in block.arguments.values() for it in within(argument) if _is_json(it))
    for call, uses in calls.items():
        if uses > 1 and isinstance(call, FunctionCall) and "\n" in expression(call) and _is_plain(call):
            yield call


def _is_json(it: Expression) -> bool:
    return isinstance(it, FunctionCall) and it.function == "jsonencode"


def _is_plain(call: FunctionCall) -> bool:
    sources = [source for it in within(call) for source, _ in code_of(it)]
    return is_same_everywhere(call) and all(
        it.names[0] in _PLAIN for source in sources for it in references(source) if it.address
    )


def _text(json: FunctionCall, member: str) -> str:
    def changed(source: str) -> str:
        return re.sub(r"\beach\.value\b", member, re.sub(r"\beach\.key\b", _KEY, source))

    return expression(mapped(json, lambda it: with_code(it, changed)), _INDENT)


def _exchanged(block: Block, old: Expression, new: Expression) -> Block:
    def change(it: Expression) -> Expression:
        return new if it == old else it

    arguments = Block("", arguments=block.arguments).mapped(change).arguments
    return replace(block, arguments=arguments)
