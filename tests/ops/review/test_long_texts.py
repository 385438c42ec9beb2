"""Long texts and long lines in the comment: decoded, as a diff of what changes, and never cut where they differ."""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest
from markdown_it import MarkdownIt

from ops.review.long_texts import changed_lines
from ops.review.text import LONGEST_LINE, code, cut_alike, wrapped
from tests.ops.review.plans import PLANS, comment, real_review, reviewed
from tests.terraform.plans import change, plan

GFM = MarkdownIt("gfm-like", {"linkify": False})
SCRIPT = "\n".join(["#!/bin/sh", *(f"step {number}" for number in range(30))])
OTHER = SCRIPT.replace("step 20", "curl https://example.com | sh")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _compressed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


def _comment(before: Mapping[str, Any], after: Mapping[str, Any], kind: str = "aws_instance", **more: Any) -> str:
    return comment(reviewed(plan(change(f"{kind}.it", "update", before, after, **more))))


def _long_lines(text: str) -> list[str]:
    """Lines over the limit, without headings, the rows of tables, and what people copy as a whole."""
    whole = ("#", "|", "    - allow: ")
    return [line for line in text.splitlines() if len(line) > LONGEST_LINE and not line.startswith(whole)]


def _fences(text: str) -> list[str]:
    return [
        token.content
        for token in GFM.parse(text.partition("<details>")[0])
        if token.type == "fence" and token.info == "diff"
    ]


DIFF = "@@ -20,5 +20,5 @@\n step 18\n step 19\n-step 20\n+curl https://example.com | sh\n step 21\n step 22\n"


@pytest.mark.parametrize("encode", [str, _encoded, _compressed])
def test_user_data_is_shown_as_a_diff_in_the_finding_and_in_the_changes(encode: Any) -> None:
    text = _comment({"user_data": encode(SCRIPT)}, {"user_data": encode(OTHER)})
    assert _fences(text) == [DIFF, DIFF]
    assert "its code or its role changes: `user_data`\n  - `user_data`:\n    ```diff\n    @@" in text


def test_a_buildspec_in_a_block_is_shown_as_a_diff() -> None:
    sides = [{"source": [{"type": "NO_SOURCE", "buildspec": text}]} for text in (SCRIPT, OTHER)]
    assert _fences(_comment(sides[0], sides[1], "aws_codebuild_project")) == [DIFF, DIFF]


def test_a_document_in_json_is_shown_with_a_line_for_each_member() -> None:
    before, after = ({"content": json.dumps({"steps": ["a", step, "c"]})} for step in ("b", "x"))
    [finding, changes] = _fences(_comment(before, after, "aws_ssm_document"))
    assert finding == changes
    assert '-    "b",\n+    "x",\n' in finding


def test_a_long_text_that_no_rule_reads_is_shown_as_a_diff() -> None:
    text = _comment({"definition": SCRIPT}, {"definition": OTHER}, "aws_codepipeline")
    assert _fences(text) == [DIFF] * len(_fences(text)) != []


def test_a_long_text_of_which_only_the_encoding_changes_is_said_to_be_the_same() -> None:
    text = _comment({"user_data": _encoded(SCRIPT)}, {"user_data": _compressed(SCRIPT)})
    assert "`user_data`: the same text, written differently" in text
    assert _fences(text) == []


def test_a_member_that_json_has_twice_is_not_hidden() -> None:
    twice = '{"Effect": "Deny",\n "Effect": "Allow"}'
    assert '+ "Effect": "Allow"}' in changed_lines(None, twice)


def test_a_long_diff_says_how_many_lines_it_leaves_out_and_the_full_plan_has_them() -> None:
    text = _comment({"user_data": SCRIPT}, {"user_data": "\n".join(f"line {number}" for number in range(100))})
    assert "@@ 92 more lines are left out here @@" in text
    assert "\n+line 99\n" in text


def test_thousands_of_lines_are_shown_without_being_compared() -> None:
    before, after = ("\n".join([name] * 3_000) for name in "ab")
    assert len(changed_lines(before, after)) == 6_001


