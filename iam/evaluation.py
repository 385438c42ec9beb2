"""AWS's evaluation of a request: an explicit Deny first, then an Allow, else no.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from iam.conditions import holds
from iam.matching import UnresolvedError, is_delegated, matches_principal, matches_resource, names_action
from iam.requests import Principal, Request
from iam.statements import Policy, Statement, UnsupportedError


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a request is allowed, and the statements that decided; none of them when nothing matched."""

    allowed: bool
    explicit: bool
    statements: tuple[Statement, ...] = ()

    @property
    def because(self) -> str:
        """The reason in words, naming policy and statement."""
        named = " and ".join(statement.place for statement in self.statements)
        if self.allowed:
            return f"allowed by {named}"
        return f"denied by {named}" if self.explicit else "nothing allows it"


@dataclass(frozen=True, kw_only=True)
class _Allows:
    """The Allow statements that apply to a request, None for each kind there is none of.

    `own` is in a policy of the principal. The others are in the resource's policy: `direct` names the principal, and
    `granted` names it or only its account.
    """

    own: Statement | None
    direct: Statement | None
    granted: Statement | None


def evaluate(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    boundary: Policy | None = None,
    resource: Sequence[Policy] = (),
    resource_account: str | None = None,
    resource_decides: bool = False,
) -> Decision:
    """The decision on `request` under the policies of its principal and of the resource.

    Within one account either kind may allow; from another account (`resource_account` differs from the principal's)
    both must. `resource_decides` is for resources whose own policy has to allow always: a role's trust, a key.
    A permissions boundary must allow too; with a resource's policy, which may bypass it, it is not evaluated.
    Session and organization policies are not part of this: a caller that has any must not ask.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    by_identity = list(_identity_statements(identity))
    if boundary is not None:
        if resource:
            raise UnsupportedError(boundary.name, "a permissions boundary together with a resource's policy")
        within = evaluate(request, identity=(boundary,))
        if not within.allowed:
            return within
    by_resource = list(_resource_statements(resource))
    denies = [s for s in (*by_identity, *by_resource) if not s.allows and _applies(s, request)]
    if denies:
        return Decision(allowed=False, explicit=True, statements=(denies[0],))
    crosses_accounts = resource_account is not None and request.principal.account != resource_account
    needed = _needed(
        _allows(by_identity, by_resource, request),
        request.principal,
        crosses_accounts=crosses_accounts,
        resource_decides=resource_decides,
    )
    found = tuple(statement for statement in needed if statement is not None)
    if len(found) < len(needed):
        return Decision(allowed=False, explicit=False)
    return Decision(allowed=True, explicit=True, statements=found)


def _identity_statements(policies: Iterable[Policy]) -> Iterator[Statement]:
    for policy in policies:
        for statement in policy.statements:
            if statement.principals is not None:
                raise UnsupportedError(statement.place, "what a principal does in a policy of an identity")
            if not statement.resources:
                raise UnsupportedError(statement.place, "on what, without a resource in a policy of an identity")
            yield statement


def _resource_statements(policies: Iterable[Policy]) -> Iterator[Statement]:
    for policy in policies:
        for statement in policy.statements:
            if statement.principals is None:
                raise UnsupportedError(statement.place, "for whom, without a principal in a policy of a resource")
            yield statement


def _allows(by_identity: Sequence[Statement], by_resource: Sequence[Statement], request: Request) -> _Allows:
    granting = [s for s in by_resource if s.allows and _applies(s, request)]
    direct = next((s for s in granting if not is_delegated(s, request.principal)), None)
    return _Allows(
        own=next((s for s in by_identity if s.allows and _applies(s, request)), None),
        direct=direct,
        granted=direct or next(iter(granting), None),
    )


def _needed(
    allows: _Allows, principal: Principal, *, crosses_accounts: bool, resource_decides: bool
) -> list[Statement | None]:
    """The Allow statements that it takes, each as the statement found or None where there is none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-request-context.html
    """
    if principal.kind not in ("user", "role"):
        return [allows.direct]
    if crosses_accounts:
        return [allows.own, allows.granted]
    if resource_decides:
        return [allows.direct] if allows.direct else [allows.own, allows.granted]
    return [allows.own or allows.direct]


def _applies(statement: Statement, request: Request) -> bool:
    """Whether a statement's elements all match the request; a variable without a value makes it invalid.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    if names_action(statement, request.action.lower()) == statement.but_actions:
        return False
    try:
        return (
            (not statement.resources or matches_resource(statement, request))
            and (statement.principals is None or matches_principal(statement, request.principal))
            and all(holds(condition, statement, request) for condition in statement.conditions)
        )
    except UnresolvedError:
        return False
