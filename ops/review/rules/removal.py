"""What several rules ask: which objects of some types are destroyed, removed or switched off."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ops.review.rule import Plans, ReviewedChange, ReviewFinding
from ops.review.text import code, codes, origin, shown
from ops.review.translatable import Joined, TranslatableText, said
from terraform.plan import Action
from terraform.plan_values import KnownAfterApply


class ProtectiveSetting(NamedTuple):
    """A setting that protects: its value that does, and what any other value means."""

    name: str
    protecting: Any
    otherwise: str


def destroyed(plans: Plans, types: Mapping[str, str]) -> Iterator[ReviewFinding]:
    """Objects that are destroyed or replaced; `types` says what is lost with each."""
    for change in plans.changes(*types):
        if change.is_destroyed:
            yield change.finding(lost(change, types))


def lost(change: ReviewedChange, types: Mapping[str, str]) -> TranslatableText:
    """How an object is destroyed, and what is lost with it."""
    return said("{how}; lost: {what}", how=how_destroyed(change), what=said(types[change.type]))


def removed(plans: Plans, types: Mapping[str, str]) -> Iterator[ReviewFinding]:
    """Objects that are destroyed and not replaced, or forgotten; `types` says what each no longer does."""
    for change in plans.changes(*types):
        if (change.is_removed and not goes_with_bucket(plans, change)) or change.action is Action.FORGET:
            template = "is destroyed: {what}" if change.is_removed else "is no longer managed: {what}"
            yield change.finding(said(template, what=said(types[change.type])))


def goes_with_bucket(plans: Plans, change: ReviewedChange) -> bool:
    """Whether an object is a part of a bucket, and is destroyed together with the bucket and everything in it.

    Without `force_destroy` the destruction of a bucket fails while there is something in it, and the bucket stays
    without what protected it.
    """
    name = change.before.get("bucket")
    return (
        change.is_removed
        and change.type.startswith("aws_s3_bucket_")
        and isinstance(name, str)
        and any(
            bucket.is_removed
            and bucket.deposed is None
            and (bucket.stack, bucket.before.get("bucket")) == (change.stack, name)
            and bucket.before.get("force_destroy") is True
            for bucket in plans.changes("aws_s3_bucket")
        )
    )


def unprotected(plans: Plans, settings: tuple[ProtectiveSetting, ...]) -> Iterator[ReviewFinding]:
    """Objects whose protective settings are turned off."""
    for change in plans.changes():
        for name, protecting, otherwise in settings:
            was, now = change.before.get(name), change.after.get(name)
            if change.is_modified and was == protecting and change.is_open(name):
                yield open_setting(change, name, otherwise)
            elif change.is_modified and was == protecting and now != protecting and not change.unknown(name):
                yield change.finding(is_now(otherwise, name, shown(now)), name)


def is_now(otherwise: str, name: str, now: str) -> TranslatableText:
    """What the new value of a setting means."""
    return said("{meaning} ({setting} is {value})", meaning=said(otherwise), setting=code(name), value=now)


def open_setting(change: ReviewedChange, name: str, otherwise: str) -> ReviewFinding:
    """A setting of which only the apply decides whether it protects."""
    what = said(
        "{setting} is known after the apply only, from {origin}: perhaps {meaning}",
        setting=code(name),
        origin=origins(change, name),
        meaning=said(otherwise),
    )
    return change.finding(what, name)


def origins(change: ReviewedChange, name: str) -> str:
    """Where the apply takes the open parts of an argument from."""
    references = sorted({*change.references.configuration.references_below(change.address, name)})
    found = [KnownAfterApply(reference) for reference in references] or [KnownAfterApply()]
    return Joined(", ", map(origin, found))


def how_destroyed(change: ReviewedChange) -> str:
    """Whether an object is destroyed or replaced, and why, if Terraform says so."""
    if change.deposed is not None:
        return said("is destroyed (left over from an earlier apply)")
    if change.action is not Action.REPLACE:
        return said("is destroyed")
    if change.replaced_for:
        return said("is replaced because of {arguments}", arguments=codes(change.replaced_for))
    return said(_REPLACEMENTS.get(change.reason or "", "is replaced"))


# https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
_REPLACEMENTS = {
    "replace_because_tainted": "is replaced because it is tainted",
    "replace_by_request": "is replaced because `-replace` names it",
    "replace_by_triggers": "is replaced because something it depends on changes",
}


def switched_off(plans: Plans, types: Mapping[str, str]) -> Iterator[ReviewFinding]:
    """Objects that still exist but are switched off; `types` says what each no longer does."""
    for kind, name, on in _SWITCHES:
        for change in plans.changes(kind) if kind in types else ():
            was, now = change.before.get(name), change.after.get(name)
            if change.action is Action.UPDATE and was in on and change.is_open(name):
                yield open_setting(change, name, types[kind])
            elif change.action is Action.UPDATE and was in on and now not in on and not change.unknown(name):
                yield change.finding(said("is switched off: {what}", what=said(types[kind])), name)


# By type and attribute, the values that switch an object on.
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-24
_SWITCHES: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("aws_autoscaling_lifecycle_hook", "default_result", ("ABANDON",)),
    ("aws_cloudtrail", "enable_logging", (True, None)),
    ("aws_cloudwatch_event_rule", "state", ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")),
    ("aws_cloudwatch_metric_alarm", "actions_enabled", (True, None)),
    ("aws_scheduler_schedule", "state", ("ENABLED", None)),
    ("aws_dlm_lifecycle_policy", "state", ("ENABLED",)),
)
