"""Finds what has a value that is never null and may be shown, so that a condition may depend on it."""

from collections.abc import Iterable, Set

from ops.handover.hcl import Block, Expression, Template, Verbatim
from ops.handover.references import addresses_in

_TRUE, _FALSE = Verbatim("true"), Verbatim("false")


def never_null(blocks: Iterable[Block]) -> frozenset[str]:
    """The addresses of variables that are never null, and neither sensitive nor ephemeral."""
    return frozenset(
        f"var.{it.labels[0]}"
        for it in blocks
        if it.type == "variable"
        and it.arguments.get("nullable") == _FALSE
        and _TRUE not in (it.arguments.get("sensitive"), it.arguments.get("ephemeral"))
    )


def is_certain(value: Expression, variables: Set[str]) -> bool:
    """Whether a value is a constant, one of these `variables`, or made of them. A part of one may be null."""
    if isinstance(value, Template) and value.expression is not None:
        return value.expression in variables
    return addresses_in(Block("", arguments={"it": value})) <= variables
