"""Compares a plan with the one that was approved, and says whether applying it does what was approved and no more.

Both are as `terraform.canonical_plan` writes them. Two differences are none: what an apply that stopped half-way has
done already, and what the approved record foretells of the outputs of other stacks. A value that was unknown may be
known only once something else of the stack is done: until then, nothing can have made it known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.pipelines.differences import MISSING, Difference, Open, at, follows, is_below, leaves, open_places, without
from ops.pipelines.planned_object import Pairs, PlannedObject, between, configured, rest_of_state
from terraform.foretold import EVERYTHING, FOLLOWING, STAYS, Foretold, Output

_BY_OBJECT = {"resource_changes", "prior_state", "planned_values", "resource_drift", "output_changes", "checks"}
_NOT_BY_ADDRESS = "resource_changes"  # no address is like this
_NOTHING, _CREATE, _UPDATE, _READ = ["no-op"], ["create"], ["update"], ["read"]
_REMOVE = (["delete"], ["forget"])
_REPLACE = (["delete", "create"], ["create", "delete"])
_DEPOSED = " (deposed "
_TAINTED = "replace_because_tainted"
_OF_THE_STATE = {"depends_on", "sensitive_values", "tainted"}  # which no planned object has, or has otherwise


@dataclass
class Comparison:
    """The differences between an approved plan and a new one; `approved` and `now` are canonical plans.

    `sources` are the approved changes of the outputs that this stack reads, of those that are not foretold themselves.
    """

    approved: Mapping[str, Any]
    now: Mapping[str, Any]
    foretold: Foretold = field(default_factory=Foretold)
    sources: Mapping[Output, Any] = field(default_factory=dict)
    _done: set[str] | None = None
    """The objects of which an earlier apply did something; None until they are known."""
    followed: list[Difference] = field(default_factory=list)
    """What was foretold, and does change."""

    def differences(self) -> list[Difference]:
        """Every difference that is neither done already nor foretold."""
        others = [{name: plan[name] for name in plan.keys() - _BY_OBJECT} for plan in (self.approved, self.now)]
        found = [*leaves(others[0], others[1]), *self._objects(), *self._outputs()]
        return [*found, *self._drift(), *self._states(), *self._checks()]

    def _objects(self) -> Iterator[Difference]:
        was, now = (self._all(plan) for plan in (self.approved, self.now))
        nothing = PlannedObject(None, None, None)
        addresses = sorted(was.keys() | now.keys())
        pairs = {address: (was.get(address, nothing), now.get(address, nothing)) for address in addresses}
        self._done = {
            address
            for address, pair in pairs.items()
            if address != _NOT_BY_ADDRESS and pair[0].actions != _READ and self._is_progress(address, *pair, pairs)
        }
        for address, (before, after) in pairs.items():
            plain = list(between(before, after, address))
            if address == _NOT_BY_ADDRESS:
                yield from plain
                continue
            if not plain or self._is_to_do(address, before, after):
                if self.foretold.of(address):
                    self.followed += [one for one in plain if one.place[1:3] == ("change", "after")]
                continue
            if not (self._is_done(address, before, after) or self._is_half_done(address, before, after, pairs)):
                yield from plain

    def _is_progress(self, address: str, was: PlannedObject, now: PlannedObject, pairs: Pairs) -> bool:
        is_changed = any(between(was, now, address)) and not self._is_to_do(address, was, now)
        return is_changed and (self._is_done(address, was, now) or self._is_half_done(address, was, now, pairs))

    def _may_be_known(self, address: str) -> bool:
        """Whether what was unknown may be known by now, before the object itself is done."""
        return self._done is None or bool(self._done - {address})

    def _open(self, address: str, was: PlannedObject, now: PlannedObject) -> Open:
        """What may be anything in an object after the apply that is still to do."""
        unknown, still = (open_places(it.at("after_unknown")) for it in (was, now))
        open_ = unknown if self._may_be_known(address) else unknown & still
        arguments = configured(self.approved, address).keys()
        if self.foretold.of(address):
            # What is not configured is AWS's to decide, where the plan says that it does.
            open_ |= {place for place in still if place and place[0] not in arguments | STAYS}
        return open_ | self._foretold_places(address, was, now.at("after"))

    def _open_when_done(self, address: str, was: PlannedObject, now: PlannedObject) -> Open:
        """What may be anything in an object that is done."""
        open_ = open_places(was.at("after_unknown")) | self._foretold_places(address, was, now.at("before"))
        if self.foretold.of(address):
            arguments = configured(self.approved, address).keys()
            following = FOLLOWING.get(str(at(was.change, "type")), {})
            open_ |= {(name,) for name in following.keys() - arguments}
        return open_

    def _foretold_places(self, address: str, was: PlannedObject, values: Any) -> Open:
        attributes = self.foretold.of(address)
        if EVERYTHING in attributes:
            return frozenset({()})
        written = configured(self.approved, address) if attributes else {}
        pairs = {
            name: (at(was.at("after"), name, default=MISSING), at(values, name, default=MISSING)) for name in attributes
        }
        return frozenset((name,) for name, pair in pairs.items() if follows(*pair, written.get(name)))

    def _is_to_do(self, address: str, was: PlannedObject, now: PlannedObject) -> bool:
        """Whether the new plan does with an object what was approved, or what was foretold."""
        foretold, open_ = self.foretold.of(address), self._open(address, was, now)
        if EVERYTHING in foretold and was.change is None:  # a data source
            return now.actions in (None, _READ) and not list(_of_data(was, now, self._inputs(address)))
        is_updated = bool(foretold) and was.actions == _NOTHING and now.actions == _UPDATE
        if was.change is None or now.change is None or not (is_updated or was.actions == now.actions):
            return self._is_input(address, was, now)
        entries = [without(it.change, "change") for it in (was, now)]
        changes = [without(it.change.get("change"), *_ABOUT_AFTER, "actions") for it in (was, now)]
        return (
            not list(leaves(*entries))
            and not list(leaves(*changes))
            and _is_after(was, now, open_)
            and not list(leaves(was.prior, now.prior))
            and not list(leaves(was.planned, now.planned, _below(open_)))
        )

    def _inputs(self, address: str) -> Open:
        if EVERYTHING in self.foretold.of(address):
            return frozenset({("values",), ("sensitive_values",)})
        names = [name for _, name in self._outputs_read(address)]
        return frozenset((part, "outputs", name) for name in names for part in ("values", "sensitive_values"))

    def _outputs_read(self, address: str) -> list[Output]:
        state = address.removeprefix("data.terraform_remote_state.")
        return [one for one in self.foretold.inputs if one[0].replace("-", "_") == state]

    def _is_input(self, address: str, was: PlannedObject, now: PlannedObject) -> bool:
        """Whether it is the state of another stack, read again, with no change but to foretold outputs.

        Where their plan says what they will be, they are that.
        """
        is_same = was.change is None and now.change is None and not list(leaves(was.planned, now.planned))
        return (
            is_same
            and not list(_of_data(was, now, self._inputs(address)))
            and all(self._is_as_planned(one, at(now.prior, "values", "outputs")) for one in self._outputs_read(address))
        )

    def _is_as_planned(self, output: Output, values: Any) -> bool:
        change = self.sources.get(output)
        if change is None:
            return True
        planned, value = at(change, "after", default=MISSING), at(values, output[1], default=MISSING)
        return not list(leaves(planned, value, open_places(at(change, "after_unknown"))))

    def _is_done(self, address: str, was: PlannedObject, now: PlannedObject) -> bool:
        """Whether an earlier apply did what was approved, so that nothing is left to do."""
        open_ = self._open_when_done(address, was, now)
        if was.actions in _REMOVE:
            return now == PlannedObject(None, None, None)
        if was.actions == _READ:
            values = at(now.prior, "values", default=MISSING)
            is_read = now.change is None and self._may_be_known(address)
            return is_read and not list(leaves(was.at("after"), values, open_))
        is_change = was.change is not None and (
            was.actions != _NOTHING
            or "previous_address" in was.change
            or "importing" in was.change["change"]
            or bool(self.foretold.of(address))
        )
        if not is_change or now.actions != _NOTHING or {"previous_address"} & now.change.keys():
            return False
        return (
            "importing" not in now.change["change"]
            and not list(leaves(was.at("after"), now.at("before"), open_))
            and not list(leaves(was.at("after"), now.at("after"), open_))
            and _is_same_object(was.planned, now.prior, open_)
            and _is_same_object(was.planned, now.planned, open_)
        )

    def _is_half_done(self, address: str, was: PlannedObject, now: PlannedObject, pairs: Pairs) -> bool:
        """Whether an earlier apply did one half of an approved change, and the new plan does the other."""
        if was.change is None:  # the old object, after the new one was created
            name = address.partition(_DEPOSED)[0]
            base = pairs[name][0] if name in pairs else None
            new = [
                other
                for other, pair in pairs.items()
                if other.startswith(f"{name}{_DEPOSED}") and pair[0].change is None
            ]
            is_deposed = at(now.change, "deposed", default=None) is not None and now.actions == _REMOVE[0]
            return (
                base is not None
                and is_deposed
                and new == [address]
                and base.actions == _REPLACE[1]
                and not list(leaves(base.at("before"), now.at("before")))
            )
        is_other_half = was.actions in _REPLACE and now.actions == _CREATE
        # It did not exist when this was approved, so nothing but the unfinished object is destroyed: what was approved.
        made = self._open_when_done(address, was, now)
        is_tainted = (
            was.actions == _CREATE
            and now.actions in _REPLACE
            and at(now.change, "action_reason") == _TAINTED
            and not list(leaves(was.at("after"), now.at("before"), made))
            and _is_same_object(was.planned, now.prior, made)
        )
        open_ = self._open(address, was, now)
        entries = [without(it.change, "change", "action_reason") for it in (was, now)]
        return (
            (is_other_half or is_tainted)
            and not list(leaves(*entries))
            and _is_after(was, now, open_)
            and _is_same_object(was.planned, now.planned, open_)
        )

    def _outputs(self) -> Iterator[Difference]:
        was, now = (self._all(plan, "output_changes", "outputs") for plan in (self.approved, self.now))
        for name in sorted(was.keys() | now.keys()):
            before, after = (
                was.get(name, PlannedObject(None, None, None)),
                now.get(name, PlannedObject(None, None, None)),
            )
            plain = list(between(before, after, f"output.{name}"))
            if plain and not self._is_same_output(name, before, after):
                yield from plain

    def _is_same_output(self, name: str, was: PlannedObject, now: PlannedObject) -> bool:
        marks = at(was.change, "after_unknown")
        rest = [without(it.change, "actions", "before", *_ABOUT_AFTER[:2]) for it in (was, now)]
        unknown, still = open_places(marks), open_places(at(now.change, "after_unknown"))
        open_ = unknown if self._done else unknown & still
        if name in self.foretold.outputs:
            open_ = frozenset({()})
        of_state: Open = frozenset({("value",), ("type",)}) if open_ else frozenset()
        is_foretold = bool(self.foretold.outputs.get(name))
        actions, new_actions = at(was.change, "actions"), at(now.change, "actions")
        has_same_after = not list(leaves(at(was.change, "after"), at(now.change, "after"), open_))
        if list(leaves(*rest)) or not has_same_after or not is_below(at(now.change, "after_unknown"), open_):
            return False
        if not list(leaves(at(was.change, "before"), at(now.change, "before"))) and (
            actions == new_actions or (is_foretold and actions == _NOTHING and new_actions == _UPDATE)
        ):
            is_to_do = not list(leaves(was.prior, now.prior))
            return is_to_do and not list(leaves(was.planned, now.planned, of_state))
        if new_actions == _NOTHING and not list(leaves(at(was.change, "after"), at(now.change, "before"), open_)):
            is_done = not list(leaves(was.planned, now.prior, of_state))
            return is_done and not list(leaves(was.planned, now.planned, of_state))
        return False

    def _drift(self) -> Iterator[Difference]:
        """What was changed outside Terraform: an earlier apply wrote it to the state, and nothing else may be new."""
        was, now = (at(plan, "resource_drift", default={}) for plan in (self.approved, self.now))
        for difference in leaves(was, now):
            is_whole = len(difference.place) == 1
            if not (is_whole and difference.now is MISSING and self._done):
                yield Difference(
                    place=("resource_drift", *difference.place), approved=difference.approved, now=difference.now
                )

    def _states(self) -> Iterator[Difference]:
        """What the states have besides objects and outputs."""
        written_now = self.now.get("terraform_version")
        for name in ("prior_state", "planned_values"):
            was, now = (rest_of_state(plan, name) for plan in (self.approved, self.now))
            modules = (
                {} if name == "planned_values" else rest_of_state(self.approved, "planned_values").get("modules", {})
            )
            for difference in leaves(was, now):
                is_new = self._done and difference.approved is MISSING
                is_module = difference.place[:1] == ("modules",) and modules.get(difference.place[-1]) == difference.now
                is_version = difference.place == ("terraform_version",) and difference.now == written_now
                if (is_new and (is_module or difference.place == ("format_version",))) or (self._done and is_version):
                    continue
                yield Difference(place=(name, *difference.place), approved=difference.approved, now=difference.now)

    def _checks(self) -> Iterator[Difference]:
        """The conditions: one that was not known when this was approved may hold now."""
        was, now = (at(plan, "checks", default={}) for plan in (self.approved, self.now))
        for difference in leaves(was, now):
            if not (
                difference.place[-1:] == ("status",) and difference.approved == "unknown" and difference.now == "pass"
            ):
                yield Difference(place=("checks", *difference.place), approved=difference.approved, now=difference.now)

    def _all(
        self, plan: Mapping[str, Any], changes: str = "resource_changes", kind: str = "instances"
    ) -> dict[str, PlannedObject]:
        """What a plan says of every object, by address, or of every output."""
        parts = [
            at(plan, changes, default={}),
            at(plan, "prior_state", "values", kind, default={}),
            at(plan, "planned_values", kind, default={}),
        ]
        # A list, where two objects have one address: compared as it is.
        named = [part if isinstance(part, dict) else {_NOT_BY_ADDRESS: part} for part in parts]
        names = {name for part in named for name in part}
        return {name: PlannedObject(*(part.get(name) for part in named)) for name in names}


_ABOUT_AFTER = ("after", "after_unknown", "after_sensitive")


def _is_after(was: PlannedObject, now: PlannedObject, open_: Open) -> bool:
    """Whether an object is the same after both applies, as far as it is known."""
    return (
        not list(leaves(was.at("after"), now.at("after"), open_))
        and not list(leaves(was.at("after_sensitive"), now.at("after_sensitive"), open_))
        and is_below(now.at("after_unknown"), open_)
    )


def _is_same_object(was: Any, now: Any, open_: Open) -> bool:
    return not list(leaves(without(was, *_OF_THE_STATE), without(now, *_OF_THE_STATE), _below(open_)))


def _below(open_: Open) -> Open:
    return frozenset((part, *path) for path in open_ for part in ("values", "sensitive_values"))


def _of_data(was: PlannedObject, now: PlannedObject, open_: Open) -> Iterator[Difference]:
    """The differences in a data source; the apply reads it where it depends on what changes."""
    if now.change is None:
        yield from leaves(was.prior, now.prior, open_)
