"""Rules about code that runs on the machine that plans and applies, with its credentials."""

from collections.abc import Iterator

from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.text import code, codes
from ops.review.translatable import said
from terraform.plan import Action, Plan

# https://registry.terraform.io/providers/hashicorp/external/latest/docs/data-sources/external and http
_RUNNING_DATA = {"external": "runs a program", "http": "asks a server"}

# What Terraform brings along, such as terraform_data.
_BUILT_IN = "terraform.io/builtin/"
_HASHICORP = "registry.terraform.io/hashicorp/"


@rule(
    id="code-on-apply",
    what="A provisioner or a data source runs something on the machine that plans and applies.",
    why="What it runs has that machine's credentials, and the plan does not show what it does.",
)
def code_on_apply(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        unchanged = {change.address for change in plan.changes if change.action is Action.NOTHING}
        for address, resource in plans.references[plan.stack].configuration.resources.items():
            kinds = resource.get("provisioners")
            if kinds and address not in unchanged:
                named = codes(sorted({str(kind.get("type")) for kind in kinds if isinstance(kind, dict)}))
                what = said(
                    "has a provisioner ({types}), which runs when the object is created or destroyed", types=named
                )
                yield ReviewFinding(stack=plan.stack, address=address, what=what)
            if resource.get("mode") == "data" and resource.get("type") in _RUNNING_DATA:
                what = said("{what} at every plan and apply", what=said(_RUNNING_DATA[resource["type"]]))
                yield ReviewFinding(stack=plan.stack, address=address, what=what)


@rule(
    id="provider-new",
    what="A provider is used that the state does not know.",
    why="A provider is a program that runs with the credentials of the plan and the apply.",
)
def provider_new(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        known = {instance.provider for instance in plan.before.values()}
        for provider in sorted(_providers(plans, plan)):
            if provider.startswith(_BUILT_IN) or provider in known:
                continue
            if not known and provider.startswith(_HASHICORP):
                continue
            what = said("is new in this stack") if known else said("is not published by HashiCorp")
            yield ReviewFinding(stack=plan.stack, address=provider, what=what)


def _providers(plans: Plans, plan: Plan) -> set[str]:
    configured = plans.references[plan.stack].configuration.providers
    return {*configured, *(change.provider for change in plan.changes if change.provider)}


@rule(
    id="module-new",
    what="A module is used of which the state has no object.",
    why="Its code comes from elsewhere, and may run something at the apply.",
)
def module_new(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        for name, source in plans.references[plan.stack].configuration.modules.items():
            is_known = any(address.startswith((f"module.{name}.", f"module.{name}[")) for address in plan.before)
            # The code of a local module is in the project, and is reviewed with it.
            if not is_known and not source.startswith(("./", "../")):
                what = said("is new; it comes from {source}", source=code(source))
                yield ReviewFinding(stack=plan.stack, address=f"module.{name}", what=what)
