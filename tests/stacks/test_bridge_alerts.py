"""Who hears of failed builds, and of mirrors that differ."""

import json

from tests.stacks.bridge import allowed
from tests.terraform import Terraform

MIRROR = [f"codecommit:{name}" for name in ("GetRepository", "GitPull", "GitPush", "UpdateDefaultBranch")]


def test_every_unit_runs_on_a_schedule_too(bridge: Terraform) -> None:
    assert bridge.json["variable"]["reconcile_schedule"]["default"] == "rate(1 hour)"
    ((name, schedule),) = bridge.resources("aws_scheduler_schedule").items()
    assert name == "reconciliation_schedules_example"
    assert schedule["schedule_expression"] == "${var.reconcile_schedule}"
    assert schedule["target"]["arn"] == "arn:aws:scheduler:::aws-sdk:codebuild:startBuild"
    project = "aws_codebuild_project.spaces_example_project"
    assert schedule["target"]["input"] == f'${{jsonencode({{"ProjectName" = {project}.name}})}}'
    assert allowed(bridge, "reconciliation_role") == {
        "StartBuilds": (["codebuild:StartBuild"], [f"${{{project}.arn}}"])
    }


def test_notifies_of_every_kind_of_build_failure(bridge: Terraform) -> None:
    pattern = json.loads(bridge.resource("aws_cloudwatch_event_rule.alerts_failures")["event_pattern"])
    assert pattern == {
        "source": ["aws.codebuild"],
        "detail-type": ["CodeBuild Build State Change"],
        "detail": {
            "build-status": ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"],
            "project-name": [{"prefix": "kakehashi-prd-backlog-"}],
        },
    }
    target = bridge.resource("aws_cloudwatch_event_target.alerts_failures_to_topic")
    assert target["arn"] == "${aws_sns_topic.alerts_topic.arn}"
    (subscription,) = bridge.resources("aws_sns_topic_subscription").values()
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", "platform-team@example.com")


def test_notifies_of_mirrors_of_this_deployment_that_differ_or_are_equal_again(bridge: Terraform) -> None:
    pattern = json.loads(bridge.resource("aws_cloudwatch_event_rule.alerts_differences")["event_pattern"])
    assert pattern == {
        "source": ["kakehashi.backlog"],
        "detail-type": ["Mirrors differ", "Mirrors equal again"],
        "detail": {"unit": [{"prefix": "kakehashi-prd-backlog-"}]},
    }
    target = bridge.resource("aws_cloudwatch_event_target.alerts_differences_to_topic")
    assert target["arn"] == "${aws_sns_topic.alerts_topic.arn}"
    assert target["input_transformer"]["input_paths"]["mirrors"] == "$.detail.mirrors"


def test_raises_an_alarm_for_a_unit_that_reconciles_nothing(bridge: Terraform) -> None:
    alarm = bridge.resource("aws_cloudwatch_metric_alarm.alerts_silence_example")
    assert alarm["dimensions"] == {"Unit": "kakehashi-prd-backlog-example"}
    assert (alarm["metric_name"], alarm["statistic"], alarm["period"]) == ("Reconciled", "Sum", 3600)
    assert alarm["evaluation_periods"] == "${var.silent_hours}"
    assert (alarm["comparison_operator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert alarm["treat_missing_data"] == "breaching"
    assert alarm["alarm_actions"] == ["${aws_sns_topic.alerts_topic.arn}"]


def test_raises_an_alarm_for_a_mirror_that_differs_for_too_long(bridge: Terraform) -> None:
    alarm = bridge.resource("aws_cloudwatch_metric_alarm.alerts_inequality_example")
    assert alarm["dimensions"] == {"Unit": "kakehashi-prd-backlog-example"}
    assert (alarm["namespace"], alarm["metric_name"]) == ("Kakehashi/Backlog", "OldestInequality")
    assert (alarm["statistic"], alarm["comparison_operator"]) == ("Maximum", "GreaterThanThreshold")
    assert alarm["threshold"] == "${var.silent_hours * 3600}"
    assert alarm["treat_missing_data"] == "ignore", "no build in an hour does not mean that mirrors are equal"
    assert bridge.resource("aws_ssm_parameter.spaces_example_state")["name"] in alarm["alarm_description"]
    assert alarm["alarm_actions"] == alarm["ok_actions"] == ["${aws_sns_topic.alerts_topic.arn}"]


def test_only_alarms_and_events_publish_to_the_topic(bridge: Terraform) -> None:
    policy = bridge.statements(bridge.resource("aws_sns_topic_policy.alerts_policy")["policy"])
    assert policy["DenyInsecureTransport"]["effect"] == "Deny"
    allowed = {
        sid: (statement["principals"], statement["actions"])
        for sid, statement in policy.items()
        if statement["effect"] == "Allow"
    }
    assert allowed == {
        "PublishAlarms": ([{"type": "Service", "identifiers": ["cloudwatch.amazonaws.com"]}], ["sns:Publish"]),
        "PublishEvents": ([{"type": "Service", "identifiers": ["events.amazonaws.com"]}], ["sns:Publish"]),
    }
