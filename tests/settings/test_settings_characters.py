# ruff: noqa: RUF001 - ambiguous characters are what these tests are about
"""Full-width and other characters that look like YAML's own are named, each in its line and column."""

import itertools
import re
from textwrap import indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settings import SettingsError, characters, load, schema
from tests.deployments import DEPLOYMENTS, deployment_file
from tests.settings.whole_file import Loaded, Refusal, error, line_of, spoilt

_FREE = "(?:owner|description|open_to_the_world_because|cost-center|data-class)"
_KEPT = re.compile(
    rf"""^\ \ (?P<tag>(?:cost|data)-[a-z]+):\ (?P<value>[^"\#]*)
    | "(?P<quoted>[^"]*)" | (?P<comment>(?:^|\ )\#.*)
    | ^\ *{_FREE}:\ (?P<free>[^"].*?)(?=\ \#|$) | [{{,]\ {_FREE}:\ (?P<inside>[^",}}]+)""",
    re.VERBOSE,
)
_LIKE = {
    " ": "\u3000\u00a0\u2003",
    '"': "\u201c\u201d\uff02",
    "'": "\u2018\u2019\uff07",
    "-": "\uff0d\u2010\u2013\u2212",
}


def _kept(line: str) -> set[int]:
    """The positions of a line in which every character is allowed, in files as simple as the examples."""
    spans = [match.span(group) for match in _KEPT.finditer(line) for group in _KEPT.groupindex]
    return {place for start, end in spans for place in range(start, end)}


def _places(text: str) -> list[tuple[int, int, str]]:
    """Line and column (from 0) and character of everything that is neither a comment nor a text of people's own."""
    lines = list(enumerate(text.splitlines()))
    return [
        (number, column, character)
        for number, line in lines
        for column, character in enumerate(line.rstrip())
        if column not in _kept(line)
    ]


_EXAMPLES = {name: deployment_file(name).read_text() for name in DEPLOYMENTS}
_PLACES = [(name, *place) for name, text in _EXAMPLES.items() for place in _places(text)]


def _replaced(text: str, number: int, column: int, character: str) -> str:
    lines = text.splitlines()
    lines[number] = lines[number][:column] + character + lines[number][column + 1 :]
    return "\n".join(lines) + "\n"


def _lookalikes(character: str) -> st.SearchStrategy[str]:
    return st.sampled_from(_LIKE.get(character, "") + ("" if character == " " else chr(ord(character) + 0xFEE0)))


