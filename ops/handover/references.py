"""Finds and rewrites the addresses in a stack's expressions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ops.handover.hcl import Block, Expression, FunctionCall, Template, TupleExpr, Verbatim, mapped, within
from terraform.patterns import ADDRESS, WITH_INDEXES
from terraform.templates import Literal, Part, code, rewritten

_CONSTANT = re.compile(r"null|true|false|-?[0-9][0-9.eE+-]*")


@dataclass(frozen=True, kw_only=True)
class NewAddresses:
    """The new addresses of blocks, by their old ones.

    instances: for references to a value, for example `aws_subnet.private["a"]`.
    blocks: for `depends_on`, which names whole blocks, for example `aws_subnet.private`.
    """

    instances: Mapping[str, str]
    blocks: Mapping[str, str]


def address(block: Block) -> str:
    """`aws_subnet.private`, `data.aws_ami.newest`, and likewise for blocks with one label."""
    kind = "" if block.type == "resource" else f"{block.type}."
    return kind + ".".join(block.labels)


def addresses_in(block: Block) -> set[str]:
    """Every address that a block's expressions may refer to."""
    return {
        found
        for expression in block.expressions()
        for source in sources(expression)
        for found in ADDRESS.findall(code(source))
    }


def is_free_of_resources(expression: Expression) -> bool:
    """Whether it refers to variables at most."""
    return not any(
        ADDRESS.search(re.sub(r"(?<![\w.-])(var|path|terraform)\.", "", code(source)))
        for it in within(expression)
        for source in sources(it)
    )


def is_constant(expression: Expression) -> bool:
    """Whether it has no references and no calls."""
    for it in within(expression):
        if isinstance(it, FunctionCall):
            return False
        if isinstance(it, Template) and it.text is None:
            return False
        if isinstance(it, Verbatim) and not _CONSTANT.fullmatch(it.source):
            return False
    return True


def is_reference(expression: Expression) -> bool:
    """Whether it is a reference, or a text with references."""
    if not isinstance(expression, Template):
        return False
    sources = [part.source for part in expression.parts if not isinstance(part, Literal)]
    return bool(sources) and all(WITH_INDEXES.fullmatch(source) for source in sources)


def sources(expression: Expression) -> list[str]:
    """The expression's own code, without that of the expressions within it."""
    match expression:
        case Verbatim(source):
            return [source]
        case Template(parts):
            return [part.source for part in parts if not isinstance(part, Literal)]
    return []


def redirected(block: Block, addresses: NewAddresses) -> Block:
    """The block with references to the new addresses."""

    def to_instances(expression: Expression) -> Expression:
        return _with_addresses(expression, addresses.instances)

    def to_blocks(expression: Expression) -> Expression:
        return _with_addresses(expression, addresses.blocks)

    arguments = {name: mapped(it, to_instances) for name, it in block.arguments.items() if name != "depends_on"}
    match block.arguments.get("depends_on"):
        case TupleExpr(items):
            arguments["depends_on"] = TupleExpr(tuple(dict.fromkeys(mapped(item, to_blocks) for item in items)))
    inner = tuple(redirected(it, addresses) for it in block.blocks)
    return replace(block, arguments=arguments, blocks=inner)


def with_code(expression: Expression, change: Callable[[str], str]) -> Expression:
    """The expression with `change` applied to its own code, without the expressions within it."""

    def changed_part(part: Part) -> Part:
        return part if isinstance(part, Literal) else type(part)(rewritten(part.source, change))

    match expression:
        case Verbatim(source):
            return Verbatim(rewritten(source, change))
        case Template(parts):
            return Template(tuple(changed_part(part) for part in parts))
    return expression


def _with_addresses(expression: Expression, new: Mapping[str, str]) -> Expression:
    return with_code(expression, lambda text: ADDRESS.sub(lambda match: new.get(match[0], match[0]), text))
