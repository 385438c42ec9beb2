"""For how long a change keeps logs, objects, backups and messages, before and after."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.rule import ReviewedChange
from ops.review.text import code
from ops.review.translatable import said

_FOR_EVER = float("inf")

# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-24
_ATTRIBUTES = (
    "retention_in_days",
    "backup_retention_period",
    "deletion_window_in_days",
    "recovery_window_in_days",
    "message_retention_seconds",
    "snapshot_retention_limit",
)


def shorter_retention(change: ReviewedChange) -> Iterator[tuple[str, str]]:
    """The arguments by which the change keeps something for a shorter time, each with what that means as Markdown."""
    for name in _ATTRIBUTES:
        was, now = (_retention(change.type, name, values.get(name)) for values in (change.before, change.after))
        if was is not None and now is not None and now < was:
            before = said("for ever") if was == _FOR_EVER else _written(was)
            template = "{argument} is {value} (before: {before}): everything older is deleted"
            yield name, said(template, argument=code(name), value=_written(now), before=before)
    if change.type == "aws_s3_bucket_lifecycle_configuration":
        for what in _earlier_expirations(_expirations(change.before), _expirations(change.after)):
            yield "rule", what
    kept_before, kept_after = (_images_kept(values) for values in (change.before, change.after))
    if kept_before is not None and kept_after is not None and kept_after < kept_before:
        yield (
            "policy_details",
            said("keeps {number} images or snapshots instead of {old}", number=kept_after, old=kept_before),
        )


def _written(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _earlier_expirations(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    for rule, now in sorted(after.items()):
        was = before.get(rule, _FOR_EVER)
        if now < was:
            shown = said("never") if was == _FOR_EVER else said("{number} days", number=_written(was))
            template = "{rule} deletes objects after {days} days (before: {before})"
            yield said(template, rule=code(rule), days=_written(now), before=shown)


def _retention(kind: str, name: str, value: Any) -> float | None:
    # A log group with 0 keeps its entries for ever:
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    if kind == "aws_cloudwatch_log_group" and name == "retention_in_days" and value == 0:
        return _FOR_EVER
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _expirations(values: Mapping[str, Any]) -> dict[str, float]:
    """After how many days each rule of a bucket's lifecycle deletes objects."""
    found = {}
    rules = values.get("rule")
    for rule in rules if isinstance(rules, list) else []:
        blocks = rule.get("expiration") if isinstance(rule, dict) else None
        for block in blocks if isinstance(blocks, list) else []:
            days = block.get("days") if isinstance(block, dict) else None
            if isinstance(days, int | float) and days > 0:
                found[str(rule.get("id"))] = float(days)
    return found


def _images_kept(values: Mapping[str, Any]) -> int | None:
    """How many images or snapshots a policy of Data Lifecycle Manager keeps."""
    try:
        count = values["policy_details"][0]["schedule"][0]["retain_rule"][0]["count"]
    except (KeyError, IndexError, TypeError):
        return None
    return count if isinstance(count, int) else None
