"""Rules about where everything is: in which region, account and network, and on a server that runs."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from ops.review.resource_types import LOSSES
from ops.review.rule import Plans, ReviewedChange, ReviewFinding, rule
from ops.review.rules.removal import lost
from ops.review.text import change as changed
from ops.review.text import code, codes, count
from ops.review.translatable import Joined, said
from terraform.arns import Arn
from terraform.plan import Action, Plan

_MOST_NAMES = 3
_COLONS = 5  # in an ARN, at least


@rule(
    id="place-changed",
    what="A provider works in another region or account than the objects in the state.",
    why="Everything is created anew, and what exists stays where it is, with the access that it gives.",
)
def place_changed(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        for provider, objects in _elsewhere(plan, plans):
            what = said(
                "is {place}, and no longer manages {objects} in {old}, which stay there: others are created in "
                "their place",
                place=code(provider.now),
                objects=count(len(objects), "object"),
                old=code(provider.was),
            )
            brief = said(
                "is {place} instead of {old}: everything is created anew",
                place=code(provider.now),
                old=code(provider.was),
            )
            yield ReviewFinding(stack=plan.stack, address=_PROVIDERS[provider.kind], what=what, brief=brief)


_PROVIDERS = {"region": said("the provider's region"), "account": said("the provider's account")}


class ChangedPlace(NamedTuple):
    """The region or account (`kind`) in which a provider works now, and that of objects in the state."""

    kind: str
    now: str
    was: str


def left_behind(plan: Plan, plans: Plans) -> frozenset[str]:
    """The addresses of the objects that stay where the provider no longer works."""
    return frozenset(address for _, objects in _elsewhere(plan, plans) for address in objects)


def _elsewhere(plan: Plan, plans: Plans) -> Iterator[tuple[ChangedPlace, list[str]]]:
    configuration = plans.references[plan.stack].configuration
    arns = list(_arns(plan))
    for kind, configured in (("region", configuration.region), ("account", configuration.account)):
        places: dict[ChangedPlace, list[str]] = defaultdict(list)
        for address, arn in arns:
            if (now := configured(address)) and (was := getattr(arn, kind)):
                places[ChangedPlace(kind, now, was)].append(address)
        # Objects elsewhere that are shared with the account do not count: others are then where the provider is.
        here = {place.now for place in places if place.now == place.was}
        for place, objects in sorted(places.items()):
            if place.now != place.was and place.now not in here:
                yield place, objects


def _arns(plan: Plan) -> Iterator[tuple[str, Arn]]:
    """The ARNs of what is in the state, and of what a refresh did not find any more."""
    managed = [(one.address, one.values) for one in plan.before.values() if one.is_managed]
    missing = [(drift.address, drift.before) for drift in plan.drift if drift.action is Action.DELETE]
    for address, values in (*managed, *missing):
        arn = values.get("arn")
        if isinstance(arn, str) and arn.startswith("arn:") and arn.count(":") >= _COLONS:
            yield address, Arn.of(arn)


@rule(
    id="network-lost",
    what="A network is destroyed.",
    why="Everything in it is destroyed or cut off, and its addresses are released.",
)
def network_lost(plans: Plans) -> Iterator[ReviewFinding]:
    types = LOSSES["network-lost"]
    for change in plans.changes(*types):
        if change.is_destroyed:
            inside = [other for other in plans.changes() if other is not change and _is_in(other, change, plans)]
            gone = Counter(other.type for other in inside if other.is_destroyed)
            going = ", ".join(f"{gone[kind]} {code(kind)}" for kind in sorted(gone))
            what: str = lost(change, types)
            brief = what
            if going:
                what = said("{what}; with it go {objects}", what=what, objects=going)
            kept = sorted(f"{other.stack}/{other.address}" for other in inside if not other.is_destroyed)
            names: str = codes(kept[:_MOST_NAMES])
            if len(kept) > _MOST_NAMES:
                others = len(kept) - _MOST_NAMES
                names = said("{names} and {others} more", names=names, others=others, total=len(kept))
            if kept:
                what = said("{what}; still in it: {objects}", what=what, objects=names)
            yield change.finding(what, brief=brief)


def _is_in(other: ReviewedChange, network: ReviewedChange, plans: Plans) -> bool:
    """Whether an object is in a VPC, or in one of its subnets, before the apply."""
    vpc = network.before.get("id")
    subnets = [one.before.get("id") for one in plans.changes("aws_subnet") if one.before.get("vpc_id") == vpc]
    return isinstance(vpc, str) and (other.before.get("vpc_id") == vpc or other.before.get("subnet_id") in subnets)


@rule(
    id="server-stopped",
    what="A server stops, is changed, and starts again.",
    why="Nobody can work with it meanwhile: apply it when nobody does.",
    dangerous=False,
)
def server_stopped(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes("aws_instance"):
        for name in _CHANGED_WHILE_STOPPED if change.action is Action.UPDATE else ():
            was, now = change.before.get(name), change.after.get(name)
            if was != now and not change.unknown(name):
                what: str = said("stops while {argument} changes", argument=code(name))
                if name == "instance_type":
                    yield change.finding(Joined(": ", (what, changed(was, now))), name)
                else:
                    yield change.finding(what)


# The provider stops a server for these: internal/service/ec2/ec2_instance.go, resourceInstanceUpdate.
_CHANGED_WHILE_STOPPED = ("instance_type", "user_data", "user_data_base64")
