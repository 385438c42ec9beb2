"""Pure checks on IPv4 networks."""

from collections.abc import Sequence
from ipaddress import IPv4Network, collapse_addresses

ALLOW_LIST_PREFIX = 8
"""An allow-list of more addresses than a network of this prefix is open to the world."""

# Networks that aws:SourceIp can never be in: https://www.iana.org/assignments/iana-ipv4-special-registry
# The documentation ranges are left out: examples use them, and no machine has such an address.
_NEVER_PUBLIC = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

# This host, loopback, link-local, multicast, reserved: no machine in a VPC can have such an address.
_NO_HOSTS = tuple(
    IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
)


def never_public_part(network: IPv4Network) -> IPv4Network | None:
    """The part of `network` that no public source address can be in, if any."""
    return _part(network, _NEVER_PUBLIC)


def hostless_part(network: IPv4Network) -> IPv4Network | None:
    """The part of `network` that no machine's address can be in, if any."""
    return _part(network, _NO_HOSTS)


def public_addresses(networks: Sequence[IPv4Network]) -> int:
    """How many public addresses an allow-list of `networks` allows, each counted once."""
    return sum(
        network.num_addresses
        for network in collapse_addresses(networks)
        if not any(network.subnet_of(private) for private in _NEVER_PUBLIC)
    )


def _part(network: IPv4Network, blocks: Sequence[IPv4Network]) -> IPv4Network | None:
    shared = (network if network.subnet_of(block) else block for block in blocks if network.overlaps(block))
    return next(shared, None)
