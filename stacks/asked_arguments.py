"""The arguments that a deployment's Terraform should have: what is kept for how long, protected, watched and run when.

Whatever they say instead might still keep every promise about access, and not be what somebody asked for.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from errors.shown import shown
from modules.labels import Labels
from modules.mirror_build import IMAGE
from settings import Deployment
from settings.backlog import BacklogSettings, units
from settings.gitlab import GitlabSettings
from stacks.backlog_moves import SCOPES
from terraform.output import Json, Stack, objects
from terraform.references import Configuration
from terraform.templates import escaped

Values = dict[str, object]
"""By path: the names of blocks, joined by dots; None for an argument that is left out."""

_LOGS: Values = {"retention_in_days": "${var.log_retention_days}"}


def problems(deployment: Deployment, stacks: Mapping[str, Configuration]) -> Iterator[tuple[str, str]]:
    """Every such argument that is another one, and every type without a resource."""
    blocks = {name: _blocks(configuration.stack) for name, configuration in stacks.items()}
    for (name, kind), asked in _asked(deployment).items():
        found = blocks[name].get(kind, [])
        if not found:
            yield f"{name}: {kind}", "the deployment file asks for one, and there is none"
        for type_, resource, arguments in found:
            for path, value in asked.items():
                if (written := values_at(arguments, path)) != [value]:
                    place = f"{name}: {type_}.{resource}.{path}"
                    yield place, f"{shown(written)} is not what the deployment file asks for: {shown(value)}"


def _blocks(stack: Stack) -> dict[str, list[tuple[str, str, Json]]]:
    """Type, name and arguments of every resource and data source, by type and by address."""
    found: dict[str, list[tuple[str, str, Json]]] = defaultdict(list)
    data = ((f"data.{type_}", name, arguments) for type_, name, arguments in stack.data())
    for type_, name, arguments in (*stack.resources(), *data):
        for kind in (type_, f"{type_}.{name}"):
            found[kind].append((type_, name, arguments))
    return found


def values_at(arguments: Json, path: str) -> list[Any]:
    """The values at a path, one for each block; None for an argument that is left out."""
    *blocks, last = path.split(".")
    level: list[Any] = [arguments]
    for name in blocks:
        level = [inner for block in level for inner in objects(block.get(name))]
    return [block.get(last) for block in level] if level else [None]


def _asked(deployment: Deployment) -> dict[tuple[str, str], Values]:
    """The arguments by stack and type, or by stack and address."""
    dev, prd = deployment.dev, deployment.prd
    asked: dict[tuple[str, str], Values] = {}
    if dev is not None and dev.network is not None:
        asked["dev-network", "aws_cloudwatch_log_group"] = {"retention_in_days": "${var.flow_log_retention_days}"}
        asked["dev-network", "aws_flow_log"] = {"traffic_type": "ALL"}
        asked["dev-network", "aws_vpc"] = {"cidr_block": str(dev.network.cidr)}
    if dev is not None and dev.proxy is not None and dev.proxy.squid is not None:
        asked["dev-proxy", "aws_cloudwatch_log_group"] = _LOGS
        asked["dev-proxy", "aws_lb"] = {"internal": True}
        servers = "${var.instance_count}"
        asked["dev-proxy", "aws_autoscaling_group"] = {"min_size": servers, "desired_capacity": servers}
    if dev is not None and dev.gitlab is not None:
        labels = Labels(project=deployment.name, environment="dev", owner=deployment.owner)
        asked |= {("dev-gitlab", kind): values for kind, values in _of_gitlab(dev.gitlab, labels).items()}
    if prd is not None and prd.codecommit is not None:
        detection = prd.codecommit.detection
        if detection is not None and detection.trail_retention_days is not None:
            kept = _bucket("trail_retention_days", protected=prd.codecommit.deletion_protected)
            asked |= {("prd-codecommit", kind): values for kind, values in kept.items()}
    if prd is not None and prd.backlog is not None:
        asked |= {("backlog-bridge", kind): values for kind, values in _of_bridge(prd.backlog).items()}
    return asked


def _of_bridge(backlog: BacklogSettings) -> dict[str, Values]:
    in_vpc: Values = {"vpc_config.vpc_id": None, "vpc_config.subnets": None}
    if backlog.vpc is not None:
        in_vpc = {"vpc_config.vpc_id": backlog.vpc.id, "vpc_config.subnets": list(backlog.vpc.subnet_ids)}
    asked: dict[str, Values] = {}
    for key in units(backlog):
        asked[f"aws_scheduler_schedule.reconciliation_schedules_{key}"] = {
            "schedule_expression": "${var.reconcile_schedule}",
            "schedule_expression_timezone": None,
            "flexible_time_window.mode": "OFF",
        }
        asked[f"aws_codebuild_project.{SCOPES[backlog.isolation]}_{key}_project"] = {
            "build_timeout": "${var.build_timeout_minutes}",
            "environment.image": IMAGE,
            "environment.privileged_mode": backlog.cache.mode == "efs",
            **in_vpc,
        }
        watched: Values = {"namespace": "Kakehashi/Backlog", "period": 3600}
        asked[f"aws_cloudwatch_metric_alarm.alerts_silence_{key}"] = {
            **watched,
            "metric_name": "Reconciled",
            "statistic": "Sum",
            "evaluation_periods": "${var.silent_hours}",
            "threshold": 1,
            "comparison_operator": "LessThanThreshold",
        }
        asked[f"aws_cloudwatch_metric_alarm.alerts_inequality_{key}"] = {
            **watched,
            "metric_name": "OldestInequality",
            "statistic": "Maximum",
            "evaluation_periods": 1,
            "threshold": "${var.silent_hours * 3600}",
            "comparison_operator": "GreaterThanThreshold",
        }
    asked["aws_cloudwatch_log_group"] = _LOGS
    if backlog.cache.mode == "s3":
        asked["aws_s3_bucket_lifecycle_configuration.cache_lifecycle"] = _kept("cache_retention_days", None)
    return asked


def _of_gitlab(gitlab: GitlabSettings, labels: Labels) -> dict[str, Values]:
    protected = True if gitlab.deletion_protected else None
    image = [
        {"name": "name", "values": ["${var.ami_name_pattern}"]},
        {"name": "architecture", "values": [gitlab.architecture]},
        {"name": "state", "values": ["available"]},
    ]
    asked: dict[str, Values] = {
        "aws_instance": {
            "instance_type": "${var.instance_type}",
            "disable_api_termination": "${var.termination_protection}",
            "key_name": escaped(gitlab.key_pair) if gitlab.key_pair is not None else None,
            "root_block_device.volume_size": gitlab.root_volume_gib,
            "lifecycle.ignore_changes": ["ami", "user_data"],
        },
        "aws_ebs_volume": {
            "size": "${var.data_volume_gib}",
            "type": gitlab.data_volume.type,
            "iops": gitlab.data_volume.iops,
            "lifecycle.prevent_destroy": protected,
        },
        **_bucket("keep_backup_days", protected=gitlab.deletion_protected),
        "aws_dlm_lifecycle_policy": {
            "state": "ENABLED",
            "policy_details.schedule.create_rule.interval": 24,
            "policy_details.schedule.create_rule.interval_unit": "HOURS",
            "policy_details.schedule.create_rule.times": [gitlab.images.at_utc],
            "policy_details.target_tags": labels.named("gitlab"),
            "policy_details.schedule.retain_rule.count": "${var.image_retention_count}",
        },
    }
    if (hours := gitlab.schedule) is not None:
        for action in ("start", "stop"):
            asked[f"aws_scheduler_schedule.power_schedule_{action}"] = {
                "schedule_expression": f"${{var.{action}_schedule}}",
                "schedule_expression_timezone": hours.timezone,
                "flexible_time_window.mode": "OFF",
                "target.arn": f"arn:aws:scheduler:::aws-sdk:ec2:{action}Instances",
            }
    if gitlab.route53_zone_id is not None:
        asked["aws_route53_record"] = {"name": gitlab.host, "zone_id": gitlab.route53_zone_id}
    if gitlab.ami.id is None:
        asked["data.aws_ami"] = {"owners": [gitlab.ami.owner], "filter": image, "most_recent": True}
    return asked


def _bucket(variable: str, *, protected: bool) -> dict[str, Values]:
    """A bucket that keeps what was replaced for 30 days, and whose files are kept as long as a variable says."""
    return {
        "aws_s3_bucket": {
            "lifecycle.prevent_destroy": True if protected else None,
            "force_destroy": None if protected else True,
        },
        "aws_s3_bucket_lifecycle_configuration": _kept(variable, 30),
        "aws_s3_bucket_versioning": {"versioning_configuration.status": "Enabled"},
    }


def _kept(variable: str, replaced_days: int | None) -> Values:
    """A bucket's files are kept as long as a variable says, and what was replaced for so many days."""
    return {
        "rule.status": "Enabled",
        "rule.filter.prefix": "",
        "rule.expiration.days": f"${{var.{variable}}}",
        "rule.noncurrent_version_expiration.noncurrent_days": replaced_days,
    }
