"""Finds the lists of keys that a text may have a loop over: local values that blocks iterate over.

Such a local value has constants alone, so that a reference to it makes no cycle.
"""

from collections.abc import Sequence

from ops.handover.lists_in_texts import KeyList
from ops.handover.metadata import TopLevelBlock
from ops.handover.style.keys import TAKEN, for_each_keys, key_name, keys_of_local, local_name
from ops.handover.style.local_values import local_values, needed_by


def key_lists(blocks: Sequence[TopLevelBlock], next_lines: frozenset[str]) -> list[KeyList]:
    """The lists of keys that the stack's blocks iterate over, each once. One of a single key needs an example.

    `next_lines` are those of texts in the stack with the examples.
    """
    values = local_values(blocks)
    found: dict[str, KeyList] = {}
    for block in blocks:
        for_each = block.block.arguments.get("for_each")
        name = "" if for_each is None else local_name(for_each)
        if for_each is None or name in found or needed_by(name, values) is None:
            continue
        keys = for_each_keys(for_each, values)
        whole = keys_of_local(name, values[name])
        if whole is None or len(keys) <= (not block.next_key):
            continue
        if key_name(for_each) not in TAKEN and name not in TAKEN:
            found[name] = KeyList(
                name=name,
                key_name=key_name(for_each),
                keys=keys,
                expression=whole,
                next_key=block.next_key,
                next_lines=next_lines,
            )
    return list(found.values())
