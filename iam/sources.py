"""Where a request may come from: one source for each part of the internet that the policies distinguish.

A policy compares an address only with the networks it names, so it decides alike for two addresses that are in the same
networks: one address of each part is enough.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import chain
from typing import Any

from iam import operators
from iam.model import Model, Place
from iam.operators import IpNetwork
from iam.requests import Principal, Request
from iam.statements import Statement

ELSEWHERE = "anywhere else"

_ADDRESSES: dict[int, tuple[Any, int]] = {4: (IPv4Address, 32), 6: (IPv6Address, 128)}

# Keys of requests that go through a VPC endpoint, and of those that a service makes.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_DIRECT = {"aws:viaawsservice": "false", "aws:securetransport": "true"}
_ENDPOINT_KEYS = frozenset(("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"))
_SERVICE_KEYS = frozenset(("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "kms:viaservice"))


@dataclass(frozen=True, kw_only=True)
class RequestSource:
    """A part of the internet: the `places` it is in, none for elsewhere, and its requests' context keys.

    `networks` are those of places and policies that contain it.
    """

    name: str
    places: tuple[Place, ...]
    context: Mapping[str, str]
    absent: frozenset[str]
    networks: tuple[IpNetwork, ...] = ()

    @property
    def is_room(self) -> bool:
        """Whether it is in an isolated room."""
        return any(place.is_room for place in self.places)

    def request(self, principal: Principal, action: str, resource: str) -> Request:
        """A request from there."""
        return Request(principal=principal, action=action, resource=resource, context=self.context, absent=self.absent)


def sources(model: Model) -> list[RequestSource]:
    """Every part of the internet, named places first."""
    named: dict[IpNetwork, list[Place]] = {}
    for place in model.places:
        for network in place.networks:
            named.setdefault(network, []).append(place)
    networks = dict.fromkeys([*named, *named_networks(statements(model))])
    found = [
        _from_address(address, [within for within in networks if address in within], named)
        for version in _ADDRESSES
        for address in _one_of_each_part([network for network in networks if network.version == version], version)
    ]
    through = [
        RequestSource(
            name=endpoint,
            places=(place,),
            context={**_DIRECT, "aws:sourcevpce": endpoint},
            absent=_SERVICE_KEYS | {"aws:sourceip"},
        )
        for place in model.places
        for endpoint in place.vpc_endpoints
    ]
    # An endpoint that policies name is a source of its own where no place has it, as a network is.
    known = {endpoint for place in model.places for endpoint in place.vpc_endpoints}
    through += [
        RequestSource(
            name=endpoint,
            places=(),
            context={**_DIRECT, "aws:sourcevpce": endpoint},
            absent=_SERVICE_KEYS | {"aws:sourceip"},
        )
        for endpoint in dict.fromkeys(_named_endpoints(statements(model)))
        if endpoint not in known
    ]
    elsewhere = RequestSource(
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


def _from_address(
    address: Any, networks: Sequence[IpNetwork], named: Mapping[IpNetwork, Sequence[Place]]
) -> RequestSource:
    places = tuple({place.name: place for network in networks for place in named.get(network, ())}.values())
    if places:
        name = " and ".join(place.name for place in places)
    elif networks:
        name = str(min(networks, key=lambda network: network.num_addresses))
    else:
        name = ELSEWHERE if address.version == 4 else f"{ELSEWHERE}, by IPv6"
    return RequestSource(
        name=name,
        places=places,
        context={**_DIRECT, "aws:sourceip": str(address)},
        absent=_ENDPOINT_KEYS | _SERVICE_KEYS,
        networks=tuple(networks),
    )


def _distinct(found: Sequence[RequestSource]) -> Iterator[RequestSource]:
    """The sources with unique names; the parts of one place are named by their smallest network."""
    names = [source.name for source in found]
    for source in found:
        if names.count(source.name) > 1 and source.networks:
            smallest = min(source.networks, key=lambda network: network.num_addresses)
            yield replace(source, name=f"{source.name}, {smallest}")
        else:
            yield source


def _one_of_each_part(networks: Sequence[IpNetwork], version: int) -> list[Any]:
    """One address from each range between two borders of networks."""
    address, bits = _ADDRESSES[version]
    last = (1 << bits) - 1
    borders = sorted(
        {0, *(int(network.network_address) for network in networks)}
        | {end + 1 for network in networks if (end := int(network.broadcast_address)) < last}
    )
    parts: dict[frozenset[IpNetwork], Any] = {}
    for border in borders:
        here = address(border)
        parts.setdefault(frozenset(network for network in networks if here in network), here)
    return list(parts.values())


def _named_endpoints(named_in: Iterable[Statement]) -> Iterator[str]:
    """The VPC endpoints with which statements compare a request's; one for each pattern."""
    for statement in named_in:
        for condition in statement.conditions:
            if condition.key == "aws:sourcevpce":
                yield from (value.replace("*", "x").replace("?", "x") for value in condition.values)


def named_networks(named_in: Iterable[Statement]) -> Iterator[IpNetwork]:
    """The networks with which statements compare a request's address."""
    for statement in named_in:
        for condition in statement.conditions:
            if condition.key == "aws:sourceip" and condition.operator in ("IpAddress", "NotIpAddress"):
                yield from map(operators.network, condition.values)


def statements(model: Model) -> Iterator[Statement]:
    """Every statement of every policy: of identities, of their trust, of resources and of APIs, with repetition."""
    of_identities = ((*identity.evaluated, identity.trust) for identity in model.identities)
    of_others = (owned.policy for kind in (model.resources, model.methods) for owned in kind)
    for policy in (*chain.from_iterable(of_identities), *of_others):
        yield from policy.statements if policy is not None else ()
