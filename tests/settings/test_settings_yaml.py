"""YAML's own features in a deployment file: keys, merge keys, tags, aliases, sizes."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from settings import SettingsError, load
from tests.settings.whole_file import WHOLE, Loaded, Refusal, error, line_of, spoilt


def test_a_key_written_twice_is_refused_with_both_lines(refusal: Refusal) -> None:
    text = spoilt(("      batch:\n    del", "      batch:\n      application:\n    del"))
    assert refusal(text) == error(
        67,
        "prd.codecommit.repositories.application",
        "'application' is a duplicate key (first on line 65)",
        "remove or rename one",
    )
    assert text.splitlines()[64].strip() == text.splitlines()[66].strip() == "application:"


def test_keys_that_are_the_same_text_are_the_same_key(refusal: Refusal) -> None:
    text = spoilt(("  cost-center:", "  1: a\n  '1': b\n  cost-center:"))
    assert refusal(text) == error(5, "tags.1", "'1' is a duplicate key (first on line 4)", "remove or rename one")


_MERGED = """\
name: kakehashi
owner: me
region: ap-northeast-1
prd: &both
  account: { id: "222222222222" }
dev:
  <<: *both
  gitlab: { external_urll: x }
"""


def test_a_merge_key_is_refused_without_the_errors_that_follow_from_it(refusal: Refusal) -> None:
    merge = error(7, "dev", "merge keys (<<) are refused: which value wins is easily misread", "write the keys out")
    assert refusal(_MERGED).startswith(merge + "\n")
    assert "dev.account" not in refusal(_MERGED)


def test_reports_other_errors_together_with_a_merge_key(refusal: Refusal) -> None:
    assert "dev.gitlab.external_urll: 'external_urll' is not a setting" in refusal(_MERGED)


@pytest.mark.parametrize("merged", ["<<: { a: 1 }", "<<: [{ a: 1 }, { b: 2 }]", "<<: x"])
def test_every_form_of_merging_is_refused(refusal: Refusal, merged: str) -> None:
    assert refusal(f"{WHOLE}{merged}\n") == (
        f"error: x.yaml:{WHOLE.count(chr(10)) + 1}: merge keys (<<) are refused: which value wins is easily misread\n"
        "hint: write the keys out"
    )


def test_a_quoted_merge_key_is_an_unknown_setting(refusal: Refusal) -> None:
    assert "x.yaml:1: ['<<']: '<<' is not a setting" in refusal("'<<': x\n" + WHOLE)


@pytest.mark.parametrize(
    ("old", "new", "path", "tag"),
    [
        ("owner: platform-team", "owner: !secret team", "owner", "!secret"),
        ("owner: platform-team", "owner: !!binary dGVhbQ==", "owner", "binary"),
        (
            "owner: platform-team",
            "owner: !!python/object/apply:os.system ['id']",
            "owner",
            "python/object/apply:os.system",
        ),
        ("no_proxy: [.dev.example.com]", "no_proxy: !!set { a, b }", "dev.proxy.no_proxy", "set"),
        ("zones:\n", "zones: !!omap\n", "dev.network.zones", "omap"),
    ],
)
def test_a_tag_is_refused_without_the_errors_that_follow_from_it(
    refusal: Refusal, old: str, new: str, path: str, tag: str
) -> None:
    change = (old, new)
    answer = refusal(spoilt(change))
    assert answer.splitlines()[1] == "hint: write plain values, without tags"
    assert f"{path}: the tag '{tag}' is not known here" in answer.splitlines()[0]
    assert answer.count("error: ") == 1


def test_refuses_half_a_character(refusal: Refusal) -> None:
    change = ("owner: platform-team", 'owner: "\\ud800"')
    assert refusal(spoilt(change)) == error(2, "owner", "'\\ud800' has half a character", "write the character itself")


@pytest.mark.parametrize("key", ['"\\ud800": c\n', "? [a, b]\n: c\n", "? { a: 1 }\n: c\n", "~: c\n", ": c\n"])
def test_refuses_a_key_that_is_not_text(refusal: Refusal, key: str) -> None:
    line = WHOLE.count("\n") + 1
    assert refusal(WHOLE + key) == f"error: x.yaml:{line}: a key here is not text\nhint: write the key as a plain word"


def test_aliases_are_expanded(loaded: Loaded) -> None:
    text = spoilt(("owner: platform-team", "owner: &team platform-team"), ('cost-center: "4711"', "cost-center: *team"))
    assert loaded(text).tags == {"cost-center": "platform-team"}


def test_an_anchor_may_be_used_again(loaded: Loaded, capfd: pytest.CaptureFixture[str]) -> None:
    text = spoilt(("owner: platform-team", "owner: &a x"), ('cost-center: "4711"', "cost-center: &a y"))
    assert loaded(text).tags == {"cost-center": "y"}
    assert capfd.readouterr() == ("", "")


def _bomb(levels: int, width: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]" for level in range(1, levels)]
    return "\n".join(lines) + "\n"


_TOO_MUCH = (
    "the file has more than 20,000 values or 50 levels, with aliases expanded\n"
    "hint: write less, and write values instead of aliases (*name)"
)


@pytest.mark.parametrize("content", [_bomb(9, 10), _bomb(200, 2), "a: &a [*a]\n", "a: &a { b: *a }\n"])
def test_refuses_an_alias_bomb_without_expanding_it(refusal: Refusal, content: str) -> None:
    answer = refusal(content)
    assert re.fullmatch(r"error: x\.yaml:[1-9][0-9]*: " + re.escape(_TOO_MUCH), answer)


def test_refuses_a_terabyte_without_reading_it(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.touch()
    os.truncate(file, 10**12)  # a sparse file, which takes no space
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert str(caught.value) == (
        f"error: {file}: the file has 1,000,000,000,000 bytes\n"
        "hint: a deployment file has at most 1,000,000: is this the right one?"
    )


@pytest.mark.slow
def test_accepts_a_megabyte(loaded: Loaded) -> None:
    comment = "# a comment of forty characters, repeated\n"
    text = WHOLE + comment * ((1_000_000 - len(WHOLE)) // len(comment))
    assert loaded(text + "#" * (1_000_000 - len(text)))


@pytest.mark.parametrize(
    "content",
    ["[" * 999_999, "a: " + "{a: " * 200_000, "- " * 400_000, "? " * 400_000, "a: [" + "x," * 400_000 + "]"],
    ids=["brackets", "braces", "dashes", "questions", "entries"],
)
@pytest.mark.slow
def test_refuses_a_megabyte_of_nesting_or_entries(refusal: Refusal, content: str) -> None:
    assert refusal(content).count("\n") == 1


def test_deep_nesting_is_refused_at_its_line(refusal: Refusal) -> None:
    content = "a:\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, 80))
    assert refusal(content) == "error: x.yaml:50: lists or maps are nested too deeply\nhint: nest at most 50 levels"


@pytest.mark.slow
def test_accepts_a_thousand_repositories(loaded: Callable[[str], object]) -> None:
    many = "".join(f"      repository-{number}: {{ description: One of many }}\n" for number in range(1000))
    assert loaded(spoilt(("      application:\n", "      application:\n" + many)))


def test_a_wrong_alias_is_reported_where_it_is_used(refusal: Refusal) -> None:
    text = spoilt(("owner: platform-team", "owner: &team 12"), ('cost-center: "4711"', "cost-center: *team"))
    assert refusal(text) == "\n".join(
        (
            error(2, "owner", "12 is not text", "write it in quotes"),
            error(line_of(text, "*team"), "tags.cost-center", "12 is not text", "write it in quotes"),
        )
    )
