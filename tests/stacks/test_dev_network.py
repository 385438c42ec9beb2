from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform import Stacks, Terraform

INTERFACE_SERVICES = ("ssm", "ec2messages", "ssmmessages")


@pytest.fixture(scope="module")
def network(example: Stacks) -> Terraform:
    return example["dev-network"]


def test_each_zone_has_a_public_and_a_private_subnet(network: Terraform) -> None:
    subnets = network.resources("aws_subnet")
    assert {name: (subnet["availability_zone"], subnet["cidr_block"]) for name, subnet in subnets.items()} == {
        "network_public_a": ("ap-northeast-1a", "10.10.0.0/24"),
        "network_public_c": ("ap-northeast-1c", "10.10.1.0/24"),
        "network_private_a": ("ap-northeast-1a", "10.10.10.0/24"),
        "network_private_c": ("ap-northeast-1c", "10.10.11.0/24"),
    }
    assert not any("map_public_ip_on_launch" in subnet for subnet in subnets.values())


def test_each_private_subnet_leaves_through_the_nat_gateway_of_its_zone(network: Terraform) -> None:
    for zone in "ac":
        association = network.resource(f"aws_route_table_association.network_private_{zone}_routes")
        route = network.resource(f"aws_route.network_private_{zone}_to_nat")
        assert association["subnet_id"] == f"${{aws_subnet.network_private_{zone}.id}}"
        assert association["route_table_id"] == f"${{aws_route_table.network_private_{zone}_route_table.id}}"
        assert route["route_table_id"] == association["route_table_id"]
        assert route["nat_gateway_id"] == f"${{aws_nat_gateway.network_nat_{zone}.id}}"
        assert "comment" not in route["//"]
        assert "gateway_id" not in route
        nat = network.resource(f"aws_nat_gateway.network_nat_{zone}")
        assert nat["subnet_id"] == f"${{aws_subnet.network_public_{zone}.id}}"


@pytest.mark.slow
def test_one_nat_gateway_can_serve_every_zone(changed: Callable[..., Stacks]) -> None:
    network = changed("example", {"prd.backlog": None, "dev.network.nat": {"gateways": "one"}})["dev-network"]
    assert set(network.resources("aws_nat_gateway")) == {"network_nat_a"}
    for zone in "ac":
        route = network.resource(f"aws_route.network_private_{zone}_to_nat")
        assert route["nat_gateway_id"] == "${aws_nat_gateway.network_nat_a.id}"
        assert route["//"]["comment"].startswith("A zone without a NAT gateway of its own ")
    assert set(network.json["output"]["nat_public_ips"]["value"]) == {"a"}


def test_existing_elastic_ips_are_not_managed(synthesised: Callable[[str], Stacks]) -> None:
    network = synthesised("everything")["dev-network"]
    assert network.resources("aws_eip") == {}
    for zone in "acd":
        gateway = network.resource(f"aws_nat_gateway.network_nat_{zone}")
        assert gateway["allocation_id"] == f"${{data.aws_eip.network_nat_{zone}_address.id}}"
    assert network.json["data"]["aws_eip"]["network_nat_c_address"]["id"] == "eipalloc-0123456789abcdef1"
    assert network.json["output"]["nat_public_ips"]["value"]["d"] == "${data.aws_eip.network_nat_d_address.public_ip}"


def test_the_vpcs_default_security_group_allows_nothing(network: Terraform) -> None:
    default = network.resource("aws_default_security_group.network_default_security_group")
    assert not {"ingress", "egress"} & set(default)


def test_systems_manager_is_reached_without_the_internet(network: Terraform) -> None:
    endpoints = network.resources("aws_vpc_endpoint")
    interfaces = {e["service_name"]: e for e in endpoints.values() if e["vpc_endpoint_type"] == "Interface"}
    assert set(interfaces) == {f"com.amazonaws.ap-northeast-1.{name}" for name in INTERFACE_SERVICES}
    for endpoint in interfaces.values():
        assert endpoint["private_dns_enabled"] is True
        assert endpoint["subnet_ids"] == ["${aws_subnet.network_private_a.id}", "${aws_subnet.network_private_c.id}"]
        assert endpoint["security_group_ids"] == ["${aws_security_group.endpoints_security_group.id}"]
    rules = network.resources("aws_vpc_security_group_ingress_rule").values()
    assert {(rule["cidr_ipv4"], rule["from_port"], rule["to_port"]) for rule in rules} == {
        (cidr, 443, 443) for cidr in ("10.10.0.0/24", "10.10.1.0/24", "10.10.10.0/24", "10.10.11.0/24")
    }
    assert network.resources("aws_vpc_security_group_egress_rule") == {}


