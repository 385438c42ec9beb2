"""The first lines of a review: what happens, as a sentence, and then the counts and the rules."""

from collections import Counter
from collections.abc import Sequence

from iam.codecommit import PULL, PUSH
from ops.review.access_markdown import gained, listed
from ops.review.access_table import AccessTable, Origins, WidenedAccess
from ops.review.language import ENGLISH, Language
from ops.review.outcome import Review
from ops.review.rule import ACCESS_WIDENED, DRIFTED, FIRST_DEPLOYMENT, NOT_READ, REPOSITORY_NEW, ReviewFinding
from ops.review.text import code, count
from ops.review.translatable import said
from terraform.plan import Action, Change

_MOST_NAMES = 3
_LONGEST_NAME = 80
_LONGEST_FINDING = 100  # characters; of a longer one the sentence says its brief form, or what its rule says
_LONGEST_SENTENCE = 160  # characters, so that the heading with the number of other findings fits into 200

# What no rule judges: what it has not read, what was changed outside Terraform, code that only people can judge, and
# who reaches what is new.
_TO_READ = {DRIFTED, FIRST_DEPLOYMENT, NOT_READ, REPOSITORY_NEW, "runs-otherwise"}

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
        line = language.say("{counted}: {rules}", counted=counted, rules=_rules(review))
        return f"## 🛑 {_sentence(review, language)}", line
    number = str(len(review.acknowledged))
    if review.fails:
        template = (
            "Nothing dangerous except what is acknowledged ({number}), but {others} to remove"
            if review.acknowledged
            else "Nothing dangerous, but {others} to remove"
        )
        others = language.count(len(review.unused) + len(review.ended), "acknowledgement")
        return f"## 🛑 {language.say(template, number=number, others=others)}", ""
    unread = sum(finding.rule in _TO_READ for finding in review.notes)
    changes = counts([change for change in review.plans.changes() if change.is_changed], language)
    outputs = any(output.action is not Action.NOTHING for plan in review.plans.plans for output in plan.outputs)
    changes = changes or language.say("outputs change" if outputs else "nothing changes")
    if unread:
        template = (
            "{changes} to read, and nothing dangerous except what is acknowledged ({number})"
            if review.acknowledged
            else "{changes} to read, and nothing dangerous found"
        )
        mark, verdict = "🟠", language.say(template, changes=language.count(unread, "change"), number=number)
    elif review.acknowledged:
        mark, verdict = "🟡", language.say("Nothing dangerous except what is acknowledged ({number})", number=number)
    else:
        mark, verdict = "✅", language.say("Nothing dangerous")
    line = language.say("{verdict}: {changes} in {stacks}", verdict=verdict, changes=changes, stacks=of)
    return f"## {mark} {line}", ""


def counts(changes: Sequence[Change], language: Language = ENGLISH) -> str:
    """How many changes there are of each kind; empty if there are none."""
    number = Counter(change.action for change in changes)
    return language.listed(
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
    """The first dangerous findings as a sentence, and how many there are besides."""
    sentence, number = _clauses(review, language)
    others = len(review.dangerous) - number
    if not others:
        return language.say("{sentence}.", sentence=sentence)
    findings = language.count(others, "other finding")
    return language.say("{sentence}, and {findings}.", sentence=sentence, findings=findings)


def _clauses(review: Review, language: Language) -> tuple[str, int]:
    """What is said of the first dangerous findings, and of how many; the rules are in the order of their importance.

    The English text decides how many fit, so that every language says the same.
    """
    sentence: str = ""
    number = 0
    for alike in _alike(review):
        clause = _widened(alike, review.access)
        longer = said("{clauses}; {clause}", clauses=sentence, clause=clause) if sentence else clause
        if sentence and len(longer) > _LONGEST_SENTENCE:
            break
        sentence = longer
        number += sum(len(of_one) for of_one in alike)
    return (language.translated(sentence), number) if sentence else (_other(review.dangerous[0], review, language), 1)


def _alike(review: Review) -> list[list[list[WidenedAccess]]]:
    """What each identity can do newly from the same origins, together with those that can do the same.

    First what is allowed from anywhere.
    """
    found = {(one.stack, one.address, one.what) for one in review.dangerous if one.rule == ACCESS_WIDENED}
    by_identity: dict[tuple[str, Origins], list[WidenedAccess]] = {}
    for widened in review.access.widened:
        if (widened.owner.stack, widened.owner.address, gained(widened)) in found:
            by_identity.setdefault((widened.principal, widened.origins), []).append(widened)
    alike: dict[object, list[list[WidenedAccess]]] = {}
    for of_one in by_identity.values():
        allowed = tuple((one.action, tuple(one.repositories)) for one in of_one)
        key = (of_one[0].origins, allowed, _template(of_one, review.access))
        alike.setdefault(key, []).append(of_one)
    return sorted(alike.values(), key=lambda same: not any(origin.is_world for origin in same[0][0].origins))


def _template(of_one: Sequence[WidenedAccess], table: AccessTable) -> str:
    had = any(
        (row.pull if widened.action == PULL else row.push).before
        for widened in of_one
        for row in table.rows
        if row.principal == widened.principal
    )
    if had:
        return "{who} may now also {allowed} from {origins}"
    return (
        "{who} is new and may {allowed} from {origins}"
        if of_one[0].is_new
        else "{who} may now {allowed} from {origins}"
    )


def _widened(alike: Sequence[Sequence[WidenedAccess]], table: AccessTable) -> str:
    for most in (_MOST_NAMES, 1):
        template = _template(alike[0], table)
        clause = said(
            template if len(alike) == 1 else template.replace("is new", "are new"),
            who=_names([of_one[0].principal for of_one in alike], most, 64),
            allowed=_allowed(alike[0], most),
            origins=_from(alike[0][0]),
        )
        if len(clause) <= _LONGEST_SENTENCE:
            break
    return clause


def _allowed(of_one: Sequence[WidenedAccess], most: int) -> str:
    """The actions with their repositories; both together where the repositories are the same."""
    if len(of_one) > 1 and len({tuple(one.repositories) for one in of_one}) == 1:
        return said("pull and push to {names}", names=_names(of_one[0].repositories, most, 40))
    allowed = [said(_ALLOWED[one.action], names=_names(one.repositories, most, 40)) for one in of_one]
    return said("{one} and {other}", one=allowed[0], other=allowed[1]) if len(allowed) > 1 else allowed[0]


_ALLOWED = {PULL: "pull {names}", PUSH: "push to {names}"}


def _names(names: Sequence[str], most: int, longest: int) -> str:
    shown = ", ".join(code(name, most=longest) for name in names[:most])
    if len(names) <= most:
        return shown
    return said("{names} and {others} more", names=shown, others=len(names) - most, total=len(names))


def _from(widened: WidenedAccess) -> str:
    origins = listed(widened.origins)
    return origins if len(origins) <= _LONGEST_FINDING else count(len(widened.origins), "other place")


def _other(finding: ReviewFinding, review: Review, language: Language) -> str:
    rule = next(rule for rule in review.rules if rule.id == finding.rule)
    what = next((one for one in (finding.what, finding.brief) if len(one) <= _LONGEST_FINDING), "")
    what = language.translated(what) if what else language.what(rule).rstrip(".。")
    return language.about(finding, what, most=_LONGEST_NAME)
