"""A topic that notifies people of alarms."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import TerraformCount
from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import (
    CloudwatchEventTarget,
    CloudwatchEventTargetInputTransformer,
)
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.inputs import Input, mark
from modules.policies import alerts
from modules.policies.statement import document

_EMAIL = Input(
    variable="alert_emails",
    description="Who gets alerts by e-mail; each confirms AWS's first mail.",
    is_item=True,
    checks=[
        (
            'alltrue([for email in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+$", email))])',
            "Write e-mail addresses, for example on-call@example.com.",
        )
    ],
)


@dataclass(frozen=True, kw_only=True)
class AlertTopicProps:
    """`emails` get every message, once each has confirmed AWS's first one."""

    name: str
    account_id: str
    emails: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Message:
    """What people read about an event: a text with names in `<>`, and where in the event each name's value is."""

    paths: Mapping[str, str]
    text: str

    @property
    def template(self) -> str:
        """The text as EventBridge takes it."""
        return json.dumps(self.text)


class AlertTopic(Construct):
    """A topic that alarms and event rules of this account publish to."""

    topic: SnsTopic

    def __init__(self, scope: Construct, id: str, props: AlertTopicProps) -> None:
        super().__init__(scope, id)
        self.topic = SnsTopic(self, "topic", name=props.name)
        acknowledge(
            self.topic,
            CKV_AWS_26="alarms and event rules cannot publish under SNS's own key; a message holds no secret",
        )
        SnsTopicPolicy(
            self,
            "policy",
            arn=self.topic.arn,
            policy=document(self, "publishers", alerts.published_by_alerts(self.topic.arn, props.account_id)),
        )
        subscriptions = Construct(self, "subscriptions")
        for email in props.emails:
            subscription = SnsTopicSubscription(
                subscriptions, email, topic_arn=self.topic.arn, protocol="email", endpoint=email
            )
            mark(subscription, {"endpoint": _EMAIL})

    def notify(self, rule: CloudwatchEventRule, message: Message, count: TerraformCount | None = None) -> None:
        """Publish a message for the events of each of `count` rules."""
        name = (
            rule.name
            if count is None
            else f"${{{rule.terraform_resource_type}.{rule.friendly_unique_id}[count.index].name}}"
        )
        CloudwatchEventTarget(
            self,
            f"{rule.node.id}_to_topic",
            count=count,
            rule=name,
            arn=self.topic.arn,
            input_transformer=CloudwatchEventTargetInputTransformer(
                input_paths=dict(message.paths), input_template=message.template
            ),
        )
