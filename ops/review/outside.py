"""What was changed outside Terraform since the last apply, and which of it the apply keeps."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from iam.comparison import ATTRIBUTES
from ops.review.resource_types import harmless
from terraform.plan import Action, Change, Plan
from terraform.plan_configuration import PlanConfiguration


def attributes(drift: Change, plan: Plan) -> list[str]:
    """The attributes of an object that were changed outside Terraform, of those that are of interest."""
    # AWS may change attributes that nobody configured, and the provider often reads them only after the apply.
    configuration = PlanConfiguration(plan.configuration)
    configured = configuration.arguments(drift.address)
    if configured is None and not configuration.is_known:
        configured = frozenset(drift.after)
    watched = configured or frozenset()
    changed = {
        name
        for name in drift.before.keys() | drift.after.keys()
        if _without_empty(drift.before.get(name)) != _without_empty(drift.after.get(name))
        and not harmless(drift.type, name)
    }
    # What gives access counts without being configured, unless it is there as the argument of another object, as a
    # topic's policy is.
    unconfigured = changed.difference(watched).intersection(ATTRIBUTES).intersection(drift.after)
    access = {name for name in unconfigured if not _is_set_by_another(name, drift, plan)}
    return sorted(changed & watched | access)


def _is_set_by_another(name: str, drift: Change, plan: Plan) -> bool:
    others = (change for change in plan.changes if change.is_managed and change.address != drift.address)
    known = {text for change in others for values in (change.before, change.after) for text in _texts(values)}
    was, now = {*_texts(drift.before.get(name))}, {*_texts(drift.after[name])}
    # A single text takes the place of AWS's default; what a list no longer has was there, and is gone.
    return bool(now) and known.issuperset(was ^ now if isinstance(drift.after[name], list) else now)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value; JSON in one form."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.dumps(json.loads(value), sort_keys=True)
        yield value
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts(item)


def is_taken_back(change: Change, name: str, plans: Iterable[Plan]) -> bool:
    """Whether the apply gives an attribute the value again that it had before a change outside Terraform."""
    return name in change.after and any(
        sorted(_texts(drift.before.get(name))) == sorted(_texts(change.after[name]))
        for plan in plans
        for drift in plan.drift
        if (drift.stack, drift.address, drift.action) == (change.stack, change.address, Action.UPDATE)
    )


def adopted(plan: Plan) -> Plan:
    """The plan, with what was changed outside Terraform and stays so as changes from what the last apply left.

    A plan compares with what exists, so it calls a change by hand that nothing takes back no change at all.
    """
    return replace(plan, changes=tuple(_changes(plan)))


def _changes(plan: Plan) -> Iterator[Change]:
    drifts = {drift.address: drift for drift in plan.drift if drift.is_managed}
    found = {change.address for change in plan.changes if change.deposed is None}
    for change in plan.changes:
        drift = drifts.get(change.address) if change.deposed is None else None
        yield change if drift is None else _from_last_apply(change, drift, attributes(drift, plan))
    for address in sorted(drifts.keys() - found):  # a plan that only refreshes the state changes no object
        drift = drifts[address]
        if drift.action is Action.UPDATE:
            drift = _from_last_apply(
                replace(drift, action=Action.NOTHING, before=drift.after), drift, attributes(drift, plan)
            )
        yield drift


def _from_last_apply(change: Change, drift: Change, names: list[str]) -> Change:
    if drift.action is not Action.UPDATE or change.action not in {Action.NOTHING, Action.UPDATE, Action.REPLACE}:
        return change
    kept = [name for name in names if change.after.get(name) == drift.after.get(name) and not change.unknown(name)]
    if not kept:
        return change
    action = Action.UPDATE if change.action is Action.NOTHING else change.action
    before = {**change.before, **{name: drift.before.get(name) for name in kept}}
    return replace(change, action=action, before=before)


def _without_empty(found: Any) -> Any:
    """A value without what is empty: providers return null, zero and empty values interchangeably."""
    if isinstance(found, dict):
        found = {key: kept for key, item in found.items() if (kept := _without_empty(item))}
    elif isinstance(found, list):
        found = [kept for item in found if (kept := _without_empty(item))]
    return found or None
