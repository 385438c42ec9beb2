"""IPv4 networks in a deployment file: any, one in a VPC, or one of public addresses."""

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from errors.shown import shown
from settings.addresses import ALLOW_LIST_PREFIX, hostless_part, never_public_part
from settings.problems import refuse


def _network(value: Any) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise refuse(
            f"{shown(value)} is not an IPv4 network", "write an address with a prefix, for example 198.51.100.7/32"
        )
    address, slash, prefix = value.partition("/")
    if ":" in address:
        raise refuse(f"{shown(value)} is not an IPv4 network", "write an IPv4 network: IPv6 is not supported")
    try:
        network = IPv4Network(f"{address}/32")
    except (AddressValueError, NetmaskValueError):
        hint = "write four numbers of 0 to 255 and a prefix, for example 198.51.100.7/32"
        raise refuse(f"{shown(value)} is not an IPv4 network", hint) from None
    if not slash:
        raise refuse(f"{shown(value)} has no prefix", f"write {network} for one address")
    # IPv4Network takes a netmask as well (198.51.100.0/255.255.255.0): AWS does not.
    if not re.fullmatch(r"[0-9]|[12][0-9]|3[0-2]", prefix):
        hint = "write an address with a prefix of 0 to 32, for example 198.51.100.7/32"
        raise refuse(f"{shown(value)} is not an IPv4 network", hint)
    network = IPv4Network(value, strict=False)
    if str(network) != value:
        raise refuse(f"{shown(value)} has bits set behind its prefix", f"write {network} for the network")
    return network


def _public(network: IPv4Network) -> IPv4Network:
    private = never_public_part(network)
    # A wider network is not a mistyped address: it needs a reason in open_to_the_world_because.
    if private is not None and network.prefixlen >= ALLOW_LIST_PREFIX:
        what = "is private" if private == network else f"includes the private '{private}'"
        hint = "write the public address the traffic leaves from, for example that of a NAT gateway"
        raise refuse(f"'{network}' {what}: AWS only ever sees public source addresses", hint)
    return network


def _in_a_vpc(network: IPv4Network) -> IPv4Network:
    if not 16 <= network.prefixlen <= 28:
        raise refuse(f"'{network}' has a prefix of {network.prefixlen}", "AWS takes networks of /16 to /28")
    if hostless_part(network):
        raise refuse(
            f"'{network}' includes addresses that no machine can have", "use private ones, for example 10.0.0.0/16"
        )
    if never_public_part(network) != network:
        # Whoever has such an address on the internet would count as a machine in the VPC.
        raise refuse(f"'{network}' is public", "use private addresses for a VPC, for example 10.0.0.0/16")
    return network


def _with_hosts(network: IPv4Network) -> IPv4Network:
    # A wider network is not a mistyped address: it needs a reason in open_to_the_world_because.
    if network.prefixlen >= ALLOW_LIST_PREFIX and hostless_part(network):
        raise refuse(
            f"'{network}' includes addresses that no machine can have", "write the addresses that connections come from"
        )
    return network


Cidr = Annotated[
    IPv4Network,
    BeforeValidator(_network),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])$"}),
]
SubnetCidr = Annotated[
    Cidr,
    AfterValidator(_in_a_vpc),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/(1[6-9]|2[0-8])$"}),
]
HostCidr = Annotated[Cidr, AfterValidator(_with_hosts)]
PublicCidr = Annotated[Cidr, AfterValidator(_public)]
