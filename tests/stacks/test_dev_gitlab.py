from collections.abc import Callable

import pytest

from tests.terraform import Stacks, Terraform


@pytest.fixture(scope="module")
def gitlab(example: Stacks) -> Terraform:
    return example["dev-gitlab"]


@pytest.fixture(scope="module")
def without_proxy(synthesised: Callable[[str], Stacks]) -> Terraform:
    return synthesised("gitlab-existing-vpc")["dev-gitlab"]


def _ways(terraform: Terraform, direction: str) -> set[tuple[object, object]]:
    """Peer and port of every rule in one direction."""
    rules = terraform.resources(f"aws_vpc_security_group_{direction}_rule").values()
    return {(rule.get("for_each") or rule.get("cidr_ipv4"), rule.get("from_port")) for rule in rules}


def test_gitlab_is_reached_from_the_work_terminals_and_the_vpc_alone(gitlab: Terraform) -> None:
    terminals = "${toset(var.work_terminal_cidrs)}"
    vpc = "${data.terraform_remote_state.dev_network.outputs.vpc_cidr}"
    assert _ways(gitlab, "ingress") == {(peer, port) for peer in (terminals, vpc) for port in (22, 80, 443)}


def test_with_a_proxy_nothing_leaves_the_vpc_directly(gitlab: Terraform) -> None:
    assert _ways(gitlab, "egress") == {("${data.terraform_remote_state.dev_network.outputs.vpc_cidr}", None)}


def test_without_a_proxy_web_and_ssh_leave(without_proxy: Terraform) -> None:
    ways = _ways(without_proxy, "egress")
    assert {port for peer, port in ways if peer == "0.0.0.0/0"} == {22, 80, 443}


def test_the_newest_official_image_for_the_processor_is_taken_once(gitlab: Terraform) -> None:
    image = gitlab.json["data"]["aws_ami"]["gitlab_newest_image"]
    assert image["owners"] == ["782774275127"]
    assert {entry["name"]: entry["values"] for entry in image["filter"]} == {
        "name": ["${var.ami_name_pattern}"],
        "architecture": ["x86_64"],
        "state": ["available"],
    }
    instance = gitlab.resource("aws_instance.gitlab_instance")
    assert instance["ami"] == "${data.aws_ami.gitlab_newest_image.id}"
    assert instance["lifecycle"] == {"ignore_changes": ["ami", "user_data"]}
    assert instance["user_data_replace_on_change"] is False


def test_a_given_image_is_not_looked_up(changed: Callable[..., Stacks]) -> None:
    gitlab = changed("example", {"dev.gitlab.ami": {"id": "ami-0123456789abcdef0"}})["dev-gitlab"]
    assert "aws_ami" not in gitlab.json["data"]
    assert gitlab.resource("aws_instance.gitlab_instance")["ami"] == "${var.ami_id}"
    assert gitlab.json["variable"]["ami_id"]["default"] == "ami-0123456789abcdef0"


def test_a_graviton_server_gets_an_image_for_arm(changed: Callable[..., Stacks]) -> None:
    gitlab = changed("example", {"dev.gitlab.instance_type": "m7g.2xlarge"})["dev-gitlab"]
    filters = gitlab.json["data"]["aws_ami"]["gitlab_newest_image"]["filter"]
    assert {"name": "architecture", "values": ["arm64"]} in filters


def test_a_proxy_outside_the_vpc_is_reached_at_its_port_alone(synthesised: Callable[[str], Stacks]) -> None:
    gitlab = synthesised("everything")["dev-gitlab"]
    rule = gitlab.resource("aws_vpc_security_group_egress_rule.gitlab_security_group_to_proxy")
    assert (rule["for_each"], rule["from_port"], rule["to_port"]) == ('${toset(["10.99.0.0/28"])}', 3128, 3128)


def test_the_server_is_hardened(gitlab: Terraform) -> None:
    instance = gitlab.resource("aws_instance.gitlab_instance")
    assert instance["metadata_options"]["http_tokens"] == "required"
    assert instance["metadata_options"]["http_put_response_hop_limit"] == 1
    assert instance["root_block_device"]["encrypted"] is True
    assert instance["disable_api_termination"] == "${var.termination_protection}"
    assert gitlab.json["variable"]["termination_protection"]["default"] is True


def test_the_server_is_managed_through_systems_manager(gitlab: Terraform) -> None:
    attachment = gitlab.resource("aws_iam_role_policy_attachment.gitlab_role_managed_policy")
    assert attachment["policy_arn"] == "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    assert attachment["role"] == "${aws_iam_role.gitlab_role.name}"
    assert gitlab.resources("aws_iam_role_policy").keys() == {"power_schedule_role_policy"}


def test_an_image_is_taken_daily_of_this_server_alone(gitlab: Terraform) -> None:
    details = gitlab.resource("aws_dlm_lifecycle_policy.image_backups_policy")["policy_details"]
    assert details["policy_type"] == "IMAGE_MANAGEMENT"
    assert details["target_tags"] == gitlab.resource("aws_instance.gitlab_instance")["tags"]
    (daily,) = details["schedule"]
    assert daily["create_rule"] == {"interval": 24, "interval_unit": "HOURS", "times": ["17:00"]}
    assert daily["retain_rule"] == {"count": "${var.image_retention_count}"}


def test_the_schedule_may_start_and_stop_this_server_alone(gitlab: Terraform) -> None:
    for action in ("start", "stop"):
        schedule = gitlab.resource(f"aws_scheduler_schedule.power_schedule_{action}")
        assert schedule["schedule_expression"] == f"${{var.{action}_schedule}}"
        assert schedule["schedule_expression_timezone"] == "Asia/Tokyo"
        assert schedule["target"]["arn"] == f"arn:aws:scheduler:::aws-sdk:ec2:{action}Instances"
        assert schedule["target"]["input"] == ('${jsonencode({"InstanceIds" = [aws_instance.gitlab_instance.id]})}')
    permissions = gitlab.resource("aws_iam_role_policy.power_schedule_role_policy")["policy"]
    assert gitlab.statements(permissions)["StartAndStop"]["resources"] == ["${aws_instance.gitlab_instance.arn}"]


def test_without_hours_the_server_runs_day_and_night(without_proxy: Terraform) -> None:
    assert without_proxy.resources("aws_scheduler_schedule") == {}


def test_the_server_can_stand_in_a_network_that_exists(without_proxy: Terraform) -> None:
    assert "terraform_remote_state" not in without_proxy.json["data"]
    assert without_proxy.resource("aws_instance.gitlab_instance")["subnet_id"].startswith("subnet-")


def test_the_configuration_is_also_a_file_to_read(example: Stacks) -> None:
    text = (example.out / "stacks" / "dev-gitlab" / "gitlab.rb").read_text()
    assert "external_url 'https://gitlab.dev.example.com'" in text
    for component in ("gitaly", "gitlab_rails"):
        assert f"{component}['env'] = {{" in text
    assert text.count("'https_proxy' => 'http://proxy.dev.example.com:3128'") == 2
    assert "169.254.169.254" in text


def test_without_a_proxy_none_is_configured(synthesised: Callable[[str], Stacks]) -> None:
    text = (synthesised("gitlab-existing-vpc").out / "stacks" / "dev-gitlab" / "gitlab.rb").read_text()
    assert "proxy" not in text
