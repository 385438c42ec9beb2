"""Writes a review as Markdown for a pull request's comment: the verdict first, then by importance."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iam import comparison as policies
from ops.review.access_table import AccessTable
from ops.review.acknowledgements import Acknowledgement
from ops.review.comment import Section, lay_out
from ops.review.differences import differences
from ops.review.rule import Finding, Plans, Rule
from ops.review.text import NOT_SHOWN, UNKNOWN, block, cell, code, count, value, visible
from terraform.plan import Action, Change, OutputChange, Plan, any_marked

MARKER = "<!-- kakehashi-review -->"
"""The first line, by which a pipeline finds the comment to update."""

_ORDER = {action: place for place, action in enumerate(Action)}
_DONE = {
    Action.REPLACE: "replaced",
    Action.DELETE: "destroyed",
    Action.FORGET: "forgotten",
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.READ: "read",
    Action.NOTHING: "moved or imported",
}
_MOST_ATTRIBUTES = 8
_SHORTEST_SECRET = 6


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a review came to; `acknowledged` are findings that somebody means, with the reason."""

    plans: Plans
    rules: Sequence[Rule]
    dangerous: Sequence[Finding]
    acknowledged: Sequence[tuple[Finding, Acknowledgement]]
    notes: Sequence[Finding]
    unused: Sequence[Acknowledgement]
    access: AccessTable


def markdown(review: Review, limit: int) -> str:
    """The comment, of at most so many characters."""
    sections = [
        Section(importance=9, head=f"{MARKER}\n{_verdict(review)}", items=[], noun=""),
        *_access(review.access),
        *_dangerous(review),
        *_acknowledged(review),
        *_notes(review),
        *_changes(review),
        *_unchanged(review),
        *_full(review),
    ]
    # Folding comes last, so that what stands for a secret is counted as it will be shown.
    scrubbed = [_scrubbed(section, review) for section in sections]
    return lay_out(scrubbed, limit)


def _verdict(review: Review) -> str:
    stacks = len(review.plans.plans)
    of = f"in {count(stacks, 'stack')}"
    if review.dangerous:
        by_rule = Counter(finding.rule for finding in review.dangerous)
        whats = [
            f"`{rule.id}`" + (f" ({by_rule[rule.id]})" if by_rule[rule.id] > 1 else "")
            for rule in review.rules
            if rule.id in by_rule
        ]
        return f"## 🛑 Dangerous: {count(len(review.dangerous), 'finding')} {of}\n\n{', '.join(whats)}"
    changed = _counts([change for plan in review.plans.plans for change in _changing(plan)])
    changed = changed or ("outputs change" if _changing_outputs(review) else "nothing changes")
    if review.acknowledged:
        return f"## 🟡 Nothing dangerous but what is acknowledged ({len(review.acknowledged)}): {changed} {of}"
    return f"## ✅ Nothing dangerous: {changed} {of}"


def _access(table: AccessTable) -> Iterator[Section]:
    if table.rows:
        is_changed = any(row.is_changed for row in table.rows)
        head = "### Who gets in" + ("" if is_changed else ": as before")
        columns = "| who | repository | may pull from | may push from |\n|---|---|---|---|"
        items = [
            f"| {cell(code(row.principal))} | {cell(', '.join(map(code, row.repositories)))} "
            f"| {cell(row.pull)} | {cell(row.push)} |"
            for row in table.rows
        ]
        yield Section(importance=8, head=f"{head}\n\n{columns}", items=items, noun="rows")


def _dangerous(review: Review) -> Iterator[Section]:
    if review.dangerous:
        yield Section(importance=7, head="### What becomes dangerous", items=[], noun="")
    yield from _by_rule(review, review.dangerous, importance=7)


def _by_rule(review: Review, findings: Sequence[Finding], *, importance: int) -> Iterator[Section]:
    for rule in review.rules:
        items = [f"- {_where(finding)} {finding.what}" for finding in findings if finding.rule == rule.id]
        if items:
            head = f"**{rule.what}** {rule.why} (`{rule.id}`)\n"
            yield Section(importance=importance, head=head, items=items, noun="findings")


def _where(finding: Finding) -> str:
    return f"{code(f'{finding.stack}/{finding.address}')}:"


def _acknowledged(review: Review) -> Iterator[Section]:
    items = [
        f"- `{finding.rule}` {_where(finding)} {finding.what}. Because: {code(one.because, most=400)}"
        for finding, one in review.acknowledged
    ]
    if items:
        yield Section(importance=6, head="### Acknowledged\n", items=items, noun="findings")
    unused = [f"- {code(one.allowed)} acknowledges nothing here" for one in review.unused]
    if unused:
        yield Section(importance=5, head="Acknowledgements without a finding:\n", items=unused, noun="lines")


def _notes(review: Review) -> Iterator[Section]:
    if review.notes:
        yield Section(importance=5, head="### Worth a look", items=[], noun="")
    yield from _by_rule(review, review.notes, importance=5)


def _changing(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.is_managed and change.is_changed]


def _changing_outputs(review: Review) -> list[OutputChange]:
    return [output for plan in review.plans.plans for output in plan.outputs if output.action is not Action.NOTHING]


def _counts(changes: Sequence[Change]) -> str:
    counts = Counter(change.action for change in changes)
    return ", ".join(f"{counts[action]} {_DONE[action]}" for action in Action if counts[action])


