"""From where an identity may do something with each of many resources.

Resources that no statement of the identity distinguishes, and sources likewise, are evaluated once.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from types import MappingProxyType

from iam import powers, tags
from iam.evaluation import evaluate
from iam.matching import names_resource
from iam.model import Identity
from iam.sources import RequestSource, named_networks
from iam.statements import Statement

_ADDRESS = "aws:sourceip"


def reach(
    identity: Identity,
    actions: Sequence[str],
    arns: Collection[str],
    places: Sequence[RequestSource],
    tagged: Mapping[str, Mapping[str, str | None] | None] = MappingProxyType({}),
) -> Mapping[tuple[str, str], Sequence[RequestSource]]:
    """The sources from which each action is allowed on each resource, by ARN and action.

    `tagged` are the resources' tags, as in `Resource`. Raises UnsupportedError.
    """
    statements = [statement for policy in identity.evaluated for statement in policy.statements]
    has_variables, asked = any(map(_has_variables, statements)), tags.asked(statements)
    alike: dict[Hashable, list[str]] = {}
    for arn in arns:
        named = arn if has_variables else tuple(names_resource(s, arn) for s in statements if s.resources != ("*",))
        key = (named, tags.seen(tagged.get(arn), asked))
        alike.setdefault(key, []).append(arn)
    networks = frozenset(named_networks(statements))
    parts: dict[Hashable, list[RequestSource]] = {}
    for place in places:
        parts.setdefault(place.name if has_variables else _seen(place, networks), []).append(place)
    found: dict[tuple[str, str], Sequence[RequestSource]] = {}
    for together in alike.values():
        for action in actions:
            allowed = [
                place
                for part in parts.values()
                if _allows(identity, tags.on(part[0], tagged.get(together[0]), asked), action, together[0])
                for place in part
            ]
            found |= {(arn, action): allowed for arn in together}
    return found


def _allows(identity: Identity, place: RequestSource, action: str, arn: str) -> bool:
    asked = powers.request(identity, place, action, arn, {})
    return evaluate(asked, identity=identity.policies, boundary=identity.boundary).allowed


def _seen(place: RequestSource, networks: Collection[object]) -> Hashable:
    """What policies that compare addresses with `networks` alone see of a source."""
    others = frozenset((key, value) for key, value in place.context.items() if key != _ADDRESS)
    return _ADDRESS in place.context, others, place.absent, frozenset(place.networks).intersection(networks)


def _has_variables(statement: Statement) -> bool:
    texts = (*statement.resources, *(value for condition in statement.conditions for value in condition.values))
    return statement.has_variables and any("${" in text for text in texts)
