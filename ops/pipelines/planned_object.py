"""What a canonical plan says of one object, and of what is configured and stored beside the objects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.pipelines.differences import MISSING, Difference, at, leaves, without
from terraform.plan_configuration import PlanConfiguration, base_address

_OF_STATES = {"instances", "outputs", "modules"}


@dataclass(frozen=True)
class PlannedObject:
    """What one plan says of an object: its change, and the object before and after."""

    change: Any
    prior: Any
    planned: Any

    @property
    def actions(self) -> Any:
        return at(self.change, "change", "actions")

    def at(self, *steps: str) -> Any:
        """A part of the change."""
        return at(self.change, "change", *steps)


Pairs = Mapping[str, tuple[PlannedObject, PlannedObject]]
"""What the approved plan and the new one say of every object, by address."""


def between(was: PlannedObject, now: PlannedObject, name: str) -> Iterator[Difference]:
    for part, before, after in (
        ("", was.change, now.change),
        ("before", was.prior, now.prior),
        ("after", was.planned, now.planned),
    ):
        place = (name, part) if part else (name,)
        yield from leaves(MISSING if before is None else before, MISSING if after is None else after, place=place)


def rest_of_state(plan: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a state of the plan has besides objects and outputs, its modules among that."""
    state = at(plan, name, default={})
    values = at(state, "values", default={}) if name == "prior_state" else state
    return {"modules": {}, **without(state, "values", *_OF_STATES), **without(values, "instances", "outputs")}


def configured(plan: Mapping[str, Any], address: str) -> Mapping[str, Any]:
    """The arguments that the configuration sets, and how they are written."""
    resources = PlanConfiguration(at(plan, "configuration", default={})).resources
    found = at(resources.get(base_address(address)), "expressions", default={})
    return found if isinstance(found, Mapping) else {}
