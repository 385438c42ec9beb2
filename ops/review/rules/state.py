"""Rules about the plan itself: what happens to the state, and what the plan does not show."""

from collections.abc import Iterator

from iam.statements import UnsupportedError, has_wildcard
from ops.review.access_table import table
from ops.review.new_stacks import named_repositories, new_stacks
from ops.review.outside import attributes
from ops.review.plan_moment import PlanMoment
from ops.review.rule import DRIFTED, FIRST_DEPLOYMENT, Plans, ReviewFinding, rule
from ops.review.rules.places import left_behind
from ops.review.text import code, codes, count
from ops.review.translatable import said
from terraform.arns import Arn
from terraform.plan import Action

_THE_PLAN = said("the plan")


@rule(
    id=FIRST_DEPLOYMENT,
    what="Stacks are created of which the state has no object.",
    why="The access table says who reaches what; if objects of a stack exist, its state is the wrong one.",
    dangerous=False,
)
def first_deployment(plans: Plans) -> Iterator[ReviewFinding]:
    new = new_stacks(plans)
    if new.objects:
        stacks = sorted(new.names)
        template = "{objects} in {stacks}, of which nothing existed before"
        what = said(template, objects=count(len(new.objects), "object"), stacks=codes(stacks))
        yield ReviewFinding(stack=stacks[0], address=_THE_PLAN, what=what)
        for stack in stacks:
            if missing := _missing(plans, stack):
                what = said(
                    "not taken as a first deployment's: {repositories} is in none of these plans"
                    if len(missing) == 1
                    else "not taken as a first deployment's: {repositories} are in none of these plans",
                    repositories=codes(missing),
                )
                yield ReviewFinding(stack=stack, address=_THE_PLAN, what=what)


def _missing(plans: Plans, stack: str) -> list[str]:
    """The names of the repositories that identities of a new stack name, and that are in none of the plans."""
    access, moment = table(plans), PlanMoment(plans, True, str)
    planned = {moment.arn(change, "repository_name") for change in plans.changes("aws_codecommit_repository")}
    owned = (identity for name, identity in access.identities.items() if access.owners[name].stack == stack)
    try:
        named = {arn for identity in owned for arn in named_repositories(identity)} - planned
        return sorted(Arn.of(arn).resource for arn in named if not has_wildcard(arn))
    except (UnsupportedError, ValueError):
        return []


@rule(
    id="moved",
    what="An object gets another address in the state.",
    why="If the wrong object is moved, the next plan destroys the wrong one.",
)
def moved(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        if change.previous_address is not None:
            yield change.finding(said("was {address} until now", address=code(change.previous_address)))


@rule(
    id="forgotten",
    what="Terraform stops managing an object that continues to exist.",
    why="Nobody changes or removes it any more, and the access it gives remains.",
)
def forgotten(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        if change.action is Action.FORGET:
            yield change.finding(said("continues to exist, and Terraform no longer manages it"))


@rule(
    id="provider-changed",
    what="Another provider manages an object.",
    why="It may read the state differently, and replace what it does not recognise.",
)
def provider_changed(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        before = {address: instance.provider for address, instance in plan.before.items() if instance.is_managed}
        for change in plans.changes():
            was = before.get(change.previous_address or change.address)
            if change.stack == plan.stack and was and change.provider and was != change.provider:
                template = "is managed by {provider} instead of {old}"
                yield change.finding(said(template, provider=code(change.provider), old=code(was)))


@rule(
    id="provider-upgraded",
    what="A provider has another version than at the last apply, or other packages, or cannot be compared with it.",
    why="It may change or replace objects whose configuration did not change, and runs with the roles of the pipeline.",
)
def provider_upgraded(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        for upgrade in plan.upgrades:
            template = "has version {version}; the last apply had {old}"
            what = said(template, version=code(upgrade.after), old=code(upgrade.before))
            if upgrade.before == upgrade.after:
                template = "may run another package of version {version} than at the last apply: hashes were added"
                what = said(template, version=code(upgrade.after))
            yield ReviewFinding(stack=plan.stack, address=upgrade.provider, what=what)
        is_new = not any(instance.is_managed for instance in plan.before.values())
        for provider in plan.providers_not_compared if not is_new else ():
            what = said("is not in both lock files, so what the last apply ran is not known")
            yield ReviewFinding(stack=plan.stack, address=provider, what=what)


@rule(id="action-invoked", what="The apply runs an action.", why="A plan does not show what an action does.")
def action_invoked(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        for address in plan.actions:
            what = said("is run by the apply, and the plan does not show what it does")
            yield ReviewFinding(stack=plan.stack, address=address or said("an action"), what=what)


@rule(id="incomplete", what="A plan does not show everything.", why="The missing part may be dangerous.")
def incomplete(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        for deferred in plan.deferred:
            what = said("is deferred to a later plan ({reason})", reason=code(deferred.reason))
            yield ReviewFinding(stack=plan.stack, address=deferred.address or _THE_PLAN, what=what)
        if not plan.is_complete and not plan.deferred:
            what = said("does not show everything: it was made for some resources only")
            yield ReviewFinding(stack=plan.stack, address=_THE_PLAN, what=what)


@rule(
    id="check-failed",
    what="A check of the configuration fails.",
    why="The author of the check wanted to know.",
)
def check_failed(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        for address in plan.failed_checks:
            yield ReviewFinding(stack=plan.stack, address=address or said("a check"), what=said("fails"))


@rule(
    id="terraform-changed",
    what="The plan's Terraform version differs from the state's.",
    why="After the apply, an older Terraform may not be able to read the state.",
    dangerous=False,
)
def terraform_changed(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        was, now = plan.state_terraform_version, plan.terraform_version
        if was is not None and was != now:
            template = "was made with Terraform {version}, and the state was written by {old}"
            what = said(template, version=code(now), old=code(was))
            yield ReviewFinding(stack=plan.stack, address=_THE_PLAN, what=what)


@rule(
    id="imported",
    what="An existing object is imported.",
    why="From now on Terraform changes it, and can destroy it.",
    dangerous=False,
)
def imported(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        if change.imported_id is not None:
            is_changed = change.action is not Action.NOTHING
            template = "exists already ({id}) and is imported"
            template = "exists already ({id}) and is imported and changed" if is_changed else template
            yield change.finding(said(template, id=code(change.imported_id)))


@rule(
    id=DRIFTED,
    what="Something was changed outside Terraform.",
    why="The plan either reverts the change or adopts it.",
    dangerous=False,
)
def drifted(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        elsewhere = left_behind(plan, plans)
        for drift in plan.drift:
            changed = attributes(drift, plan)
            if drift.action is Action.DELETE and drift.address not in elsewhere:
                what = said("was destroyed outside Terraform")
                yield ReviewFinding(stack=plan.stack, address=drift.address, what=what)
            elif drift.action is Action.UPDATE and changed:
                what = said("was changed outside Terraform: {arguments}", arguments=codes(changed))
                yield ReviewFinding(stack=plan.stack, address=drift.address, what=what)
