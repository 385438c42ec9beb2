"""What AWS refuses although Terraform and its provider accept it, checked on finished Terraform.

References count as far as they are known: a variable with its default, an ARN with its form. A value that only an apply
will tell counts with the length of an ARN.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from errors import Problem
from limits import builds, everywhere, machines, policies
from limits.limit import Found, Limit
from terraform.references import Configuration, configurations
from terraform.unreadable import refused_at

LIMITS = (*everywhere.LIMITS, *policies.LIMITS, *machines.LIMITS, *builds.LIMITS)


def problems(documents: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Everything in a deployment's Terraform, by stack, that breaks a limit, stack by stack."""
    return [
        Problem(where=f"{name}: {place}" if place else name, what=what, hint=hint)
        for name, stack in configurations(documents).items()
        for limit in LIMITS
        for place, what, hint in _found(limit, stack)
    ]


def _found(limit: Limit, stack: Configuration) -> Iterator[Found]:
    with refused_at(f"{stack.name}: {limit.what}"):
        yield from limit.check(stack)
