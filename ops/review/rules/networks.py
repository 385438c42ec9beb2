"""Rules about networks: inbound and outbound traffic, connections, and public access to what a network contains."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ops.review.first_deployment import only_fenced, only_listed_source, only_near_target, only_way
from ops.review.rule import Plans, ReviewedChange, ReviewFinding, rule
from ops.review.rules.removal import ProtectiveSetting, is_now, open_setting, removed, unprotected
from ops.review.rules.traffic import Peer, allowed_newly, arguments
from ops.review.text import code, line, origin, shown
from ops.review.translatable import said
from terraform.plan import Action
from terraform.plan_values import KnownAfterApply, Sensitive


@rule(
    id="world-let-in",
    what="A security group or network ACL allows inbound traffic from the whole internet.",
    why="Anyone who finds the port can try to get in.",
)
def world_let_in(plans: Plans) -> Iterator[ReviewFinding]:
    for traffic in allowed_newly(plans, "ingress"):
        if traffic.is_with_the_world:
            what = said(
                "allows inbound {ports} from {peer}, the whole internet", ports=traffic.ports, peer=shown(traffic.peer)
            )
            yield traffic.change.finding(what, *arguments(traffic.change, "ingress"))


@rule(
    id="more-let-in",
    what="A security group or network ACL allows inbound traffic from another source.",
    why="A security group is a server's first access control.",
    only_new=only_listed_source,
)
def more_let_in(plans: Plans) -> Iterator[ReviewFinding]:
    for traffic in allowed_newly(plans, "ingress"):
        if not traffic.is_with_the_world:
            is_open = isinstance(traffic.peer, KnownAfterApply)
            template = "allows inbound {ports} from {peer}"
            template = (
                "allows inbound {ports} from {peer}, which is known after the apply only" if is_open else template
            )
            what = said(template, ports=traffic.ports, peer=_peer(traffic.peer))
            yield traffic.change.finding(what, *arguments(traffic.change, "ingress"))


@rule(
    id="world-let-out",
    what="A security group or network ACL allows outbound traffic to the whole internet.",
    why="Outbound traffic can carry data out.",
)
def world_let_out(plans: Plans) -> Iterator[ReviewFinding]:
    for traffic in allowed_newly(plans, "egress"):
        if traffic.is_with_the_world:
            what = said(
                "allows outbound {ports} to {peer}, the whole internet", ports=traffic.ports, peer=shown(traffic.peer)
            )
            yield traffic.change.finding(what, *arguments(traffic.change, "egress"))


@rule(
    id="more-let-out",
    what="A security group or network ACL allows outbound traffic to another destination.",
    why="Outbound traffic can carry data out.",
    only_new=only_near_target,
)
def more_let_out(plans: Plans) -> Iterator[ReviewFinding]:
    for traffic in allowed_newly(plans, "egress"):
        if not traffic.is_with_the_world:
            template = (
                "allows outbound {ports} to {peer}, which is known after the apply only"
                if isinstance(traffic.peer, KnownAfterApply)
                else "allows outbound {ports} to {peer}"
            )
            what = said(template, ports=traffic.ports, peer=_peer(traffic.peer))
            yield traffic.change.finding(what, *arguments(traffic.change, "egress"))


def _peer(peer: Peer) -> str:
    return origin(peer) if isinstance(peer, KnownAfterApply) else shown(peer)


# https://docs.aws.amazon.com/vpc/latest/userguide/extend-intro.html
_CONNECTIONS = {
    "aws_internet_gateway": "connects the VPC and the internet",
    "aws_nat_gateway": "allows connections to the internet",
    "aws_egress_only_internet_gateway": "allows connections to the internet",
    "aws_vpc_peering_connection": "connects another VPC",
    "aws_vpc_peering_connection_accepter": "connects another VPC",
    "aws_ec2_transit_gateway_vpc_attachment": "connects other networks",
    "aws_vpn_connection": "connects another network",
    "aws_vpn_gateway": "connects another network",
    "aws_dx_gateway_association": "connects another network",
    "aws_ec2_client_vpn_endpoint": "connects people's machines",
    "aws_vpclattice_service_network_vpc_association": "connects services of other VPCs",
    "aws_vpc_endpoint_service": "allows connections from other accounts",
    "aws_lambda_function_url": "is an address that calls a function",
}

# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/route
_ROUTE_TARGETS = (
    "gateway_id",
    "nat_gateway_id",
    "egress_only_gateway_id",
    "transit_gateway_id",
    "vpc_peering_connection_id",
    "network_interface_id",
)


@rule(
    id="way-new",
    what="A connection between networks is created.",
    why="Networks that were separate may reach each other.",
    only_new=only_way,
)
def way_new(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes(*_CONNECTIONS):
        if change.action is Action.CREATE:
            yield change.finding(said("is new: {what}", what=said(_CONNECTIONS[change.type])))
    for change in plans.changes("aws_vpc_endpoint"):
        service = change.after.get("service_name")
        if change.appears and service != change.before.get("service_name") and not _is_of_aws(service):
            yield change.finding(
                said("connects a service that is not AWS's own: {service}", service=shown(service)), "service_name"
            )
    for change in plans.changes("aws_route"):
        destination = _open(change, *_DESTINATIONS) or _destination(change.after)
        if change.appears and destination is not None and not _is_same_route(change):
            template = "is a changed route to {destination}" if change.before else "is a new route to {destination}"
            what = said(template, destination=shown(destination))
            yield change.finding(what, *_ROUTE_TARGETS, *_DESTINATIONS)
    for change in plans.changes("aws_route_table", "aws_default_route_table"):
        was, now = (_inline_routes(values.get("route")) for values in (change.before, change.after))
        open_route = _open(change, "route")
        for destination in [*(now - was), *([open_route] if open_route else [])] if change.appears else []:
            found = destination[0] if isinstance(destination, tuple) else destination
            yield change.finding(said("has a new route to {destination}", destination=shown(found)), "route")


def _is_of_aws(service: Any) -> bool:
    # https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
    return isinstance(service, str) and service.startswith("com.amazonaws.") and ".vpce." not in service


_DESTINATIONS = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")


def _destination(route: Mapping[str, Any]) -> Any:
    return next((route[name] for name in (*_DESTINATIONS, "cidr_block", "ipv6_cidr_block") if route.get(name)), None)


def _open(change: ReviewedChange, *names: str) -> KnownAfterApply | None:
    """Where the first of these arguments that is open comes from."""
    for name in names:
        if change.is_open(name):
            references = change.references.configuration.references_below(change.address, name)
            return KnownAfterApply(next(iter(sorted({*references})), None))
    return None


def _inline_routes(routes: Any) -> set[tuple[Any, str]]:
    """The routes of a table: the destination of each, and all of it."""
    listed = routes if isinstance(routes, list) else [routes] if isinstance(routes, Sensitive) else []
    return {(_destination(route) if isinstance(route, Mapping) else route, line(route)) for route in listed if route}


def _is_same_route(change: ReviewedChange) -> bool:
    # A replaced gateway has an id that is not known yet: the route still uses the same gateway.
    targets = [name for name in _ROUTE_TARGETS if change.after.get(name) or change.unknown(name)]
    is_open = _open(change, *_DESTINATIONS) is not None
    return (
        not is_open
        and _destination(change.before) == _destination(change.after)
        and all(
            change.before.get(name)
            and change.before[name] == (change.resolved(name) if change.unknown(name) else change.after.get(name))
            for name in targets
        )
    )


class PublicAccessSetting(NamedTuple):
    """A setting that can make an object public: the values that do not, and what any other value means."""

    type: str
    name: str
    closed: tuple[Any, ...]
    otherwise: str


# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-24
_BUCKET, _ACCOUNT = "aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"
_PUBLIC_ACCESS = (
    PublicAccessSetting(_BUCKET, "block_public_acls", (True,), "an ACL may make the bucket public"),
    PublicAccessSetting(_BUCKET, "block_public_policy", (True,), "a policy may make the bucket public"),
    PublicAccessSetting(_BUCKET, "ignore_public_acls", (True,), "public ACLs of the bucket take effect"),
    PublicAccessSetting(_BUCKET, "restrict_public_buckets", (True,), "a public policy of the bucket takes effect"),
    PublicAccessSetting(_ACCOUNT, "block_public_policy", (True,), "a policy may make buckets public"),
    PublicAccessSetting("aws_db_instance", "publicly_accessible", (False, None), "the database has a public address"),
    PublicAccessSetting("aws_redshift_cluster", "publicly_accessible", (False, None), "it has a public address"),
    PublicAccessSetting(
        "aws_ecs_task_definition", "network_mode", ("awsvpc", None), "tasks share the server's network"
    ),
    PublicAccessSetting("aws_eks_cluster", "endpoint_public_access", (False, None), "the cluster's API is public"),
    PublicAccessSetting("aws_lambda_function_url", "authorization_type", ("AWS_IAM",), "anyone can call the function"),
    PublicAccessSetting(
        "aws_api_gateway_method",
        "authorization",
        ("AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"),
        "callers need no authorization",
    ),
    PublicAccessSetting("aws_codebuild_project", "project_visibility", ("PRIVATE", None), "its builds are public"),
    PublicAccessSetting("aws_subnet", "map_public_ip_on_launch", (False, None), "servers in it get public addresses"),
    PublicAccessSetting("aws_instance", "associate_public_ip_address", (False, None), "it has a public address"),
    PublicAccessSetting("aws_lb", "internal", (True,), "the load balancer faces the internet"),
    PublicAccessSetting(
        "aws_sns_topic_subscription", "endpoint_auto_confirms", (False, None), "the receiver confirms by itself"
    ),
)


@rule(
    id="opened",
    what="A setting that blocks public access is turned off.",
    why="The resource is public now, or one more mistake makes it public.",
    only_new=only_fenced,
)
def opened(plans: Plans) -> Iterator[ReviewFinding]:
    for setting in _PUBLIC_ACCESS:
        for change in plans.changes(setting.type):
            if change.appears and _was_closed(change, setting) and change.is_open(setting.name):
                yield open_setting(change, setting.name, setting.otherwise)
            elif change.appears and _opens(change, setting):
                now = code(line(change.after[setting.name]))
                yield change.finding(is_now(setting.otherwise, setting.name, now), setting.name)
    yield from unprotected(plans, (ProtectiveSetting("api_key_required", True, "callers need no key"),))
    yield from removed(plans, _BLOCKS)
    for change in plans.changes("aws_s3_bucket_acl", "aws_s3_bucket"):
        acl = change.after.get("acl")
        if change.appears and isinstance(acl, str) and acl.startswith("public") and acl != change.before.get("acl"):
            yield change.finding(said("its ACL is {acl}: it allows everyone", acl=code(acl)), "acl")
        if change.appears and change.is_open("acl"):
            yield open_setting(change, "acl", "its ACL allows everyone")


_BLOCKS = {
    _BUCKET: "nothing blocks public access to the bucket",
    _ACCOUNT: "nothing blocks public access to the account's buckets",
    "aws_vpc_block_public_access_options": "nothing blocks the VPCs' traffic with the internet",
}


def _opens(change: ReviewedChange, setting: PublicAccessSetting) -> bool:
    is_open = setting.name in change.after and change.after[setting.name] not in setting.closed
    return _was_closed(change, setting) and is_open and not change.unknown(setting.name)


def _was_closed(change: ReviewedChange, setting: PublicAccessSetting) -> bool:
    return not change.before or change.before.get(setting.name) in setting.closed
