import json
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


def test_only_the_work_terminals_and_the_vpc_reach_gitlab(gitlab: Terraform) -> None:
    terminals = "${toset(var.work_terminal_cidrs)}"
    vpc = "${data.terraform_remote_state.dev_network.outputs.vpc_cidr}"
    assert _ways(gitlab, "ingress") == {(peer, port) for peer in (terminals, vpc) for port in (22, 80, 443)}


def test_with_a_proxy_only_traffic_to_s3s_endpoint_leaves_directly(gitlab: Terraform) -> None:
    s3 = gitlab.resource("aws_vpc_security_group_egress_rule.gitlab_security_group_to_s3")
    assert (s3["prefix_list_id"], s3["from_port"], s3["to_port"]) == (
        "${data.terraform_remote_state.dev_network.outputs.s3_prefix_list_id}",
        443,
        443,
    )
    vpc = ("${data.terraform_remote_state.dev_network.outputs.vpc_cidr}", None)
    assert _ways(gitlab, "egress") == {vpc, (None, 443)}


def test_without_a_proxy_web_and_ssh_traffic_may_leave(without_proxy: Terraform) -> None:
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


def test_a_given_image_is_not_looked_up(without_proxy: Terraform) -> None:
    assert "aws_ami" not in without_proxy.json["data"]
    assert without_proxy.resource("aws_instance.gitlab_instance")["ami"] == "${var.ami_id}"
    assert without_proxy.json["variable"]["ami_id"]["default"] == "ami-0123456789abcdef0"


def test_a_graviton_server_gets_an_image_for_arm(changed: Callable[..., Stacks]) -> None:
    graviton = {"dev.gitlab.ami": None, "dev.gitlab.instance_type": "m7g.2xlarge"}
    gitlab = changed("gitlab-existing-vpc", graviton)["dev-gitlab"]
    filters = gitlab.json["data"]["aws_ami"]["gitlab_newest_image"]["filter"]
    assert {"name": "architecture", "values": ["arm64"]} in filters


def test_only_the_port_of_a_proxy_outside_the_vpc_is_allowed(synthesised: Callable[[str], Stacks]) -> None:
    gitlab = synthesised("existing-proxy")["dev-gitlab"]
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
    statements = gitlab.statements(gitlab.resource("aws_iam_role_policy.gitlab_role_policy")["policy"])
    actions = statements.pop("BeManaged")["actions"]
    assert {"ssm:UpdateInstanceInformation", "ssmmessages:OpenDataChannel", "ec2messages:GetMessages"} <= set(actions)
    assert not [action for action in actions if "Parameter" in action]


def test_the_server_may_add_backups_and_write_its_parameters_and_read_no_password(gitlab: Terraform) -> None:
    policies = gitlab.resources("aws_iam_role_policy")
    assert policies.keys() == {"gitlab_role_policy", "power_schedule_role_policy"}
    statements = gitlab.statements(policies["gitlab_role_policy"]["policy"])
    del statements["BeManaged"]
    parameters = "arn:aws:ssm:ap-northeast-1:111111111111:parameter/kakehashi/kakehashi/dev/gitlab"
    assert {sid: (said["actions"], said["resources"]) for sid, said in statements.items()} == {
        "KeepBackups": (["s3:PutObject"], ["${aws_s3_bucket.backups_bucket.arn}/*"]),
        "TellThroughParameters": (["ssm:PutParameter"], [f"{parameters}/*"]),
        "RememberOutcomes": (["ssm:GetParameter"], [f"{parameters}/backup", f"{parameters}/configure"]),
    }


def test_the_data_volume_stays_when_the_server_is_replaced(gitlab: Terraform) -> None:
    volume = gitlab.resource("aws_ebs_volume.data_volume")
    assert volume["encrypted"] is True
    assert volume["lifecycle"] == {"prevent_destroy": True}
    assert (volume["availability_zone"], volume["size"]) == ("ap-northeast-1a", "${var.data_volume_gib}")
    attachment = gitlab.resource("aws_volume_attachment.gitlab_data_volume_attachment")
    assert attachment["volume_id"] == "${aws_ebs_volume.data_volume.id}"
    assert attachment["instance_id"] == "${aws_instance.gitlab_instance.id}"


def test_in_an_existing_network_the_volume_is_in_the_subnets_zone(without_proxy: Terraform) -> None:
    assert without_proxy.json["data"]["aws_subnet"]["subnet"]["id"] == "subnet-0123456789abcdef0"
    volume = without_proxy.resource("aws_ebs_volume.data_volume")
    assert volume["availability_zone"] == "${data.aws_subnet.subnet.availability_zone}"


def test_backups_are_private_versioned_encrypted_and_expire(gitlab: Terraform) -> None:
    assert gitlab.resource("aws_s3_bucket.backups_bucket")["lifecycle"] == {"prevent_destroy": True}
    assert "force_destroy" not in gitlab.resource("aws_s3_bucket.backups_bucket")
    versioning = gitlab.resource("aws_s3_bucket_versioning.backups_versioning")
    assert versioning["versioning_configuration"] == {"status": "Enabled"}
    (rule,) = gitlab.resource("aws_s3_bucket_lifecycle_configuration.backups_lifecycle")["rule"]
    assert rule["expiration"] == [{"days": "${var.keep_backup_days}"}]
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 30}]
    block = gitlab.resource("aws_s3_bucket_public_access_block.backups_public_access_block")
    assert {value for key, value in block.items() if key.startswith(("block", "ignore", "restrict"))} == {True}
    policy = gitlab.resource("aws_s3_bucket_policy.backups_policy")["policy"]
    assert gitlab.statements(policy).keys() == {"DenyInsecureTransport"}


