"""Puts blocks after those that they refer to, as people write them: the API first, its deployment last."""

from collections.abc import Sequence

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

    def write(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        values = own_values.get(name, [])
        for one in (*values, by_address[name]):
            for needed in sorted(addresses_in(one.block) & by_address.keys()):
                write(needed)
        ordered.extend((*values, by_address[name]))

    # A data source stands in front of its first reader: a role's trust, the role, then its permissions.
    for name in sorted(by_address, key=lambda it: it.startswith("data.")):
        write(name)
    written = {id(it) for it in ordered}
    return [*(it for it in blocks if id(it) not in written), *ordered]
