"""AWS's own managed policies that are attached here, as AWS publishes them; AWS may change them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from iam.documents import parse
from iam.statements import Policy


def aws_managed(arn: str) -> Policy | None:
    """The policy of that ARN, None where it is not known here."""
    return _policies().get(arn)


def is_published(text: str) -> bool:
    """Whether a text is the ARN or the name of one of these policies."""
    return any(text in (arn, arn.rpartition("/")[2]) for arn in _policies())


@cache
def _policies() -> Mapping[str, Policy]:
    documents = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))["policies"]
    return {arn: parse(document, arn) for arn, document in documents.items()}