def test_s3_is_reached_from_every_route_table(network: Terraform) -> None:
    assert set(network.resource("aws_vpc_endpoint.endpoints_s3")["route_table_ids"]) == {
        f"${{aws_route_table.{name}.id}}" for name in network.resources("aws_route_table")
    }


def test_every_connection_is_logged_and_kept_as_long_as_operations_say(network: Terraform) -> None:
    flow_log = network.resource("aws_flow_log.flow_logs")
    assert flow_log["traffic_type"] == "ALL"
    assert flow_log["log_destination"] == "${aws_cloudwatch_log_group.flow_logs_log_group.arn}"
    log_group = network.resource("aws_cloudwatch_log_group.flow_logs_log_group")
    assert log_group["retention_in_days"] == "${var.flow_log_retention_days}"
    trust = network.statements(network.resource("aws_iam_role.flow_logs_role")["assume_role_policy"])["Assume"]
    assert trust["principals"] == [{"type": "Service", "identifiers": ["vpc-flow-logs.amazonaws.com"]}]
    assert trust["condition"] == [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["111111111111"]}]


def test_outputs_have_descriptions(network: Terraform) -> None:
    outputs: dict[str, Any] = network.json["output"]
    assert set(outputs) == {
        "vpc_id",
        "vpc_cidr",
        "public_subnet_ids",
        "private_subnet_ids",
        "private_subnet_cidrs",
        "nat_public_ips",
        "s3_prefix_list_id",
    }
    assert outputs["nat_public_ips"]["value"] == {
        "a": "${aws_eip.network_nat_a_address.public_ip}",
        "c": "${aws_eip.network_nat_c_address.public_ip}",
    }
    assert all(output["description"] for output in outputs.values())


def test_the_endpoint_for_s3_leads_to_awss_packages_and_to_the_backups_alone(network: Terraform) -> None:
    allowed = network.statements(network.resource("aws_vpc_endpoint.endpoints_s3")["policy"])
    assert {sid: (one["effect"], one["actions"], one["resources"]) for sid, one in allowed.items()} == {
        "ReadPackages": (
            "Allow",
            ["s3:GetObject"],
            ["arn:aws:s3:::al2023-repos-ap-northeast-1-de612dc2/*", "arn:aws:s3:::amazon-ssm-ap-northeast-1/*"],
        ),
        "KeepBackups": (
            "Allow",
            ["s3:GetObject", "s3:PutObject"],
            ["arn:aws:s3:::kakehashi-dev-gitlab-backups-111111111111/*"],
        ),
    }
    assert allowed["KeepBackups"]["condition"] == [
        {"test": "StringEquals", "variable": "aws:ResourceAccount", "values": ["111111111111"]}
    ]


def test_systems_managers_endpoints_serve_this_account_alone(network: Terraform) -> None:
    policies = {network.resource(f"aws_vpc_endpoint.endpoints_{name}")["policy"] for name in INTERFACE_SERVICES}
    principal, resource = (
        {"test": "StringEquals", "variable": f"aws:{whose}Account", "values": ["111111111111"]}
        for whose in ("Principal", "Resource")
    )
    assert {
        sid: (one["actions"], one["resources"], one["condition"])
        for policy in policies
        for sid, one in network.statements(policy).items()
    } == {
        "ServeAccount": (["ssm:*"], ["*"], [principal, resource]),
        "CarryMessages": (["ec2messages:*", "ssmmessages:*"], ["*"], [principal]),
        "ReadFromAws": (
            ["ssm:DescribeDocument", "ssm:GetDocument", "ssm:GetParameter"],
            ["arn:aws:ssm:ap-northeast-1::document/*", "arn:aws:ssm:ap-northeast-1::parameter/aws/*"],
            [principal],
        ),
    }
    assert len(policies) == 1


@pytest.mark.slow
def test_nothing_is_written_through_the_endpoint_without_a_gitlab_in_the_vpc(changed: Callable[..., Stacks]) -> None:
    alone = {"dev.gitlab": None, "dev.proxy": None, "prd.codecommit.push": {"from_cidrs": ["203.0.113.10/32"]}}
    network = changed("example", alone)["dev-network"]
    assert set(network.statements(network.resource("aws_vpc_endpoint.endpoints_s3")["policy"])) == {"ReadPackages"}
