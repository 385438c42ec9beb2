"""Plans for tests: those of real Terraform, by scenario, and small ones written down where they are used."""

import functools
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.review import Source, review
from ops.review.acknowledgements import Acknowledgement
from ops.review.report import Review, markdown

PLANS = Path(__file__).parent / "plans"


@functools.cache
def real(scenario: str) -> tuple[Source, ...]:
    """The plans of a scenario, one for each stack."""
    files = sorted((PLANS / scenario).glob("*.json.gz"))
    return tuple(
        Source(stack=file.name.partition(".")[0], where=file.name, text=gzip.decompress(file.read_bytes()).decode())
        for file in files
    )


def plan(*changes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A plan as `terraform show -json` prints it, with these resource changes."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        "configuration": {},
        **more,
    }


def change(
    address: str,
    actions: list[str] | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    unknown: Any = False,
    sensitive: tuple[Any, Any] = (False, False),
    **more: Any,
) -> dict[str, Any]:
    """One resource's change."""
    listed = [actions] if isinstance(actions, str) else actions
    inside: dict[str, Any] = {
        "actions": listed,
        "before": before,
        "after": after,
        "after_unknown": unknown,
        "before_sensitive": sensitive[0],
        "after_sensitive": sensitive[1],
        **{key: more.pop(key) for key in ("importing", "replace_paths") if key in more},
    }
    kind = address.rpartition("module.")[2].split(".")[-2]
    return {"address": address, "mode": "managed", "type": kind, "name": "it", "change": inside, **more}


def reviewed(*plans: Mapping[str, Any], acknowledged: tuple[Acknowledgement, ...] = ()) -> Review:
    """The review of plans, each a stack's: `stack`, `stack-1`, ..."""
    sources = [
        Source(stack=f"stack-{number}" if number else "stack", where="plan.json", text=json.dumps(one))
        for number, one in enumerate(plans)
    ]
    return review(sources, acknowledged)


def comment(found: Review, limit: int = 65_536) -> str:
    """The Markdown of a review."""
    return markdown(found, limit)


def found_rules(found: Review) -> set[tuple[str, str]]:
    """Rule and address of every finding that is dangerous."""
    return {(finding.rule, finding.address) for finding in found.dangerous}
