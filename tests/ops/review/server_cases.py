"""For each rule about servers and their networks, changes in which it finds something and similar ones."""

from typing import Any

from tests.ops.review.rule_cases import RuleCase, updated
from tests.terraform.plans import change


def _provider(**arguments: Any) -> dict[str, Any]:
    """A plan with a provider that is set in this way."""
    provider = {"expressions": {name: {"constant_value": value} for name, value in arguments.items()}}
    return {"configuration": {"root_module": {}, "provider_config": {"aws": provider}}}


def _in_state(region: str) -> dict[str, Any]:
    """A plan of which the provider works in Tokyo, and the state has a topic in a region."""
    values = {"arn": f"arn:aws:sns:{region}:111111111111:it"}
    topic = {"address": "aws_sns_topic.it", "mode": "managed", "values": values}
    return {
        "configuration": {
            "root_module": {},
            "provider_config": {"aws": {"expressions": {"region": {"constant_value": "ap-northeast-1"}}}},
        },
        "prior_state": {"values": {"root_module": {"resources": [topic]}}},
    }


CASES: dict[str, RuleCase] = {
    "host-allowed": RuleCase(
        found=[updated("aws_launch_template", "user_data", "", "packages: [squid]")],
        at="aws_launch_template.it",
        not_found=[updated("aws_launch_template", "user_data", "", "packages: [git]")],
    ),
    "server-stopped": RuleCase(
        found=[updated("aws_instance", "instance_type", "c7i.2xlarge", "c7i.4xlarge")],
        at="aws_instance.it",
        not_found=[
            change("aws_instance.it", ["delete", "create"], {"instance_type": "a"}, {"instance_type": "b"}),
            updated("aws_instance", "disable_api_stop", False, True),
        ],
        is_dangerous=False,
    ),
    "place-changed": RuleCase(
        at="the provider's region", more=_in_state("us-east-1"), not_found_more=_in_state("ap-northeast-1")
    ),
    "provider-settings": RuleCase(
        at="provider.aws",
        more=_provider(http_proxy="http://192.0.2.1:3128"),
        not_found_more=_provider(profile="prd"),
    ),
}
