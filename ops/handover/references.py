"""Finds and rewrites the addresses in a stack's expressions."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ops.handover.hcl import Block, Expression, FunctionCall, Template, TupleExpr, Verbatim, mapped, within
from ops.handover.scopes import NO_NAMES, Names, code_of, iterator_names, readdressed, references
from terraform.patterns import WITH_INDEXES
from terraform.templates import Literal, Part, rewritten

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
        it.address
        for expression, bound in _scoped(block)
        for inner in within(expression)
        for source, hidden in code_of(inner)
        for it in references(source, bound | hidden)
        if it.address
    }


def is_free_of_resources(expression: Expression) -> bool:
    """Whether it refers to variables at most."""
    return all(
        it.names[0] in ("var", "path", "terraform") or not it.address
        for inner in within(expression)
        for source, hidden in code_of(inner)
        for it in references(source, hidden)
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


def declared(blocks: Iterable[Block]) -> Iterator[str]:
    """The addresses of blocks, and those of the data sources within checks."""
    for block in blocks:
        yield address(block)
        if block.type == "check":
            yield from (address(it) for it in block.blocks if it.type == "data")


def _scoped(block: Block, bound: Names = NO_NAMES) -> Iterator[tuple[Expression, Names]]:
    """The arguments of a block and of those in it, each with the names that dynamic blocks bind around it."""
    for argument in block.arguments.values():
        yield argument, bound
    for inner in block.blocks:
        yield from _scoped(inner, bound | iterator_names(block))


def redirected(block: Block, addresses: NewAddresses, bound: Names = NO_NAMES) -> Block:
    """The block with references to the new addresses. `bound` are the names that dynamic blocks bind around it."""

    def to_instances(expression: Expression) -> Expression:
        return readdressed(expression, addresses.instances.get, bound)

    def to_blocks(expression: Expression) -> Expression:
        return readdressed(expression, addresses.blocks.get, bound)

    arguments = {name: mapped(it, to_instances) for name, it in block.arguments.items() if name != "depends_on"}
    match block.arguments.get("depends_on"):
        case TupleExpr(items):
            arguments["depends_on"] = TupleExpr(tuple(dict.fromkeys(mapped(item, to_blocks) for item in items)))
    inner = tuple(redirected(it, addresses, bound | iterator_names(block)) for it in block.blocks)
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
