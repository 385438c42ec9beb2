import base64
import json
from collections.abc import Callable

import pytest

from tests.terraform import Stacks, Terraform

GROUPS = "arn:aws:autoscaling:ap-northeast-1:111111111111:autoScalingGroup:*:autoScalingGroupName"
ANOTHER_HOST = {"prd.backlog": None, "dev.proxy.squid.allowed_hosts": [".Example.com"]}


@pytest.fixture(scope="module")
def proxy(example: Stacks) -> Terraform:
    return example["dev-proxy"]


def _user_data(proxy: Terraform) -> str:
    return base64.b64decode(proxy.resource("aws_launch_template.proxy_launch_template")["user_data"]).decode()


def test_the_proxy_is_in_the_private_subnets_of_every_zone(proxy: Terraform) -> None:
    subnets = "${values(data.terraform_remote_state.dev_network.outputs.private_subnet_ids)}"
    balancer = proxy.resource("aws_lb.proxy_load_balancer")
    assert (balancer["internal"], balancer["load_balancer_type"], balancer["subnets"]) == (True, "network", subnets)
    assert balancer["enable_cross_zone_load_balancing"] is True
    group = proxy.resource("aws_autoscaling_group.proxy_group")
    assert group["vpc_zone_identifier"] == subnets
    assert {group[key] for key in ("min_size", "desired_capacity", "min_elb_capacity")} == {"${var.instance_count}"}
    assert proxy.json["variable"]["instance_count"]["default"] == 2


def test_allows_inbound_traffic_from_the_vpc_and_outbound_https_only(proxy: Terraform) -> None:
    (way_in,) = proxy.resources("aws_vpc_security_group_ingress_rule").values()
    assert (way_in["cidr_ipv4"], way_in["from_port"], way_in["to_port"]) == ("10.10.0.0/16", 3128, 3128)
    (way_out,) = proxy.resources("aws_vpc_security_group_egress_rule").values()
    assert (way_out["cidr_ipv4"], way_out["from_port"], way_out["to_port"]) == ("0.0.0.0/0", 443, 443)


def test_the_health_check_uses_squids_port(proxy: Terraform) -> None:
    listener = proxy.resource("aws_lb_listener.proxy_listener")
    target = proxy.resource("aws_lb_target_group.proxy_target_group")
    assert {listener["port"], target["port"]} == {3128}
    assert (target["protocol"], target["health_check"]["protocol"]) == ("TCP", "TCP")
    # Squid admits clients by their own address.
    assert target["preserve_client_ip"] == "true"


def test_an_instance_is_hardened(proxy: Terraform) -> None:
    template = proxy.resource("aws_launch_template.proxy_launch_template")
    assert template["metadata_options"]["http_tokens"] == "required"
    assert template["network_interfaces"][0]["associate_public_ip_address"] == "false"
    assert template["block_device_mappings"][0]["ebs"]["encrypted"] == "true"
    assert "key_name" not in template


def test_an_instance_may_write_its_log_and_read_no_parameter(proxy: Terraform) -> None:
    (policy,) = proxy.resources("aws_iam_role_policy").values()
    statements = proxy.statements(policy["policy"])
    managed = statements.pop("BeManaged")["actions"]
    assert "ssm:UpdateInstanceInformation" in managed
    assert not [action for action in managed if "Parameter" in action]
    assert {sid: (said["actions"], said["resources"]) for sid, said in statements.items()} == {
        "WriteLogs": (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            ["${aws_cloudwatch_log_group.proxy_access_log.arn}:*"],
        ),
        "CompleteLaunch": (["autoscaling:CompleteLifecycleAction"], [f"{GROUPS}/kakehashi-dev-proxy"]),
    }
    log = proxy.resource("aws_cloudwatch_log_group.proxy_access_log")
    assert log["retention_in_days"] == "${var.log_retention_days}"
    assert log["name"] in _user_data(proxy)


def test_amazons_newest_image_for_the_processor_is_taken(
    proxy: Terraform, synthesised: Callable[[str], Stacks]
) -> None:
    def image(terraform: Terraform) -> str:
        return str(terraform.json["data"]["aws_ssm_parameter"]["proxy_newest_image"]["name"])

    published = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"
    assert image(proxy) == f"{published}x86_64"
    assert image(synthesised("everything")["dev-proxy"]) == f"{published}arm64"


