"""What refers to what: the addresses in a stack's expressions."""

import re
from collections.abc import Callable, Iterator, Mapping

from ops.handover.syntax import Block, Expression, Template, Tuple, Verbatim, mapped
from ops.handover.templates import Directive, Interpolation, code, rewritten

_ADDRESS = re.compile(r"(?<![\w.\-])(?:data\.|ephemeral\.)?[A-Za-z][\w-]*\.[A-Za-z_][\w-]*")


def address(block: Block) -> str:
    """`aws_subnet.private`, `data.aws_ami.newest`, and likewise for what has one label."""
    kind = "" if block.type == "resource" else f"{block.type}."
    return kind + ".".join(block.labels)


def addresses_in(block: Block) -> set[str]:
    """Every address that a block's expressions may refer to."""
    return {found for expression in block.expressions() for source in _sources(expression) for found in _found(source)}


def _found(source: str) -> Iterator[str]:
    for match in _ADDRESS.finditer(code(source)):
        yield match[0]


def _sources(expression: Expression) -> Iterator[str]:
    match expression:
        case Verbatim(source):
            yield source
        case Template(parts):
            for part in parts:
                if isinstance(part, Interpolation | Directive):
                    yield part.source


def redirected(block: Block, targets: Mapping[str, str], *, whole: Mapping[str, str]) -> Block:
    """A block whose references to addresses go to others.

    In `depends_on`, `replace_triggered_by` and the like, where a resource is named and not its value, `whole` is used.
    """

    def changed(source: str, names: Mapping[str, str]) -> str:
        return rewritten(source, lambda text: _ADDRESS.sub(lambda match: names.get(match[0], match[0]), text))

    def by(names: Mapping[str, str]) -> Callable[[Expression], Expression]:
        def change(expression: Expression) -> Expression:
            match expression:
                case Verbatim(source):
                    return Verbatim(changed(source, names))
                case Template(parts):
                    return Template(
                        tuple(
                            type(part)(changed(part.source, names))
                            if isinstance(part, Interpolation | Directive)
                            else part
                            for part in parts
                        )
                    )
            return expression

        return change

    arguments = {name: mapped(value, by(targets)) for name, value in block.arguments.items() if name != "depends_on"}
    match block.arguments.get("depends_on"):
        case Tuple(items):
            arguments["depends_on"] = Tuple(tuple(dict.fromkeys(mapped(item, by(whole)) for item in items)))
    inner = tuple(redirected(it, targets, whole=whole) for it in block.blocks)
    return Block(block.type, block.labels, block.comments, arguments, inner)
