"""The comment: its order, the parts it leaves out when it is too long, and literal values in Markdown."""

import json
import random
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from ops.review import PlanFile, review, run
from ops.review.comment import LIMITS, Section, lay_out
from ops.review.text import block, cell, code, visible
from tests.ops.review.plans import comment, real, real_review, reviewed
from tests.terraform.plans import change, plan

GFM = MarkdownIt("gfm-like", {"linkify": False})


def test_the_order_is_verdict_access_danger_changes_unchanged_full_plan() -> None:
    text = comment(real_review("pull-list-widened-to-the-world"))
    marks = ["## 🛑", "### Who can pull and push", "### Dangerous findings", "### Changes", "Unchanged: ", "<details>"]
    assert [text.index(mark) for mark in marks] == sorted(text.index(mark) for mark in marks)


def test_the_order_within_a_plan_does_not_change_the_comment() -> None:
    [file] = real("repository-renamed")
    content = json.loads(file.text)
    for seed in range(3):
        random.Random(seed).shuffle(content["resource_changes"])
        shuffled = PlanFile(stack=file.stack, where=file.where, text=json.dumps(content))
        assert comment(review([shuffled], [])) == comment(review([file], []))


def test_replaced_and_destroyed_objects_come_first_and_modules_stay_together() -> None:
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


def test_a_changed_policy_is_shown_by_its_statements() -> None:
    text = comment(real_review("webhook-senders-changed"))
    assert "`192.0.2.64/28` removed from condition `NotIpAddress aws:SourceIp`" in text
    assert "`203.0.113.32/28` added to condition `NotIpAddress aws:SourceIp` (wider)" in text


@pytest.mark.parametrize("limit", [400, 2_000, 10_000, LIMITS["github"]])
def test_a_long_comment_leaves_out_the_least_important_parts_and_says_so(limit: int) -> None:
    text = comment(real_review("first-deployment"), limit)
    assert len(text) <= limit
    assert text.startswith("<!-- kakehashi-review -->\n## 🛑 ")
    assert "left out here: the comment would be too long" in text


@pytest.mark.slow
def test_a_japanese_summary_of_a_step_keeps_githubs_limit_in_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What counts characters makes 2.5 MB of this, of which GitHub shows nothing.
    changes = (
        change(f"aws_sns_topic.topic_{number:04}", "create", None, {"name": "架け橋" * 150}) for number in range(900)
    )
    file = tmp_path / "stack.json"
    file.write_text(json.dumps(plan(*changes)), encoding="utf-8")
    run([str(file)], allow=[], because=[], acknowledged=None, platform="github-summary", post_to=None, language="ja")
    summary = capsys.readouterr().out
    assert 900_000 < len(summary.encode()) <= 1_048_576
    assert "架け橋" in summary


@pytest.mark.slow
def test_a_comment_with_thousands_of_dangerous_findings_fits() -> None:
    found = reviewed(plan(*(change(f"aws_eip.address_{number:04}", "delete", {}) for number in range(2_000))))
    text = comment(found)
    assert len(text) <= LIMITS["github"]
    assert "\nDangerous: 2000 findings in 1 stack" in text
    assert "findings left out here" in text


def test_the_most_important_section_is_shortened_last() -> None:
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
def test_a_code_span_shows_every_text_literally(text: str) -> None:
    shown = GFM.parseInline(code(text))[0].children or []
    assert [token.type for token in shown] == ["code_inline"]
    assert shown[0].content == visible(text)
    row = GFM.parse(f"| a | b |\n|---|---|\n| {cell(code(text))} | x |\n")
    assert [token.content for token in row if token.type == "inline"][2:] == [code(text), "x"]


def test_a_protocol_and_ports_that_are_no_plain_words_are_code() -> None:
    rule = {"cidr_ipv4": "192.0.2.0/24", "ip_protocol": "@all", "from_port": "[x](http://a)", "to_port": 22}
    [finding] = reviewed(plan(change("aws_vpc_security_group_ingress_rule.it", "create", None, rule))).dangerous
    assert finding.what == "allows inbound `@all` `[x](http://a)` to 22 from `192.0.2.0/24`"


@pytest.mark.parametrize(
    ("stack", "heading", "summary"),
    [
        ("dev-network", "dev-network", "dev-network"),
        ("@org/team", "`@org/team`", "<code>@org/team</code>"),
        ("www.a.example", "`www.a.example`", "<code>www.a.example</code>"),
        ("[x](http://a)<b>", "`[x](http://a)<b>`", "<code>[x](http://a)&lt;b&gt;</code>"),
        ("_a_", "`_a_`", "<code>_a_</code>"),
        ("GH-1", "`GH-1`", "<code>GH-1</code>"),
        ("deadbeef", "`deadbeef`", "<code>deadbeef</code>"),
    ],
)
def test_the_name_of_a_stack_is_plain_or_code(stack: str, heading: str, summary: str) -> None:
    changed = plan(change("aws_sns_topic.it", "update", {"name": "a"}, {"name": "b"}))
    text = comment(review([PlanFile(stack=stack, where="plan.json", text=json.dumps(changed))], []))
    assert f"\n#### {heading}: 1 changed\n" in text
    assert f"\n<details><summary>The full plan of {summary}</summary>\n" in text


def test_no_text_ends_a_fenced_block() -> None:
    text = "```\n</details>\n~~~~\n````"
    [token] = GFM.parse(block(text, "diff"))
    assert (token.type, token.content) == ("fence", f"{text}\n")


def test_a_text_that_reads_like_an_unknown_value_is_shown_as_text() -> None:
    """Values that are known after the apply only are left out of the changes, but not texts that look like them."""
    literal = change("aws_x.it", "update", {"name": "a"}, {"name": "(known after apply)"})
    assert "`name`: `a` → `(known after apply)`" in comment(reviewed(plan(literal)))
    unknown = comment(reviewed(plan(change("aws_x.it", "update", {"name": "a"}, {}, unknown={"name": True}))))
    assert "+ name = (known after apply)" in unknown
    assert "`name`: " not in unknown


def test_an_unknown_value_that_replaces_the_object_is_shown() -> None:
    replaced = change(
        "aws_x.it", ["delete", "create"], {"key": "a"}, {}, unknown={"key": True}, replace_paths=[["key"]]
    )
    assert "`key`: `a` → (known after apply)" in comment(reviewed(plan(replaced)))


def test_a_list_in_another_order_is_shown_with_both_orders() -> None:
    text = comment(reviewed(plan(change("aws_x.it", "update", {"names": ["a", "b"]}, {"names": ["b", "a"]}))))
    assert '`names`: `["a", "b"]` → `["b", "a"]`' in text
