"""Rules about guards: protection, encryption, retention, backups and watching that are taken away."""

from collections.abc import Iterator
from typing import Any

from ops.review.kinds import guard
from ops.review.rule import Check, Plans, Rule
from ops.review.text import code
from terraform.plan import Action, Change

Found = Iterator[tuple[str, str, str]]

# Settings that protect: name, the value that protects, and what becomes possible without it.
_PROTECTIONS: tuple[tuple[str, Any, str], ...] = (
    ("deletion_protection", True, "it may be destroyed"),
    ("deletion_protection_enabled", True, "it may be destroyed"),
    ("disable_api_termination", True, "it may be terminated"),
    ("disable_api_stop", True, "it may be stopped"),
    ("enable_deletion_protection", True, "it may be destroyed"),
    ("force_destroy", False, "it may be destroyed with what it holds"),
    ("force_delete", False, "it may be destroyed with what it holds"),
    ("skip_final_snapshot", False, "no snapshot is made before it is destroyed"),
)
_ENCRYPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("encrypted", True, "it is not encrypted"),
    ("storage_encrypted", True, "it is not encrypted"),
    ("at_rest_encryption_enabled", True, "it is not encrypted"),
    ("transit_encryption_enabled", True, "its connections are not encrypted"),
    ("enable_key_rotation", True, "its key is no longer changed every year"),
    ("sqs_managed_sse_enabled", True, "it is not encrypted"),
)
_KEYS = ("kms_key_id", "kms_key_arn", "kms_master_key_id", "encryption_key")
_RETENTIONS = (
    "retention_in_days",
    "backup_retention_period",
    "deletion_window_in_days",
    "recovery_window_in_days",
    "message_retention_seconds",
    "snapshot_retention_limit",
)


def _switched(names: tuple[tuple[str, Any, str], ...]) -> Check:
    def check(plans: Plans) -> Found:
        for change in plans.changes():
            if change.action is Action.UPDATE or change.action is Action.REPLACE:
                for name, protecting, what in names:
                    was, now = change.before.get(name), change.after.get(name)
                    if was == protecting and now != protecting and not change.unknown(name):
                        yield change.stack, change.address, f"{what} ({code(name)} is off)"

    return check


def _encryption(plans: Plans) -> Found:
    yield from _switched(_ENCRYPTIONS)(plans)
    for change in plans.changes():
        for name in _KEYS:
            was, now = change.before.get(name), change.after.get(name)
            if change.action in {Action.UPDATE, Action.REPLACE} and was and now != was and not change.unknown(name):
                other = f"the key {code(str(now))}" if now else "AWS's own key"
                yield change.stack, change.address, f"is encrypted under {other}, and no longer under {code(str(was))}"
    yield from _gone("encryption-lifted")(plans)


def _retention(plans: Plans) -> Found:
    for change in plans.changes():
        if change.action not in {Action.UPDATE, Action.REPLACE}:
            continue
        for name in _RETENTIONS:
            was, now = change.before.get(name), change.after.get(name)
            # For a log group 0 is for ever.
            was, now = (_forever(change, name, value) for value in (was, now))
            if isinstance(was, int | float) and isinstance(now, int | float) and now < was:
                days = "for ever" if was == float("inf") else str(was)
                yield change.stack, change.address, f"{code(name)} is {now}, and was {days}: what is older is deleted"
        for rule, was, now in _expirations(change):
            if now < was:
                kept = "for ever" if was == float("inf") else f"{was:.0f} days"
                yield (
                    change.stack,
                    change.address,
                    f"{code(rule)} deletes objects after {now:.0f} days, and kept them {kept}",
                )
        was, now = _kept(change.before), _kept(change.after)
        if was is not None and now is not None and now < was:
            yield change.stack, change.address, f"keeps {now} images or snapshots, and kept {was}"
    yield from _gone("retention-shortened")(plans)


def _forever(change: Change, name: str, value: Any) -> Any:
    forever = change.type == "aws_cloudwatch_log_group" and name == "retention_in_days" and value == 0
    return float("inf") if forever else None if isinstance(value, bool) else value


def _expirations(change: Change) -> Iterator[tuple[str, float, float]]:
    before, after = (_expiration_days(values.get("rule")) for values in (change.before, change.after))
    if change.type == "aws_s3_bucket_lifecycle_configuration":
        for rule, now in sorted(after.items()):
            yield rule, before.get(rule, float("inf")), now


