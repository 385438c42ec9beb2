"""Puts blocks after those that they refer to, as people write them: the API first, its deployment last."""

from collections.abc import Iterator, Sequence

from ops.handover.addresses import is_of_data
from ops.handover.metadata import TopLevelBlock
from ops.handover.references import address, addresses_in

_ORDERED = ("resource", "data", "ephemeral", "module")


def in_order(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks, each after those that it refers to, and otherwise in their order.

    A local value that belongs to a block stands in front of it. Variables, outputs and the like keep their order.
    """
    by_address = {address(it.block): it for it in blocks if it.block.type in _ORDERED}
    own_values: dict[str, list[TopLevelBlock]] = {}
    for found in blocks:
        if found.same_file_as in by_address:
            own_values.setdefault(found.same_file_as or "", []).append(found)
    ordered: list[TopLevelBlock] = []
    seen: set[str] = set()

    def needed(name: str) -> Iterator[str]:
        for one in (*own_values.get(name, ()), by_address[name]):
            yield from sorted(addresses_in(one.block) & by_address.keys())

    # A data source stands in front of its first reader: a role's trust, the role, then its permissions.
    for first in sorted(by_address, key=is_of_data):
        waiting = [] if first in seen else [(first, needed(first))]
        seen.add(first)
        while waiting:
            name, others = waiting[-1]
            other = next((it for it in others if it not in seen), None)
            if other is None:
                waiting.pop()
                ordered += (*own_values.get(name, ()), by_address[name])
            else:
                seen.add(other)
                waiting.append((other, needed(other)))
    written = {id(it) for it in ordered}
    return [*(it for it in blocks if id(it) not in written), *ordered]
