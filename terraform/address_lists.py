"""Terraform expressions of lists of addresses: what stacks write and what those who check them expect."""

import re
from collections.abc import Sequence

_SINGLE_ADDRESSES = re.compile(
    r'\$\{\[for address in (?:values\(([^\s()]+)\)|\[([^\s\[\]]+)\]) : "\$\{address\}/32"\]\}'
)


def single_addresses(listed: str) -> str:
    """The networks of the addresses that the expression `listed` lists, one /32 each."""
    return f'[for address in {listed} : "${{address}}/32"]'


def listed_by(expression: str) -> str | None:
    """What an expression of `single_addresses`, written `${…}`, lists: `X` of `values(X)` or `[X]`, else None."""
    found = _SINGLE_ADDRESSES.fullmatch(expression)
    return None if found is None else found[1] or found[2]


OVERLAP = "Two networks overlap if one of them holds the first address of the other."


def overlap(network: str, other: str) -> str:
    """Whether two networks overlap."""

    def holds(wide: str, narrow: str) -> str:
        return f'cidrhost("${{cidrhost({narrow}, 0)}}/${{split("/", {wide})[1]}}", 0) == cidrhost({wide}, 0)'

    return f"{holds(network, other)} || {holds(other, network)}"


def no_overlap(own: str, others: Sequence[str]) -> str:
    """Whether no network in the list `own` overlaps with one in the lists `others`, written `${…}`.

    It is not so if one of them is no network. Without `try`, Terraform would show an error for each pair with it.
    """
    listed = others[0] if len(others) == 1 else f"concat({', '.join(others)})"
    pairs = f"for pair in setproduct({own}, {listed}) : {overlap('pair[0]', 'pair[1]')}"
    return f"${{try(!anytrue([{pairs}]), false)}}"


ROOM_CIDRS = "room_cidrs"
"""The local value with the networks of every room, by its name; a room behind VPC endpoints has none."""


ROOM_ENDPOINTS = "room_endpoints"
"""The local value with the VPC endpoints of every room, by its name; a room that works from networks has none."""


def of_room(room: str) -> str:
    """The networks of a room."""
    return f'local.{ROOM_CIDRS}["{room}"]'


def of_other_rooms(room: str) -> str:
    """The networks of all rooms but one."""
    return f'flatten([for room, cidrs in local.{ROOM_CIDRS} : cidrs if room != "{room}"])'


def of_all_rooms() -> str:
    """The networks of all rooms."""
    return f"flatten(values(local.{ROOM_CIDRS}))"


def endpoints_of_all_rooms() -> str:
    """The VPC endpoints of all rooms."""
    return f"flatten(values(local.{ROOM_ENDPOINTS}))"


_WELL_FORMED = "cidrsubnet(own, 0, 0) == own && can(cidrnetmask(own))"


def room_is_well_formed(room: str) -> str:
    """Whether a room has IPv4 networks only, with their prefix and nothing behind it, written `${…}`."""
    return f"${{alltrue([for own in {of_room(room)} : try({_WELL_FORMED}, false)])}}"


def room_is_public(room: str) -> str:
    """Whether AWS can see every network of a room as a source, or it has none, written `${…}`."""
    is_public = f'(split("/", own)[1] == "0" || !{never_public("own")})'
    return f"${{alltrue([for own in {of_room(room)} : try({_WELL_FORMED} && {is_public}, false)])}}"


def room_is_at_most(room: str, most: int) -> str:
    """Whether the networks of a room have together no more addresses than `most`, written `${…}`."""
    sizes = f'[for own in {of_room(room)} : pow(2, 32 - split("/", own)[1])]'
    return f"${{try(sum(concat([0], {sizes})) <= {most}, false)}}"


def has_own_endpoints(room: str, others: Sequence[str]) -> str:
    """Whether no VPC endpoint of a room is one of another room or of `others`, written `${…}`."""
    named = "".join(f', "{endpoint}"' for endpoint in others)
    elsewhere = f'[for room, ids in local.{ROOM_ENDPOINTS} : ids if room != "{room}"]'
    elsewhere = f"flatten([{elsewhere}{named}])" if named else f"flatten({elsewhere})"
    return f'${{alltrue([for id in local.{ROOM_ENDPOINTS}["{room}"] : !contains({elsewhere}, id)])}}'


