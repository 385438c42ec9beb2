"""Finished Terraform with a resource or an argument that is not in the inventory is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.asked_inventory import FILE
from tests.stacks.test_as_asked import BRIDGE, GITLAB, NETWORK, PRD, Change, places
from tests.stacks.test_asked import PROXY, changed, removed
from tests.terraform import Stacks

IN, OUT = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
TOPIC, SUBSCRIPTION, ALARM = "aws_sns_topic", "aws_sns_topic_subscription", "aws_cloudwatch_metric_alarm"
ENDPOINT, SCHEDULE, PROJECT = "aws_vpc_endpoint", "aws_scheduler_schedule", "aws_codebuild_project"
DECOY = "${aws_sns_topic.decoy.arn}"
STATE = "data.terraform_remote_state.dev_network.outputs"


def added(stack: str, kind: str, **arguments: object) -> Change:
    return lambda stacks: stacks[stack]["resource"].setdefault(kind, {}).update(other=arguments)


def egress(stack: str, group: str, cidr: str) -> Change:
    group = f"${{aws_security_group.{group}.id}}"
    return added(stack, OUT, security_group_id=group, cidr_ipv4=cidr, ip_protocol="-1")


def any_port(stack: str, address: str) -> Change:
    return changed(stack, address, ip_protocol="-1", from_port=None, to_port=None)


def swapped(kind: str, name: str, argument: str) -> Change:
    """What belongs to the mirror `website` gets the argument of `batch`."""

    def change(stacks: dict[str, Any]) -> None:
        blocks = stacks[BRIDGE]["resource"][kind]
        theirs = blocks[name.replace("website", "batch")][argument]
        assert blocks[name][argument] != theirs
        blocks[name][argument] = theirs

    return change


def denied(stacks: dict[str, Any]) -> None:
    statements = stacks[PRD]["data"]["aws_iam_policy_document"]["detection_publishers"]["statement"]
    assert statements[1]["effect"] == "Allow"
    statements[1]["effect"] = "Deny"


def variable(stack: str, name: str, **arguments: object) -> Change:
    return changed(stack, f"variable.{name}", **arguments)


SUBSCRIBED = f"{SUBSCRIPTION}.detection_subscriptions_security_example_com"
FROM_VPC, TO_HTTPS = f"{IN}.gitlab_security_group_from_vpc_http", f"{OUT}.build_security_group_to_https"
LISTENER, BALANCER = "aws_lb_listener.load_balancer_https_listener", "aws_lb.load_balancer"
SSM, SERVER, GROUP = f"{ENDPOINT}.endpoints_ssm", "aws_instance.gitlab_instance", "aws_autoscaling_group.proxy_group"
BUILD, THROTTLE = f"{PROJECT}.mirrors_website_project", "aws_api_gateway_method_settings.webhook_throttle"
ENCRYPTION, BUCKET_POLICY = "aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_policy"
HOOK = "webhook_hook"

CHANGES: dict[str, tuple[Change, str]] = {
    "a subscription to a decoy": (changed(PRD, SUBSCRIBED, topic_arn=DECOY), f"{PRD}: {SUBSCRIBED}.topic_arn"),
    "a decoy": (added(PRD, TOPIC, name="decoy"), f"{PRD}: {TOPIC}.other"),
    "an alarm that tells a decoy": (
        changed(BRIDGE, f"{ALARM}.alerts_silence_batch", alarm_actions=[DECOY]),
        f"{BRIDGE}: {ALARM}.alerts_silence_batch.alarm_actions",
    ),
    "a topic without its policy": (
        removed(PRD, "aws_sns_topic_policy", "detection_policy"),
        f"{PRD}: aws_sns_topic_policy.detection_policy",
    ),
    "a topic that takes no event": (
        denied,
        f"{PRD}: data.aws_iam_policy_document.detection_publishers.statement",
    ),
    "no permission to hand events on": (
        removed(PRD, "aws_iam_role_policy", "detection_forwarding_role_policy"),
        f"{PRD}: aws_iam_role_policy.detection_forwarding_role_policy",
    ),
    "no permission to write flow logs": (
        removed(NETWORK, "aws_iam_role_policy", "flow_logs_role_policy"),
        f"{NETWORK}: aws_iam_role_policy.flow_logs_role_policy",
    ),
    "flow logs in another group": (
        changed(NETWORK, "aws_flow_log.flow_logs", log_destination="${aws_cloudwatch_log_group.other.arn}"),
        f"{NETWORK}: aws_flow_log.flow_logs.log_destination",
    ),
    "a subnet without its check": (
        changed(NETWORK, "aws_subnet.network_public_a", lifecycle=None),
        f"{NETWORK}: aws_subnet.network_public_a.lifecycle",
    ),
    "a config without its checks": (
        changed(BRIDGE, "aws_s3_object.program_units_batch", lifecycle=None),
        f"{BRIDGE}: aws_s3_object.program_units_batch.lifecycle",
    ),
    "flow logs of no VPC": (
        changed(NETWORK, "aws_flow_log.flow_logs", vpc_id=None),
        f"{NETWORK}: aws_flow_log.flow_logs.vpc_id",
    ),
    "a build without a log": (changed(BRIDGE, BUILD, logs_config=None), f"{BRIDGE}: {BUILD}.logs_config"),
    "every port of the server": (any_port(GITLAB, FROM_VPC), f"{GITLAB}: {FROM_VPC}.ip_protocol"),
    "every port of the proxy": (
        any_port(PROXY, f"{IN}.proxy_security_group_from_vpc"),
        f"{PROXY}: {IN}.proxy_security_group_from_vpc.ip_protocol",
    ),
    "a build that reaches every port": (any_port(BRIDGE, TO_HTTPS), f"{BRIDGE}: {TO_HTTPS}.from_port"),
    "a proxy that reaches every port": (
        any_port(PROXY, f"{OUT}.proxy_security_group_to_internet"),
        f"{PROXY}: {OUT}.proxy_security_group_to_internet.to_port",
    ),
    "a way out for builds": (egress(BRIDGE, "build_security_group", "203.0.113.9/32"), f"{BRIDGE}: {OUT}.other"),
    "a way out for caches": (egress(BRIDGE, "caches_batch_clients", "0.0.0.0/0"), f"{BRIDGE}: {OUT}.other"),
    "a way in from another network": (
        changed(GITLAB, FROM_VPC, cidr_ipv4="10.0.0.0/8"),
        f"{GITLAB}: {FROM_VPC}.cidr_ipv4",
    ),
    "another way in": (added(GITLAB, IN, cidr_ipv4="10.0.0.0/8", ip_protocol="-1"), f"{GITLAB}: {IN}.other"),
    "an internal load balancer": (changed(GITLAB, BALANCER, internal=True), f"{GITLAB}: {BALANCER}.internal"),
    "a public proxy": (
        changed(PROXY, "aws_lb.proxy_load_balancer", internal=False),
        f"{PROXY}: aws_lb.proxy_load_balancer.internal",
    ),
    "no TLS": (changed(GITLAB, LISTENER, protocol="TCP"), f"{GITLAB}: {LISTENER}.protocol"),
    "old TLS": (
        changed(GITLAB, LISTENER, ssl_policy="ELBSecurityPolicy-2015-05"),
        f"{GITLAB}: {LISTENER}.ssl_policy",
    ),
    "another listener": (added(GITLAB, "aws_lb_listener", port=5432), f"{GITLAB}: aws_lb_listener.other"),
    "no endpoint for messages": (
        removed(NETWORK, ENDPOINT, "endpoints_ec2messages"),
        f"{NETWORK}: {ENDPOINT}.endpoints_ec2messages",
    ),
    "an endpoint that no name leads to": (
        changed(NETWORK, SSM, private_dns_enabled=False),
        f"{NETWORK}: {SSM}.private_dns_enabled",
    ),
    "an endpoint that no route leads to": (
        changed(NETWORK, f"{ENDPOINT}.endpoints_s3", route_table_ids=[]),
        f"{NETWORK}: {ENDPOINT}.endpoints_s3.route_table_ids",
    ),
    "an endpoint of another region": (
        changed(NETWORK, SSM, service_name="com.amazonaws.us-east-1.ssm"),
        f"{NETWORK}: {SSM}.service_name",
    ),
    "a private route to the internet gateway": (
        changed(
            NETWORK,
            "aws_route.network_private_a_to_nat",
            nat_gateway_id=None,
            gateway_id="${aws_internet_gateway.network_internet_gateway.id}",
        ),
        f"{NETWORK}: aws_route.network_private_a_to_nat.gateway_id",
    ),
    "proxies that are in use before they work": (
        changed(PROXY, "aws_autoscaling_lifecycle_hook.proxy_launch_hook", lifecycle_transition="autoscaling:EC2"),
        f"{PROXY}: aws_autoscaling_lifecycle_hook.proxy_launch_hook.lifecycle_transition",
    ),
    "proxies without their hook": (
        removed(PROXY, "aws_autoscaling_lifecycle_hook", "proxy_launch_hook"),
        f"{PROXY}: aws_autoscaling_lifecycle_hook.proxy_launch_hook",
    ),
    "proxies in public subnets": (
        changed(PROXY, GROUP, vpc_zone_identifier=f"${{values({STATE}.public_subnet_ids)}}"),
        f"{PROXY}: {GROUP}.vpc_zone_identifier",
    ),
    "a server in a private subnet": (
        changed(GITLAB, SERVER, subnet_id=f'${{{STATE}.private_subnet_ids["c"]}}'),
        f"{GITLAB}: {SERVER}.subnet_id",
    ),
    "AWS's default security group": (
        removed(NETWORK, "aws_default_security_group", "network_default_security_group"),
        f"{NETWORK}: aws_default_security_group.network_default_security_group",
    ),
    "any instance type": (
        variable(GITLAB, "instance_type", validation=None),
        f"{GITLAB}: var.instance_type.validation",
    ),
    "any name of an image": (
        variable(GITLAB, "ami_name_pattern", validation=[]),
        f"{GITLAB}: var.ami_name_pattern.validation",
    ),
    "any retention": (
        variable(PRD, "trail_retention_days", validation=[]),
        f"{PRD}: var.trail_retention_days.validation",
    ),
    "a variable of any type": (variable(GITLAB, "instance_type", type="any"), f"{GITLAB}: var.instance_type.type"),
    "a list that is hidden": (
        variable(PRD, "pull_from_cidrs", sensitive=True),
        f"{PRD}: var.pull_from_cidrs.sensitive",
    ),
    "a list that is not kept": (
        variable(GITLAB, "work_terminal_cidrs", ephemeral=True),
        f"{GITLAB}: var.work_terminal_cidrs.ephemeral",
    ),
    "a webhook without a throttle": (
        removed(BRIDGE, "aws_api_gateway_method_settings", "webhook_throttle"),
        f"{BRIDGE}: {THROTTLE}",
    ),
    "a million requests a second": (
        changed(BRIDGE, f"{THROTTLE}.settings", throttling_rate_limit=1000000),
        f"{BRIDGE}: {THROTTLE}.settings",
    ),
    "an API that is deployed before its policy": (
        changed(BRIDGE, "aws_api_gateway_deployment.webhook_deployment", depends_on=None),
        f"{BRIDGE}: aws_api_gateway_deployment.webhook_deployment.depends_on",
    ),
    "a schedule of another mirror": (
        swapped(SCHEDULE, "reconciliation_schedules_website", "target"),
        f"{BRIDGE}: {SCHEDULE}.reconciliation_schedules_website.target",
    ),
    "a webhook that anybody may call without a name": (
        changed(BRIDGE, f"aws_api_gateway_resource.{HOOK}_resource", path_part="{mirror+}"),
        f"{BRIDGE}: aws_api_gateway_resource.{HOOK}_resource.path_part",
    ),
    "a repository that another unit fills": (
        changed(BRIDGE, "aws_codecommit_repository.repositories_website", tags={"kakehashi:mirrored-by": "other"}),
        f"{BRIDGE}: aws_codecommit_repository.repositories_website.tags",
    ),
    "a repository of GitLab's that a unit fills": (
        changed(PRD, "aws_codecommit_repository.repositories_application", tags={"kakehashi:mirrored-by": "other"}),
        f"{PRD}: aws_codecommit_repository.repositories_application.tags",
    ),
    "a state that Terraform resets": (
        changed(BRIDGE, "aws_ssm_parameter.mirrors_batch_state", lifecycle=None),
        f"{BRIDGE}: aws_ssm_parameter.mirrors_batch_state.lifecycle",
    ),
    "a buildspec of another mirror": (
        swapped(PROJECT, "mirrors_website_project", "source"),
        f"{BRIDGE}: {BUILD}.source",
    ),
    "a role of another mirror": (
        swapped(PROJECT, "mirrors_website_project", "service_role"),
        f"{BRIDGE}: {BUILD}.service_role",
    ),
    "a server that no image is made of": (changed(GITLAB, SERVER, tags={"Name": "x"}), f"{GITLAB}: {SERVER}.tags"),
    "backups that are not encrypted": (
        removed(GITLAB, ENCRYPTION, "backups_encryption"),
        f"{GITLAB}: {ENCRYPTION}.backups_encryption",
    ),
    "a trail's bucket without its policy": (
        removed(PRD, BUCKET_POLICY, "audit_trail_files_policy"),
        f"{PRD}: {BUCKET_POLICY}.audit_trail_files_policy",
    ),
    "an address that is no NAT gateway's": (
        changed(NETWORK, "output.nat_public_ips", value={"a": "203.0.113.9"}),
        f"{NETWORK}: output.nat_public_ips",
    ),
    "a user without a policy": (added(PRD, "aws_iam_user", name="other"), f"{PRD}: aws_iam_user.other"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_not_in_the_inventory_is_refused_at_its_place(
    synthesised: Callable[[str], Stacks], project: Path, name: str
) -> None:
    change, place = CHANGES[name]
    assert place in places(project, synthesised("everything"), change, until=place)


def test_every_type_of_every_deployment_has_a_row(synthesised: Callable[[str], Stacks]) -> None:
    inventory = json.loads(FILE.read_text(encoding="utf-8"))
    for name in ("everything", "example", "gitlab-existing-vpc", "existing-proxy"):
        for stack, one in synthesised(name).terraform.items():
            rows = {row["address"].partition(".")[0] for row in inventory[stack]}
            assert one.json["resource"].keys() <= rows


def test_a_row_stands_on_one_line_in_order() -> None:
    text = FILE.read_text(encoding="utf-8")
    for rows in json.loads(text).values():
        assert [row["address"] for row in rows] == sorted(row["address"] for row in rows)
        assert all(f"    {json.dumps(row, ensure_ascii=False)}" in text for row in rows)
