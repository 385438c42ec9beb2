"""What an identity's policies could allow, as requests to try."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from iam import codecommit
from iam.evaluation import Decision, Principal, Request, evaluate, names_action
from iam.model import Identity
from iam.policy import Policy, Statement, has_wildcard
from iam.sources import Source

_CODECOMMIT = {action.lower(): action for action in (*codecommit.READS, *codecommit.WRITES)}

# Stands for whatever a wildcard, a NotAction or a NotResource lets in beside what is named anywhere.
_ANY = "AnyOther"


@dataclass(frozen=True, kw_only=True)
class Power:
    """One thing that an identity may do from a place."""

    statement: Statement
    action: str
    resource: str
    decision: Decision


def allowing(identity: Identity) -> Iterator[Statement]:
    """The statements that may allow something."""
    return (statement for policy in identity.policies for statement in policy.statements if statement.allows)


def actions(statement: Statement) -> list[str]:
    """The actions that a statement speaks of: those named, and for a wildcard CodeCommit's and one for all others."""
    if statement.but_actions:
        others = [name for action, name in _CODECOMMIT.items() if not names_action(statement, action)]
        return [*others, f"iam:{_ANY}"]
    found = [_CODECOMMIT.get(action.lower(), action) for action in statement.actions if not has_wildcard(action)]
    for pattern in filter(has_wildcard, statement.actions):
        found += [name for action, name in _CODECOMMIT.items() if names_action(statement, action)]
        found.append(f"iam:{_ANY}" if pattern == "*" else _one_of(pattern))
    return list(dict.fromkeys(found))


def resources(statement: Statement) -> list[str]:
    """The resources that a statement speaks of, one for each pattern."""
    if statement.but_resources:
        return [f"arn:aws:codecommit:{_ANY}:{_ANY}:{_ANY}"]
    return [resource if resource == "*" else _one_of(resource) for resource in statement.resources]


def named_resources(statement: Statement) -> list[str]:
    """The same resources in the policy's own words."""
    return [f"all but {', '.join(statement.resources)}"] if statement.but_resources else list(statement.resources)


def _one_of(pattern: str) -> str:
    return pattern.replace("*", _ANY).replace("?", "x")


def request(identity: Identity, source: Source, action: str, resource: str, wanted: Mapping[str, str]) -> Request:
    """A request from a place; `wanted` are keys that it has beside the place's and the identity's.

    What only other statements ask for, it does not have: those are tried with requests of their own.
    """
    is_role = identity.trust is not None
    context = {
        **source.context,
        "aws:principalarn": identity.arn,
        "aws:principalaccount": identity.account,
        **({} if is_role else {"aws:username": identity.name}),
        **wanted,
    }
    return Request(
        principal=Principal(kind="role" if is_role else "user", name=identity.arn, account=identity.account),
        action=action,
        resource=resource,
        context=context,
        absent=(source.absent | identity.asked_keys) - context.keys(),
    )


_POSITIVE = frozenset(("StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool"))


def met(statement: Statement, source: Source) -> dict[str, str]:
    """Values for what an Allow wants of a request beside where it comes from: at worst, they are as it wants.

    A key that is neither here nor in the source's is unknown, and evaluation will refuse it.
    """
    return {
        condition.key: _one_of(condition.values[0])
        for condition in statement.conditions
        if condition.operator in _POSITIVE
        and condition.key not in source.context
        and condition.key not in source.absent
    }


def powers(
    identity: Identity, source: Source, *, only: Collection[str] | None = None, resource: tuple[Policy, ...] = ()
) -> Iterator[Power]:
    """What `identity` may do from a place, `only` of some actions if given, under a resource's policies too.

    Of actions and resources that no Deny tells apart, one stands for all.
    """
    denials = [s for policy in (*identity.policies, *resource) for s in policy.statements if not s.allows]
    every_resource = all(deny.resources == ("*",) for deny in denials)
    for statement in allowing(identity):
        named = [action for action in actions(statement) if only is None or action in only]
        told_apart = {
            tuple(names_action(deny, action.lower()) for deny in denials): action for action in reversed(named)
        }
        targets = resources(statement)
        for action in told_apart.values():
            for target in targets[:1] if every_resource else targets:
                asked = request(identity, source, action, target, met(statement, source))
                decision = evaluate(asked, identity=identity.policies, resource=resource)
                if decision.allowed:
                    yield Power(statement=statement, action=action, resource=target, decision=decision)
