"""A dangerous change, and helpers that several tables of them use."""

from collections.abc import Sequence
from typing import Any

from tests.ops.review.rule_cases import PlannedChange
from tests.terraform.plans import change

Row = tuple[str, str, Sequence[PlannedChange]]
"""The rule that names it, what happens, and the changes."""

FOREIGN = "arn:aws:iam::999999999999:root"


def removed(kind: str, **before: Any) -> PlannedChange:
    return change(f"{kind}.it", "delete", before or {"id": "x"})
