"""Traffic that security groups and network ACLs allow, and which of it a change allows newly."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from iam.comparison import WORLD, covered
from ops.review.rule import Plans, ReviewedChange
from ops.review.text import line, plain
from ops.review.translatable import said
from terraform.plan_values import KnownAfterApply, Sensitive

Peer = str | Sensitive | KnownAfterApply
"""The other end of a connection: a network in CIDR notation, the id of a group or a list, or `self`."""

_HOLDERS = ("aws_security_group", "aws_default_security_group", "aws_network_acl", "aws_default_network_acl")

# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-28
_PEERS = (
    *("cidr_block", "cidr_blocks", "cidr_ipv4", "cidr_ipv6", "ipv6_cidr_block", "ipv6_cidr_blocks", "security_groups"),
    *("prefix_list_id", "prefix_list_ids", "referenced_security_group_id", "source_security_group_id"),
)
_PLACE = ("security_group_id", "network_acl_id", "type", "egress", "rule_action")
_ARGUMENTS = (*_PEERS, *_PLACE, "self", "from_port", "to_port", "ip_protocol", "protocol")


@dataclass(frozen=True, kw_only=True)
class AllowedTraffic:
    """Traffic that a change allows newly; `ports` are words for people."""

    change: ReviewedChange
    ports: str
    peer: Peer

    @property
    def is_with_the_world(self) -> bool:
        """Whether the other end is the whole internet."""
        return self.peer in WORLD


class _Traffic(NamedTuple):
    """What one rule allows; `place` is the group or the network ACL, and in which direction."""

    place: tuple[str, ...]
    ports: str
    peer: Peer


def allowed_newly(plans: Plans, direction: str) -> Iterator[AllowedTraffic]:
    """What is newly allowed, by `ingress` or `egress`."""
    rules = (f"aws_vpc_security_group_{direction}_rule", "aws_security_group_rule", "aws_network_acl_rule")
    for change in plans.changes(*_HOLDERS, *rules):
        if change.appears:
            was = set(_traffic(change.type, change.before, direction)) if change.before else set()
            new = set(_traffic(change.type, _after(change), direction)) - was
            for place, ports, peer in sorted(new, key=lambda found: (found.ports, line(found.peer))):
                same = [other.peer for other in was if (other.place, other.ports) == (place, ports)]
                networks = [other for other in same if isinstance(other, str) and "/" in other]
                if not isinstance(peer, str) or not covered(peer, networks):
                    yield AllowedTraffic(change=change, ports=ports, peer=peer)


def arguments(change: ReviewedChange, direction: str) -> tuple[str, ...]:
    """The arguments of a group or of a rule that say which traffic is allowed."""
    return (direction,) if change.type in _HOLDERS else _ARGUMENTS


def _after(change: ReviewedChange) -> Mapping[str, Any]:
    """The values after the apply, with those in it that are open."""
    values = dict(change.after)
    for name in ("ingress", "egress") if change.type in _HOLDERS else _ARGUMENTS:
        if (resolved := change.resolved(name)) is not None and change.unknown(name):
            values[name] = resolved
        elif change.is_open(name):
            references = change.references.configuration.references_below(change.address, name)
            found = [KnownAfterApply(reference) for reference in sorted({*references})] or [KnownAfterApply()]
            known = values.get(name)
            is_listed = change.type in _HOLDERS or name in _PEERS
            values[name] = [*(known if isinstance(known, list) else []), *found] if is_listed else found[0]
    return values


def _traffic(kind: str, values: Mapping[str, Any], direction: str) -> Iterator[_Traffic]:
    place = tuple(line(values.get(name) or None) for name in _PLACE)
    for block in _blocks(kind, values, direction):
        if isinstance(block, Mapping):
            ports = _ports(block)
            yield from (_Traffic(place, ports, peer) for peer in _peers(block))
        else:
            yield _Traffic(place, said("traffic"), block)


def _blocks(kind: str, values: Mapping[str, Any], direction: str) -> Iterator[Mapping[str, Any] | Peer]:
    """What allows traffic in this direction, or may."""
    if kind in _HOLDERS:
        listed = values.get(direction)
        for block in listed if isinstance(listed, list) else [listed]:
            if isinstance(block, Sensitive | KnownAfterApply) or (
                isinstance(block, Mapping) and block.get("action") != "deny"
            ):
                yield block
        return
    other = {"ingress": "egress", "egress": "ingress"}[direction]
    egress = values.get("egress") or False
    is_other = values.get("type") == other or (kind == "aws_network_acl_rule" and egress is (other == "egress"))
    if not is_other and values.get("rule_action") != "deny":
        yield values


def _ports(block: Mapping[str, Any]) -> str:
    protocol = line(block.get("ip_protocol", block.get("protocol", "-1")))
    if protocol in {"-1", "all"}:
        return said("traffic on all ports")
    first, last = (plain(line(block.get(end))) for end in ("from_port", "to_port"))
    if first == last:
        return f"{plain(protocol)} {first}"
    return said("{protocol} {first} to {last}", protocol=plain(protocol), first=first, last=last)


def _peers(block: Mapping[str, Any]) -> Iterator[Peer]:
    for name in _PEERS:
        found = block.get(name)
        listed = found if isinstance(found, list) else [found]
        yield from (peer for peer in listed if isinstance(peer, Sensitive | KnownAfterApply | str) and peer)
    own = block.get("self")
    if own is True or isinstance(own, Sensitive | KnownAfterApply):
        yield "self"
