"""Rules about monitoring: alarms, logs, schedules and notifications that stop or become others."""

from collections.abc import Iterator

from ops.review.resource_types import SAFEGUARDS
from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.rules.removal import ProtectiveSetting, removed, switched_off, unprotected
from ops.review.text import codes
from ops.review.translatable import said
from terraform.plan import Action


@rule(
    id="watch-stopped",
    what="Something is no longer recorded, reported or run.",
    why="Nobody notices what goes wrong from then on.",
)
def watch_stopped(plans: Plans) -> Iterator[ReviewFinding]:
    yield from removed(plans, SAFEGUARDS["watch-stopped"])
    yield from switched_off(plans, SAFEGUARDS["watch-stopped"])
    yield from unprotected(plans, _RECORDING)
    for change in plans.changes("aws_cloudwatch_metric_alarm"):
        was, now = change.before.get("alarm_actions"), change.after.get("alarm_actions")
        if change.action is Action.UPDATE and was and not now and not change.unknown("alarm_actions"):
            yield change.finding(said("its alarm notifies nobody"), "alarm_actions")


# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-28
_RECORDING = (
    ProtectiveSetting("is_multi_region_trail", True, "calls in other regions are no longer recorded"),
    ProtectiveSetting("include_global_service_events", True, "IAM's calls are no longer recorded"),
    ProtectiveSetting("enable_log_file_validation", True, "nobody can see whether its files were changed"),
)


@rule(
    id="watch-changed",
    what="Something else is recorded or reported, or other people are told.",
    why="What the owner was told until now may go unnoticed.",
)
def watch_changed(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes(*_WATCHED):
        changed = [
            name
            for name in _WATCHED[change.type]
            if change.is_configured(name)
            and (change.unknown(name) or change.before.get(name) != change.after.get(name))
        ]
        if change.is_modified and changed:
            yield change.finding(
                said("{what} ({arguments})", what=said(_WATCHES[change.type]), arguments=codes(changed)), *changed
            )


# By type, the arguments that say what is heard and who is told.
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-28
_WATCHED = {
    "aws_cloudtrail": ("s3_bucket_name", "s3_key_prefix", "event_selector", "advanced_event_selector"),
    "aws_cloudwatch_event_rule": ("event_pattern", "event_bus_name"),
    "aws_cloudwatch_event_target": ("arn", "rule", "event_bus_name"),
    "aws_cloudwatch_metric_alarm": (
        *("metric_name", "namespace", "dimensions", "metric_query", "statistic", "extended_statistic", "unit"),
        *("threshold", "comparison_operator", "period", "evaluation_periods", "datapoints_to_alarm"),
        *("treat_missing_data", "alarm_actions"),
    ),
    "aws_sns_topic_subscription": ("endpoint", "protocol", "topic_arn", "filter_policy", "filter_policy_scope"),
}
_WATCHES = {
    "aws_cloudtrail": "records other calls, or elsewhere",
    "aws_cloudwatch_event_rule": "hears other events",
    "aws_cloudwatch_event_target": "passes its events on to something else",
    "aws_cloudwatch_metric_alarm": "is raised at another time, or tells somebody else",
    "aws_sns_topic_subscription": "tells somebody else, or something else",
}