def has_one_source(room: str) -> str:
    """Whether a room has either networks or VPC endpoints, written `${…}`."""
    return f'${{(length({of_room(room)}) > 0) != (length(local.{ROOM_ENDPOINTS}["{room}"]) > 0)}}'


def kept_apart_by(condition: str) -> tuple[str, list[str]] | None:
    """The list of a condition of `no_overlap`, and those that it is kept apart from; None for any other condition."""
    found = re.search(r"setproduct\((.+?), (?:concat\((.+?)\)|(\S+))\) : cidrhost", condition)
    if found is None:
        return None
    own, others = found[1], (found[2] or found[3]).split(", ")
    written = no_overlap(own, others)
    # Older releases wrote it without `try`: what they applied is compared with what this one plans.
    older = written.replace("try(", "", 1).removesuffix(", false)}") + "}"
    return (own, others) if condition in (written, older) else None


# The list in settings.addresses, as a regular expression for Terraform.
_NEVER_PUBLIC = (
    r"^(0|10|127|22[4-9]|2[34][0-9]|25[0-5])\\.|^100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.|^169\\.254\\."
    r"|^172\\.(1[6-9]|2[0-9]|3[01])\\.|^192\\.168\\.|^192\\.0\\.0\\.|^198\\.1[89]\\."
)


def never_public(network: str) -> str:
    """Whether AWS can never see an address of a network as a source."""
    return f'can(regex("{_NEVER_PUBLIC}", {network}))'


def all_public(networks: str) -> str:
    """Whether networks of `single_addresses` are any, and all of them IPv4 and public, written `${…}`."""
    listed = networks.removeprefix("[for address in ").removesuffix(' : "${address}/32"]')
    if single_addresses(listed) != networks:
        raise ValueError(f"{networks} is no list of single addresses")
    is_ipv4 = 'cidrhost("${address}/32", 0) == address && can(cidrnetmask("${address}/32"))'
    is_public = f"{is_ipv4} && !{never_public('address')}"
    # The list is named once: cdktf resolves no second reference behind a quoted `${…}`.
    return f"${{toset([for address in {listed} : try({is_public}, false)]) == toset([true])}}"


def every_network(variable: str, condition: str) -> str:
    """Whether `condition` can be evaluated and holds for every `cidr` in a variable."""
    return f"alltrue([for cidr in var.{variable} : try({condition}, false)])"


def not_empty(variable: str) -> str:
    """Whether a variable has networks."""
    return f"length(var.{variable}) > 0"


def well_formed(variable: str) -> str:
    """Whether a variable has IPv4 networks only, with their prefix and nothing behind it."""
    return every_network(variable, "cidrsubnet(cidr, 0, 0) == cidr && can(cidrnetmask(cidr))")


MOST_ADDRESSES = 1 << 24
"""The most public addresses of an allow-list: those of one /8, the widest network that it may have."""


def at_most(variable: str, most: int) -> str:
    """Whether the networks in a variable have together no more public addresses than `most`."""
    size = 'pow(2, 32 - split("/", cidr)[1])'
    sizes = f"[for cidr in var.{variable} : {size} if !{never_public('cidr')}]"
    return f"try(sum(concat([0], {sizes})) <= {most}, false)"


def only_public(variable: str) -> str:
    """Whether AWS can see every network in a variable as a source; the whole internet counts as such."""
    everywhere = 'split("/", cidr)[1] == "0"'
    return every_network(variable, f"{everywhere} || !{never_public('cidr')}")


def apart(variable: str, networks: Sequence[str]) -> str:
    """Whether no network in a variable overlaps with one of these."""
    listed = ", ".join(f'"{network}"' for network in networks)
    return no_overlap(f"var.{variable}", [f"[{listed}]"]).removeprefix("${").removesuffix("}")


def apart_from(condition: str, variable: str) -> list[str]:
    """The networks of a condition of `apart`; none for any other condition."""
    networks = re.findall(r'"(\d[\d./]+)"', condition)
    return networks if networks and condition == apart(variable, networks) else []


def none_wider(variable: str, prefix: int) -> str:
    """Whether no network in a variable has a shorter prefix."""
    return every_network(variable, f'split("/", cidr)[1] >= {prefix}')
