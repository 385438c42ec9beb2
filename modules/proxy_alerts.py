"""Notifies people when proxies are not replaced as they should be."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from constructs import Construct

from modules.alert_topic import AlertTopic, AlertTopicProps, Message
from modules.labels import Labels

# https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-eventbridge-events.html
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
FAILURES = (
    "EC2 Auto Scaling Instance Refresh Cancelled",
    "EC2 Auto Scaling Instance Refresh Failed",
    "EC2 Auto Scaling Instance Refresh Rollback Failed",
    "EC2 Auto Scaling Instance Refresh Rollback Started",
    "EC2 Auto Scaling Instance Refresh Rollback Succeeded",
    "EC2 Instance Launch Unsuccessful",
)

FAILED = Message(
    paths={
        "what": "$.detail-type",
        "group": "$.detail.AutoScalingGroupName",
        "time": "$.time",
        "reason": "$.detail.StatusMessage",
    },
    text="<what> (<group>, <time>). Not every proxy has the newest configuration, and nothing goes back by "
    "itself: the group's activity and the console of a new proxy say more. <reason>",
)


@dataclass(frozen=True, kw_only=True)
class ProxyAlertsProps:
    """`group_name` is that of the proxies' auto scaling group."""

    labels: Labels
    account_id: str
    emails: Sequence[str]
    group_name: str


class ProxyAlerts(AlertTopic):
    """A topic for every replacement of proxies that failed or was stopped, and every proxy that was not launched."""

    def __init__(self, scope: Construct, id: str, props: ProxyAlertsProps) -> None:
        super().__init__(
            scope,
            id,
            AlertTopicProps(name=props.labels.name("proxy-alerts"), account_id=props.account_id, emails=props.emails),
        )
        rule = CloudwatchEventRule(
            self,
            "failures",
            name=props.labels.name("proxy-failures", limit=64),
            description="Proxies that were not replaced as they should be",
            event_pattern=failures(props.group_name),
        )
        self.notify(rule, FAILED)


def failures(group_name: str) -> str:
    """The event pattern of proxies that were not replaced or launched."""
    pattern = {
        "source": ["aws.autoscaling"],
        "detail-type": FAILURES,
        "detail": {"AutoScalingGroupName": [group_name]},
    }
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"))  # as Terraform's jsonencode
