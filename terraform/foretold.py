"""Foretells what else changes once an output of another stack has changed: plans show it only after that apply.

Every stack's plan reads the outputs of the others as they are before any apply.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from terraform.output import Json
from terraform.patterns import LOCAL, NAME, REMOTE_OUTPUT
from terraform.plan import Action, Plan
from terraform.plan_configuration import PlanConfiguration, base_address, longest_references, module_of, remote_output

Output = tuple[str, str]
"""A stack and its output."""

EVERYTHING = ""
"""The attribute of a data source: it is read again as a whole."""

STAYS = frozenset({"arn", "id"})
"""What an update in place does not change."""


FOLLOWING = {
    "aws_instance": {"public_dns": "the name of public_ip", "public_ip": "new user data stops a server"},
    "aws_launch_template": {"default_version": "each change makes a version", "latest_version": "the newest one"},
    "aws_ssm_parameter": {"version": "each change makes a version"},
    "terraform_data": {"output": "the input"},
}
"""Attributes of an object, by type, that no argument sets and that an update in place may change, and why."""


@dataclass(frozen=True, kw_only=True)
class Foretold:
    """What may change in one stack.

    attributes: of objects, by their address without indices, and the outputs that each follows from. inputs: the
    changed outputs that the stack reads. outputs: its own ones that may change. others: blocks that read a changed
    output and of which nothing can be foretold, such as one with `for_each`.
    """

    attributes: Mapping[str, Mapping[str, frozenset[Output]]] = field(default_factory=dict)
    inputs: frozenset[Output] = frozenset()
    outputs: Mapping[str, frozenset[Output]] = field(default_factory=dict)
    others: Mapping[str, frozenset[Output]] = field(default_factory=dict)

    def of(self, address: str) -> Mapping[str, frozenset[Output]]:
        """The attributes of an object that may change."""
        return self.attributes.get(base_address(address), {})


def changed_outputs(plan: Plan) -> set[str]:
    """The outputs that the apply of a plan changes."""
    return {output.name for output in plan.outputs if output.action is not Action.NOTHING}


def foretold(plans: Sequence[Plan], local_values: Mapping[str, Json]) -> dict[str, Foretold]:
    """What may change in each stack because of the stacks before it: `plans` are in the order of their applies.

    `local_values` are what each stack's local values are made of, which no plan shows.
    """
    changed: dict[Output, frozenset[Output]] = {}
    found = {}
    for plan in plans:
        one = _Stack(plan, local_values.get(plan.stack), changed).foretold()
        found[plan.stack] = one
        for name in changed_outputs(plan):
            changed[plan.stack, name] = frozenset({(plan.stack, name)})
        for name, sources in one.outputs.items():
            changed.setdefault((plan.stack, name), sources)
    return found


class _Stack:
    def __init__(self, plan: Plan, local_values: Json | None, changed: Mapping[Output, frozenset[Output]]) -> None:
        self._configuration = PlanConfiguration(plan.configuration)
        self._locals = local_values or {}
        self._changed = {(stack.replace("-", "_"), output): sources for (stack, output), sources in changed.items()}
        self._names = {stack.replace("-", "_"): stack for stack, _ in changed}
        self._attributes: dict[str, dict[str, frozenset[Output]]] = {}

    def foretold(self) -> Foretold:
        read = self._configuration.remote_outputs()
        inputs = {(self._names[state], output) for state, output in read if (state, output) in self._changed}
        texts = [text for value in self._locals.values() for text in _texts(value)]
        inputs |= {
            (self._names[state], output)
            for text in texts
            for state, output in REMOTE_OUTPUT.findall(text)
            if (state, output) in self._changed
        }
        if not inputs:
            return Foretold()
        while self._find():
            pass
        return Foretold(
            attributes=self._attributes,
            inputs=frozenset(inputs),
            outputs={
                name: sources
                for name, expression in self._configuration.outputs.items()
                if (sources := self._sources(expression))
            },
            others=dict(self._others()),
        )

    def _find(self) -> bool:
        """Whether more is found by what was found."""
        is_more = False
        for address, resource in self._configuration.resources.items():
            if module_of(address) or _state(address) == address:
                continue
            for name, expression in _items(resource.get("expressions")):
                attribute = EVERYTHING if resource.get("mode") == "data" else name
                known = self._attributes.get(address, {}).get(attribute, frozenset())
                more = self._sources(expression) - known
                if more:
                    self._attributes.setdefault(address, {})[attribute] = known | more
                    is_more = True
        return is_more

    def _others(self) -> Iterator[tuple[str, frozenset[Output]]]:
        """The blocks that decide which objects there are, or what reads and writes them."""
        for address, resource in self._configuration.resources.items():
            deciding = [resource.get("count_expression"), resource.get("for_each_expression")]
            if found := self._sources(deciding):
                yield address, found
        for address, block in self._configuration.providers_and_modules.items():
            if found := self._sources(block):
                yield address, found

    def _sources(self, expression: Any) -> frozenset[Output]:
        """The changed outputs that an expression follows from."""
        references = {reference for part in _parts(expression) for reference in longest_references(part)}
        return frozenset().union(*map(self._of_reference, references))

    def _of_reference(self, reference: str, seen: frozenset[str] = frozenset()) -> frozenset[Output]:
        if (state := _state(reference)) is not None:
            one = remote_output(reference)
            name = state.rpartition(".")[2]
            return frozenset().union(
                *(sources for of, sources in self._changed.items() if (of == one if one else of[0] == name))
            )
        if (local := LOCAL.match(reference)) is not None:
            name = local[1]
            inside = {found for text in _texts(self._locals.get(name)) for found in _REFERENCE.findall(text)}
            return frozenset().union(
                *(self._of_reference(found, seen | {name}) for found in inside if name not in seen)
            )
        for address, attributes in self._attributes.items():
            rest = reference.removeprefix(address)
            if rest == reference or rest[:1] not in ("", ".", "["):
                continue
            attribute = _ATTRIBUTE.match(rest)
            set_here = self._configuration.arguments(address) or frozenset()
            of_one = attributes.get(attribute[1]) if attribute is not None else None
            stays = attribute is not None and (attribute[1] in STAYS or attribute[1] in set_here)
            if of_one is not None or EVERYTHING in attributes or not stays:
                return frozenset().union(*([of_one] if of_one is not None else attributes.values()))
        return frozenset()


_REFERENCE = re.compile(rf"(?:data\.)?{NAME}(?:\.{NAME}|\[(?:\d+|\*|\\?\"[^\"\]]*\\?\")\])+")
"""Anything in a text that may be a reference: one too many does no harm."""

_ATTRIBUTE = re.compile(rf"(?:\[[^\]]*\])?\.({NAME})")
_STATE = re.compile(r"data\.terraform_remote_state\.[\w-]+")


def _state(reference: str) -> str | None:
    found = _STATE.match(reference)
    return found[0] if found else None


def _items(expressions: Any) -> list[tuple[str, Any]]:
    return list(expressions.items()) if isinstance(expressions, dict) else []


def _parts(expression: Any) -> Iterator[Any]:
    """An expression, and every one in it."""
    yield expression
    inside = expression.values() if isinstance(expression, dict) else expression if isinstance(expression, list) else ()
    for part in inside:
        yield from _parts(part)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)
