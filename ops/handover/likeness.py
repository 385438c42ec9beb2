"""Decides which groups a person would write as one block.

Resources are merged where somebody may add one more, as in a list of mirrors or zones, and where only their key
differs. Two resources that merely can be merged, such as a rule for HTTP and one for SSH, stay apart.
"""

from collections.abc import Iterable, Sequence

from ops.handover.grouping import ResourceGroup
from ops.handover.hcl import Expression, Template
from ops.handover.names import without_type
from ops.handover.unifying import UnifiedGroup

_REASONS = ("description", "comment", "sid")
_MOST_DIFFERENCES = 3


def unlike(unified: Sequence[UnifiedGroup], failed: Iterable[ResourceGroup]) -> list[ResourceGroup]:
    """The groups that a person would not make. `failed` are groups that cannot be made."""
    not_alike = [group.keys for group in failed if not group.in_collection]
    axes = [
        it.group.keys
        for it in unified
        if it.group.in_collection or (_is_explained(it, unified) and it.group.keys not in not_alike)
    ]
    proposed = [it for it in unified if it.group.place is not None and it.group.items is None]
    return [it.group for it in proposed if not (_are_few(it) and _is_wanted(it, unified, axes))]


def _is_wanted(it: UnifiedGroup, unified: Sequence[UnifiedGroup], axes: Sequence[frozenset[str]]) -> bool:
    if it.group.in_collection:
        return not (it.group.type.endswith("_rule") and _has_own_reason(it))
    if not any(it.group.keys <= keys for keys in axes):
        return False
    return not it.values or (not _has_own_reason(it) and _other_types(it, unified) > 0)


def _is_explained(it: UnifiedGroup, unified: Sequence[UnifiedGroup]) -> bool:
    """Whether members differ in nothing but the key, and not by accident."""
    if it.values:
        return False
    group = it.group
    if len(group.members) == 2 and not all(it.path for it in group.members.values()):
        return False  # people chose these names
    place = group.place
    said_by_name = place is not None and not place.is_whole_step and bool(without_type(place.words, group.type))
    return len(group.members) > 2 or said_by_name or _other_types(it, unified) > 0


def _other_types(it: UnifiedGroup, unified: Sequence[UnifiedGroup]) -> int:
    """How many other types have a group with the same keys."""
    return len({other.group.type for other in unified if other.group.keys == it.group.keys} - {it.group.type})


def _are_few(it: UnifiedGroup) -> bool:
    """Whether the members have more in common than not."""
    return len(it.values) <= max(_MOST_DIFFERENCES, it.shared)


def _has_own_reason(it: UnifiedGroup) -> bool:
    """Whether members have different descriptions."""
    return any(name.endswith(_REASONS) and _texts(values) for name, values in it.values.items())


def _texts(values: Sequence[Expression]) -> bool:
    return any(isinstance(value, Template) for value in values)
