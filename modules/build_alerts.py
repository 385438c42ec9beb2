"""Notifies people when a mirror failed, or has not succeeded for too long."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktf_cdktf_provider_aws.codebuild_project import CodebuildProject
from constructs import Construct

from modules.alert_topic import AlertTopic, AlertTopicProps, Message
from modules.labels import Labels

FAILURES = ("FAILED", "FAULT", "TIMED_OUT", "STOPPED")

FAILED = Message(
    paths={
        "project": "$.detail.project-name",
        "status": "$.detail.build-status",
        "logs": "$.detail.additional-information.logs.deep-link",
    },
    text="The mirror <project> ended as <status>. Its log: <logs>",
)

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class BuildAlertsProps:
    """`silent_hours` is how long a project may go without a success, whole hours up to a week, or a reference."""

    labels: Labels
    account_id: str
    emails: Sequence[str]
    silent_hours: float
    projects: Mapping[str, CodebuildProject]


class BuildAlerts(AlertTopic):
    """A topic for every failed build, and for every project without a successful build for too long."""

    def __init__(self, scope: Construct, id: str, props: BuildAlertsProps) -> None:
        super().__init__(
            scope,
            id,
            AlertTopicProps(name=props.labels.name("backlog-alerts"), account_id=props.account_id, emails=props.emails),
        )
        self._failures(props)
        self._silence(props)

    def _failures(self, props: BuildAlertsProps) -> None:
        rule = CloudwatchEventRule(
            self,
            "failures",
            name=props.labels.name("backlog-failures", limit=64),
            description="Mirror builds that failed",
            event_pattern=failures(props.labels),
        )
        self.notify(rule, FAILED)

    def _silence(self, props: BuildAlertsProps) -> None:
        alarms = Construct(self, "silence")
        for key, project in props.projects.items():
            CloudwatchMetricAlarm(
                alarms,
                key,
                alarm_name=props.labels.name("backlog", key, "silent"),
                alarm_description=f"No successful mirror build of {key} for too long",
                namespace="AWS/CodeBuild",
                metric_name="SucceededBuilds",
                dimensions={"ProjectName": project.name},
                statistic="Sum",
                period=_SECONDS_PER_HOUR,
                evaluation_periods=props.silent_hours,
                threshold=1,
                comparison_operator="LessThanThreshold",
                # CodeBuild reports no data for an hour without a build.
                treat_missing_data="breaching",
                alarm_actions=[self.topic.arn],
                ok_actions=[self.topic.arn],
            )


def failures(labels: Labels) -> str:
    """The event pattern of builds that failed."""
    pattern = {
        "source": ["aws.codebuild"],
        "detail-type": ["CodeBuild Build State Change"],
        "detail": {
            "build-status": FAILURES,
            # By prefix, because a list of many names would exceed the size of a pattern.
            "project-name": [{"prefix": labels.name("backlog", "")}],
        },
    }
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"))  # as Terraform's jsonencode
