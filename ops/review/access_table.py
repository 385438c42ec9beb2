"""Who can pull from and push to which repository, and from where, before and after the apply.

The plans contain the policies before and after; `iam` evaluates them, as it does for `main.py access`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from iam.codecommit import PULL, PUSH
from iam.model import Identity, Model
from iam.operators import IpNetwork
from iam.reach import reach
from iam.sources import RequestSource, sources
from iam.statements import UnsupportedError
from ops.review.access_model import AccessMoment, AccessReader, reason
from ops.review.rule import Plans, ReviewedChange, ReviewFinding
from ops.review.text import code
from ops.review.translatable import said
from terraform.arns import Arn
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
    """The rows, every origin that they name, what is allowed newly, and what could not be determined.

    `identities` are those after the apply whose access could be determined, with their `owners`: the objects that make
    them. `sources` are the parts of the internet from which requests may come.
    """

    rows: Sequence[AccessRow]
    origins: Origins
    widened: Sequence[WidenedAccess]
    unreadable: Sequence[ReviewFinding]
    identities: Mapping[str, Identity]
    owners: Mapping[str, ReviewedChange]
    sources: Sequence[RequestSource]


@lru_cache(maxsize=1)
def table(plans: Plans) -> AccessTable:
    """The table of all plans together."""
    reader = AccessReader(plans)
    before, after = reader.moment(is_after=False), reader.moment(is_after=True)
    identities = (*before.identities.values(), *after.identities.values())
    try:
        places = sources(Model(identities=identities, places=tuple(reader.places())))
    except (UnsupportedError, ValueError) as error:
        what = said("contains an address that cannot be read: {reason}", reason=code(reason(error)))
        reader.unreadable += [
            ReviewFinding(stack=plan.stack, address=said("the plan"), what=what) for plan in plans.plans
        ]
        places = []
        for moment in (before, after):
            moment.unknown.update(dict.fromkeys(moment.identities, reason(error)))
    was, now = (_access(moment, places, reader) for moment in (before, after))
    return AccessTable(
        rows=list(_rows(was, now)),
        origins=Origins().union(*{*was.values(), *now.values()}),
        widened=list(_widened(was, now, before, after)),
        unreadable=reader.unreadable,
        identities={name: found for name, found in after.identities.items() if name not in after.unknown},
        owners=after.owners,
        sources=places,
    )


def _access(moment: AccessMoment, places: Sequence[RequestSource], reader: AccessReader) -> Access:
    found = {}
    origins = {place.name: _origin(place, reader.open_addresses) for place in places}
    for name, identity in moment.identities.items():
        if name in moment.unknown:
            continue
        callers = None if identity.trust is None else _callers(identity)
        try:
            reached = reach(identity, (PULL, PUSH), moment.repositories.values(), places, moment.tags)
        except UnsupportedError as error:
            moment.unknown[name] = reader.report(moment.owners[name], error)
            continue
        shared: dict[int, Origins] = {}
        for repository, arn in moment.repositories.items():
            for action in (PULL, PUSH):
                allowed = reached[arn, action]
                if id(allowed) not in shared:
                    by_address = Origins(origins[place.name] for place in allowed)
                    shared[id(allowed)] = by_address if callers is None else callers if allowed else Origins()
                found[name, repository, action] = shared[id(allowed)]
    for name, why in moment.unknown.items():
        not_known = Origins({RequestOrigin(name="not known", unknown=why)})
        found |= {
            (name, repository, action): not_known for repository in moment.repositories for action in (PULL, PUSH)
        }
    return found


def _callers(role: Identity) -> Origins:
    """Who may use a role, from wherever they are; what conditions of its trust policy restrict is not left out."""
    found = set()
    for statement in role.trust.statements if role.trust else ():
        if not statement.allows:
            continue
        for kind, named in (statement.principals or {}).items():
            for principal in named:
                found.add(said("its service") if kind == "Service" else _caller(principal, role.account))
        if statement.but_principals:
            found.add(said("everyone but some"))
    return Origins(RequestOrigin(name=name) for name in found)


def _caller(principal: str, own: str) -> str:
    if principal == "*":
        return said("everyone")
    named = Arn.of(principal) if principal.startswith("arn:") else None
    if named is not None and "/" in named.resource:
        # The role that the same apply makes has no account yet.
        return named.resource.rpartition("/")[2] if named.account in (own, "") else principal
    account = principal if principal.isdigit() else Arn.of(principal).account
    return said("its account") if account == own else f"account {account}"


def _origin(source: RequestSource, open_addresses: Mapping[IPv4Network, KnownAfterApply]) -> RequestOrigin:
    smallest = min(source.networks, key=lambda network: network.num_addresses, default=None)
    if source.places and isinstance(smallest, IPv4Network):
        return RequestOrigin(name=source.name, open=open_addresses.get(smallest))
    return RequestOrigin(name=source.name, network=smallest)


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