def _changes(review: Review) -> Iterator[Section]:
    stacks = [plan for plan in review.plans.plans if _changing(plan) or _outputs(plan)]
    if stacks:
        yield Section(importance=4, head="### Changes", items=[], noun="")
    for plan in stacks:
        changes = _changing(plan)
        said = _counts(changes) or "outputs only"
        yield Section(importance=4, head=f"#### {visible(plan.stack)}: {said}", items=[], noun="")
        modules = sorted(
            {change.module for change in changes},
            key=lambda module: (min(_ORDER[c.action] for c in changes if c.module == module), module),
        )
        for module in modules:
            inside = [change for change in changes if change.module == module]
            inside.sort(key=lambda change: (_ORDER[change.action], change.address, change.deposed or ""))
            head = f"in {code(module)}\n" if module else ""
            items = [_change(review, change) for change in inside]
            yield Section(importance=3, head=head, items=items, noun="changes")
        outputs = _outputs(plan)
        if outputs:
            yield Section(importance=3, head="Outputs:\n", items=outputs, noun="outputs")


def _change(review: Review, change: Change) -> str:
    deposed = " (left behind by an earlier apply)" if change.deposed else ""
    moved = f" (was {code(change.previous_address)})" if change.previous_address else ""
    imported = " (imported)" if change.imported_id is not None else ""
    line = f"- {_DONE[change.action]} {code(change.address)}{deposed}{moved}{imported}"
    if change.action not in {Action.UPDATE, Action.REPLACE}:
        return line
    return "\n".join([line, *(f"  - {detail}" for detail in _details(review, change))])


def _details(review: Review, change: Change) -> Iterator[str]:
    told: set[str] = set()
    for name in sorted(policies.ATTRIBUTES & change.before.keys()):
        if not change.unknown(name) and change.before.get(name) == change.after.get(name):
            continue
        before = policies.statements(change.before.get(name))
        after = policies.statements(review.plans.resolvers[change.stack].after(change, name))
        if before is None or after is None:
            continue
        told.add(name)
        found = policies.compared(before, after)
        yield from (
            f"{code(name)}: {difference.what}{' (wider)' if difference.widens else ''}"
            for difference in found[:_MOST_ATTRIBUTES]
        )
        if not found:
            yield f"{code(name)}: says the same in other words"
        elif len(found) > _MOST_ATTRIBUTES:
            yield f"{code(name)}: and {len(found) - _MOST_ATTRIBUTES} more"
    # What AWS alone decides (ids, ARNs, dates) says nothing before it is known, nor does what nobody configured.
    configured = review.plans.resolvers[change.stack].configured(change.address)
    others = [
        other
        for other in differences(change)
        if other.path.partition(".")[0] not in told
        and (other.after != UNKNOWN or other.path in change.replaced_for)
        and (configured is None or other.path.partition(".")[0].partition("[")[0] in configured)
    ]
    for other in others[:_MOST_ATTRIBUTES]:
        yield f"{code(other.path)}: {_side(other.before)} → {_side(other.after)}"
    if len(others) > _MOST_ATTRIBUTES:
        yield f"and {count(len(others) - _MOST_ATTRIBUTES, 'attribute')} more"


def _side(text: str | None) -> str:
    if text is None:
        return "none"
    return text if text in {UNKNOWN, NOT_SHOWN} else code(text)


def _outputs(plan: Plan) -> list[str]:
    return [
        f"- output {code(output.name)} {_DONE.get(output.action, 'changed')}{_new_value(output)}"
        for output in plan.outputs
        if output.action is not Action.NOTHING
    ]


def _new_value(output: OutputChange) -> str:
    if output.action is Action.DELETE:
        return ""
    if any_marked(output.after_unknown):
        return f": {UNKNOWN}"
    return f": {_side(value(output.after))}"


def _unchanged(review: Review) -> Iterator[Section]:
    counts = [
        (plan.stack, sum(change.is_managed and not change.is_changed for change in plan.changes))
        for plan in review.plans.plans
    ]
    said = ", ".join(f"{number} in {code(stack)}" for stack, number in counts if number)
    if said:
        yield Section(importance=2, head=f"Unchanged: {said}.", items=[], noun="")


def _full(review: Review) -> Iterator[Section]:
    for plan in review.plans.plans:
        items = [block(_whole(change), "diff") for change in _changing(plan)]
        if items:
            head = f"<details><summary>The full plan of {_html(plan.stack)}</summary>\n"
            yield Section(importance=1, head=head, items=items, noun="changes", tail="\n</details>", between="\n\n")


def _whole(change: Change) -> str:
    lines = [f"# {visible(change.address)}: {_DONE[change.action]}"]
    for found in differences(change):
        if found.before is not None:
            lines.append(f"- {visible(found.path)} = {found.before}")
        if found.after is not None:
            lines.append(f"+ {visible(found.path)} = {found.after}")
    return "\n".join(lines)


def _html(text: str) -> str:
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _scrubbed(section: Section, review: Review) -> Section:
    """Without what is sensitive somewhere in the plans, should it stand elsewhere too."""
    secrets = sorted(
        {
            visible(line)
            for plan in review.plans.plans
            for secret in plan.secrets
            for line in (secret, *secret.splitlines())
            if len(line.strip()) >= _SHORTEST_SECRET
        },
        key=len,
        reverse=True,
    )

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, NOT_SHOWN)
        return text

    return Section(
        importance=section.importance,
        head=clean(section.head),
        items=[clean(item) for item in section.items],
        noun=section.noun,
        tail=section.tail,
        between=section.between,
    )
