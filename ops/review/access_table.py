"""Who can pull from and push to which repository, and from where, before and after the apply.

The plans contain the policies before and after; `iam` evaluates them, as it does for `main.py access`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from iam import powers
from iam.codecommit import PULL, PUSH
from iam.evaluation import evaluate
from iam.model import Identity, Model
from iam.operators import IpNetwork
from iam.sources import RequestSource, sources
from iam.statements import UnsupportedError
from ops.review.access_model import AccessMoment, AccessReader, reason
from ops.review.rule import Plans, ReviewedChange, ReviewFinding
from ops.review.text import code
from terraform.plan_values import KnownAfterApply


@dataclass(frozen=True, kw_only=True)
class RequestOrigin:
    """Where requests come from: a network, an address known after the apply only, or something that has a name.

    `unknown` is the reason if it cannot be determined where they come from, and whether they are allowed at all.
    """

    name: str
    network: IpNetwork | None = None
    open: KnownAfterApply | None = None
    unknown: str | None = None

    @property
    def is_world(self) -> bool:
        """Whether it is every address."""
        return self.network is not None and self.network.prefixlen == 0

    def is_within(self, others: frozenset["RequestOrigin"]) -> bool:
        """Whether another of the origins contains this one."""
        return any(_contains(other.network, self.network) for other in others - {self})


def _contains(outer: IpNetwork | None, inner: IpNetwork | None) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


Origins = frozenset[RequestOrigin]

Access = Mapping[tuple[str, str, str], Origins]
"""From where each identity can do each action on each repository: by identity, repository and action."""


@dataclass(frozen=True, kw_only=True)
class AccessChange:
    """From where one action is allowed before and after."""

    before: Origins
    after: Origins

    @property
    def is_changed(self) -> bool:
        """Whether the plans change it."""
        return self.before != self.after


@dataclass(frozen=True, kw_only=True)
class AccessRow:
    """From where one identity can pull from and push to some repositories."""

    principal: str
    repositories: Sequence[str]
    pull: AccessChange
    push: AccessChange

    @property
    def is_changed(self) -> bool:
        """Whether the plans change any of it."""
        return self.pull.is_changed or self.push.is_changed


@dataclass(frozen=True, kw_only=True)
class WidenedAccess:
    """What one identity can do after the apply and could not before; `action` is CodeCommit's."""

    owner: ReviewedChange
    principal: str
    is_new: bool
    action: str
    repositories: Sequence[str]
    origins: Origins


@dataclass(frozen=True, kw_only=True)
class AccessTable:
    """The rows, every origin that they name, what is allowed newly, and what could not be determined."""

    rows: Sequence[AccessRow]
    origins: Origins
    widened: Sequence[WidenedAccess]
    unreadable: Sequence[ReviewFinding]


@lru_cache(maxsize=1)
def table(plans: Plans) -> AccessTable:
    """The table of all plans together."""
    reader = AccessReader(plans)
    before, after = reader.moment(is_after=False), reader.moment(is_after=True)
    identities = (*before.identities.values(), *after.identities.values())
    try:
        places = sources(Model(identities=identities, places=tuple(reader.places())))
    except (UnsupportedError, ValueError) as error:
        what = f"contains an address that cannot be read: {code(reason(error))}"
        reader.unreadable += [ReviewFinding(stack=plan.stack, address="the plan", what=what) for plan in plans.plans]
        places = []
        for moment in (before, after):
            moment.unknown.update(dict.fromkeys(moment.identities, reason(error)))
    was, now = (_access(moment, places, reader) for moment in (before, after))
    return AccessTable(
        rows=list(_rows(was, now)),
        origins=Origins().union(*was.values(), *now.values()),
        widened=list(_widened(was, now, before, after)),
        unreadable=reader.unreadable,
    )


def _access(moment: AccessMoment, places: Sequence[RequestSource], reader: AccessReader) -> Access:
    found = {}
    for name, identity in moment.identities.items():
        if name in moment.unknown:
            continue
        # A service uses a role from its own machines, wherever those are: one origin is enough.
        anywhere = [place for place in places if not place.places and not place.networks]
        callers = anywhere[:1] if identity.trust else places
        origin = _service if identity.trust else _origins(reader.open_addresses)
        try:
            for repository, arn in moment.repositories.items():
                for action in (PULL, PUSH):
                    found[name, repository, action] = frozenset(
                        origin(place) for place in callers if _is_allowed(identity, place, action, arn)
                    )
        except UnsupportedError as error:
            moment.unknown[name] = reader.report(moment.owners[name], error)
    for name, why in moment.unknown.items():
        not_known = Origins({RequestOrigin(name="not known", unknown=why)})
        found |= {
            (name, repository, action): not_known for repository in moment.repositories for action in (PULL, PUSH)
        }
    return found


def _is_allowed(identity: Identity, place: RequestSource, action: str, arn: str) -> bool:
    return evaluate(powers.request(identity, place, action, arn, {}), identity=identity.policies).allowed


def _service(_: RequestSource) -> RequestOrigin:
    return RequestOrigin(name="its service")


def _origins(open_addresses: Mapping[IPv4Network, KnownAfterApply]) -> Callable[[RequestSource], RequestOrigin]:
    def origin(source: RequestSource) -> RequestOrigin:
        smallest = min(source.networks, key=lambda network: network.num_addresses, default=None)
        if source.places and isinstance(smallest, IPv4Network):
            return RequestOrigin(name=source.name, open=open_addresses.get(smallest))
        return RequestOrigin(name=source.name, network=smallest)

    return origin


def _rows(was: Access, now: Access) -> Iterator[AccessRow]:
    nowhere = Origins()
    keys = {*was, *now}
    for name in sorted({name for name, _, _ in keys}):
        alike: dict[tuple[AccessChange, AccessChange], list[str]] = {}
        for repository in sorted({repository for other, repository, _ in keys if other == name}):
            pull, push = (
                AccessChange(
                    before=was.get((name, repository, action), nowhere),
                    after=now.get((name, repository, action), nowhere),
                )
                for action in (PULL, PUSH)
            )
            if pull.before or pull.after or push.before or push.after:
                alike.setdefault((pull, push), []).append(repository)
        for (pull, push), repositories in alike.items():
            yield AccessRow(principal=name, repositories=repositories, pull=pull, push=push)


def _widened(was: Access, now: Access, before: AccessMoment, after: AccessMoment) -> Iterator[WidenedAccess]:
    """One entry for each identity, action and set of new origins."""
    nowhere = Origins()
    for name, owner in after.owners.items():
        for action in (PULL, PUSH):
            gained: dict[Origins, list[str]] = {}
            for repository in sorted(after.repositories):
                key = (name, repository, action)
                new = now.get(key, nowhere) - was.get(key, nowhere)
                if new and not any(origin.unknown for origin in new):
                    gained.setdefault(new, []).append(repository)
            for origins, repositories in gained.items():
                yield WidenedAccess(
                    owner=owner,
                    principal=name,
                    is_new=name not in before.identities,
                    action=action,
                    repositories=repositories,
                    origins=origins,
                )
