"""Rules about the plan itself: what happens to the state, and what the plan does not show."""

import re
from collections.abc import Iterator
from typing import Any

from iam import comparison as policies
from ops.review.rule import Plans, Rule
from ops.review.text import code
from terraform.plan import Action, Plan

Found = Iterator[tuple[str, str, str]]

_THE_PLAN = "the plan"


def _moved(plans: Plans) -> Found:
    for change in plans.changes():
        if change.previous_address is not None:
            yield change.stack, change.address, f"was {code(change.previous_address)} so far"


def _forgotten(plans: Plans) -> Found:
    for change in plans.changes():
        if change.action is Action.FORGET:
            yield change.stack, change.address, "stays where it is, and Terraform no longer knows of it"


def _imported(plans: Plans) -> Found:
    for change in plans.changes():
        if change.imported_id is not None:
            also = "" if change.action is Action.NOTHING else ", and changed"
            yield change.stack, change.address, f"exists already ({code(change.imported_id)}) and is taken over{also}"


def _drifted(plans: Plans) -> Found:
    for plan in plans.plans:
        for drift in plan.drift:
            if drift.action is Action.DELETE:
                yield plan.stack, drift.address, "was destroyed outside Terraform"
            elif drift.action is Action.UPDATE:
                # What nobody configured is AWS's to change, and is often only read back later than it was made.
                configured = plans.resolvers[plan.stack].configured(drift.address)
                # What is no longer configured is about to go; only what it lets in until then is news.
                told = policies.ATTRIBUTES if "root_module" in plan.configuration else drift.after.keys()
                changed = [
                    name
                    for name in sorted(drift.before.keys() | drift.after.keys())
                    if _said(drift.before.get(name)) != _said(drift.after.get(name))
                    and (name in configured if configured is not None else name in told)
                ]
                if changed:
                    shown = ", ".join(code(name) for name in changed)
                    yield plan.stack, drift.address, f"was changed outside Terraform: {shown}"


def _said(found: Any) -> Any:
    """A value without what is empty: providers read back null, zero and empty as they like."""
    if isinstance(found, dict):
        found = {key: said for key, item in found.items() if (said := _said(item))}
    elif isinstance(found, list):
        found = [said for item in found if (said := _said(item))]
    return found or None


def _provider_of(plan: Plan) -> dict[str, str]:
    return {address: instance.provider for address, instance in plan.before.items() if instance.is_managed}


def _providers(plans: Plans) -> Found:
    for plan in plans.plans:
        before = _provider_of(plan)
        for change in plan.changes:
            was = before.get(change.previous_address or change.address)
            if was and change.is_managed and change.provider and was != change.provider:
                yield plan.stack, change.address, f"is managed by {code(change.provider)}, and so far by {code(was)}"


def _upgraded(plans: Plans) -> Found:
    for plan in plans.plans:
        for name, was, now in plan.upgrades:
            yield plan.stack, name, f"is of version {code(now)}, and the last apply had {code(was)}"


def _terraform(plans: Plans) -> Found:
    for plan in plans.plans:
        was, now = plan.state_terraform_version, plan.terraform_version
        if was is not None and was != now:
            yield (
                plan.stack,
                _THE_PLAN,
                f"is of Terraform {code(now)}, and the state of {code(was)}: "
                "after the apply an older Terraform may no longer read it",
            )


def _incomplete(plans: Plans) -> Found:
    for plan in plans.plans:
        for address, reason in plan.deferred:
            yield plan.stack, address or _THE_PLAN, f"is put off to a later plan ({code(reason)})"
        if not plan.is_complete and not plan.deferred:
            yield plan.stack, _THE_PLAN, "does not show everything: it was made for some resources only"


def _checks(plans: Plans) -> Found:
    for plan in plans.plans:
        for address in plan.failed_checks:
            yield plan.stack, address or "a check", "does not hold"


def _actions(plans: Plans) -> Found:
    for plan in plans.plans:
        for address in plan.actions:
            yield plan.stack, address or "an action", "is set off by the apply, and no plan shows what it does"


def _stale(plans: Plans) -> Found:
    """A plan that read another stack's outputs before these change."""
    for plan in plans.plans:
        changed = {
            output.name
            for output in plan.outputs
            if output.action is not Action.NOTHING and (output.before is not None or output.action is Action.DELETE)
        }
        if not changed:
            continue
        for other in plans.plans:
            if other.stack == plan.stack:
                continue
            for name, outputs in _reads(other):
                if name == plan.stack.replace("-", "_"):
                    for output in sorted(outputs & changed):
                        yield (
                            other.stack,
                            f"data.terraform_remote_state.{name}",
                            f"was read before {code(plan.stack)}'s output {code(output)} changes: "
                            "this plan still has the old value. Apply that stack, and plan this one again",
                        )


_OUTPUT = re.compile(r"data\.terraform_remote_state\.([\w-]+)\.outputs\.([\w-]+)")


def _reads(plan: Plan) -> list[tuple[str, set[str]]]:
    found: dict[str, set[str]] = {}
    for name, output in _OUTPUT.findall(" ".join(_texts(plan.configuration))):
        found.setdefault(name.replace("-", "_"), set()).add(output)
    return sorted(found.items())


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for item in found.values():
            yield from _texts(item)
    elif isinstance(found, list):
        for item in found:
            yield from _texts(item)


RULES = (
    Rule(
        id="stale-input",
        what="A plan was made with another stack's output before that changes.",
        why="Applied as it is, it puts the old value in force: an allow-list, for example, with an address given up.",
        check=_stale,
    ),
    Rule(
        id="moved",
        what="An object has another address in the state.",
        why="A move that meant another object makes the next plan destroy the wrong one.",
        check=_moved,
    ),
    Rule(
        id="forgotten",
        what="An object stays, but Terraform forgets it.",
        why="Nobody changes or removes it any more, and what it opens stays open.",
        check=_forgotten,
    ),
    Rule(
        id="provider-changed",
        what="Another provider manages an object.",
        why="It may read the state otherwise, and replace what it does not recognise.",
        check=_providers,
    ),
    Rule(
        id="provider-upgraded",
        what="A provider is of another version than the last apply's.",
        why="It may read, change or replace what nobody touched, and its state cannot always go back.",
        check=_upgraded,
    ),
    Rule(
        id="action-invoked",
        what="The apply sets off an action.",
        why="What an action does stands in no plan.",
        check=_actions,
    ),
    Rule(
        id="incomplete",
        what="A plan does not show everything.",
        why="What is dangerous may be in the rest.",
        check=_incomplete,
    ),
    Rule(
        id="check-failed",
        what="A check of the configuration does not hold.",
        why="Its author wanted to be told.",
        check=_checks,
    ),
    Rule(
        id="terraform-changed",
        what="Terraform's release is not the one that wrote the state.",
        why="An older one may not read the state afterwards.",
        check=_terraform,
        dangerous=False,
    ),
    Rule(
        id="imported",
        what="An object that exists is taken over.",
        why="From now on Terraform changes it, and destroys it.",
        check=_imported,
        dangerous=False,
    ),
    Rule(
        id="drifted",
        what="Something was changed outside Terraform.",
        why="Somebody worked by hand; the plan takes it back, or takes it on.",
        check=_drifted,
        dangerous=False,
    ),
)
