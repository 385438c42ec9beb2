"""Notifies people when mirrors differ, when a build failed, or when nothing was reconciled for too long."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from constructs import Construct

from modules.alert_topic import AlertTopic, AlertTopicProps, Message
from modules.explained import explain
from modules.labels import Labels
from modules.policies import builds

FAILURES = ("FAILED", "FAULT", "TIMED_OUT", "STOPPED")

FAILED = Message(
    paths={
        "project": "$.detail.project-name",
        "status": "$.detail.build-status",
        "logs": "$.detail.additional-information.logs.deep-link",
    },
    text="The mirror build <project> ended as <status>. Its log: <logs>",
)
DIFFERING = Message(
    paths={"what": "$.detail-type", "unit": "$.detail.unit", "mirrors": "$.detail.mirrors", "log": "$.detail.log"},
    text="<what> in <unit>: <mirrors>. The log: <log>",
)

_BY_PREFIX = "It selects by prefix, because a list of many names would exceed the size of a pattern."

NAMESPACE = "Kakehashi/Backlog"

_SECONDS_PER_HOUR = 3600

_BETWEEN_BUILDS = """\
Builds may be hours apart, and mirrors differ as before meanwhile, so missing data changes nothing. \
The other alarm is about builds that do not run."""


@dataclass(frozen=True, kw_only=True)
class AlertedUnit:
    """A unit's name, and the parameter that says which of its mirrors differ."""

    name: str
    state_parameter: str


@dataclass(frozen=True, kw_only=True)
class BuildAlertsProps:
    """`silent_hours` is how long mirrors may differ, or none be reconciled: whole hours up to a week, or a reference.

    `silent_seconds` is the same in seconds. `units` by their keys.
    """

    labels: Labels
    account_id: str
    emails: Sequence[str]
    silent_hours: float
    silent_seconds: float
    units: Mapping[str, AlertedUnit]


class BuildAlerts(AlertTopic):
    """A topic for every failed build and every mirror that begins or ceases to differ, with two alarms a unit."""

    def __init__(self, scope: Construct, id: str, props: BuildAlertsProps) -> None:
        super().__init__(
            scope,
            id,
            AlertTopicProps(name=props.labels.name("backlog-alerts"), account_id=props.account_id, emails=props.emails),
        )
        self._events(props)
        self._alarms(props)

    def _events(self, props: BuildAlertsProps) -> None:
        failed = CloudwatchEventRule(
            self,
            "failures",
            name=props.labels.name("backlog-failures", limit=64),
            description="Mirror builds that failed",
            event_pattern=failures(props.labels),
        )
        explain(failed, _BY_PREFIX)
        self.notify(failed, FAILED)
        differing = CloudwatchEventRule(
            self,
            "differences",
            name=props.labels.name("backlog-differences", limit=64),
            description="Mirrors that differ, or are equal again",
            event_pattern=differences(props.labels),
        )
        explain(differing, _BY_PREFIX)
        self.notify(differing, DIFFERING)

    def _alarms(self, props: BuildAlertsProps) -> None:
        inequality, silence = Construct(self, "inequality"), Construct(self, "silence")
        told = [self.topic.arn]
        for key, unit in props.units.items():
            differs = CloudwatchMetricAlarm(
                inequality,
                key,
                alarm_name=props.labels.name("backlog", key, "differs"),
                alarm_description=f"A mirror of {unit.name} differs for too long. The SSM parameter "
                f"{unit.state_parameter} says which, and since when",
                namespace=NAMESPACE,
                metric_name="OldestInequality",
                dimensions={"Unit": unit.name},
                statistic="Maximum",
                period=_SECONDS_PER_HOUR,
                evaluation_periods=1,
                threshold=props.silent_seconds,
                comparison_operator="GreaterThanThreshold",
                treat_missing_data="ignore",
                alarm_actions=told,
                ok_actions=told,
            )
            explain(differs, _BETWEEN_BUILDS)
            silent = CloudwatchMetricAlarm(
                silence,
                key,
                alarm_name=props.labels.name("backlog", key, "silent"),
                alarm_description=f"{unit.name} reconciled no mirror for too long",
                namespace=NAMESPACE,
                metric_name="Reconciled",
                dimensions={"Unit": unit.name},
                statistic="Sum",
                period=_SECONDS_PER_HOUR,
                evaluation_periods=props.silent_hours,
                threshold=1,
                comparison_operator="LessThanThreshold",
                treat_missing_data="breaching",
                alarm_actions=told,
                ok_actions=told,
            )
            explain(silent, "There is no data for an hour without a build, so missing data counts as silence.")


def failures(labels: Labels) -> str:
    """The event pattern of builds that failed."""
    return _pattern(
        {
            "source": ["aws.codebuild"],
            "detail-type": ["CodeBuild Build State Change"],
            "detail": {"build-status": FAILURES, "project-name": _of_deployment(labels)},
        }
    )


def differences(labels: Labels) -> str:
    """The event pattern of mirrors that differ, or are equal again."""
    return _pattern(
        {
            "source": [builds.EVENT_SOURCE],
            "detail-type": builds.EVENTS,
            "detail": {"unit": _of_deployment(labels)},
        }
    )


def _of_deployment(labels: Labels) -> list[dict[str, str]]:
    return [{"prefix": labels.name("backlog", "")}]


def _pattern(pattern: Mapping[str, object]) -> str:
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"))  # as Terraform's jsonencode
