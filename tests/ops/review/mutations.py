"""Plans with a text in any place where a plan's text may stand, and what a renderer makes of the comment."""

import functools
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ops.review import PlanFile, review
from ops.review.language import language
from ops.review.outcome import Review
from ops.review.report import MARKER, markdown
from tests.ops.review import server_cases
from tests.ops.review.plans import real
from tests.ops.review.rule_cases import CASES
from tests.terraform.plans import change, plan

GFM = MarkdownIt("gfm-like", {"linkify": False})

_SCENARIOS = ("lists-overlap", "push-user-removed", "repository-moved", "webhook-senders-changed", "first-deployment")
_AS_THEY_ARE = {"format_version", "terraform_version", "actions", "mode", "status"}
"""Members without which a plan is refused, or is another plan."""

Text = Callable[[int], str]
"""Makes the text for a place, by its number: places of different numbers have different texts."""


@functools.cache
def documents() -> tuple[str, ...]:
    """Plans, as JSON, that have something for every rule; those of the real Terraform among them."""
    cases = [*CASES.values(), *server_cases.CASES.values()]
    small = [json.dumps(plan(*case.found, **case.more)) for case in cases]
    more = json.dumps(plan(*_MORE, output_changes=_OUTPUTS))
    return (
        *small,
        more,
        *(file.text for scenario in _SCENARIOS for file in real(scenario) if len(file.text) < 100_000),
    )


_SCRIPT = "#!/bin/sh\n" + "".join(f"step {number}\n" for number in range(8))
_MORE = (
    change(
        "module.a.aws_sns_topic.more", "update", {"name": "a", "tags": {"a": "b"}}, {"name": "c", "tags": {"d": "e"}}
    ),
    change("aws_instance.more", "update", {"user_data": _SCRIPT}, {"user_data": _SCRIPT.replace("5", "6")}),
    change("aws_iam_user_policy.more", "create", None, {"user": "somebody", "name": "a", "policy": "{}"}),
)
_OUTPUTS = {"it": {"actions": ["update"], "before": "a", "after": "b"}}


def places(document: str) -> int:
    """How many places of a document may have a text."""
    return len(list(_places(json.loads(document))))


def mutated(document: str, choice: random.Random, text: Text, first: int | None = None) -> str:
    """The document with texts in some of its places: values, names of members, or a part of either.

    With `first`, it is at that place, and at no other.
    """
    content = json.loads(document)
    found = list(_places(content))
    several = choice.choices(found, k=choice.choice((1, 2, 4, 8, len(found) // 6)))
    for number, (holder, step) in enumerate(several if first is None else [found[first]]):
        replaced = text(number)
        if isinstance(holder, dict) and step not in holder:
            continue  # it has another name by now
        if isinstance(holder, dict) and choice.random() < 0.15:
            holder[replaced] = holder.pop(step)
        elif isinstance(holder[step], str):
            kept = choice.choice(("", "", "", holder[step], f"{holder[step]}\n"))
            holder[step] = f"{kept}{replaced}{choice.choice(('', '', kept))}"
        elif first is not None or choice.random() < 0.3:
            holder[step] = replaced
    return json.dumps(content)


def _places(found: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(found, dict | list):
        for step in list(found) if isinstance(found, dict) else range(len(found)):
            if step not in _AS_THEY_ARE:
                yield found, step
                yield from _places(found[step])


def reviewed_as(document: str, stack: str) -> Review:
    """The review of one plan, of the stack of that name."""
    return review([PlanFile(stack=stack, where="plan.json", text=document)], [])


def verdict(found: Review) -> tuple[Any, ...]:
    """What a review decides: findings by rule, whether it fails, and the mark of its first line."""
    rules = Counter(finding.rule for finding in (*found.dangerous, *found.notes))
    [mark] = re.findall(rf"^{MARKER}\n## (\S+) ", markdown(found, 1_000_000))
    return rules, found.fails, mark


def comments(found: Review) -> Iterator[str]:
    """The comment in each language, as a whole and shortened."""
    for name in ("en", "ja"):
        yield markdown(found, 1_000_000, language(name))
        yield markdown(found, 6_000, language(name))


_OWN_HTML = re.compile(
    rf"{re.escape(MARKER)}\n|</details>\n?|<details><summary>[^<>\n]*(<code>[^<>\n]*</code>)?[^<>\n]*</summary>\n"
)
_OWN_TOKENS = {"text", "code_inline", "softbreak", "strong_open", "strong_close", "em_open", "em_close"}
_SUMMARY = re.compile(r"<code>[^<>\n]*</code>")


def alive(text: str) -> list[str]:
    """What a renderer makes of a comment beside text, code and the comment's own marks; the words outside code last."""
    tokens = GFM.parse(text)
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    return [
        *(f"html {token.content}" for token in tokens if _is_foreign_html(token)),
        *(f"{child.type} {child.content}" for child in inline if child.type not in _OWN_TOKENS),
        *(token.type for token in tokens if token.type in ("code_block", "reference", "hr", "lheading_open")),
    ]


def _is_foreign_html(token: Token) -> bool:
    return token.type == "html_block" and _OWN_HTML.fullmatch(token.content) is None


def words(text: str) -> str:
    """What stands outside code: there a platform makes links, mentions and commands of text."""
    tokens = GFM.parse(text)
    inline = [
        child.content
        for token in tokens
        if token.type == "inline"
        for child in token.children or ()
        if child.type != "code_inline"
    ]
    return "\n".join([*inline, *(_SUMMARY.sub("", token.content) for token in tokens if token.type == "html_block")])
