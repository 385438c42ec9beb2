"""The rule about monitoring: alarms, logs, schedules and notifications that stop."""

from collections.abc import Iterator

from ops.review.resource_types import SAFEGUARDS
from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.rules.removal import removed, switched_off
from terraform.plan import Action


@rule(
    id="watch-stopped",
    what="Something is no longer recorded, reported or run.",
    why="Nobody notices what goes wrong from then on.",
)
def watch_stopped(plans: Plans) -> Iterator[ReviewFinding]:
    yield from removed(plans, SAFEGUARDS["watch-stopped"])
    yield from switched_off(plans, SAFEGUARDS["watch-stopped"])
    for change in plans.changes("aws_cloudwatch_metric_alarm"):
        was, now = change.before.get("alarm_actions"), change.after.get("alarm_actions")
        if change.action is Action.UPDATE and was and not now and not change.unknown("alarm_actions"):
            yield change.finding("its alarm notifies nobody", "alarm_actions")
