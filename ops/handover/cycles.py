"""Finds blocks and local values that depend on themselves: Terraform refuses these."""

from collections.abc import Iterable, Mapping

from errors import refused
from ops.handover.hcl import Block
from ops.handover.references import address, addresses_in

# Their expressions name addresses without needing a value.
_NAMING_ONLY = frozenset({"moved", "removed"})


def dependencies(blocks: Iterable[Block]) -> dict[str, set[str]]:
    """The addresses that each resource, data source, module and local value refers to, by its own address."""
    found: dict[str, set[str]] = {}
    for block in blocks:
        if block.type == "locals":
            for name, value in block.arguments.items():
                found.setdefault(f"local.{name}", set()).update(addresses_in(Block("locals", arguments={name: value})))
        elif block.type not in _NAMING_ONLY:
            found.setdefault(address(block), set()).update(addresses_in(block))
    return found


def in_cycles(dependencies: Mapping[str, Iterable[str]]) -> set[str]:
    """The addresses that depend on themselves, directly or through others."""
    needs = {one: {it for it in others if it in dependencies} for one, others in dependencies.items()}
    left = _without_ends(_reversed(_without_ends(needs)))
    return {one for one in left if one in reachable(left, one)}


def refuse_new_cycles(stack: str, before: Iterable[Block], after: Iterable[Block]) -> None:
    """Raise RefusedError if blocks of a stack depend on themselves as they are written, but not as they were read.

    What depends on itself in the JSON already is left to Terraform: a module may need what its other outputs are for.
    """
    circular = in_cycles(dependencies(after))
    if circular and not in_cycles(dependencies(before)):
        what = f"the HCL would have a cycle that the JSON does not have: {', '.join(sorted(circular))}"
        raise refused(stack, what, "hand over this stack as JSON, and report this as a defect of the handover")


def _without_ends(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The graph without nodes that need nothing, and then without those that need only such nodes."""
    left = {one: set(others) for one, others in graph.items()}
    needed_by = _reversed(left)
    ends = [one for one, others in left.items() if not others]
    while ends:
        end = ends.pop()
        del left[end]
        for one in needed_by[end]:
            left[one].discard(end)
            if not left[one]:
                ends.append(one)
    return left


def _reversed(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {one: set() for one in graph}
    for one, others in graph.items():
        for other in others:
            found[other].add(one)
    return found


def reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """What a node needs, directly or through others."""
    seen: set[str] = set()
    waiting = [*graph[start]]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += graph.get(one, ())
    return seen
