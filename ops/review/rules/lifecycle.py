"""Rules about what no plan shows: what the synthesised outputs guard before and after, and where states are kept."""

import json
from collections.abc import Iterator, Sequence

from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.text import code, codes
from ops.review.translatable import said
from terraform.address_lists import apart_from, kept_apart_by
from terraform.guards import Guard, addresses, guards, ignored, settings
from terraform.output import Stack, StateLocation
from terraform.plan import Action, Plan
from terraform.plan_configuration import base_address
from terraform.version_constraints import is_narrower

_MEANINGS = {
    "prevent_destroy": "Terraform no longer refuses plans that destroy it",
    "create_before_destroy": "is destroyed before its replacement is there",
    "sensitive": "its value is no longer hidden",
    "ephemeral": "its value is now kept in plans and states",
    "nullable": "may be null now",
}
_MOST_NAMES = 3


@rule(
    id="not-compared",
    what="What no plan shows is not compared with what was applied last.",
    why="A guard may be gone and no finding says so: name the outputs of the last apply and of this plan.",
)
def not_compared(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        objects = sorted(instance.address for instance in plan.before.values() if instance.is_managed)
        if plan.stack in plans.lacking_output and objects:
            what = said("is not in both folders, and its state has {names}", names=_names(objects))
            yield _unlike(plan.stack, objects, what)
    for stack, (before, _) in plans.outputs.items():
        plan = next(plan for plan in plans.plans if plan.stack == stack)
        if blocks := plans.unlike.get(stack):
            yield _unlike(
                stack, blocks, said("AFTER is not what this plan was made from: {names} differ", names=_names(blocks))
            )
        lacking, surplus = _only_in_state(plan, before), _only_before(plan, before)
        if lacking:
            what = said(
                "BEFORE is not what was applied last: it lacks {names}, which the state has", names=_names(lacking)
            )
            yield _unlike(stack, lacking, what)
        if surplus:
            what = said(
                "BEFORE is not what was applied last: it has {names}, which the state lacks", names=_names(surplus)
            )
            yield _unlike(stack, surplus, what)


def _unlike(stack: str, names: Sequence[str], what: str) -> ReviewFinding:
    return ReviewFinding(stack=stack, address="--outputs", what=what, seen="\n".join(names))


def _only_in_state(plan: Plan, before: Stack) -> list[str]:
    """Objects in the state that BEFORE has neither there, nor where they were before a move, nor imported since."""
    modules = before.modules
    there = {f"{kind}.{name}" for kind, name, _ in before.resources()}
    explained = {
        change.address
        for change in plan.changes
        if change.imported_id is not None or base_address(change.previous_address or "") in there
    }
    return sorted(
        address
        for address, found in plan.before.items()
        if found.is_managed
        and address not in explained
        and base_address(address).removeprefix("module.").partition(".")[0] not in modules
        and base_address(address) not in there
    )


def _only_before(plan: Plan, before: Stack) -> list[str]:
    """Resources of BEFORE without an object, although nothing was destroyed outside Terraform, and none was moved."""
    moved = [change.previous_address for change in plan.changes if change.previous_address]
    lost = [drift.address for drift in plan.drift if drift.action is Action.DELETE]
    there = {base_address(address) for address in (*plan.before, *moved, *lost)}
    return sorted(
        address
        for kind, name, resource in before.resources()
        if (address := f"{kind}.{name}") not in there and not resource.keys() & {"count", "for_each"}
    )


def _names(names: Sequence[str]) -> str:
    shown = codes(names[:_MOST_NAMES])
    if len(names) <= _MOST_NAMES:
        return shown
    return said("{names} and {others} more", names=shown, others=len(names) - _MOST_NAMES)


@rule(
    id="guard-lifted",
    what="The configuration no longer guards against something, and no plan shows that.",
    why="Terraform carries out the next plan that destroys or ignores it, or that has a value which was refused.",
)
def guard_lifted(plans: Plans) -> Iterator[ReviewFinding]:
    for stack, (before, after) in plans.compared.items():
        gone = {
            change.address.partition("[")[0]
            for change in plans.changes()
            if change.stack == stack and change.is_removed
        }
        kept, there = guards(after), addresses(after)
        for guard in guards(before) - kept:
            is_gone = guard.address not in there
            # What is destroyed or forgotten is found in the plan, and nobody can set a variable that is gone.
            if not (is_gone and (guard.address in gone or guard.address.startswith("var."))) and not _is_wider(
                guard, kept
            ):
                yield _finding(
                    after, guard, said("{what}; the block is gone", what=_lost(guard)) if is_gone else _lost(guard)
                )
        for more in ignored(after) - ignored(before):
            yield _finding(after, more, said("Terraform now ignores changes of {argument}", argument=code(more.value)))


def _lost(guard: Guard) -> str:
    if guard.argument in _MEANINGS:
        return said("{argument} is gone: {what}", argument=code(guard.argument), what=said(_MEANINGS[guard.argument]))
    return said("{argument} no longer says {value}", argument=code(guard.argument), value=code(guard.value))


def _is_wider(guard: Guard, kept: frozenset[Guard]) -> bool:
    """Whether a list is still kept apart from everything that it was, and from more."""
    was = _apart(guard)
    return was is not None and any(
        now is not None and now[0] == was[0] and now[1] >= was[1]
        for other in kept
        if (other.address, other.argument) == (guard.address, guard.argument)
        for now in [_apart(other)]
    )


def _apart(guard: Guard) -> tuple[str, frozenset[str]] | None:
    """A list, and the networks or lists that a condition keeps it apart from; None for other conditions."""
    variable = guard.address.removeprefix("var.")
    if networks := apart_from(guard.value.removeprefix("${").removesuffix("}"), variable):
        return f"var.{variable}", frozenset(networks)
    found = kept_apart_by(guard.value)
    return (found[0], frozenset(found[1])) if found is not None else None


@rule(
    id="state-elsewhere",
    what="A stack's state is kept in another place, or another state is read.",
    why="With an empty state everything is created anew; who writes a state that is read decides what it says.",
)
def state_elsewhere(plans: Plans) -> Iterator[ReviewFinding]:
    own = [after.states[0] for _, after in plans.compared.values()]
    for stack, (before, after) in plans.compared.items():
        was, now = _states(before), _states(after)
        known = [*own, *was.values()]
        for address in sorted({*was, *now}):
            if address not in was and now[address] not in known:
                new = now[address]
                seen = json.dumps([new.backend, new.settings], sort_keys=True)
                what = said("is {place}, which this stack did not read before", place=code(str(new)))
                yield ReviewFinding(stack=stack, address=address, what=what, seen=seen)
            if address in was and address in now and was[address] != now[address]:
                old, new = was[address], now[address]
                what = said(
                    "is {place} instead of {old}: {arguments} changed",
                    place=code(str(new)),
                    old=code(str(old)),
                    arguments=codes(_changed(old, new)),
                )
                seen = json.dumps([old.backend, old.settings, new.backend, new.settings], sort_keys=True)
                yield ReviewFinding(stack=stack, address=address, what=what, seen=seen)


def _changed(before: StateLocation, after: StateLocation) -> list[str]:
    names = before.settings.keys() | after.settings.keys()
    return sorted(name for name in names if before.settings.get(name) != after.settings.get(name))


def _states(stack: Stack) -> dict[str, StateLocation]:
    own, *read = stack.states
    names = [name for kind, name, _ in stack.data() if kind == "terraform_remote_state"]
    return {
        "terraform.backend": own,
        **{f"data.terraform_remote_state.{name}": state for name, state in zip(names, read, strict=True)},
    }


@rule(
    id="guard-changed",
    what="The configuration guards against more, or ignores fewer changes.",
    why="A later plan may be refused, or undo what was changed by hand.",
    dangerous=False,
)
def guard_changed(plans: Plans) -> Iterator[ReviewFinding]:
    for before, after in plans.compared.values():
        there = addresses(before)
        for guard in guards(after) - guards(before):
            if guard.address in there:
                yield _finding(
                    after,
                    guard,
                    said("{argument} now says {value}", argument=code(guard.argument), value=code(guard.value)),
                )
        for (address, argument), value in narrowed(before, after).items():
            what = said("{argument} now says {value}", argument=code(argument), value=code(value))
            yield ReviewFinding(stack=after.name, address=address, what=what)
        for fewer in ignored(before) - ignored(after):
            yield _finding(
                after, fewer, said("Terraform no longer ignores changes of {argument}", argument=code(fewer.value))
            )


def narrowed(before: Stack, after: Stack) -> dict[tuple[str, str], str]:
    """The versions of Terraform and of providers that are required, where they are fewer than before."""
    was = settings(before)
    return {
        (address, argument): value
        for (address, argument), value in settings(after).items()
        if address.startswith("terraform")
        and argument in ("required_version", "version")
        and value != was.get((address, argument))
        and is_narrower(was.get((address, argument), ""), value)
    }


def _finding(after: Stack, guard: Guard, what: str) -> ReviewFinding:
    """A finding whose digest covers the guard, and everything that its block guards and ignores afterwards."""
    kept = sorted(map(str, {it for it in guards(after) | ignored(after) if it.address == guard.address}))
    seen = "\n".join((str(guard), *kept))
    return ReviewFinding(stack=after.name, address=guard.address, what=what, seen=seen)
