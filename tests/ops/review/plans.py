"""Reviews of plans in tests: of those that the real Terraform made, by scenario, and of small ones."""

import functools
import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.review import PlanFile, review
from ops.review.acknowledgements import Acknowledgement
from ops.review.outcome import Review
from ops.review.report import markdown

PLANS = Path(__file__).parent / "plans"


@functools.cache
def real(scenario: str) -> tuple[PlanFile, ...]:
    """The plans of a scenario, one for each stack."""
    files = sorted((PLANS / scenario).glob("*.json.xz"))
    return tuple(
        PlanFile(stack=file.name.partition(".")[0], where=file.name, text=lzma.decompress(file.read_bytes()).decode())
        for file in files
    )


@functools.cache
def real_review(scenario: str) -> Review:
    """The review of a scenario's plans; several tests read the same."""
    return review(real(scenario), [])


def reviewed(*plans: Mapping[str, Any], acknowledged: tuple[Acknowledgement, ...] = ()) -> Review:
    """The review of one plan for each stack: `stack`, `stack-1`, ..."""
    files = [
        PlanFile(stack=f"stack-{number}" if number else "stack", where="plan.json", text=json.dumps(one))
        for number, one in enumerate(plans)
    ]
    return review(files, acknowledged)


def comment(found: Review, limit: int = 65_536) -> str:
    """The Markdown of a review."""
    return markdown(found, limit)


def found_rules(found: Review) -> set[tuple[str, str]]:
    """Rule and address of every dangerous finding."""
    return {(finding.rule, finding.address) for finding in found.dangerous}