@pytest.mark.slow
@given(st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_one_such_character_anywhere_is_found_in_its_place(data: st.DataObject) -> None:
    name, number, column, character = data.draw(st.sampled_from(_PLACES))
    text = _replaced(_EXAMPLES[name], number, column, data.draw(_lookalikes(character)))
    found = characters.scanned(text)
    assert [(slip.line, slip.column) for slip in found.slips] == [(number + 1, column + 1)]


@given(st.data())
@settings(max_examples=100, deadline=None, derandomize=True)
@pytest.mark.slow
def test_one_such_character_anywhere_is_refused_in_its_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name, number, column, character = data.draw(st.sampled_from(_PLACES))
    file = tmp_path_factory.mktemp("characters") / "x.yaml"
    file.write_text(_replaced(_EXAMPLES[name], number, column, data.draw(_lookalikes(character))))
    with pytest.raises(SettingsError) as refused:
        load(file)
    assert str(refused.value).startswith(f"error: {file}:{number + 1}:{column + 1}: this is ")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_examples_have_none(name: str) -> None:
    found = characters.scanned(_EXAMPLES[name])
    assert found.slips == []
    assert found.corrected == _EXAMPLES[name]


@pytest.mark.parametrize(
    ("old", "new", "what", "hint"),
    [
        ("owner: p", "owner：p", "a full-width colon, 全角コロン U+FF1A", "write ':' and a space"),
        ("owner: p", "owner： p", "a full-width colon, 全角コロン U+FF1A", "write ':'"),
        ("owner: p", "owner:\u3000p", "a full-width space, 全角スペース U+3000", "write a space"),
        ("owner: p", "owner\u3000: p", "a full-width space, 全角スペース U+3000", "write a space"),
        ("owner: p", "owner:\u00a0p", "a no-break space, ノーブレークスペース U+00A0", "write a space"),
        ("owner: p", "ow\u200bner: p", "a zero-width space, ゼロ幅スペース U+200B", "remove it"),
        ("owner: p", "ow\ufeffner: p", "a byte order mark, バイト順マーク U+FEFF", "remove it"),
        ("owner: p", "ow\u202ener: p", "a right-to-left override, 見えない文字 U+202E", "remove it"),
        ("owner: p", "oｗner: p", "a full-width letter, 全角英字 U+FF57", "write 'w'"),
        ("    nat:", "\u3000   nat:", "a full-width space, 全角スペース U+3000", "indent with spaces"),
        ("    nat:", "\t   nat:", "a tab, タブ U+0009", "indent with spaces"),
        ("cron(0 8", "cron(0\t8", "a tab, タブ U+0009", "write a space"),
        ("keep: 7", "keep: 7\t# days", "a tab, タブ U+0009", "write a space"),
        ("key_prefix: k", "key_prefix:\t k", "a tab, タブ U+0009", "write a space"),
        ("keep: 7", "keep: ７", "a full-width digit, 全角数字 U+FF17", "write '7'"),
        ("[bat]", "［bat]", "a full-width left square bracket, 全角括弧 U+FF3B", "write '['"),
        ("[bat]", "「bat]", "a left corner bracket, かぎ括弧 U+300C", "write '['"),
        ("28, 192", "28， 192", "a full-width comma, 全角カンマ U+FF0C", "write ','"),
        ("28, 192", "28、 192", "an ideographic comma, 読点 U+3001", "write ','"),
        ("          - e", "          － e", "a full-width hyphen, 全角ハイフン U+FF0D", "write '-'"),
        ("break-glass", "break\u2013glass", "a dash, ダッシュ U+2013", "write '-'"),
        ("break-glass", "breakーglass", "a long vowel mark, 長音符 U+30FC", "write '-'"),
        (': "1111', ": “1111", "a typographic quotation mark, 引用符 U+201C", "write '\"'"),
        ('1111"', "1111”", "a typographic quotation mark, 引用符 U+201D", "write '\"'"),
        ('1111"', "1111＂", "a full-width quotation mark, 全角引用符 U+FF02", "write '\"'"),
    ],
)
def test_a_character_is_named_for_what_it_is_and_is_the_only_error(
    refusal: Refusal, old: str, new: str, what: str, hint: str
) -> None:
    text = spoilt((old, new))
    line = line_of(text, new)
    pairs = itertools.zip_longest(spoilt().splitlines()[line - 1], text.splitlines()[line - 1])
    column = [before == after for before, after in pairs].index(False) + 1
    assert refusal(text) == f"error: x.yaml:{line}:{column}: this is {what}\nhint: {hint}"


def test_a_full_width_hash_starts_no_comment_and_what_follows_is_not_reported(refusal: Refusal) -> None:
    text = spoilt(("keep: 7", "keep: 7 ＃ １日：１回"))
    assert refusal(text) == (
        f"error: x.yaml:{line_of(text, 'keep:')}:15: this is a full-width number sign, 全角シャープ U+FF03\n"
        "hint: write '#'"
    )


def test_neighbouring_characters_are_one_error(refusal: Refusal) -> None:
    text = spoilt(
        ("owner: platform", "ｏｗｎｅｒ: platform"), ("10.10.0.0/16", "１０．１０．０．０/16"), ("keep: 7", "keep：７")
    )
    assert refusal(text).splitlines() == [
        "error: x.yaml:2:1: these are full-width letters, 全角英字 'ｏｗｎｅｒ'",
        "hint: write 'owner'",
        "error: x.yaml:18:11: these are not ASCII characters, 全角数字、全角ピリオド '１０．１０．０．０'",
        "hint: write '10.10.0.0'",
        f"error: x.yaml:{line_of(text, 'keep：')}:11: these are not ASCII characters, 全角コロン、全角数字 '：７'",
        "hint: write ': 7'",
    ]


def test_the_rest_of_the_file_is_checked_as_it_is_meant(refusal: Refusal) -> None:
    text = spoilt(("name: kakehashi", "name： Kakehashi"), ("keep: 7", "keep：0"))
    name = error(
        1, "name", "'Kakehashi' is not a deployment name", "use 2-20 of a-z, 0-9 and '-', starting with a letter"
    )
    line = line_of(text, "keep：0")
    assert refusal(text) == "\n".join(
        (
            "error: x.yaml:1:5: this is a full-width colon, 全角コロン U+FF1A\nhint: write ':'",
            name,
            f"error: x.yaml:{line}:11: this is a full-width colon, 全角コロン U+FF1A\nhint: write ':' and a space",
            error(line, "dev.gitlab.images.keep", "0 is too small", "use at least 1"),
        )
    )


def test_what_follows_from_an_unknown_indentation_is_not_reported(refusal: Refusal) -> None:
    # With a space in its place, this is YAML and has another error.
    text = indent(spoilt(("name: kakehashi", "name: Kakehashi")), " ").replace(" name:", "\u3000name:", 1)
    assert refusal(text) == (
        "error: x.yaml:1:1: this is a full-width space, 全角スペース U+3000\nhint: indent with spaces"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner: platform-team", "owner: 基盤１課 # 担当：\u3000基盤１課"),
        ("Terraform of the production systems", "本番：\u3000基盤、（新）＃1 “x” - y"),
        ("Terraform of the production systems", '"本番： 基盤"'),
        ("Terraform of the production systems", "'本番：''基盤'''"),
        ("description: Terraform of the production systems", "description: |-\n          本番：基盤"),
        ('cost-center: "4711"', "コスト１: 基盤２課"),
        ("target: { create: website }", "target: { create: website, description: 公開：サイト（新） }"),
    ],
)
def test_comments_strings_and_free_texts_keep_their_characters(loaded: Loaded, old: str, new: str) -> None:
    text = spoilt((old, new))
    assert loaded(text)
    assert characters.scanned(text).slips == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a: '本''：基'", None),
        ('a: "本\\" ：基"', None),
        ('a: "本”: 基"', None),
        ('a: "本” 基\n  ：課"', None),
        ("a: |\n  本：基", None),
        ("tags: { 担１: 基２ }", None),
        ("owner: 基 ＃ 課", None),
        ("- http：//example.com", "- http://example.com"),
        ('description: "本" ＃', 'description: "本" #'),
        ("{ description: 本, a：b }", "{ description: 本, a: b }"),
        ("tags:\n  担１: 基\na１: b", "tags:\n  担１: 基\na1: b"),
    ],
)
def test_a_text_ends_where_yaml_ends_it(text: str, meant: str | None) -> None:
    found = characters.scanned(text)
    assert found.corrected == (meant or text)
    assert bool(found.slips) == (meant is not None)