def test_without_deletion_protection_data_and_backups_can_be_deleted(changed: Callable[..., Stacks]) -> None:
    backed_up = {"dev.gitlab.backups": {"at_utc": "09:00", "keep_days": 35}}
    gitlab = changed("gitlab-existing-vpc", {**backed_up, "dev.gitlab.deletion_protected": False})["dev-gitlab"]
    assert "lifecycle" not in gitlab.resource("aws_ebs_volume.data_volume")
    bucket = gitlab.resource("aws_s3_bucket.backups_bucket")
    assert ("lifecycle" in bucket, bucket["force_destroy"]) == (False, True)


def test_a_changed_configuration_runs_at_once_on_this_server_only(gitlab: Terraform) -> None:
    association = gitlab.resource("aws_ssm_association.configuration_association")
    assert association["name"] == "${aws_ssm_document.configuration_document.name}"
    assert association["document_version"] == "${aws_ssm_document.configuration_document.latest_version}"
    assert association["targets"] == [{"key": "InstanceIds", "values": ["${aws_instance.gitlab_instance.id}"]}]


def test_terraform_has_no_password(gitlab: Terraform) -> None:
    for kind in ("aws_ssm_parameter", "aws_secretsmanager_secret_version", "random_password"):
        assert gitlab.resources(kind) == {}


def test_terminals_reach_gitlab_only_through_the_load_balancer_with_https(
    synthesised: Callable[[str], Stacks],
) -> None:
    gitlab = synthesised("everything")["dev-gitlab"]
    listeners = gitlab.resources("aws_lb_listener")
    assert {(one["port"], one["protocol"]) for one in listeners.values()} == {(443, "TLS"), (22, "TCP")}
    https = listeners["load_balancer_https_listener"]
    assert https["certificate_arn"].startswith("arn:aws:acm:ap-northeast-1:111111111111:certificate/")
    targets = gitlab.resources("aws_lb_target_group")
    assert {(one["port"], one["protocol"]) for one in targets.values()} == {(80, "TCP"), (22, "TCP")}
    terminals = "${toset(var.work_terminal_cidrs)}"
    rules = gitlab.resources("aws_vpc_security_group_ingress_rule")
    assert {name for name, rule in rules.items() if rule.get("for_each") == terminals} == {
        "load_balancer_security_group_from_terminals_https",
        "load_balancer_security_group_from_terminals_ssh",
    }
    assert "web['listen_https'] = false" in gitlab.json["locals"]["files_gitlab_rb"]
    assert "CERTIFICATE_HOST=''" in gitlab.json["locals"]["files_server_conf"]


def test_the_host_name_resolves_to_the_load_balancer_or_the_server(
    synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    behind = synthesised("everything")["dev-gitlab"].resource("aws_route53_record.dns_record")
    assert behind["alias"]["name"] == "${aws_lb.load_balancer.dns_name}"
    gitlab = changed("gitlab-existing-vpc", {"dev.gitlab.route53_zone_id": "Z0123456789ABCDEFGHIJ"})["dev-gitlab"]
    record = gitlab.resource("aws_route53_record.dns_record")
    assert (record["name"], record["records"]) == ("gitlab.dev.example.com", ["${aws_eip.gitlab_address.public_ip}"])


def test_daily_images_are_taken_of_this_server_only(gitlab: Terraform) -> None:
    details = gitlab.resource("aws_dlm_lifecycle_policy.image_backups_policy")["policy_details"]
    assert details["policy_type"] == "IMAGE_MANAGEMENT"
    assert details["target_tags"] == gitlab.resource("aws_instance.gitlab_instance")["tags"]
    (daily,) = details["schedule"]
    assert daily["create_rule"] == {"interval": 24, "interval_unit": "HOURS", "times": ["17:00"]}
    assert daily["retain_rule"] == {"count": "${var.image_retention_count}"}


def test_the_schedule_may_start_and_stop_this_server_only(gitlab: Terraform) -> None:
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


def test_the_server_can_be_in_an_existing_network(without_proxy: Terraform) -> None:
    assert "terraform_remote_state" not in without_proxy.json["data"]
    assert without_proxy.resource("aws_instance.gitlab_instance")["subnet_id"].startswith("subnet-")


def test_the_address_of_the_built_proxy_comes_from_its_state(gitlab: Terraform) -> None:
    assert "dev_proxy" in gitlab.json["data"]["terraform_remote_state"]
    written = json.dumps(gitlab.json)
    # gitlab.rb has the address four times, and the server's settings once.
    assert written.count("data.terraform_remote_state.dev_proxy.outputs.url") == 5
    assert "3128" not in written


def test_the_configuration_is_also_a_file_to_read(synthesised: Callable[[str], Stacks]) -> None:
    out = synthesised("existing-proxy").out
    text = (out / "stacks" / "dev-gitlab" / "gitlab.rb").read_text()
    assert "external_url 'https://gitlab.dev.example.com'" in text
    for component in ("gitaly", "gitlab_rails"):
        assert f"{component}['env'] = {{" in text
    assert text.count("'https_proxy' => 'http://proxy.shared.example.com:3128'") == 2
    assert "169.254.169.254" in text


def test_without_a_proxy_none_is_configured(synthesised: Callable[[str], Stacks]) -> None:
    text = (synthesised("gitlab-existing-vpc").out / "stacks" / "dev-gitlab" / "gitlab.rb").read_text()
    assert "proxy" not in text
