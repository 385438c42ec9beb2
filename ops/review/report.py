"""Writes a review as Markdown for a comment on a pull request: the verdict first, then by importance."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from textwrap import indent, wrap

from iam import comparison as policies
from iam.statements import Statement
from ops.review import policy_text
from ops.review.access_markdown import before_and_after
from ops.review.access_table import AccessTable
from ops.review.acknowledgements import Acknowledgement
from ops.review.changed_values import is_text, items, listed
from ops.review.comment import Section, in_characters, lay_out
from ops.review.differences import differences
from ops.review.headline import counts, headline
from ops.review.language import ENGLISH, Language
from ops.review.long_texts import changed_lines
from ops.review.outcome import Review
from ops.review.rule import ReviewedChange, ReviewFinding
from ops.review.text import (
    MOST_SHOWN,
    block,
    cell,
    code,
    codes,
    cut,
    line,
    masked,
    masking,
    placeholder,
    plain,
    shown,
    visible,
    wrapped,
)
from ops.review.translatable import Joined, said
from terraform.plan import Action, Change, OutputChange, Plan
from terraform.plan_values import KnownAfterApply, any_marked

MARKER = "<!-- kakehashi-review -->"
"""The first line of the comment, by which a pipeline finds the one to update."""

_ORDER = {action: place for place, action in enumerate(Action)}
_DONE = {
    Action.REPLACE: "replaced",
    Action.DELETE: "destroyed",
    Action.FORGET: "no longer managed",
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.READ: "read",
    Action.NOTHING: "moved or imported",
}
_NOT_COMPARED = (
    "Not compared: the guards of {stacks} that no plan shows, such as `prevent_destroy`. "
    "That takes the outputs of the last apply and of the plan: `--outputs`."
)
_MOST_ATTRIBUTES = 8
_LONGEST_PATH, _LONGEST_VALUE = 60, 130  # characters in the full plan, in which nothing is left out
_LONGEST_STACK = 30


def markdown(
    review: Review, limit: int, language: Language = ENGLISH, measure: Callable[[str], int] = in_characters
) -> str:
    """The comment, in at most `limit` of what `measure` counts."""
    with masking(review.plans.mask):
        return lay_out([_wrapped(section) for section in _sections(review, language)], limit, language, measure)


def _sections(review: Review, language: Language) -> list[Section]:
    heading, counted = headline(review, language)
    return [
        Section(importance=10, head=f"{MARKER}\n{heading}", items=[], noun=""),
        *([Section(importance=9, head=counted, items=[], noun="")] if counted else []),
        *_access(review.access, language),
        *_findings("### Dangerous findings", review, review.dangerous, language, importance=7),
        *_acknowledged(review, language),
        *_findings("### Worth checking", review, review.notes, language, importance=5),
        *_changes(review, language),
        *_unchanged(review, language),
        *_not_compared(review, language),
        *_full(review, language),
    ]


def _access(table: AccessTable, language: Language) -> Iterator[Section]:
    if table.rows:
        is_changed = any(row.is_changed for row in table.rows)
        head = language.say("### Who can pull and push" if is_changed else "### Who can pull and push: unchanged")
        columns = language.say("| who | repository | may pull from | may push from |") + "\n|---|---|---|---|"
        items = [
            f"| {cell(code(row.principal))} | {cell(codes(row.repositories))} "
            f"| {cell(language.translated(before_and_after(row.pull, table.origins)))} "
            f"| {cell(language.translated(before_and_after(row.push, table.origins)))} |"
            for row in table.rows
        ]
        yield Section(importance=8, head=f"{head}\n\n{columns}", items=items, noun="rows")


def _findings(
    head: str, review: Review, findings: Sequence[ReviewFinding], language: Language, *, importance: int
) -> Iterator[Section]:
    if findings:
        yield Section(importance=importance, head=language.say(head), items=[], noun="")
    for rule in review.rules:
        items = [
            f"- {_what(finding, language)}{language.translated(finding.details)}"
            f"{_to_accept(finding, language) if rule.dangerous else ''}"
            for finding in findings
            if finding.rule == rule.id
        ]
        if items:
            head = f"**{language.what(rule)}** {language.why(rule)} (`{rule.id}`)\n"
            yield Section(importance=importance, head=head, items=items, noun="findings")


def _to_accept(finding: ReviewFinding, language: Language) -> str:
    """The lines to copy into the list of acknowledgements."""
    if finding.digest is None:
        return f"\n  - {language.say('it cannot be accepted, because a sensitive value is a part of it')}"
    # An address with a secret in it is left out, and one that YAML reads as more than a word: the digest says which
    # finding it is.
    is_shown = masked(finding.address) == finding.address and not re.search(r": | #", finding.allowed_as)
    entry = f"- allow: {finding.allowed_as if is_shown else finding.allowed_briefly}\n  because:"
    return indent(f"\n- {language.say('to accept it, with the reason:')}\n{indent(block(entry, 'yaml'), '  ')}", "  ")


def _what(finding: ReviewFinding, language: Language) -> str:
    return language.about(finding, language.translated(finding.what))


def _acknowledged(review: Review, language: Language) -> Iterator[Section]:
    items = [_accepted(finding, one, language) for finding, one in review.acknowledged]
    if items:
        yield Section(importance=6, head=language.say("### Acknowledged") + "\n", items=items, noun="findings")
    no_longer = [
        *(language.say("- {allowed} matches no finding", allowed=code(one.allowed)) for one in review.unused),
        *(
            language.say("- {allowed} held until {until}", allowed=code(one.allowed), until=str(one.until))
            for one in review.ended
        ),
    ]
    if no_longer:
        yield Section(
            importance=6, head=language.say("Acknowledgements to remove:") + "\n", items=no_longer, noun="lines"
        )


def _accepted(finding: ReviewFinding, one: Acknowledgement, language: Language) -> str:
    reason = " ".join(map(code, wrap(one.because, MOST_SHOWN)))
    what = language.say("{what}. Because: {reason}", what=_what(finding, language), reason=reason)
    return f"- `{finding.rule}` {what}"


def _changes(review: Review, language: Language) -> Iterator[Section]:
    changed = {plan.stack: _changed(review, plan) for plan in review.plans.plans}
    plans = [plan for plan in review.plans.plans if changed[plan.stack] or _outputs(plan, language)]
    if plans:
        yield Section(importance=4, head=language.say("### Changes"), items=[], noun="")
    for plan in plans:
        counted = counts(changed[plan.stack], language) or language.say("outputs only")
        stack = plain(plan.stack, _LONGEST_STACK)
        head = f"#### {language.say('{stack}: {counted}', stack=stack, counted=counted)}"
        yield Section(importance=4, head=head, items=[], noun="")
        yield from _by_module(changed[plan.stack], language)
        outputs = _outputs(plan, language)
        if outputs:
            yield Section(importance=3, head=language.say("Outputs:") + "\n", items=outputs, noun="outputs")


def _changed(review: Review, plan: Plan) -> list[ReviewedChange]:
    return [change for change in review.plans.changes() if change.stack == plan.stack and change.is_changed]


def _by_module(changes: Sequence[ReviewedChange], language: Language) -> Iterator[Section]:
    modules: dict[str, list[ReviewedChange]] = {}
    for change in sorted(changes, key=lambda change: (_ORDER[change.action], change.address, change.deposed or "")):
        modules.setdefault(change.module, []).append(change)
    for module, inside in sorted(modules.items(), key=lambda named: (_ORDER[named[1][0].action], named[0])):
        head = language.say("in {module}", module=code(module)) + "\n" if module else ""
        yield Section(importance=3, head=head, items=[_change(change, language) for change in inside], noun="changes")


def _change(change: ReviewedChange, language: Language) -> str:
    deposed = language.say(" (left over from an earlier apply)") if change.deposed else ""
    moved = language.say(" (was {address})", address=code(change.previous_address)) if change.previous_address else ""
    imported = language.say(" (imported)") if change.imported_id is not None else ""
    head = f"- {language.say(_DONE[change.action])} {code(change.address)}{deposed}{moved}{imported}"
    details = [*_policy_details(change), *_attribute_details(change)] if change.is_modified else []
    return f"{head}{items([*map(language.translated, details)])}"


def _policy_details(change: ReviewedChange) -> Iterator[str]:
    for name, before, after in _compared_policies(change):
        found = policies.compared(before, after)
        yield from (Joined(": ", (code(name), _difference(difference))) for difference in found[:_MOST_ATTRIBUTES])
        if not found:
            yield said("{policy}: the same statements, written differently", policy=code(name))
        elif len(found) > _MOST_ATTRIBUTES:
            yield said("{policy}: {number} more differences", policy=code(name), number=len(found) - _MOST_ATTRIBUTES)


def _difference(found: policies.StatementDifference) -> str:
    what = policy_text.difference(found)
    return said("{difference} (wider)", difference=what) if found.widens else what


def _compared_policies(change: ReviewedChange) -> Iterator[tuple[str, list[Statement], list[Statement]]]:
    """The attributes that contain a changed policy which is known before and after, with its statements."""
    for name in sorted(policies.ATTRIBUTES & change.before.keys()):
        if change.unknown(name) or change.before.get(name) != change.after.get(name):
            resolved = change.references.policy_after(change, name)
            before = policies.statements(change.before.get(name))
            after = policies.statements(resolved.written(placeholder)) if resolved is not None else None
            if before is not None and after is not None:
                yield name, before, after


def _attribute_details(change: ReviewedChange) -> Iterator[str]:
    as_policies = {name for name, _, _ in _compared_policies(change)}
    # Attributes that AWS alone decides (ids, ARNs, dates) are left out until their value is known.
    others = [
        other
        for other in differences(change)
        if other.name not in as_policies
        and (not isinstance(other.after, KnownAfterApply) or other.path in change.replaced_for)
        and change.is_configured(other.name)
    ]
    yield from listed(others)


def _outputs(plan: Plan, language: Language) -> list[str]:
    return [
        language.say("- output {name} {done}", name=code(output.name), done=language.say(_DONE[output.action]))
        + _new_value(output, language)
        for output in plan.outputs
        if output.action is not Action.NOTHING
    ]


def _new_value(output: OutputChange, language: Language) -> str:
    if output.action is Action.DELETE:
        return ""
    value = shown(KnownAfterApply() if any_marked(output.after_unknown) else output.after)
    return language.say(": {value}", value=language.translated(value))


def _unchanged(review: Review, language: Language) -> Iterator[Section]:
    counts = Counter(change.stack for change in review.plans.changes() if not change.is_changed)
    unchanged = language.listed(
        language.say("{number} in {stack}", number=str(counts[plan.stack]), stack=code(plan.stack))
        for plan in review.plans.plans
        if counts[plan.stack]
    )
    if unchanged:
        yield Section(importance=2, head=language.say("Unchanged: {counts}.", counts=unchanged), items=[], noun="")


def _not_compared(review: Review, language: Language) -> Iterator[Section]:
    stacks = [plan.stack for plan in review.plans.plans if plan.stack not in review.plans.compared]
    if stacks:
        head = language.say(_NOT_COMPARED, stacks=codes(stacks))
        yield Section(importance=2, head=head, items=[], noun="")


def _full(review: Review, language: Language) -> Iterator[Section]:
    for plan in review.plans.plans:
        items = [block(_whole(change, language), "diff") for change in _changed(review, plan)]
        if items:
            summary = language.say("The full plan of {stack}", stack=_html(plan.stack))
            head = f"<details><summary>{summary}</summary>\n"
            yield Section(importance=1, head=head, items=items, noun="changes", tail="\n</details>", between="\n\n")


def _whole(change: Change, language: Language) -> str:
    lines = [f"# {cut(visible(change.address), MOST_SHOWN)}: {language.say(_DONE[change.action])}"]
    for found in differences(change):
        path = cut(visible(found.path), _LONGEST_PATH)
        if is_text(found):
            lines += [f"# {path}:", *changed_lines(found.before, found.after)]
            continue
        for sign, side in (("-", found.before), ("+", found.after)):
            lines += _divided(f"{sign} {path} = ", line(side)) if side is not None else []
    return "\n".join(lines)


def _divided(start: str, text: str) -> Iterator[str]:
    """A line of the full plan, which continues in the next ones where it is long."""
    for place in range(0, max(len(text), 1), _LONGEST_VALUE):
        yield f"{start if place == 0 else f'{start[0]}   '}{text[place : place + _LONGEST_VALUE]}"


def _html(text: str) -> str:
    escaped = cut(visible(text), _LONGEST_STACK).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text if plain(text, _LONGEST_STACK) == text else f"<code>{escaped}</code>"


def _wrapped(section: Section) -> Section:
    """The section without long lines."""
    return replace(section, head=wrapped(section.head), items=[wrapped(item) for item in section.items])
