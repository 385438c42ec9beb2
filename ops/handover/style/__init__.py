"""Changes blocks so that they read as a person would have written them. Every change is exact: the plan stays equal."""

from collections.abc import Callable, Sequence

from ops.handover.metadata import TopLevelBlock
from ops.handover.style.account_and_region import with_account_and_region
from ops.handover.style.arns import with_arns
from ops.handover.style.booleans import with_booleans
from ops.handover.style.collections import with_collections
from ops.handover.style.ids import with_ids
from ops.handover.style.json_by_key import with_json_by_key
from ops.handover.style.json_members import with_variables_in_json
from ops.handover.style.loops import with_loops
from ops.handover.style.members import with_members
from ops.handover.style.name_prefix import with_name
from ops.handover.style.needless import without_needless
from ops.handover.style.order import in_order
from ops.handover.style.owned_collections import with_owned_collections
from ops.handover.style.repeated_values import with_repeated_values
from ops.handover.style.tags import with_tags
from ops.handover.style.validations import with_named_constants

# Tags are compared before an account in them is named; the account is named before it is a part of an ARN's name. A
# collection's own loops are written before those over resources whose keys are the same by chance. How names begin is
# named after texts were compared with the keys of members, which may begin so, too.
_PASSES: tuple[Callable[[Sequence[TopLevelBlock]], Sequence[TopLevelBlock]], ...] = (
    without_needless,
    with_tags,
    with_booleans,
    with_variables_in_json,
    with_account_and_region,
    with_ids,
    with_arns,
    with_collections,
    with_owned_collections,
    with_loops,
    with_members,
    with_repeated_values,
    with_named_constants,
    with_json_by_key,
    with_name,
    in_order,
)


def with_style(blocks: Sequence[TopLevelBlock]) -> Sequence[TopLevelBlock]:
    """The blocks of a stack after every pass."""
    for change in _PASSES:
        blocks = change(blocks)
    return blocks
