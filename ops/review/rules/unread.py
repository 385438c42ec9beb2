"""Rules about what no other rule has read: nothing is called safe that was not read."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ops.review.changed_values import configured_differences, is_text, items, listed
from ops.review.differences import AttributeDifference
from ops.review.first_deployment import only_creation
from ops.review.resource_types import decided_by, harmless, is_classified
from ops.review.rule import NOT_READ, Plans, ReviewedChange, ReviewFinding, ReviewRule, rule
from ops.review.rules.removal import goes_with_bucket
from ops.review.text import change as changed
from ops.review.text import code
from terraform.plan import Action

_MOST_PARTS = 3

_Reported = dict[tuple[str, str], set[str]]


@rule(
    id="type-unknown",
    what="An object of an unknown type is created or changed.",
    why="No rule knows what such an object allows: read what it does.",
)
def type_unknown(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes():
        if change.appears and not is_classified(change.type):
            done = "changed" if change.is_modified else "created"
            yield change.finding(f"is {done}; it is not known what {code(change.type)} does")


def not_read(others: Sequence[ReviewRule]) -> ReviewRule:
    """The rule that lists what `others` say nothing of."""

    def check(plans: Plans) -> Iterator[ReviewFinding]:
        reported = _reported(others, plans)
        for change in plans.changes():
            said = reported.get((change.stack, change.address))
            if change.is_modified:
                yield from _arguments(change, said or set())
            elif said is None and (decides := decided_by(change.type)):
                if change.action is Action.CREATE:
                    yield change.finding(f"not read by any rule: it is created, and decides {decides}")
                elif change.is_removed and not goes_with_bucket(plans, change):
                    yield change.finding(f"not read by any rule: it is destroyed, and decides {decides}")

    return ReviewRule(
        id=NOT_READ,
        what="Something changes that no rule has read.",
        why="It is neither known to be dangerous nor known to be harmless: read it.",
        dangerous=False,
        check=check,
        only_new=only_creation,
    )


def _reported(others: Sequence[ReviewRule], plans: Plans) -> _Reported:
    """What the other rules say: by stack and address, the arguments that their findings are about."""
    reported: _Reported = defaultdict(set)
    for other in others:
        for finding in other.findings(plans):
            reported[finding.stack, finding.address] |= finding.arguments
    return reported


def _arguments(change: ReviewedChange, said: set[str]) -> Iterator[ReviewFinding]:
    by_name: dict[str, list[AttributeDifference]] = defaultdict(list)
    for difference in configured_differences(change):
        if difference.name not in said and not harmless(change.type, difference.name):
            by_name[difference.name].append(difference)
    for name, parts in by_name.items():
        if any(map(is_text, parts)):
            yield replace(change.finding(f"not read by any rule: {code(name)}"), details=items(listed(parts)))
            continue
        what = ", ".join(f"{code(part.path)} {changed(part.before, part.after)}" for part in parts[:_MOST_PARTS])
        more = f" and {len(parts) - _MOST_PARTS} more" if len(parts) > _MOST_PARTS else ""
        yield change.finding(f"not read by any rule: {what}{more}")
