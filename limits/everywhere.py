"""Limits on every resource: traces of synthesis, regions, tags, names and descriptions."""

import json
import re
from collections.abc import Iterator

from limits.limit import IAM_QUOTAS, Found, api, estimated, form, length, limit
from terraform.references import Configuration

_GROUPS = ("aws_security_group", "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule")
_GROUP_DESCRIPTION = r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}"
_ROLE_DESCRIPTION = r"[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}"
_ASCII = "use plain ASCII letters, digits and punctuation"

_USER = r"[A-Za-z0-9+=,.@_-]{1,64}"
_USER_HINT = "use at most 64 letters, digits and + = , . @ _ -"
_PROJECT = r"[A-Za-z0-9][A-Za-z0-9_-]{1,254}"
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_BUCKET_NAMES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
_BALANCER = r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)"
_BALANCER_HINT = "AWS takes 1-32 letters, digits and '-', not at an end, and not internal- at the beginning"
_BALANCERS = {"aws_lb": "CreateLoadBalancer", "aws_lb_target_group": "CreateTargetGroup"}

_NEVER_MEANT = {
    r"<[\w. ]+ object at 0x[0-9a-f]+>": "a Python object was printed",
    r"TfToken\[": "a token was never resolved",
}


@limit(
    what="nothing in the Terraform is a trace of how it was made",
    source="https://developer.hashicorp.com/terraform/cdktf/concepts/tokens",
)
def traces_of_synthesis(stack: Configuration) -> Iterator[Found]:
    text = json.dumps(stack.stack.document)
    for pattern, what in _NEVER_MEANT.items():
        if mark := re.search(pattern, text):
            around = text[max(0, mark.start() - 60) : mark.end() + 60]
            yield "", f"{what}: …{around}…", "this is a fault of Kakehashi"


@limit(
    what="no resource sets its region, which the provider knows from 6.0 on",
    source="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support",
)
def regions(stack: Configuration) -> Iterator[Found]:
    for kind, name, arguments in stack.stack.resources():
        if "region" in arguments:
            what = "the provider before 6.0 does not know it"
            yield f"{kind}.{name}.region", what, "leave the region to the provider"


@limit(
    what="a tag's key has at most 128 characters, and its value 256",
    source="https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html",
)
def tags(stack: Configuration) -> Iterator[Found]:
    for kind, name, arguments in stack.stack.resources():
        for key, value in (stack.known(arguments.get("tags"), estimated) or {}).items():
            if not isinstance(value, str) or len(key) > 128 or len(value) > 256:
                hint = "AWS takes keys of 128 and values of 256 characters"
                yield f"{kind}.{name}.tags", f"{key!r}: {value!r} is too long", hint


@limit(what="two resources of a type have different names", source=IAM_QUOTAS)
def names_are_unique(stack: Configuration) -> Iterator[Found]:
    """AWS would say of the second that it exists already."""
    first: dict[tuple[str, str], str] = {}
    for kind, called, arguments in stack.stack.resources():
        name = stack.known(arguments.get("name"), estimated)
        # An inline policy's name is unique within its role alone.
        if not isinstance(name, str) or kind == "aws_iam_role_policy":
            continue
        if (kind, name) in first:
            what = f"{name!r} is also the name of {first[kind, name]}"
            yield f"{kind}.{called}.name", what, "rename what it is made of"
        first.setdefault((kind, name), f"{kind}.{called}")


LIMITS = (
    traces_of_synthesis,
    regions,
    tags,
    names_are_unique,
    length("aws_cloudwatch_event_rule.name", 64, api("eventbridge", "PutRule")),
    length("aws_cloudwatch_log_group.name", 512, api("AmazonCloudWatchLogs", "CreateLogGroup")),
    length("aws_cloudwatch_metric_alarm.alarm_name", 255, api("AmazonCloudWatch", "PutMetricAlarm")),
    length("aws_codebuild_project.description", 255, api("codebuild", "CreateProject")),
    length("aws_codecommit_repository.description", 1_000, api("codecommit", "CreateRepository")),
    length("aws_iam_policy.name", 128, IAM_QUOTAS),
    length("aws_iam_role.name", 64, IAM_QUOTAS),
    length("aws_launch_template.name", 128, api("AWSEC2", "CreateLaunchTemplate")),
    length("aws_security_group.name", 255, api("AWSEC2", "CreateSecurityGroup")),
    length("aws_sns_topic.name", 256, "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html"),
    form("aws_codebuild_project.name", _PROJECT, "use letters, digits, '_' and '-'", api("codebuild", "CreateProject")),
    form("aws_iam_role.description", _ROLE_DESCRIPTION, _ASCII, api("IAM", "CreateRole")),
    form("aws_iam_user.name", _USER, _USER_HINT, api("IAM", "CreateUser")),
    form("aws_s3_bucket.bucket", _BUCKET, "use 3-63 of a-z, 0-9, '.' and '-'", _BUCKET_NAMES),
    form(
        "aws_scheduler_schedule.name",
        r"[A-Za-z0-9._-]{1,64}",
        "use at most 64 characters",
        api("scheduler", "CreateSchedule"),
    ),
    *(
        form(f"{kind}.name", _BALANCER, _BALANCER_HINT, api("elasticloadbalancing", action))
        for kind, action in _BALANCERS.items()
    ),
    *(
        form(f"{kind}.description", _GROUP_DESCRIPTION, _ASCII, api("AWSEC2", "CreateSecurityGroup"))
        for kind in _GROUPS
    ),
)
