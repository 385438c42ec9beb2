"""Which roles a role can become, by sts:AssumeRole."""

from collections.abc import Sequence

from iam import powers
from iam.matching import names_resource
from iam.model import Identity
from iam.statements import Statement

ASSUME = "sts:assumerole"


def may_assume(statement: Statement) -> bool:
    """Whether a statement names sts:AssumeRole; a pattern of actions with it breaks other promises."""
    return any(action.lower() == ASSUME for action in powers.actions(statement))


def assumed_from(role: Identity, roles: Sequence[Identity]) -> list[Identity]:
    """The roles that trust `role`, and those that it may ask for."""
    named = [statement for statement in powers.allowing(role) if may_assume(statement)]
    return [
        other
        for other in roles
        if other is not role
        and (role.arn in other.trusted_principals or any(names_resource(one, other.arn) for one in named))
    ]
