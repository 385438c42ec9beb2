"""Rules about what no other rule has read: nothing is called safe that was not read."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ops.review.changed_values import configured_differences, is_text, items, listed
from ops.review.differences import AttributeDifference
from ops.review.first_deployment import only_creation
from ops.review.resource_types import decided_by, harmless, is_classified
from ops.review.rule import NOT_READ, Plans, ReviewedChange, ReviewFinding, ReviewRule, rule
from ops.review.rules.policies import rewritten
from ops.review.rules.removal import goes_with_bucket
from ops.review.text import change as changed
from ops.review.text import code
from ops.review.translatable import Joined, said
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
            template = "is created; it is not known what {type} does"
            template = "is changed; it is not known what {type} does" if change.is_modified else template
            yield change.finding(said(template, type=code(change.type)))


def not_read(others: Sequence[ReviewRule]) -> ReviewRule:
    """The rule that lists what `others` say nothing of."""

    def check(plans: Plans) -> Iterator[ReviewFinding]:
        reported = _reported(others, plans)
        for change in plans.changes():
            read = reported.get((change.stack, change.address))
            if change.is_modified:
                yield from _arguments(change, read or set())
            elif read is None and (decides := decided_by(change.type)):
                if change.action is Action.CREATE:
                    yield change.finding(said("not read by any rule: it is created, and decides {what}", what=decides))
                elif change.is_removed and not goes_with_bucket(plans, change):
                    yield change.finding(
                        said("not read by any rule: it is destroyed, and decides {what}", what=decides)
                    )

    return ReviewRule(
        id=NOT_READ,
        what="Something changes that no rule has read.",
        why="It is neither known to be dangerous nor known to be harmless: read it.",
        dangerous=False,
        check=check,
        only_new=only_creation,
    )


def _reported(others: Sequence[ReviewRule], plans: Plans) -> _Reported:
    """By stack and address, the arguments that other rules have findings about, and policies that mean the same."""
    reported: _Reported = defaultdict(set)
    for other in others:
        for finding in other.findings(plans):
            reported[finding.stack, finding.address] |= finding.arguments
    for policy in rewritten(plans):
        reported[policy.change.stack, policy.change.address].add(policy.name)
    return reported


def _arguments(change: ReviewedChange, read: set[str]) -> Iterator[ReviewFinding]:
    by_name: dict[str, list[AttributeDifference]] = defaultdict(list)
    for difference in configured_differences(change):
        if difference.name not in read and not harmless(change.type, difference.name):
            by_name[difference.name].append(difference)
    for name, parts in by_name.items():
        if any(map(is_text, parts)):
            found = change.finding(said("not read by any rule: {what}", what=code(name)))
            yield replace(found, details=items(listed(parts)))
            continue
        shown = (Joined(" ", (code(part.path), changed(part.before, part.after))) for part in parts[:_MOST_PARTS])
        what: str = Joined(", ", shown)
        if len(parts) > _MOST_PARTS:
            others = len(parts) - _MOST_PARTS
            what = said("{names} and {others} more", names=what, others=others, total=len(parts))
        yield change.finding(said("not read by any rule: {what}", what=what))
