"""Dangerous changes of networks, and of what is reachable from them."""

from typing import Any

from tests.ops.review.dangerous.row import Row, removed
from tests.ops.review.rule_cases import PlannedChange, created, updated
from tests.terraform.plans import change


def rule_of_group(kind: str, **more: Any) -> PlannedChange:
    return created(f"aws_vpc_security_group_{kind}_rule", ip_protocol="tcp", from_port=443, to_port=443, **more)


def wider_rule(**more: Any) -> PlannedChange:
    before = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv4": "192.0.2.0/24"}
    return change("aws_vpc_security_group_ingress_rule.it", "update", before, before | more)


def opened_group(side: str, **rule: Any) -> PlannedChange:
    return updated("aws_security_group", side, [], [{"protocol": "tcp", "from_port": 22, "to_port": 22, **rule}])


WORLD: list[Row] = [
    ("world-let-in", "SSH from everywhere", [rule_of_group("ingress", cidr_ipv4="0.0.0.0/0")]),
    ("world-let-in", "HTTPS from every IPv6 address", [rule_of_group("ingress", cidr_ipv6="::/0")]),
    (
        "world-let-in",
        "a rule is widened to the world",
        [updated("aws_vpc_security_group_ingress_rule", "cidr_ipv4", "192.0.2.0/24", "0.0.0.0/0")],
    ),
    ("more-let-in", "half of the internet", [rule_of_group("ingress", cidr_ipv4="0.0.0.0/1")]),
    ("world-let-in", "inline in a security group", [opened_group("ingress", cidr_blocks=["0.0.0.0/0"])]),
    ("world-let-in", "inline for IPv6", [opened_group("ingress", ipv6_cidr_blocks=["::/0"])]),
    (
        "world-let-in",
        "an old kind of rule",
        [created("aws_security_group_rule", type="ingress", protocol="-1", cidr_blocks=["0.0.0.0/0"])],
    ),
    (
        "world-let-in",
        "a network ACL",
        [created("aws_network_acl_rule", egress=False, rule_action="allow", protocol="-1", cidr_block="0.0.0.0/0")],
    ),
    (
        "world-let-in",
        "the default security group",
        [updated("aws_default_security_group", "ingress", [], [{"protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}])],
    ),
    ("more-let-in", "another network", [rule_of_group("ingress", cidr_ipv4="192.0.2.0/24")]),
    ("more-let-in", "another security group", [rule_of_group("ingress", referenced_security_group_id="sg-1")]),
    ("more-let-in", "a prefix list", [rule_of_group("ingress", prefix_list_id="pl-1")]),
    ("more-let-in", "more ports", [wider_rule(to_port=65535)]),
    ("more-let-in", "every protocol", [wider_rule(ip_protocol="-1")]),
    ("world-let-out", "out to everywhere", [rule_of_group("egress", cidr_ipv4="0.0.0.0/0")]),
    ("world-let-out", "out to every IPv6 address", [rule_of_group("egress", cidr_ipv6="::/0")]),
    ("world-let-out", "inline in a security group", [opened_group("egress", cidr_blocks=["0.0.0.0/0"])]),
    (
        "world-let-out",
        "a network ACL",
        [created("aws_network_acl_rule", egress=True, rule_action="allow", protocol="-1", cidr_block="0.0.0.0/0")],
    ),
]

EVERYTHING = {"protocol": "-1", "cidr_block": "0.0.0.0/0"}


# What a rule of a network ACL was, before it allows everything inbound.
ACL_BEFORE: dict[str, dict[str, Any]] = {
    "allows what it denied": {"rule_action": "deny"},
    "allows inbound what it allowed outbound": {"egress": True},
    "allows all ports": {"protocol": "6", "from_port": 443, "to_port": 443},
    "is another one": {"network_acl_id": "acl-1"},
}


def replaced(kind: str, before: dict[str, Any], after: dict[str, Any]) -> PlannedChange:
    return change(f"{kind}.it", ["delete", "create"], before, after)


def of_acl(**more: Any) -> dict[str, Any]:
    return {"egress": False, "rule_action": "allow", **EVERYTHING, **more}


def open_rule(kind: str, name: str, **known: Any) -> PlannedChange:
    return change(f"{kind}.it", "create", None, {"protocol": "-1", **known}, unknown={name: True})


MOVED: list[Row] = [
    (
        "world-let-in",
        "a network ACL, for IPv6",
        [created("aws_network_acl_rule", egress=False, rule_action="allow", protocol="-1", ipv6_cidr_block="::/0")],
    ),
    *[
        ("world-let-in", f"a network ACL {what}", [replaced("aws_network_acl_rule", of_acl(**before), of_acl())])
        for what, before in ACL_BEFORE.items()
    ],
    (
        "world-let-in",
        "inline in a network ACL",
        [updated("aws_network_acl", "ingress", [], [{"action": "allow", **EVERYTHING}])],
    ),
    (
        "world-let-in",
        "a rule allows inbound what it allowed outbound",
        [
            replaced(
                "aws_security_group_rule",
                {"type": "egress", "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]},
                {"type": "ingress", "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]},
            )
        ],
    ),
    (
        "world-let-in",
        "a rule belongs to another group",
        [
            replaced(
                "aws_vpc_security_group_ingress_rule",
                {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0", "security_group_id": "sg-1"},
                {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0", "security_group_id": "sg-2"},
            )
        ],
    ),
    ("more-let-out", "out to half of the internet", [rule_of_group("egress", cidr_ipv4="0.0.0.0/1")]),
    ("more-let-out", "out to one address", [rule_of_group("egress", cidr_ipv4="203.0.113.9/32")]),
    ("more-let-out", "out, inline", [opened_group("egress", cidr_blocks=["0.0.0.0/1", "128.0.0.0/1"])]),
    *[
        (f"more-let-{way}", f"{way}: {name} of {kind} is not known", [open_rule(kind, name, **known)])
        for way, kind, name, known in (
            ("in", "aws_vpc_security_group_ingress_rule", "cidr_ipv4", {}),
            ("in", "aws_security_group_rule", "cidr_blocks", {"type": "ingress"}),
            ("in", "aws_security_group_rule", "type", {"cidr_blocks": ["192.0.2.0/24"]}),
            ("in", "aws_security_group_rule", "self", {"type": "ingress"}),
            ("in", "aws_network_acl_rule", "ipv6_cidr_block", {"rule_action": "allow"}),
            ("in", "aws_network_acl_rule", "rule_action", {"cidr_block": "192.0.2.0/24"}),
            ("in", "aws_network_acl_rule", "egress", {"cidr_block": "192.0.2.0/24"}),
            ("out", "aws_network_acl_rule", "egress", {"cidr_block": "192.0.2.0/24"}),
            ("out", "aws_vpc_security_group_egress_rule", "cidr_ipv4", {}),
            ("out", "aws_security_group", "egress", {}),
        )
    ],
]

WAYS: list[Row] = [
    ("way-new", f"{kind} is created", [created(kind, **arguments)])
    for kind, arguments in {
        "aws_vpc_peering_connection": {"peer_vpc_id": "vpc-1"},
        "aws_vpc_peering_connection_accepter": {"vpc_peering_connection_id": "pcx-1"},
        "aws_ec2_transit_gateway_vpc_attachment": {"vpc_id": "vpc-1"},
        "aws_vpn_gateway": {"vpc_id": "vpc-1"},
        "aws_vpn_connection": {"type": "ipsec.1"},
        "aws_dx_gateway_association": {"dx_gateway_id": "x"},
        "aws_internet_gateway": {"vpc_id": "vpc-1"},
        "aws_nat_gateway": {"subnet_id": "subnet-1"},
        "aws_egress_only_internet_gateway": {"vpc_id": "vpc-1"},
        "aws_ec2_client_vpn_endpoint": {"client_cidr_block": "10.0.0.0/22"},
        "aws_route": {"destination_cidr_block": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1"},
        "aws_vpc_endpoint": {"service_name": "com.amazonaws.vpce.ap-northeast-1.vpce-svc-1"},
        "aws_vpclattice_service_network_vpc_association": {"vpc_identifier": "vpc-1"},
    }.items()
]
WAYS += [
    (
        "way-new",
        "a route to a prefix list",
        [created("aws_route", destination_prefix_list_id="pl-1", gateway_id="igw-1")],
    ),
    (
        "way-new",
        "a route to what is not known",
        [change("aws_route.it", "create", None, {"gateway_id": "igw-1"}, unknown={"destination_cidr_block": True})],
    ),
    (
        "way-new",
        "a route to a gateway that is not known",
        [
            change(
                "aws_route.it",
                "update",
                {"destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"},
                {"destination_cidr_block": "0.0.0.0/0"},
                unknown={"nat_gateway_id": True},
            )
        ],
    ),
    (
        "way-new",
        "a route in a table",
        [created("aws_route_table", route=[{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}])],
    ),
    (
        "way-new",
        "a route in a table to another VPC",
        [
            updated(
                "aws_route_table",
                "route",
                [{"cidr_block": "10.0.0.0/8", "nat_gateway_id": "nat-1"}],
                [{"cidr_block": "10.0.0.0/8", "vpc_peering_connection_id": "pcx-1"}],
            )
        ],
    ),
    (
        "way-new",
        "routes in a table that are not known",
        [change("aws_route_table.it", "create", None, {}, unknown={"route": True})],
    ),
]

# Each setting that blocks public access, with nothing known of it.
OPEN: list[Row] = [
    (
        "opened",
        f"{kind} may be public: {name} is not known",
        [change(f"{kind}.it", action, before, {}, unknown={name: True})],
    )
    for kind, name, was in (
        ("aws_s3_bucket_public_access_block", "block_public_policy", True),
        ("aws_s3_account_public_access_block", "block_public_policy", True),
        ("aws_lb", "internal", True),
        ("aws_instance", "associate_public_ip_address", False),
        ("aws_s3_bucket_acl", "acl", "private"),
    )
    for action, before in (("create", None), ("update", {name: was}))
]

OPENED: list[Row] = [
    *OPEN,
    (
        "opened",
        "an API method may need no key",
        [
            change(
                "aws_api_gateway_method.it",
                "update",
                {"api_key_required": True},
                {},
                unknown={"api_key_required": True},
            )
        ],
    ),
    (
        "metadata-opened",
        "a server's metadata may need no token",
        [
            change(
                "aws_instance.it",
                "update",
                {"metadata_options": [{"http_tokens": "required"}]},
                {"metadata_options": [{}]},
                unknown={"metadata_options": [{"http_tokens": True}]},
            )
        ],
    ),
    *[
        ("opened", f"{name} is turned off", [updated("aws_s3_bucket_public_access_block", name, True, False)])
        for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    ],
    ("opened", "nothing blocks public access any more", [removed("aws_s3_bucket_public_access_block")]),
    ("opened", "the whole account's block is destroyed", [removed("aws_s3_account_public_access_block")]),
    ("opened", "a load balancer becomes public", [updated("aws_lb", "internal", True, False)]),
    ("opened", "a database becomes public", [updated("aws_db_instance", "publicly_accessible", False, True)]),
    ("opened", "a subnet gives public addresses", [updated("aws_subnet", "map_public_ip_on_launch", False, True)]),
    ("opened", "a server gets a public address", [updated("aws_instance", "associate_public_ip_address", False, True)]),
    (
        "opened",
        "a build project becomes public",
        [updated("aws_codebuild_project", "project_visibility", "PRIVATE", "PUBLIC_READ")],
    ),
    ("opened", "a bucket's ACL is public", [created("aws_s3_bucket_acl", acl="public-read")]),
    (
        "opened",
        "an API method needs no signature",
        [updated("aws_api_gateway_method", "authorization", "AWS_IAM", "NONE")],
    ),
    ("opened", "an API method needs no key", [updated("aws_api_gateway_method", "api_key_required", True, False)]),
    ("opened", "a function has a public URL", [created("aws_lambda_function_url", authorization_type="NONE")]),
    ("opened", "a VPC may block public access no longer", [removed("aws_vpc_block_public_access_options")]),
    (
        "metadata-opened",
        "a server's metadata needs no token",
        [updated("aws_instance", "metadata_options", [{"http_tokens": "required"}], [{"http_tokens": "optional"}])],
    ),
    (
        "metadata-opened",
        "a template's metadata needs no token",
        [
            updated(
                "aws_launch_template", "metadata_options", [{"http_tokens": "required"}], [{"http_tokens": "optional"}]
            )
        ],
    ),
    (
        "metadata-opened",
        "containers on a server read its metadata",
        [
            updated(
                "aws_instance",
                "metadata_options",
                [{"http_tokens": "required", "http_put_response_hop_limit": 1}],
                [{"http_tokens": "required", "http_put_response_hop_limit": 2}],
            )
        ],
    ),
]


def placed_after_apply(kind: str, name: str, before: dict[str, Any]) -> PlannedChange:
    return change(f"{kind}.it", "update", before, {}, unknown={name: True})


PLACED: list[Row] = [
    ("placed-elsewhere", what, [found])
    for what, found in {
        "a load balancer gets its first group": updated("aws_lb", "security_groups", [], ["sg-1"]),
        "a load balancer gets another group": updated("aws_lb", "security_groups", ["sg-1"], ["sg-2"]),
        "a server gets a group that only the apply knows": placed_after_apply(
            "aws_instance", "vpc_security_group_ids", {"vpc_security_group_ids": ["sg-1"]}
        ),
        "a server gets another subnet": replaced("aws_instance", {"subnet_id": "s-1"}, {"subnet_id": "s-2"}),
        "builds get another network": updated(
            "aws_codebuild_project",
            "vpc_config",
            [{"vpc_id": "v", "subnets": ["s-1"], "security_group_ids": ["sg-1"]}],
            [{"vpc_id": "v", "subnets": ["s-1", "s-2"], "security_group_ids": ["sg-1"]}],
        ),
        "a subnet gets another route table": updated("aws_route_table_association", "route_table_id", "r-1", "r-2"),
        "a VPC gets another main route table": created("aws_main_route_table_association", route_table_id="r-2"),
        "proxies get another subnet": updated("aws_autoscaling_group", "vpc_zone_identifier", ["s-1"], ["s-2"]),
        "servers of a template get another group": updated(
            "aws_launch_template",
            "network_interfaces",
            [{"security_groups": ["sg-1"]}],
            [{"security_groups": ["sg-2"]}],
        ),
        "a name leads to another address": updated("aws_route53_record", "records", ["192.0.2.1"], ["192.0.2.2"]),
        "a name is another name": updated("aws_route53_record", "name", "a", "b"),
        "a new record may overwrite one": created("aws_route53_record", name="a", allow_overwrite=True),
        "a listener forwards to others": updated(
            "aws_lb_listener", "default_action", [{"target_group_arn": "a"}], [{"target_group_arn": "b"}]
        ),
        "a listener redirects": updated(
            "aws_lb_listener", "default_action", [{"type": "forward"}], [{"type": "redirect"}]
        ),
        "another server gets the requests": updated("aws_lb_target_group_attachment", "target_id", "i-1", "192.0.2.1"),
        "a further server gets requests": created(
            "aws_lb_target_group_attachment", target_group_arn="arn:of:it", target_id="192.0.2.1"
        ),
        "a further server gets requests of a group that cannot be read": change(
            "aws_lb_target_group_attachment.it",
            "create",
            None,
            {"target_id": "i-1"},
            unknown={"target_group_arn": True},
        ),
        "machines ask another name server": replaced(
            "aws_vpc_dhcp_options",
            {"domain_name_servers": ["AmazonProvidedDNS"]},
            {"domain_name_servers": ["192.0.2.1"]},
        ),
        "a network gets other name servers": created(
            "aws_vpc_dhcp_options_association", vpc_id="vpc-1", dhcp_options_id="dopt-1"
        ),
        "an address leads to another server": updated("aws_eip_association", "instance_id", "i-1", "i-2"),
        "names are asked elsewhere": updated(
            "aws_route53_resolver_rule", "target_ip", [{"ip": "192.0.2.1"}], [{"ip": "192.0.2.2"}]
        ),
        "a name leads to another load balancer": updated(
            "aws_route53_record", "alias", [{"name": "a"}], [{"name": "b"}]
        ),
    }.items()
]

ENCRYPTED: list[Row] = [
    ("encryption-lifted", what, [updated("aws_lb_listener", name, before, after)])
    for what, name, before, after in [
        ("older TLS", "ssl_policy", "ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08"),
        ("another certificate", "certificate_arn", "arn:a", "arn:b"),
        ("no TLS", "protocol", "HTTPS", "HTTP"),
    ]
]

ROWS = [*WORLD, *MOVED, *WAYS, *OPENED, *PLACED, *ENCRYPTED]
