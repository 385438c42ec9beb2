"""Stacks whose sets name members of blocks with `for_each`, and near misses."""

from typing import Any

from tests.ops.handover.cases import style
from tests.ops.handover.cases.documents import Document

_RELEASES: Document = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}}}
}
_TOPIC, _QUEUE = '${aws_sns_topic.it["KEY"].arn}', '${aws_sqs_queue.it["KEY"].arn}'


def releases() -> Document:
    """What a stack requires, in which the arguments that are sets are known."""
    return _RELEASES


def listed(text: str, *keys: str) -> list[str]:
    """The text for each key."""
    return [text.replace("KEY", key) for key in keys]


def policy(resources: Any, **others: Any) -> Document:
    """A policy on these resources, beside topics and queues by key."""
    statement = {"actions": ["sns:Publish"], "resources": resources, **others}
    return _RELEASES | style.members("x") | {"data": {"aws_iam_policy_document": {"it": {"statement": [statement]}}}}


def _endpoint(**arguments: Any) -> Document:
    endpoint = {"vpc_id": "vpc-1", "service_name": "s3", **arguments}
    tables = {"it": {"for_each": '${toset(["a", "c"])}', "vpc_id": "vpc-1"}, "public": {"vpc_id": "vpc-1"}}
    return _RELEASES | {"resource": {"aws_vpc_endpoint": {"it": endpoint}, "aws_route_table": tables}}


SETS: dict[str, Document] = {
    "in_another_order": policy(listed(_TOPIC, "c", "a")),
    "with_others": policy(["*", *listed(_TOPIC, "c"), "x", *listed(_TOPIC, "a")]),
    "with_two_of_each": policy([*listed(_TOPIC, "c", "a"), *listed(_QUEUE, "a", "c")]),
    "of_texts": policy(listed(f"{_TOPIC}/*", "c", "a")),
    "of_texts_with_keys": policy(listed(f"{_TOPIC}/KEY", "c", "a")),
    "with_one_twice": policy(listed(_TOPIC, "c", "a", "c")),
    "of_some": policy(listed(_TOPIC, "c")),
    "of_known_names": policy(listed('${aws_sns_topic.it["KEY"].name}', "c", "a")),
    "of_route_tables": _endpoint(
        route_table_ids=["${aws_route_table.public.id}", *listed('${aws_route_table.it["KEY"].id}', "c", "a")]
    ),
    "in_a_dynamic_block": policy(["*"])
    | {
        "data": {
            "aws_iam_policy_document": {
                "it": {"dynamic": {"statement": {"for_each": [1], "content": {"resources": listed(_TOPIC, "c", "a")}}}}
            }
        }
    },
    "in_a_list_of_values": policy(
        ["*"],
        condition=[
            {"test": "ArnEquals", "variable": "a:b", "values": listed('${aws_sns_topic.it["KEY"].name}', "c", "a")}
        ],
    ),
}
