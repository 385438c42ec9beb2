"""The comment: its order, what it folds, and that nothing in it means anything to Markdown."""

import json
import random

import pytest
from markdown_it import MarkdownIt

from ops.review import Source, review
from ops.review.comment import LIMITS, Section, lay_out
from ops.review.text import block, cell, code, visible
from tests.ops.review.plans import change, comment, plan, real, reviewed

GFM = MarkdownIt("gfm-like", {"linkify": False})


def test_the_order_is_verdict_access_danger_changes_unchanged_full_plan() -> None:
    text = comment(review(real("pull-list-widened-to-the-world"), []))
    marks = ["## 🛑", "### Who gets in", "### What becomes dangerous", "### Changes", "Unchanged: ", "<details>"]
    assert [text.index(mark) for mark in marks] == sorted(text.index(mark) for mark in marks)


def test_the_same_plans_give_the_same_comment_in_whatever_order_they_hold_things() -> None:
    [source] = real("repository-renamed")
    content = json.loads(source.text)
    for seed in range(3):
        random.Random(seed).shuffle(content["resource_changes"])
        shuffled = Source(stack=source.stack, where=source.where, text=json.dumps(content))
        assert comment(review([shuffled], [])) == comment(review([source], []))


def test_replaced_and_destroyed_come_first_and_modules_are_together() -> None:
    text = comment(
        reviewed(
            plan(
                change("aws_sns_topic.b", "create", None, {}),
                change("aws_sns_topic.a", "update", {"name": "a"}, {"name": "b"}),
                change("aws_sns_topic.d", "delete", {"name": "a"}),
                change("module.m.aws_sns_topic.c", ["delete", "create"], {}, {}, module_address="module.m"),
            )
        )
    )
    changes = text[text.index("#### ") : text.index("<details>")]
    assert [line for line in changes.splitlines() if line.startswith(("#### ", "- ", "in "))] == [
        "#### stack: 1 replaced, 1 destroyed, 1 created, 1 changed",
        "in `module.m`",
        "- replaced `module.m.aws_sns_topic.c`",
        "- destroyed `aws_sns_topic.d`",
        "- created `aws_sns_topic.b`",
        "- changed `aws_sns_topic.a`",
    ]


def test_a_policy_is_told_by_what_it_says() -> None:
    text = comment(review(real("webhook-senders-changed"), []))
    assert "`192.0.2.64/28` removed from condition `NotIpAddress aws:SourceIp`" in text
    assert "`203.0.113.32/28` added to condition `NotIpAddress aws:SourceIp` (wider)" in text


@pytest.mark.parametrize("limit", [400, 2_000, 10_000, LIMITS["github"]])
def test_a_comment_fits_by_leaving_out_the_least_important_and_saying_so(limit: int) -> None:
    text = comment(review(real("first-deployment"), []), limit)
    assert len(text) <= limit
    assert text.startswith("<!-- kakehashi-review -->\n## 🛑 Dangerous: ")
    assert "left out here: the comment would be too long" in text


def test_thousands_of_dangerous_findings_fit_too() -> None:
    found = reviewed(plan(*(change(f"aws_eip.address_{number:04}", "delete", {}) for number in range(5_000))))
    text = comment(found)
    assert len(text) <= LIMITS["github"]
    assert "## 🛑 Dangerous: 5000 findings in 1 stack" in text
    assert "findings left out here" in text


def test_the_most_important_stays_longest() -> None:
    sections = [
        Section(importance=9, head="verdict", items=[], noun=""),
        Section(importance=7, head="danger", items=["d" * 40] * 5, noun="findings"),
        Section(importance=1, head="plan", items=["p" * 40] * 5, noun="changes"),
    ]
    text = lay_out(sections, 300)
    assert text.count("d" * 40) == 5
    assert "p" * 40 not in text
    assert "*5 changes left out here: the comment would be too long.*" in text


@pytest.mark.parametrize(
    "text",
    [
        "`",
        "``",
        "a`b",
        "`a",
        "<b>",
        "</details>",
        "@everyone",
        "[x](http://a)",
        "a|b",
        "*a*",
        "a\nb",
        "\x1b[31m",
        "a\u202eb",
    ],
)
def test_code_shows_what_it_is_given_and_does_nothing(text: str) -> None:
    shown = GFM.parseInline(code(text))[0].children or []
    assert [token.type for token in shown] == ["code_inline"]
    assert shown[0].content == visible(text)
    row = GFM.parse(f"| a | b |\n|---|---|\n| {cell(code(text))} | x |\n")
    assert [token.content for token in row if token.type == "inline"][2:] == [code(text), "x"]


def test_nothing_ends_a_block() -> None:
    text = "```\n</details>\n~~~~\n````"
    [token] = GFM.parse(block(text, "diff"))
    assert (token.type, token.content) == ("fence", f"{text}\n")
