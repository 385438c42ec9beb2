"""Networks: VPCs, their ways out, security groups and load balancers."""

from iam.known.argument import (
    Arguments,
    each,
    harmless,
    of_this_account,
    one_of,
    output,
    own,
    read_by,
    role_for,
    text,
)

_IN_VPC = own("aws_vpc") | output("vpc_id") | text(r"vpc-[0-9a-f]+", wanted="a VPC's id", why="a VPC of the settings")
SUBNET = (
    own("aws_subnet")
    | output("public_subnet_ids")
    | output("private_subnet_ids")
    | text(r"subnet-[0-9a-f]+", wanted="a subnet's id", why="a subnet of the settings")
)
GROUP = own("aws_security_group")
_RANGES = read_by("the promises rooms-reach-no-git-server and no-group-is-open")
_PORTS = harmless("the ports that a security group's rule is about; whom it lets in decides")
_LOOKS = harmless("what people and bills call it")

_RULE: Arguments = {
    **each(_PORTS, "from_port", "to_port", "ip_protocol"),
    "description": _LOOKS,
    "security_group_id": GROUP,
    "referenced_security_group_id": GROUP,
}

TYPES: dict[str, Arguments] = {
    "aws_vpc": {
        "cidr_block": harmless("private addresses"),
        **each(harmless("names within the VPC"), "enable_dns_hostnames", "enable_dns_support"),
    },
    "aws_subnet": {
        **each(harmless("where in the VPC it is"), "availability_zone", "cidr_block"),
        **each(
            harmless("it refuses a plan, and changes nothing"),
            "lifecycle.postcondition.condition",
            "lifecycle.postcondition.error_message",
        ),
        "vpc_id": own("aws_vpc"),
    },
    "aws_internet_gateway": {"vpc_id": own("aws_vpc")},
    "aws_eip": {"domain": one_of("vpc", why="an address of the VPC")},
    "aws_nat_gateway": {
        "allocation_id": own("aws_eip", "id", "allocation_id")
        | text(
            r"\$\{data\.aws_eip\.[\w-]+\.id\}", wanted="an address of the settings", why="the settings name the address"
        ),
        "subnet_id": own("aws_subnet"),
    },
    "aws_route_table": {"vpc_id": own("aws_vpc")},
    "aws_route_table_association": {"route_table_id": own("aws_route_table"), "subnet_id": own("aws_subnet")},
    "aws_route": {
        "destination_cidr_block": one_of("0.0.0.0/0", why="the way to the internet, not to another network"),
        "gateway_id": own("aws_internet_gateway"),
        "nat_gateway_id": own("aws_nat_gateway"),
        "route_table_id": own("aws_route_table"),
    },
    "aws_vpc_endpoint": {
        "policy": read_by("the promise endpoints-lead-to-this-account"),
        "private_dns_enabled": harmless("which name leads to it"),
        "route_table_ids": own("aws_route_table"),
        "security_group_ids": GROUP,
        "service_name": text(
            r"com\.amazonaws\.(?!vpce\.)[a-z0-9-]+\.[a-z0-9.-]+",
            wanted="a service of AWS",
            why="it leads to AWS, not to another account's service",
        ),
        "subnet_ids": own("aws_subnet"),
        "vpc_endpoint_type": one_of("Interface", "Gateway", why="it leads to AWS"),
        "vpc_id": own("aws_vpc"),
    },
    "aws_flow_log": {
        "iam_role_arn": role_for("vpc-flow-logs.amazonaws.com"),
        "log_destination": own("aws_cloudwatch_log_group", "arn"),
        "log_destination_type": one_of("cloud-watch-logs", why="the log stays in the account"),
        "traffic_type": harmless("which traffic is logged"),
        "vpc_id": own("aws_vpc"),
    },
    "aws_default_security_group": {"vpc_id": own("aws_vpc")},
    "aws_security_group": {"description": _LOOKS, "name": _LOOKS, "vpc_id": _IN_VPC},
    "aws_vpc_security_group_ingress_rule": {**_RULE, "cidr_ipv4": _RANGES, "for_each": _RANGES},
    "aws_vpc_security_group_egress_rule": {
        **_RULE,
        **each(
            harmless("what servers may reach; the proxy's list and the policies decide what goes out"),
            "cidr_ipv4",
            "for_each",
        ),
        "prefix_list_id": output("s3_prefix_list_id"),
    },
    "aws_lb": {
        "enable_cross_zone_load_balancing": harmless("how traffic is spread"),
        "internal": harmless("whether it has public addresses; its security group decides who reaches them"),
        "load_balancer_type": one_of("network", why="its targets' security groups see who calls"),
        "name": _LOOKS,
        "security_groups": GROUP,
        "subnets": SUBNET,
    },
    "aws_lb_listener": {
        "certificate_arn": of_this_account("acm"),
        "default_action.target_group_arn": own("aws_lb_target_group", "arn"),
        "default_action.type": one_of("forward", why="it leads to the stack's own servers"),
        "load_balancer_arn": own("aws_lb", "arn"),
        "port": _PORTS,
        "protocol": one_of("TLS", "TCP", why="how it listens"),
        "ssl_policy": harmless("which versions of TLS it speaks; the review reads it"),
    },
    "aws_lb_target_group": {
        "health_check.*": harmless("when a target counts as alive"),
        "name": _LOOKS,
        "port": _PORTS,
        "preserve_client_ip": one_of(True, why="a server's security group sees who calls"),
        "protocol": one_of("TCP", why="how it reaches the servers"),
        "target_type": one_of("instance", why="its targets are the stack's own servers"),
        "vpc_id": _IN_VPC,
    },
    "aws_lb_target_group_attachment": {
        "port": _PORTS,
        "target_group_arn": own("aws_lb_target_group", "arn"),
        "target_id": own("aws_instance"),
    },
    "aws_route53_record": {
        "records": own("aws_eip", "public_ip"),
        "ttl": harmless("how long the address is remembered"),
        "alias.evaluate_target_health": harmless("when the name has an address"),
        "alias.name": own("aws_lb", "dns_name"),
        "alias.zone_id": own("aws_lb", "zone_id"),
        "name": harmless("the host name of the settings"),
        "type": one_of("A", why="an address of the load balancer"),
        "zone_id": harmless("the zone of the settings"),
    },
}

DATA: dict[str, Arguments] = {
    "aws_eip": {"id": harmless("an address that is there already")},
    "aws_subnet": {"id": harmless("a subnet that is there already")},
}
