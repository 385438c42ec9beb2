"""What an identity's policies may allow, as requests to evaluate."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from iam import codecommit
from iam.evaluation import Decision, evaluate
from iam.matching import ANYTHING, ONE_CHARACTER, names_action
from iam.model import Identity
from iam.requests import Principal, Request
from iam.sources import RequestSource
from iam.statements import Statement, UnsupportedError, has_wildcard

_CODECOMMIT = {action.lower(): action for action in (*codecommit.READS, *codecommit.WRITES)}

# In place of everything that a wildcard, a NotAction or a NotResource includes and no policy names. The first character
# is one that only a `*` matches, and that no policy here may contain.
_ANY = f"{ANYTHING}AnyOther"


@dataclass(frozen=True, kw_only=True)
class Power:
    """One thing that an identity may do from a source."""

    statement: Statement
    action: str
    resource: str
    decision: Decision


def allowing(identity: Identity) -> Iterator[Statement]:
    """The statements that may allow something."""
    return (statement for policy in identity.policies for statement in policy.statements if statement.allows)


def actions(statement: Statement) -> list[str]:
    """The actions in a statement: those it names, and for a wildcard CodeCommit's and one in place of all others."""
    if statement.but_actions:
        others = [name for action, name in _CODECOMMIT.items() if not names_action(statement, action)]
        return [*others, f"iam:{_ANY}"]
    found = [_CODECOMMIT.get(action.lower(), action) for action in statement.actions if not has_wildcard(action)]
    for pattern in filter(has_wildcard, statement.actions):
        found += [name for action, name in _CODECOMMIT.items() if names_action(statement, action)]
        found.append(f"iam:{_ANY}" if pattern == "*" else _one_of(pattern))
    return list(dict.fromkeys(found))


def resources(statement: Statement) -> list[str]:
    """The resources in a statement, one for each pattern."""
    if statement.has_variables and (varying := next((one for one in statement.resources if "${" in one), None)):
        raise UnsupportedError(statement.place, f"which resources {varying!r} names")
    if statement.but_resources:
        return [f"arn:aws:codecommit:{_ANY}:{_ANY}:{_ANY}"]
    return [resource if resource == "*" else _one_of(resource) for resource in statement.resources]


def named_resources(statement: Statement) -> list[str]:
    """The same resources as the policy names them."""
    return [f"all but {', '.join(statement.resources)}"] if statement.but_resources else list(statement.resources)


def _one_of(pattern: str) -> str:
    """A text that a pattern matches, and another pattern only where it has a wildcard too."""
    return pattern.replace("*", _ANY).replace("?", ONE_CHARACTER)


def as_written(name: str) -> str:
    """The pattern that a name of `actions` stands for, for people."""
    return name.replace(_ANY, "*").replace(ONE_CHARACTER, "?")


def request(
    identity: Identity,
    source: RequestSource,
    action: str,
    resource: str,
    wanted: Mapping[str, str],
    asked: frozenset[str] = frozenset(),
) -> Request:
    """A request from a place; `wanted` are keys that it has beside the place's and the identity's.

    What only other statements ask for, it does not have: those are tried with requests of their own. Whether it has
    the keys `asked`, if they are not wanted, is not known.
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
        absent=(source.absent | (identity.asked_keys - asked)) - context.keys(),
    )


_POSITIVE = frozenset(("StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool"))


_MOST_COMBINATIONS = 100


def met(statement: Statement, source: RequestSource) -> list[dict[str, str]]:
    """Values that meet an Allow's conditions on other keys than the source's: every combination of those it names.

    A key that is neither here nor in the source is unknown, and the evaluation refuses it.
    """
    candidates: dict[str, list[str]] = {}
    for condition in statement.conditions:
        if condition.operator not in _POSITIVE or condition.key in source.context or condition.key in source.absent:
            continue
        if condition.key in candidates:
            raise UnsupportedError(statement.place, f"which values of {condition.key!r} meet two conditions")
        if statement.has_variables and any("${" in value for value in condition.values):
            raise UnsupportedError(statement.place, f"a variable in a condition on {condition.key!r}")
        has_wildcards = condition.operator not in ("StringEquals", "Bool")
        candidates[condition.key] = [_one_of(value) if has_wildcards else value for value in condition.values]
    if prod(map(len, candidates.values())) > _MOST_COMBINATIONS:
        raise UnsupportedError(statement.place, f"more than {_MOST_COMBINATIONS} combinations of values of conditions")
    return [dict(zip(candidates, values, strict=True)) for values in product(*candidates.values())]


def powers(identity: Identity, source: RequestSource, *, only: Collection[str] | None = None) -> Iterator[Power]:
    """What `identity` may do from a source: with `only`, of those actions.

    Of actions and resources that no Deny distinguishes, one is evaluated for all.
    """
    denials = [s for policy in identity.policies for s in policy.statements if not s.allows]
    for deny in denials:
        if deny.but_resources:
            raise UnsupportedError(deny.place, "which resources a Deny leaves out")
    every_resource = all(deny.resources == ("*",) for deny in denials)
    denied_by = {condition.key for deny in denials for condition in deny.conditions}
    for statement in allowing(identity):
        for condition in statement.conditions:
            if (
                condition.key in denied_by
                and condition.key not in source.context
                and condition.key not in source.absent
            ):
                raise UnsupportedError(statement.place, f"a key that a Deny tests too, {condition.key!r}")
        named = [action for action in actions(statement) if only is None or action in only]
        distinct = {tuple(names_action(deny, action.lower()) for deny in denials): action for action in reversed(named)}
        targets = resources(statement)
        for action in distinct.values():
            for target in targets[:1] if every_resource else targets:
                for wanted in met(statement, source):
                    asked = request(identity, source, action, target, wanted, _asked(statement))
                    decision = evaluate(asked, identity=identity.policies)
                    if decision.allowed:
                        yield Power(statement=statement, action=action, resource=target, decision=decision)
                        break


def _asked(statement: Statement) -> frozenset[str]:
    """The keys of an Allow's conditions that may not count as absent, because it then would allow less."""
    return frozenset(condition.key for condition in statement.conditions if not condition.key.startswith("aws:"))