def test_a_wrong_file_with_japanese_texts_has_only_its_own_error(refusal: Refusal) -> None:
    text = spoilt(
        ("Terraform of the production systems", "本番：\u3000基盤、（新）＃1\n          続き：“２”"),
        ("tags:\n", "tags:\n  担当１: 基盤：\n"),
        ("name: kakehashi", "name: サーバー # ：＃"),
    )
    assert [line for line in refusal(text).splitlines() if line.startswith("error: ")] == [
        "error: x.yaml:1: name: 'サーバー' is not a deployment name",
        "error: x.yaml:4: tags.担当１: '基盤：' is not a tag value",
    ]


@pytest.mark.parametrize("text", ["a：b\n" * 25_001, "：" * 2_001])
def test_a_file_or_line_that_is_too_long_for_a_deployment_is_not_searched(text: str) -> None:
    found = characters.scanned(text)
    assert (found.slips, found.corrected) == ([], text)


def test_the_free_texts_are_those_settings_that_take_japanese() -> None:
    parts = [schema.generated(), *schema.generated()["$defs"].values()]
    named = {
        key
        for part in parts
        for key, setting in part.get("properties", {}).items()
        for form in (setting, *setting.get("anyOf", ()))
        if form.get("type") == "string" and not {"enum", "const", "examples"} & form.keys()
        if re.search(form.get("pattern", ""), "本番系統の基盤チーム")
    }
    assert named == set(characters.FREE_TEXTS)
