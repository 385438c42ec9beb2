"""What is known of every resource type and argument in a deployment's Terraform; anything else is refused.

A promise can only be kept by what it reads. So each argument has an entry that says what reads it, or which values it
may have and why those give nobody access.
"""

from collections.abc import Iterator, Mapping

from errors import Problem
from iam.known import code, expressions, identities, networks, servers, storage, terraform_blocks
from iam.known.argument import Arguments, KnownArguments, harmless
from terraform.references import Configuration
from terraform.unreadable import refused_at

_EVERYWHERE: Arguments = {
    "//": harmless("a comment"),
    "//.*": harmless("a comment"),
    "lifecycle.precondition.//.comment": harmless("a comment"),
    "depends_on": harmless("in which order Terraform works"),
    "tags.*": harmless("what people and bills call it; the policies' evaluation reads those of repositories"),
    "lifecycle.prevent_destroy": harmless("whether it can be lost, not who reaches it"),
    "lifecycle.create_before_destroy": harmless("in which order Terraform works"),
}
"""What is known of the arguments that every resource may have."""

_RESOURCES = (networks.TYPES, servers.TYPES, code.TYPES, storage.TYPES, identities.TYPES)
_DATA_SOURCES = (networks.DATA, servers.DATA, identities.DATA, terraform_blocks.DATA)

RESOURCES: Mapping[str, KnownArguments] = {
    kind: KnownArguments(arguments, _EVERYWHERE) for types in _RESOURCES for kind, arguments in types.items()
}
"""What is known of the resource types."""

DATA_SOURCES: Mapping[str, KnownArguments] = {
    kind: KnownArguments(arguments, _EVERYWHERE) for types in _DATA_SOURCES for kind, arguments in types.items()
}
"""What is known of the data sources."""


def problems(stack: Configuration) -> Iterator[Problem]:
    """Everything in a stack's Terraform of which it is not known whether it gives access."""
    with refused_at(stack.name):
        yield from terraform_blocks.problems(stack)
        yield from expressions.problems(stack)
    for what, known, blocks in (
        ("resource type", RESOURCES, stack.stack.resources()),
        ("data source", DATA_SOURCES, stack.stack.data()),
    ):
        for kind, name, arguments in blocks:
            address = f"{stack.name}: {kind}.{name}"
            if kind in known:
                with refused_at(address):
                    yield from known[kind].problems(address, arguments, stack)
            else:
                yield Problem(
                    where=address,
                    what=f"nothing is known of the {what} {kind}, so it might give access",
                    hint=f"remove it, or say in iam/known/ what each argument of {kind} does to access",
                )