def _expiration_days(rules: Any) -> dict[str, float]:
    found = {}
    for rule in rules if isinstance(rules, list) else []:
        blocks = rule.get("expiration") if isinstance(rule, dict) else None
        for block in blocks if isinstance(blocks, list) else []:
            days = block.get("days") if isinstance(block, dict) else None
            if isinstance(days, int | float) and days > 0:
                found[str(rule.get("id"))] = float(days)
    return found


def _kept(values: Any) -> int | None:
    """How many images or snapshots a policy of Data Lifecycle Manager keeps."""
    try:
        count = values["policy_details"][0]["schedule"][0]["retain_rule"][0]["count"]
    except (KeyError, IndexError, TypeError):
        return None
    return count if isinstance(count, int) else None


def _gone(rule: str) -> Check:
    def check(plans: Plans) -> Found:
        for change in plans.changes():
            known = guard(change.type)
            if known is not None and known[0] == rule and (change.is_gone or change.action is Action.FORGET):
                yield change.stack, change.address, f"is destroyed: {known[1]}"

    return check


def _versioning(plans: Plans) -> Found:
    yield from _gone("versioning-stopped")(plans)
    for change in plans.changes():
        if change.type == "aws_s3_bucket_versioning" and change.action is Action.UPDATE:
            was, now = (_status(values.get("versioning_configuration")) for values in (change.before, change.after))
            if was == "Enabled" and now != "Enabled":
                yield change.stack, change.address, "overwritten and deleted objects are no longer kept"


def _status(blocks: Any) -> Any:
    first = blocks[0] if isinstance(blocks, list) and blocks and isinstance(blocks[0], dict) else {}
    return first.get("status")


# Settings that switch a guard on: type, name, and the values that do.
_ON: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("aws_cloudtrail", "enable_logging", (True, None)),
    ("aws_cloudwatch_event_rule", "state", ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")),
    ("aws_cloudwatch_metric_alarm", "actions_enabled", (True, None)),
    ("aws_scheduler_schedule", "state", ("ENABLED", None)),
    ("aws_dlm_lifecycle_policy", "state", ("ENABLED",)),
)


def _switched_off(plans: Plans, rule: str) -> Found:
    for kind, name, on in _ON:
        for change in plans.changes():
            known = guard(kind)
            if change.type != kind or change.action is not Action.UPDATE or known is None or known[0] != rule:
                continue
            if change.before.get(name) in on and change.after.get(name) not in on and not change.unknown(name):
                yield change.stack, change.address, f"is switched off: {known[1]}"


def _watch(plans: Plans) -> Found:
    yield from _gone("watch-stopped")(plans)
    yield from _switched_off(plans, "watch-stopped")
    for change in plans.changes():
        if change.type == "aws_cloudwatch_metric_alarm" and change.action is Action.UPDATE:
            was, now = change.before.get("alarm_actions"), change.after.get("alarm_actions")
            if was and not now and not change.unknown("alarm_actions"):
                yield change.stack, change.address, "its alarm tells nobody any more"


def _backups(plans: Plans) -> Found:
    yield from _gone("backups-stopped")(plans)
    yield from _switched_off(plans, "backups-stopped")


RULES = (
    Rule(
        id="protection-lifted",
        what="A protection against destruction is off.",
        why="It is the last thing between a mistake and a loss, and is often lifted one plan before.",
        check=_switched(_PROTECTIONS),
    ),
    Rule(
        id="encryption-lifted",
        what="Something is no longer encrypted, or under another key.",
        why="Who may read it is another question then.",
        check=_encryption,
    ),
    Rule(
        id="retention-shortened",
        what="Something is kept for a shorter time.",
        why="What is older is deleted as soon as the plan is applied.",
        check=_retention,
    ),
    Rule(
        id="versioning-stopped",
        what="A bucket no longer keeps what is overwritten or deleted.",
        why="A mistake in it cannot be taken back.",
        check=_versioning,
    ),
    Rule(
        id="backups-stopped",
        what="Backups are no longer made.",
        why="It is noticed when one is needed.",
        check=_backups,
    ),
    Rule(
        id="watch-stopped",
        what="Something is no longer recorded, told or done.",
        why="What goes wrong then goes wrong in silence.",
        check=_watch,
    ),
)
