"""Terraform's own blocks: their arguments, and the blocks they may contain.

https://developer.hashicorp.com/terraform/language/syntax/json
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto


class ArgumentKind(Enum):
    """How Terraform reads an argument's JSON."""

    TEMPLATE = auto()
    """Strings are templates."""

    PLAIN = auto()
    """Terraform evaluates no expressions in it, so strings have no escapes."""

    REFERENCE = auto()
    """A reference or a type: a string in JSON, without quotes in HCL."""

    MODULE_SOURCE = auto()

    REQUIRED_PROVIDER = auto()


@dataclass(frozen=True)
class BlockGrammar:
    """What a block may contain. others: the kind of all other arguments, if it may have any."""

    arguments: Mapping[str, ArgumentKind] = field(default_factory=dict)
    blocks: Mapping[str, "BlockGrammar"] = field(default_factory=dict)
    labels: int = 0
    others: ArgumentKind | None = None


_TEMPLATE, _PLAIN, _REFERENCE = ArgumentKind.TEMPLATE, ArgumentKind.PLAIN, ArgumentKind.REFERENCE

_CONDITION = BlockGrammar({"condition": _TEMPLATE, "error_message": _TEMPLATE})
_CONNECTION = BlockGrammar(others=_TEMPLATE)
_PROVISIONER = BlockGrammar(
    {"when": _REFERENCE, "on_failure": _REFERENCE}, blocks={"connection": _CONNECTION}, labels=1, others=_TEMPLATE
)
_LIFECYCLE = BlockGrammar(
    {
        "create_before_destroy": _PLAIN,
        "prevent_destroy": _PLAIN,
        "ignore_changes": _REFERENCE,
        "replace_triggered_by": _REFERENCE,
    },
    blocks={"precondition": _CONDITION, "postcondition": _CONDITION},
)
_META_ARGUMENTS = {"count": _TEMPLATE, "for_each": _TEMPLATE, "depends_on": _REFERENCE, "provider": _REFERENCE}
_DATA = BlockGrammar(_META_ARGUMENTS, blocks={"lifecycle": _LIFECYCLE}, labels=2)
_SETTINGS = BlockGrammar(others=_PLAIN)

OBJECT_KINDS = ("resource", "data", "ephemeral")
"""Blocks of which Terraform defines the meta-arguments, and a provider defines the rest."""

DYNAMIC = BlockGrammar({"for_each": _TEMPLATE, "iterator": _REFERENCE}, labels=1)
"""A dynamic block; a provider defines its `content`."""

DYNAMIC_OBJECTS = replace(DYNAMIC, blocks={"content": BlockGrammar(others=_TEMPLATE)})
"""A dynamic block in place of an argument that is a list of objects."""

# Backends are in no provider's schema.
# https://developer.hashicorp.com/terraform/language/backend
BACKENDS = {
    **dict.fromkeys(("azurerm", "consul", "gcs", "http", "local", "pg", "s3"), _SETTINGS),
    "cos": BlockGrammar(blocks={"assume_role": _SETTINGS}, others=_PLAIN),
    "kubernetes": BlockGrammar(blocks={"exec": _SETTINGS}, others=_PLAIN),
    "oss": BlockGrammar(blocks={"assume_role": _SETTINGS}, others=_PLAIN),
    "remote": BlockGrammar(blocks={"workspaces": _SETTINGS}, others=_PLAIN),
}

TOP_LEVEL: Mapping[str, BlockGrammar] = {
    "terraform": BlockGrammar(
        {"required_version": _PLAIN, "experiments": _REFERENCE},
        blocks={
            "required_providers": BlockGrammar(others=ArgumentKind.REQUIRED_PROVIDER),
            "backend": BlockGrammar(labels=1),
            "cloud": BlockGrammar(blocks={"workspaces": _SETTINGS}, others=_PLAIN),
            "provider_meta": BlockGrammar(labels=1, others=_TEMPLATE),
        },
    ),
    "provider": BlockGrammar({"alias": _PLAIN, "version": _PLAIN}, labels=1),
    "variable": BlockGrammar(
        {
            "type": _REFERENCE,
            **dict.fromkeys(("default", "description", "sensitive", "nullable", "ephemeral"), _PLAIN),
        },
        blocks={"validation": _CONDITION},
        labels=1,
    ),
    "locals": BlockGrammar(others=_TEMPLATE),
    "resource": BlockGrammar(
        _META_ARGUMENTS,
        blocks={"lifecycle": _LIFECYCLE, "connection": _CONNECTION, "provisioner": _PROVISIONER},
        labels=2,
    ),
    "data": _DATA,
    "ephemeral": _DATA,
    "output": BlockGrammar(
        {
            "value": _TEMPLATE,
            "depends_on": _REFERENCE,
            **dict.fromkeys(("description", "sensitive", "ephemeral"), _PLAIN),
        },
        blocks={"precondition": _CONDITION},
        labels=1,
    ),
    "module": BlockGrammar(
        {
            "source": ArgumentKind.MODULE_SOURCE,
            "version": _PLAIN,
            "count": _TEMPLATE,
            "for_each": _TEMPLATE,
            "depends_on": _REFERENCE,
            "providers": _REFERENCE,
        },
        labels=1,
        others=_TEMPLATE,
    ),
    "check": BlockGrammar(blocks={"assert": _CONDITION, "data": _DATA}, labels=1),
    "moved": BlockGrammar({"from": _REFERENCE, "to": _REFERENCE}),
    "import": BlockGrammar(
        {"to": _REFERENCE, "provider": _REFERENCE, **dict.fromkeys(("id", "identity", "for_each"), _TEMPLATE)}
    ),
    "removed": BlockGrammar(
        {"from": _REFERENCE},
        blocks={
            "lifecycle": BlockGrammar({"destroy": _PLAIN}),
            "connection": _CONNECTION,
            "provisioner": _PROVISIONER,
        },
    ),
}
