"""Dangerous changes of monitoring, of code, and of what Terraform manages."""

from tests.ops.review.dangerous.row import Row, removed
from tests.ops.review.rule_cases import created, updated
from tests.terraform.plans import change

WATCH: list[Row] = [
    *[
        ("watch-stopped", f"{kind} is destroyed", [removed(kind)])
        for kind in (
            "aws_cloudtrail",
            "aws_flow_log",
            "aws_cloudwatch_metric_alarm",
            "aws_cloudwatch_event_rule",
            "aws_cloudwatch_event_target",
            "aws_sns_topic",
            "aws_sns_topic_subscription",
            "aws_guardduty_detector",
            "aws_config_configuration_recorder",
            "aws_securityhub_account",
            "aws_scheduler_schedule",
            "aws_autoscaling_lifecycle_hook",
        )
    ],
    (
        "watch-stopped",
        "servers are used before they say that they work",
        [updated("aws_autoscaling_lifecycle_hook", "default_result", "ABANDON", "CONTINUE")],
    ),
    ("watch-stopped", "a trail stops", [updated("aws_cloudtrail", "enable_logging", True, False)]),
    *[
        (
            "watch-stopped",
            f"{kind} may stop: {name} is not known",
            [change(f"{kind}.it", "update", {name: was}, {}, unknown={name: True})],
        )
        for kind, name, was in (
            ("aws_cloudtrail", "enable_logging", True),
            ("aws_cloudwatch_event_rule", "state", "ENABLED"),
            ("aws_cloudtrail", "is_multi_region_trail", True),
        )
    ],
    ("watch-stopped", "a trail hears one region", [updated("aws_cloudtrail", "is_multi_region_trail", True, False)]),
    (
        "watch-stopped",
        "a trail's files are not validated",
        [updated("aws_cloudtrail", "enable_log_file_validation", True, False)],
    ),
    (
        "watch-stopped",
        "a trail leaves out IAM's events",
        [updated("aws_cloudtrail", "include_global_service_events", True, False)],
    ),
    ("watch-changed", "a trail writes elsewhere", [updated("aws_cloudtrail", "s3_bucket_name", "ours", "theirs")]),
    (
        "watch-stopped",
        "an alarm tells nobody",
        [updated("aws_cloudwatch_metric_alarm", "actions_enabled", True, False)],
    ),
    ("watch-changed", "an alarm rises later", [updated("aws_cloudwatch_metric_alarm", "threshold", 1, 1000)]),
    ("watch-stopped", "a rule is disabled", [updated("aws_cloudwatch_event_rule", "state", "ENABLED", "DISABLED")]),
    (
        "watch-changed",
        "a rule hears something else",
        [updated("aws_cloudwatch_event_rule", "event_pattern", '{"source": ["aws.iam"]}', '{"source": ["aws.ec2"]}')],
    ),
    (
        "watch-changed",
        "a target is another topic",
        [
            updated(
                "aws_cloudwatch_event_target",
                "arn",
                "arn:aws:sns:ap-northeast-1:222222222222:ours",
                "arn:aws:sns:ap-northeast-1:999999999999:theirs",
            )
        ],
    ),
    (
        "watch-changed",
        "a mail goes to somebody else",
        [
            change(
                "aws_sns_topic_subscription.it",
                ["delete", "create"],
                {"endpoint": "a@example.com"},
                {"endpoint": "b@example.com"},
                replace_paths=[["endpoint"]],
            )
        ],
    ),
]

CODE: list[Row] = [
    (
        "host-key-changed",
        "a build trusts another host key",
        [
            updated(
                "aws_codebuild_project",
                "source",
                [{"buildspec": "example.git.backlog.jp ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3"}],
                [{"buildspec": "example.git.backlog.jp ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDy8vP09fb3"}],
            )
        ],
    ),
    (
        "host-key-changed",
        "what builds fetch has another host key",
        [
            updated(
                "aws_s3_object",
                "content",
                '{"known_hosts": ["example.git.backlog.jp ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3"]}',
                '{"known_hosts": ["example.git.backlog.jp ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDy8vP09fb3"]}',
            )
        ],
    ),
    (
        "mirror-runs-otherwise",
        "a build runs another image, and nothing is known of its role",
        [updated("aws_codebuild_project", "environment", [{"image": "a"}], [{"image": "b"}])],
    ),
    (
        "target-tag-changed",
        "a unit's tag comes to another repository",
        [updated("aws_codecommit_repository", "tags", {}, {"Kakehashi:mirrored-by": "kakehashi-prd-backlog-a"})],
    ),
    ("type-unknown", "something unknown is created", [created("aws_something_new")]),
    ("type-unknown", "something unknown is changed", [updated("aws_something_new", "name", "a", "b")]),
    ("moved", "an object moves", [change("aws_sns_topic.it", "no-op", {}, {}, previous_address="aws_sns_topic.was")]),
    ("forgotten", "an object is forgotten", [change("aws_sns_topic.it", "forget", {"id": "x"})]),
]

ROWS = [*WATCH, *CODE]
