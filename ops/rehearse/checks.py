"""What a rehearsal demands of plans and of the accounts."""

from collections.abc import Iterable, Mapping

from errors import refused
from ops.rehearse.workspace import Workspace, WrittenPlan
from terraform.plan import Action, Plan

# A deployment of API Gateway is a snapshot: the provider replaces it, new before old, whenever the API changes.
_REPLACED_BY_DESIGN = {"aws_api_gateway_deployment"}

_NOTHING: Mapping[str, str] = {}
_SHOWN = 30  # resources that are left, of however many


def expect_no_changes(workspace: Workspace, *, moved: Mapping[str, str] = _NOTHING) -> None:
    """Plan, and refuse a plan that does anything but give resources their new addresses: `moved`, by the old ones."""
    file = workspace.plan()
    if not (moves_alone(workspace.read(file), moved) if moved else file.is_empty):
        raise refused(
            workspace.stack.name,
            "the plan after an apply is not empty",
            "read the plan above: what it changes was not read back as it was written",
            details=workspace.shown(file),
        )


def plan_change(workspace: Workspace, values: Mapping[str, object]) -> tuple[WrittenPlan, list[str]]:
    """Plan with other values of variables, and give the plan and the addresses of what it replaces by design.

    The plan must change something, and destroy nothing else.
    """
    workspace.values |= values
    file = workspace.plan()
    changes = workspace.read(file).changes
    replaced = {it.address: it.type for it in changes if it.action in {Action.REPLACE, Action.DELETE}}
    what = f"another value of {', '.join(values)}"
    if lost := [address for address, kind in replaced.items() if kind not in _REPLACED_BY_DESIGN]:
        hint = "a variable for operations must change things in place"
        raise refused(workspace.stack.name, f"{what} would destroy {', '.join(lost)}", hint)
    if all(change.action in {Action.NOTHING, Action.READ} for change in changes):
        raise refused(workspace.stack.name, f"{what} changes nothing", "use the variable in a resource, or remove it")
    return file, list(replaced)


def expect_nothing_left(
    before: Mapping[str, set[str]], after: Mapping[str, set[str]], *, states: Iterable[str]
) -> None:
    """Compare what the accounts contain with what they contained at first; both more and less is an error.

    `states` are objects in S3, as `bucket/key`. They stay, without resources in them; their locks must not.
    """
    kept = {f"s3.objects/{state}" for state in states}
    left = [f"{account}: {path} is left" for account in before for path in after[account] - before[account] - kept]
    missing = [f"{account}: {path} is missing" for account in before for path in before[account] - after[account]]
    if found := sorted([*left, *missing]):
        raise refused(
            "AWS",
            "the accounts are not as they were before",
            "what is left was made outside Terraform, or moto forgot to delete it with its owner",
            details="\n".join([*found[:_SHOWN], f"{len(found)} in all"]),
        )


def moves_alone(plan: Plan, moved: Mapping[str, str]) -> bool:
    """Whether every instance of a moved resource comes from the old address, and the plan does nothing else."""
    actions = {change.action for change in plan.changes} | {output.action for output in plan.outputs}
    steps = {it.address: it.previous_address for it in plan.changes if it.previous_address is not None}
    wanted = {
        it.address: old + it.address.removeprefix(new)
        for it in plan.changes
        for old, new in moved.items()
        if it.address == new or it.address.startswith(f"{new}[")
    }
    return actions <= {Action.NOTHING} and steps == wanted
