"""Decides which findings about new stacks say only that something is new."""

from collections.abc import Sequence

from iam.operators import IpNetwork, is_private, is_world, network
from iam.statements import UnsupportedError
from ops.review.access_table import Origins, table
from ops.review.new_stacks import API_POLICY, ATTACHING, new_stacks
from ops.review.rule import Plans, ReviewFinding


def only_identity(plans: Plans, finding: ReviewFinding) -> bool:
    """A new user or role that keeps the promises."""
    new = new_stacks(plans)
    change = new.found(finding)
    return change is not None and change.type in ("aws_iam_user", "aws_iam_role") and new.is_sound(change)


def _networks(origins: Origins) -> list[IpNetwork]:
    return [origin.network for origin in origins if origin.network is not None]


def _overlap(place: IpNetwork, others: Sequence[IpNetwork]) -> bool:
    return any(other.version == place.version and other.overlaps(place) for other in others)


def only_policy(plans: Plans, finding: ReviewFinding) -> bool:
    """A new policy of such an identity, or one that lets in nobody but services for the same account."""
    new = new_stacks(plans)
    change = new.found(finding)
    try:
        return change is not None and new.is_policy_sound(change)
    except (UnsupportedError, ValueError):
        return False


def only_attachment(plans: Plans, finding: ReviewFinding) -> bool:
    """A policy of a new role that keeps the promises, which say what AWS's own it may have."""
    new = new_stacks(plans)
    change = new.found(finding)
    return change is not None and change.type in ATTACHING.values() and new.is_owner_sound(change)


def only_fenced(plans: Plans, finding: ReviewFinding) -> bool:
    """A new API, or a method of one, whose policy lets in given networks alone."""
    new = new_stacks(plans)
    change = new.found(finding)
    try:
        return change is not None and change.type in (API_POLICY, "aws_api_gateway_method") and new.is_fenced(change)
    except (UnsupportedError, ValueError):
        return False


def only_way(plans: Plans, finding: ReviewFinding) -> bool:
    """A connection of a new network."""
    change = new_stacks(plans).found(finding)
    return change is not None and change.type in ("aws_internet_gateway", "aws_nat_gateway", "aws_route")


def only_listed_source(plans: Plans, finding: ReviewFinding) -> bool:
    """Traffic to a new group from a network that is neither very large nor one from which people use Git."""
    change = new_stacks(plans).found(finding)
    if change is None or change.type != "aws_vpc_security_group_ingress_rule":
        return False
    try:
        source = network(str(change.after.get("cidr_ipv4")))
    except ValueError:
        return False
    return is_private(source) or not (is_world(source) or _overlap(source, _networks(table(plans).origins)))


def only_near_target(plans: Plans, finding: ReviewFinding) -> bool:
    """Traffic from a new group to a private network, or to the prefix list of an endpoint in another stack."""
    change = new_stacks(plans).found(finding)
    if change is None or change.type != "aws_vpc_security_group_egress_rule":
        return False
    if change.after.get("prefix_list_id"):
        return change.references.is_output(change, "prefix_list_id")
    try:
        return is_private(network(str(change.after.get("cidr_ipv4"))))
    except ValueError:
        return False


def only_handed_over(plans: Plans, finding: ReviewFinding) -> bool:
    """A new server that gets a new address or a new volume."""
    change = new_stacks(plans).found(finding)
    return change is not None and change.type in ("aws_eip_association", "aws_volume_attachment")


def only_creation(plans: Plans, finding: ReviewFinding) -> bool:
    """The creation of an object that belongs to new ones alone."""
    return new_stacks(plans).found(finding) is not None
