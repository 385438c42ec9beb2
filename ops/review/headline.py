"""The first lines of a review: what happens, as a sentence, and then the counts and the rules."""

from collections import Counter
from collections.abc import Sequence

from iam.codecommit import PULL
from ops.review.access_markdown import listed
from ops.review.access_table import AccessTable, WidenedAccess
from ops.review.added_repositories import added
from ops.review.language import ENGLISH, Language
from ops.review.outcome import Review
from ops.review.rule import ACCESS_WIDENED, FIRST_DEPLOYMENT, NOT_READ, REPOSITORY_NEW, ReviewFinding
from ops.review.text import code
from terraform.plan import Action, Change

_MOST_NAMES = 3
_LONGEST_NAME = 80
_LONGEST_FINDING = 100  # characters; of a longer one the sentence says only what its rule says

# What no rule judges: what it has not read, code that only people can judge, and who reaches what is new.
_TO_READ = {FIRST_DEPLOYMENT, NOT_READ, REPOSITORY_NEW, "runs-otherwise"}

_DONE = {
    Action.REPLACE: "{changes} replaced",
    Action.DELETE: "{changes} destroyed",
    Action.FORGET: "{changes} no longer managed",
    Action.CREATE: "{changes} created",
    Action.UPDATE: "{changes} changed",
    Action.READ: "{changes} read",
    Action.NOTHING: "{changes} moved or imported",
}


def headline(review: Review, language: Language) -> tuple[str, str]:
    """A heading that says the most important thing, and what was counted: empty where the heading says it all."""
    of = language.count(len(review.plans.plans), "stack")
    if review.dangerous:
        findings = language.count(len(review.dangerous), "finding")
        counted = language.say("Dangerous: {findings} in {stacks}", findings=findings, stacks=of)
        return f"## 🛑 {_sentence(review, language)}", f"{counted}: {_rules(review)}"
    if review.fails:
        number = language.count(len(review.unused) + len(review.ended), "acknowledgement")
        return f"## 🛑 {language.say('Nothing dangerous, but {number} to remove', number=number)}", ""
    unread = sum(finding.rule in _TO_READ for finding in review.notes)
    changes = counts([change for change in review.plans.changes() if change.is_changed], language)
    outputs = any(output.action is not Action.NOTHING for plan in review.plans.plans for output in plan.outputs)
    changes = changes or language.say("outputs change" if outputs else "nothing changes")
    if unread:
        number = language.count(unread, "change")
        template = "{changes} to read, and nothing dangerous found"
        mark, verdict = "🟠", language.say(template, changes=number)
    elif review.acknowledged:
        number = str(len(review.acknowledged))
        mark, verdict = "🟡", language.say("Nothing dangerous except what is acknowledged ({number})", number=number)
    else:
        mark, verdict = "✅", language.say("Nothing dangerous")
    said = language.say("{verdict}: {changes} in {stacks}", verdict=verdict, changes=changes, stacks=of)
    return f"## {mark} {said}", ""


def counts(changes: Sequence[Change], language: Language = ENGLISH) -> str:
    """How many changes there are of each kind; empty if there are none."""
    number = Counter(change.action for change in changes)
    return ", ".join(
        language.say(done, changes=str(number[action])) for action, done in _DONE.items() if number[action]
    )


def _rules(review: Review) -> str:
    number = Counter(finding.rule for finding in review.dangerous)
    return ", ".join(
        f"`{rule.id}`" + (f" ({number[rule.id]})" if number[rule.id] > 1 else "")
        for rule in review.rules
        if number[rule.id]
    )


def _sentence(review: Review, language: Language) -> str:
    """The first dangerous finding as a sentence, and how many there are besides."""
    first, others = _most_important(review, language), len(review.dangerous) - 1
    if not others:
        return language.say("{sentence}.", sentence=first)
    return language.say("{sentence}, and {findings}.", sentence=first, findings=language.count(others, "other finding"))


def _most_important(review: Review, language: Language) -> str:
    """What is said of the first dangerous finding; the rules are in the order of their importance."""
    first = review.dangerous[0]
    said, place = added(review.plans).names, (first.stack, first.address)
    for widened in review.access.widened if first.rule == ACCESS_WIDENED else ():
        is_first = place == (widened.owner.stack, widened.owner.address)
        if is_first and not said.issuperset(widened.repositories):
            return _widened(widened, review.access, language)
    return _other(first, review, language)


def _widened(widened: WidenedAccess, table: AccessTable, language: Language) -> str:
    action = "pull" if widened.action == PULL else "push to"
    had = any(
        (row.pull if widened.action == PULL else row.push).before
        for row in table.rows
        if row.principal == widened.principal
    )
    template = "{who} may now also" if had else "{who} is new and may" if widened.is_new else "{who} may now"
    names = ", ".join(code(name, most=40) for name in widened.repositories[:_MOST_NAMES])
    if len(widened.repositories) > _MOST_NAMES:
        others = str(len(widened.repositories) - _MOST_NAMES)
        names = language.say("{names} and {others} more", names=names, others=others)
    return language.say(
        f"{template} {action} {{repositories}} from {{origins}}",
        who=code(widened.principal, most=64),
        repositories=names,
        origins=_from(widened, language),
    )


def _from(widened: WidenedAccess, language: Language) -> str:
    origins = listed(widened.origins)
    return origins if len(origins) <= _LONGEST_FINDING else language.count(len(widened.origins), "other place")


def _other(finding: ReviewFinding, review: Review, language: Language) -> str:
    rule = next(rule for rule in review.rules if rule.id == finding.rule)
    where = code(f"{finding.stack}/{finding.address}", most=_LONGEST_NAME)
    is_said = language is ENGLISH and len(finding.what) <= _LONGEST_FINDING
    what = finding.what if is_said else language.what(rule).rstrip(".。")
    return language.say("{where}: {what}", where=where, what=what)
