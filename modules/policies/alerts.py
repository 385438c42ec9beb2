"""Who publishes alerts, and who forwards events."""

from modules.policies.statement import PolicyCondition, PolicyStatement


def published_by_alerts(topic_arn: str, account_id: str) -> list[PolicyStatement]:
    """A topic's policy: event rules and this account's alarms may publish, with TLS only.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    own_account = PolicyCondition(test="StringEquals", variable="aws:SourceAccount", values=(account_id,))
    insecure = PolicyCondition(test="Bool", variable="aws:SecureTransport", values=("false",))
    publish = ("sns:Publish",)
    return [
        PolicyStatement(
            sid="PublishAlarms",
            effect="Allow",
            actions=publish,
            resources=(topic_arn,),
            services=("cloudwatch.amazonaws.com",),
            conditions=(own_account,),
        ),
        PolicyStatement(
            sid="PublishEvents",
            effect="Allow",
            actions=publish,
            resources=(topic_arn,),
            services=("events.amazonaws.com",),
            why="EventBridge sends no account in its requests to SNS, so a condition on it would never hold.",
        ),
        PolicyStatement(
            sid="DenyInsecureTransport",
            effect="Deny",
            actions=publish,
            resources=(topic_arn,),
            everybody=True,
            conditions=(insecure,),
        ),
    ]


def put_events(event_bus_arn: str) -> PolicyStatement:
    """Forward events to one bus."""
    return PolicyStatement(
        sid="HandEventsOn", effect="Allow", actions=("events:PutEvents",), resources=(event_bus_arn,)
    )
