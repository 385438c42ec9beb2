"""Pure checks on lists of IPv4 networks."""

from collections.abc import Sequence
from ipaddress import IPv4Network, collapse_addresses

WORLD_PREFIX = 8
"""An allow-list that admits a network shorter than this is open to the world, whatever it is called."""

# What aws:SourceIp can never be: https://www.iana.org/assignments/iana-ipv4-special-registry
# The documentation ranges are left out: examples use them, and they admit nobody.
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


def is_never_public(network: IPv4Network) -> bool:
    """Whether no address of `network` can be seen as a source on the internet."""
    return any(network.subnet_of(private) for private in _NEVER_PUBLIC)


def opens_to_the_world(networks: Sequence[IPv4Network]) -> IPv4Network | None:
    """The widest network that `networks` add up to, when it is too wide for an allow-list."""
    widest = min(collapse_addresses(networks), key=lambda network: network.prefixlen, default=None)
    return widest if widest is not None and widest.prefixlen < WORLD_PREFIX else None


def overlaps(networks: Sequence[tuple[str, IPv4Network]]) -> list[tuple[str, str]]:
    """The pairs of names whose networks share an address."""
    return [
        (name, other_name)
        for index, (name, network) in enumerate(networks)
        for other_name, other in networks[index + 1 :]
        if network.overlaps(other)
    ]