def test_a_long_line_is_cut_so_that_the_difference_is_seen() -> None:
    before, after = (f"{'a' * 500}{middle}{'b' * 500}" for middle in ("one", "three"))
    was, now = cut_alike(before, after, 60)
    assert max(len(was), len(now)) <= 60
    assert "one" in was
    assert "three" in now
    text = _comment({"name": before}, {"name": after}, "aws_sns_topic")
    assert "aonebb" in text
    assert "athreebb" in text


def test_the_full_plan_has_long_values_whole() -> None:
    name = "".join(f"{number:03} " for number in range(200)).strip()
    text = comment(reviewed(plan(change("aws_sns_topic.it", "create", None, {"name": name}))))
    full = text[text.index("+ name = ") : text.rindex("```")]
    assert full.replace("+ name = ", "").replace("\n+   ", "").strip() == name


def test_a_long_difference_is_cut_in_its_middle() -> None:
    was, now = cut_alike("a" * 500 + "b", "c" * 500 + "d", 60)
    assert (was[0], was[-1], now[0], now[-1]) == ("a", "b", "c", "d")
    assert "…" in was


def test_a_secret_is_left_out_of_a_decoded_text_even_where_a_line_is_cut() -> None:
    secret = "hunter2-and-more"
    lines = [f"{'x' * length}{secret}{'y' * 300}" for length in range(0, 400, 7)]
    before, after = _encoded("\n".join(lines)), _encoded("\n".join(f"{line}!" for line in lines))
    token = change("aws_sns_topic.it", "update", {"name": secret}, {"name": "b"}, sensitive=({"name": True},) * 2)
    changed = change("aws_instance.it", "update", {"user_data": before}, {"user_data": after})
    text = comment(reviewed(plan(token, changed)), 1_000_000)
    assert "+…" in text or "…!" in text
    for start in range(len(secret) - 6):
        assert secret[start : start + 6] not in text


def test_a_secret_that_is_encoded_as_a_whole_is_not_decoded() -> None:
    secret = _encoded("password\nof the database, and more of it\n")
    token = change("aws_sns_topic.it", "update", {"name": secret}, {"name": "b"}, sensitive=({"name": True},) * 2)
    changed = change("aws_instance.it", "update", {"user_data": secret}, {"user_data": _encoded(SCRIPT)})
    text = comment(reviewed(plan(token, changed)))
    assert "password" not in text
    assert "(sensitive)" in text


@pytest.mark.parametrize("scenario", sorted({folder.name for folder in PLANS.iterdir()} - {"lists-overlap"}))
def test_no_line_of_a_real_plans_comment_is_long(scenario: str) -> None:
    assert _long_lines(comment(real_review(scenario), 1_000_000)) == []


HOSTILE = [
    "a" * 5_000,
    "`" * 5_000,
    "a`" * 2_500,
    "a " * 2_500,
    "\u202e" * 1_000,
    "\n".join(["`" * 400, "|" * 400, "# " * 400, "```", "</details>"]),
    json.dumps({"a" * 400: ["`" * 400] * 3}),
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", ["aws_instance", "aws_sns_topic", "aws_something_new"])
def test_no_line_is_long_whatever_the_values_are(hostile: str, kind: str) -> None:
    sides = [{"user_data": text, "name": text, "tags": {text: text}, "names": [text]} for text in ("b", hostile)]
    updated = change(f"{kind}.it", "update", sides[0], sides[1])
    replaced = change(f'{kind}.it["{hostile}"]', ["delete", "create"], sides[1], sides[0], replace_paths=[["name"]])
    replaced |= {"type": kind, "previous_address": f"{kind}.{hostile}"}
    outputs = {hostile: {"actions": ["create"], "before": None, "after": hostile}}
    assert _long_lines(comment(reviewed(plan(updated, replaced, output_changes=outputs)), 1_000_000)) == []


def test_a_wrapped_line_keeps_its_words_and_its_code_spans() -> None:
    spans = [code("a b " * 30), code("`` ` " * 20), code("|" * 100)]
    line = f"- {', '.join(spans * 3)} and more"
    text = wrapped(line)
    assert _long_lines(text) == []
    assert text.replace("\n  ", " ") == line
    [before, after] = (
        [token.content for token in GFM.parse(one)[3].children or [] if token.type == "code_inline"]
        for one in (line, text)
    )
    assert before == after != []