@pytest.mark.slow
def test_a_change_is_rolled_out_and_promises_no_rollback(proxy: Terraform, changed: Callable[..., Stacks]) -> None:
    group = proxy.resource("aws_autoscaling_group.proxy_group")
    # The group uses the template's version, and each change of the configuration makes a new version.
    assert group["launch_template"]["version"] == "${aws_launch_template.proxy_launch_template.latest_version}"
    other = changed("example", ANOTHER_HOST)["dev-proxy"]
    assert _user_data(other) != _user_data(proxy)
    assert group["instance_refresh"]["preferences"] == {
        "min_healthy_percentage": 100,
        "max_healthy_percentage": 200,
    }
    assert group["max_size"] == "${(2 * var.instance_count)}"
    assert group["health_check_type"] == "ELB"


def test_an_instance_is_given_up_unless_it_says_that_its_proxy_works(proxy: Terraform) -> None:
    hook = proxy.resource("aws_autoscaling_lifecycle_hook.proxy_launch_hook")
    assert hook == {
        **hook,
        "autoscaling_group_name": "${aws_autoscaling_group.proxy_group.name}",
        "lifecycle_transition": "autoscaling:EC2_INSTANCE_LAUNCHING",
        "default_result": "ABANDON",
    }
    group = proxy.resource("aws_autoscaling_group.proxy_group")
    completed = f"--auto-scaling-group-name {group['name']} --lifecycle-hook-name {hook['name']} "
    said = _user_data(proxy)
    assert said.count("complete-lifecycle-action") == said.count(completed) == 1
    assert said.index("check.sh") < said.index("systemctl enable squid") < said.index(completed)


def test_people_are_told_of_every_replacement_that_does_not_succeed(proxy: Terraform) -> None:
    rule = proxy.resource("aws_cloudwatch_event_rule.alerts_failures")
    pattern = json.loads(rule["event_pattern"])
    assert pattern == {
        "source": ["aws.autoscaling"],
        "detail-type": pattern["detail-type"],
        "detail": {"AutoScalingGroupName": [proxy.resource("aws_autoscaling_group.proxy_group")["name"]]},
    }
    refresh = "EC2 Auto Scaling Instance Refresh"
    assert {f"{refresh} Failed", f"{refresh} Cancelled"} <= set(pattern["detail-type"])
    assert not {f"{refresh} Started", f"{refresh} Succeeded"} & set(pattern["detail-type"])
    target = proxy.resource("aws_cloudwatch_event_target.alerts_failures_to_topic")
    assert target["arn"] == "${aws_sns_topic.alerts_topic.arn}"
    (person,) = proxy.resources("aws_sns_topic_subscription").values()
    assert (person["endpoint"], person["topic_arn"]) == ("platform-team@example.com", target["arn"])


def test_instances_have_the_deployments_tags(proxy: Terraform) -> None:
    tags = {tag["key"]: tag["value"] for tag in proxy.resource("aws_autoscaling_group.proxy_group")["tag"]}
    assert tags == {
        "Name": "kakehashi-dev-proxy",
        "project": "kakehashi",
        "environment": "dev",
        "owner": "platform-team",
        "managed-by": "kakehashi",
        "cost-center": "4711",
    }


def test_the_allow_list_is_the_default_hosts_and_the_named_hosts(
    example: Stacks, changed: Callable[..., Stacks]
) -> None:
    def allowed(stacks: Stacks) -> list[str]:
        text = (stacks.out / "stacks" / "dev-proxy" / "squid.conf").read_text()
        (line,) = [line for line in text.splitlines() if line.startswith("acl allowed ")]
        return line.split()[4:]

    default = ["git-codecommit.ap-northeast-1.amazonaws.com", "awscli.amazonaws.com", "packages.gitlab.com"]
    assert allowed(example) == default
    assert allowed(changed("example", ANOTHER_HOST)) == [*default, ".example.com"]


def test_the_push_users_addresses_are_the_proxys(example: Stacks) -> None:
    codecommit = example["prd-codecommit"]
    deny = codecommit.statements(codecommit.resource("aws_iam_policy.push_user_deny_policy")["policy"])
    assert deny["DenyFromElsewhere"]["condition"][0]["values"] == (
        '${[for address in values(data.terraform_remote_state.dev_network.outputs.nat_public_ips) : "${address}/32"]}'
    )


def test_builds_no_proxy_where_one_exists(synthesised: Callable[[str], Stacks]) -> None:
    assert set(synthesised("existing-proxy").terraform) == {"dev-network", "dev-gitlab", "prd-codecommit"}
