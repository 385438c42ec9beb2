"""Everything that a review says has a Japanese text, and every Japanese text is used."""

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.masking import SENSITIVE
from ops.review import language, policy_text
from ops.review.report import markdown
from ops.review.resource_types import ACCESS, LOSSES, SAFEGUARDS
from ops.review.rules import execution, identities, lifecycle, monitoring, networks, policies, removal, storage
from ops.review.translatable import Joined, said
from tests.ops.review.plans import PLANS, real_review

REVIEW = Path(language.__file__).parent
CATALOGUE = tomllib.loads((REVIEW / "japanese.toml").read_text(encoding="utf-8"))

PLURAL = "{who} are new and may {allowed} from {origins}"
SCENARIOS = sorted(folder.name for folder in PLANS.iterdir() if folder.name != "lists-overlap")

# Blocks and code spans, names of stacks, HTML, and Terraform's words for an unknown value.
NOT_OURS = (
    re.compile(r"^ *(`{3,}).*?^ *\1$", re.MULTILINE | re.DOTALL),
    re.compile(r"(`+).+?\1(?!`)"),
    re.compile(r"<!--.*?-->|<details><summary>[\w-]+|</?\w+>|^#### [\w-]+|\([^()]*known after apply\)", re.MULTILINE),
)

WORD = re.compile("[A-Za-z][A-Za-z'-]+")

# Words that Japanese texts have too.
TRANSLATED = [*CATALOGUE["texts"].values(), *CATALOGUE["findings"].values()]
TRANSLATED += [text for rule in CATALOGUE["rules"].values() for text in rule.values()]
WORDS = {"Allow", "tcp", *WORD.findall(re.sub(r"\{\w+\}", "", " ".join(TRANSLATED)))}

# Words that are in a table, and not in the call that says them.
TABLES: tuple[dict[str, str], ...] = (
    *LOSSES.values(),
    *SAFEGUARDS.values(),
    ACCESS,
    identities._SIGN_IN,
    identities._SHARES,
    networks._CONNECTIONS,
    networks._BLOCKS,
    removal._REPLACEMENTS,
    monitoring._WATCHES,
    execution._RUNNING_DATA,
    policies._DEFAULTS,
    lifecycle._MEANINGS,
    {str(element): word for element, word in policy_text._WORDS.items()},
)
SETTINGS = (*storage._PROTECTIONS, *storage._ENCRYPTIONS, *monitoring._RECORDING, *networks._PUBLIC_ACCESS)


def _first_arguments(function: str) -> Iterator[tuple[ast.Module, ast.expr]]:
    """What the review's code gives to this function as its first argument, and the module where it does."""
    for file in REVIEW.rglob("*.py"):
        module = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and node.args:
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called == function:
                    yield module, node.args[0]


def _literals(function: str) -> set[str]:
    """The literals among these arguments, with both of an alternative, and what is assigned to a name."""
    return {literal for module, given in _first_arguments(function) for literal in _alternatives(given, module)}


def _alternatives(given: ast.expr, module: ast.Module) -> Iterator[str]:
    if isinstance(given, ast.Name):
        for node in ast.walk(module):
            if isinstance(node, ast.Assign) and given.id in [getattr(target, "id", "") for target in node.targets]:
                yield from _constants(node.value)
    yield from _constants(given)


def _constants(given: ast.expr) -> Iterator[str]:
    if isinstance(given, ast.IfExp):
        yield from _constants(given.body)
        yield from _constants(given.orelse)
    elif isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value:
        yield given.value


def _all_texts() -> set[str]:
    """Every text in the review's code."""
    return {
        node.value
        for file in REVIEW.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _tables() -> set[str]:
    return {word for table in TABLES for word in table.values()} | {setting.otherwise for setting in SETTINGS}


def test_every_text_that_is_said_has_a_translation() -> None:
    assert sorted(_literals("say") - set(CATALOGUE["texts"])) == []
    assert sorted((_literals("said") | _tables()) - set(CATALOGUE["findings"])) == []


def test_every_translation_is_of_a_text_that_is_said() -> None:
    written = _all_texts() | _tables() | {SENSITIVE}
    counted = {
        f"{{number}} {noun}{plural}"
        for noun in ("attribute", "host", "object", "other build", "other place")
        for plural in ("", "s")
    } | {"{number} repository", "{number} repositories"}
    assert sorted(set(CATALOGUE["texts"]) - written) == []
    assert sorted(set(CATALOGUE["findings"]) - written - counted - {PLURAL}) == []


@pytest.mark.slow
def test_every_verb_with_which_a_finding_begins_is_known() -> None:
    first, in_tables = ({text.partition(" ")[0] for text in texts} for texts in (_literals("said"), _tables()))
    verbs = {word for word in first if word.isalpha() and word.endswith("s")} - {"its"}
    assert verbs <= language.PREDICATES <= first | in_tables


@pytest.mark.parametrize("kind", ["texts", "findings"])
def test_a_translation_names_the_same_values(kind: str) -> None:
    for english, japanese in CATALOGUE[kind].items():
        # Japanese says how many there are in all, where English says how many more.
        texts = (english, japanese.replace("{total}", "{others}"))
        names = [{name for _, name, _, _ in string.Formatter().parse(text)} - {None} for text in texts]
        assert names[0] == names[1], english


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_english_is_left_in_a_comment_but_names_and_values(scenario: str) -> None:
    text = markdown(real_review(scenario), 1_000_000, language.language("ja"))
    for not_ours in NOT_OURS:
        text = not_ours.sub("", text)
    assert sorted({*WORD.findall(text)} - WORDS) == []


def test_the_words_of_a_place_are_translated_and_what_accepts_a_finding_is_not() -> None:
    text = markdown(real_review("region-changed"), 1_000_000, language.language("ja"))
    assert "- `prd-codecommit/プロバイダーのリージョン`：`ap-northeast-3` になり、" in text
    assert "- allow: place-changed:prd-codecommit/the provider's region@" in text
    assert "| ロールのサービス |" in markdown(real_review("host-key-changed"), 1_000_000, language.language("ja"))
    assert "| `its service` |" in markdown(real_review("host-key-changed"), 1_000_000)


def test_no_space_stands_between_two_japanese_characters() -> None:
    japanese = language.language("ja")
    network = said("{network} (anywhere)", network="`0.0.0.0/0`")
    template = "{who} may now also {allowed} from {origins}"
    names = said("{names} and {others} more", names="`a`, `b`, `c`", others=3, total=6)
    text = said(template, who="`u`", allowed=said("pull {names}", names=names), origins=network)
    assert japanese.translated(text) == (
        "`u` は、新たに `0.0.0.0/0`（任意の場所）からも `a`, `b`, `c` など 6 件を pull できるようになります"
    )
    assert (
        japanese.translated(said("{what} at every plan and apply", what="` 、 `")) == "` 、 `（plan と apply のたびに）"
    )


def test_what_has_no_translation_is_said_in_english() -> None:
    japanese = language.language("ja")
    assert japanese.translated(said("nobody has translated {name}", name="`a`")) == "nobody has translated `a`"
    assert japanese.translated(Joined(": ", ("`a`", said("is destroyed")))) == "`a`：削除されます"
    assert language.ENGLISH.translated(Joined(": ", ("`a`", said("is destroyed")))) == "`a`: is destroyed"
