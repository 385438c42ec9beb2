"""Where a request may come from: one for each part of the world that the policies tell apart.

A policy looks at an address only through the networks it names, so two addresses that are in the same of all networks
are decided alike, and one of each such part decides for all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from iam import policy as documents
from iam.model import Model, Place
from iam.policy import Network, Policy, Statement

ELSEWHERE = "anywhere else"

_ADDRESSES: dict[int, tuple[Any, int]] = {4: (IPv4Address, 32), 6: (IPv6Address, 128)}

# What only a request through a VPC endpoint, on behalf of a service or from a service has. No request here is one on
# behalf: of those AWS says itself who may make them.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_DIRECT = {"aws:viaawsservice": "false", "aws:securetransport": "true"}
_ENDPOINT_KEYS = frozenset(("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"))
_SERVICE_KEYS = frozenset(("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "kms:viaservice"))


@dataclass(frozen=True, kw_only=True)
class Source:
    """A part of the world: the `places` it is in, none of them for elsewhere, and what its requests carry."""

    name: str
    places: tuple[Place, ...]
    context: Mapping[str, str]
    absent: frozenset[str]
    networks: tuple[Network, ...] = ()
    """The networks of places and policies that hold it."""

    @property
    def is_room(self) -> bool:
        """Whether it is in an isolated room."""
        return any(place.is_room for place in self.places)


def sources(model: Model) -> list[Source]:
    """Every part of the world, named places first."""
    named: dict[Network, list[Place]] = {}
    for place in model.places:
        for network in place.networks:
            named.setdefault(network, []).append(place)
    networks = dict.fromkeys([*named, *_named_in_policies(model)])
    found = [
        _from_address(address, [network for network in networks if _holds(network, address)], named)
        for version in _ADDRESSES
        for address in _one_of_each_part([network for network in networks if network.version == version], version)
    ]
    through = [
        Source(
            name=endpoint,
            places=(place,),
            context={**_DIRECT, "aws:sourcevpce": endpoint},
            absent=_SERVICE_KEYS | {"aws:sourceip"},
        )
        for place in model.places
        for endpoint in place.vpc_endpoints
    ]
    elsewhere = Source(
        name="another VPC endpoint",
        places=(),
        context={**_DIRECT, "aws:sourcevpce": "another", "aws:sourcevpc": "another"},
        absent=_SERVICE_KEYS | {"aws:sourceip"},
    )
    order = {place.name: number for number, place in enumerate(model.places)}
    by_place = sorted(
        [*found, *through], key=lambda source: min([order[p.name] for p in source.places] or [len(order)])
    )
    return [*_distinct(by_place), elsewhere]


def _from_address(address: Any, holding: Sequence[Network], named: Mapping[Network, Sequence[Place]]) -> Source:
    places = tuple({place.name: place for network in holding for place in named.get(network, ())}.values())
    if places:
        name = " and ".join(place.name for place in places)
    elif holding:
        name = str(min(holding, key=lambda network: network.num_addresses))
    else:
        name = ELSEWHERE if address.version == 4 else f"{ELSEWHERE}, by IPv6"
    return Source(
        name=name,
        places=places,
        context={**_DIRECT, "aws:sourceip": str(address)},
        absent=_ENDPOINT_KEYS | _SERVICE_KEYS,
        networks=tuple(holding),
    )


def _distinct(found: Sequence[Source]) -> Iterator[Source]:
    """The sources with names of their own: where a place is told apart in parts, by the smallest network around."""
    names = [source.name for source in found]
    for source in found:
        if names.count(source.name) > 1 and source.networks:
            smallest = min(source.networks, key=lambda network: network.num_addresses)
            yield replace(source, name=f"{source.name}, {smallest}")
        else:
            yield source


def _one_of_each_part(networks: Sequence[Network], version: int) -> list[Any]:
    """An address of every part: what networks hold an address changes only where one begins or has ended."""
    address, bits = _ADDRESSES[version]
    last = (1 << bits) - 1
    borders = sorted(
        {0, *(int(network.network_address) for network in networks)}
        | {end + 1 for network in networks if (end := int(network.broadcast_address)) < last}
    )
    parts: dict[frozenset[Network], Any] = {}
    for border in borders:
        here = address(border)
        parts.setdefault(frozenset(network for network in networks if here in network), here)
    return list(parts.values())


def _holds(network: Network, address: Any) -> bool:
    return network.version == address.version and address in network


def _named_in_policies(model: Model) -> Iterator[Network]:
    for statement in statements(model):
        for condition in statement.conditions:
            if condition.key == "aws:sourceip" and condition.operator in ("IpAddress", "NotIpAddress"):
                yield from map(documents.network, condition.values)


def statements(model: Model) -> Iterator[Statement]:
    """Every statement of every policy."""
    for policy in policies(model):
        yield from policy.statements


def policies(model: Model) -> Iterator[Policy]:
    """Every policy: of identities, of their trust, of resources and of APIs."""
    for identity in model.identities:
        yield from identity.policies
        if identity.trust is not None:
            yield identity.trust
    owned = [*(resource.policy for resource in model.resources), *(method.policy for method in model.methods)]
    seen: set[str] = set()
    for policy in owned:
        if policy is not None and policy.name not in seen:
            seen.add(policy.name)
            yield policy
