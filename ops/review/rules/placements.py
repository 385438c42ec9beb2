"""Rules about the networks in which existing objects are, and about the names that lead to them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.rule import Plans, ReviewedChange, ReviewFinding, rule
from ops.review.text import line, origin, shown
from ops.review.translatable import said
from terraform.plan import Action
from terraform.plan_configuration import module_of
from terraform.plan_values import KnownAfterApply, Sensitive, any_marked

# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-29
_PLACING = frozenset(
    {
        *("network_interface_id", "route_table_id", "route_table_ids", "security_group_ids", "security_groups"),
        *("subnet_id", "subnet_ids", "subnet_mapping", "subnets", "transit_gateway_route_table_id", "vpc_id"),
        *("vpc_security_group_ids", "vpc_zone_identifier"),
    }
)
"""The arguments, at any depth, that place an object behind security groups, in subnets and in route tables."""

_READ_ELSEWHERE = ("aws_security_group", "aws_default_security_group")
"""Their `security_groups` are sources and destinations, which other rules read."""

# An endpoint's own policy and security groups decide who reaches what through it; its subnets and tables are its VPC's.
_ENDPOINTS = ("aws_vpc_endpoint", ("subnet_ids", "route_table_ids"))

_LEADING = {
    "aws_alb_listener": ("default_action",),
    "aws_alb_target_group_attachment": ("target_id", "target_group_arn"),
    "aws_eip_association": ("instance_id", "network_interface_id", "private_ip_address"),
    "aws_lb_listener": ("default_action",),
    "aws_lb_listener_rule": ("action",),
    "aws_lb_target_group_attachment": ("target_id", "target_group_arn"),
    "aws_route53_record": ("records", "alias", "name", "zone_id"),
    "aws_route53_resolver_rule": ("target_ip", "domain_name"),
    "aws_vpc_dhcp_options": ("domain_name", "domain_name_servers", "ntp_servers"),
    "aws_vpc_dhcp_options_association": ("dhcp_options_id", "vpc_id"),
}
"""By type: the arguments that say where clients that use a name or an address arrive."""

_JOINING = {
    "aws_alb_target_group_attachment": "target_group_arn",
    "aws_lb_target_group_attachment": "target_group_arn",
    "aws_vpc_dhcp_options_association": "vpc_id",
}
"""By type: the argument that names what exists already, and leads elsewhere once the object is created."""


@rule(
    id="placed-elsewhere",
    what="An existing object gets another security group, subnet or route table, or a name leads elsewhere.",
    why="Other rules and routes apply to it; a name decides to whom clients send their data.",
)
def placed_elsewhere(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        if change.is_modified and change.type not in _READ_ELSEWHERE:
            for name in sorted({*change.before, *change.after}):
                for place in [] if _is_of_endpoint(change, name) else _new_places(change, name):
                    shown_place = origin(place) if isinstance(place, KnownAfterApply) else shown(line(place))
                    what = said("gets another {argument}: {place}", argument=shown(name), place=shown_place)
                    yield change.finding(what, name)
        for name in _LEADING.get(change.type, ()) if change.is_modified else ():
            is_open = change.is_open(name) and change.resolved(name) != change.before.get(name)
            if is_open or (change.before.get(name) != change.after.get(name) and not change.unknown(name)):
                yield change.finding(said("leads elsewhere"), name)
        joined = _JOINING.get(change.type)
        if change.action is Action.CREATE and joined and not _is_of_new_object(change, joined):
            yield change.finding(said("leads what exists elsewhere"), joined)
        if change.action is Action.CREATE and change.after.get("allow_overwrite"):
            yield change.finding(said("leads elsewhere: it overwrites a record that may exist"), "allow_overwrite")
        if change.appears and change.type == "aws_main_route_table_association":
            what = said("decides which routes the subnets have that name no route table")
            yield change.finding(what, "route_table_id", "vpc_id")


def _is_of_new_object(change: ReviewedChange, name: str) -> bool:
    """Whether an argument names an object that this plan creates, and nothing else."""
    return change.unknown(name) and change.references.assigned(change, name) is not None


def _is_of_endpoint(change: ReviewedChange, name: str) -> bool:
    kind, names = _ENDPOINTS
    return change.type == kind and name in names


def _new_places(change: ReviewedChange, name: str) -> list[Any]:
    """What an argument places the object in, and did not before."""
    was = _places(change.before.get(name), name in _PLACING)
    found = [place for place in _places(change.after.get(name), name in _PLACING) if place not in was]
    if not _is_open(change.after_unknown, name) or not change.is_configured(name):
        return found
    module = module_of(change.address)
    sources = sorted({*change.references.configuration.references_below(change.address, name)})
    values = {source: change.references.value(module, source) for source in sources}
    found += [KnownAfterApply(source) for source, value in values.items() if value not in was]
    return found if sources else [*found, KnownAfterApply()]


def _places(value: Any, is_place: bool) -> list[Any]:
    match value:
        case Mapping():
            return [place for key, inner in value.items() for place in _places(inner, is_place or key in _PLACING)]
        case list():
            return [place for inner in value for place in _places(inner, is_place)]
        case str() | Sensitive():
            return [value] if is_place and value else []
        case _:
            return []


def _is_open(marks: Any, name: str) -> bool:
    """Whether something that places the object is known after the apply only."""
    below = marks.get(name) if isinstance(marks, Mapping) else marks
    return any_marked(below) if name in _PLACING else _placing_marked(below)


def _placing_marked(marks: Any) -> bool:
    match marks:
        case Mapping():
            return any(any_marked(inner) if key in _PLACING else _placing_marked(inner) for key, inner in marks.items())
        case list():
            return any(map(_placing_marked, marks))
        case _:
            return False
