"""AWS's own managed policies that are attached here, as AWS publishes them; it may change them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from iam.policy import Policy, parse


def aws_managed(arn: str) -> Policy | None:
    """The policy of that ARN, as far as it is known here."""
    return _policies().get(arn)


@cache
def _policies() -> Mapping[str, Policy]:
    documents = json.loads(Path(__file__).with_suffix(".json").read_text())
    return {arn: parse(document, arn) for arn, document in documents.items()}
