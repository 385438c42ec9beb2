"""Plans with hostile texts in any place: the comment shows them as code, and its verdict is that of harmless ones."""

import random

import pytest

from errors import RefusedError
from ops.review.outcome import Review
from tests.cases import EVERY
from tests.ops.review.mutations import alive, comments, documents, mutated, places, reviewed_as, verdict, words

MOST_PLACES = 200
"""A document with more places, which is one of the real Terraform, is tried at some of them."""

SIGN = "Zq9"
"""Stands in every hostile text, so that a part of one is found wherever it appears."""

LIVE = (SIGN, "@", "://", "www.", "evil", "GH-", "0123456789abcdef", "/approve", "xxxx")
"""Parts of hostile texts that the comment itself has nowhere outside code."""

HOSTILE = (
    "[x](https://evil.example)",
    "![x](https://evil.example/a.png)",
    "[x]: https://evil.example",
    "@everyone",
    "@org/team",
    "#1",
    "GH-1",
    "!1",
    "$1",
    "%1",
    "~label",
    "&1",
    "user/project#1",
    "user/project!1",
    "0123456789abcdef0123456789abcdef01234567",
    "<b>",
    "<img src=x onerror=alert(1)>",
    "</details>",
    "<!--",
    "-->",
    "<!-- kakehashi-review -->",
    "<https://evil.example>",
    "https://evil.example/a",
    "www.evil.example",
    "eve@evil.example",
    "`",
    "``",
    "```",
    "````````````````````````````",
    "~~~~",
    "```diff\nx\n```",
    "a | b",
    "|---|---|",
    "\\|",
    "\\`",
    "\\",
    "\x00",
    "\u202etxt.exe\u202c",
    "\u200b\u200d\ufeff",
    "\uff20everyone \uff03\uff11",
    "&#64;everyone",
    "&lt;b&gt;",
    "[^1]",
    "[^1]: note",
    ":tada:",
    "/approve",
    "\n/approve\n",
    "\n\n/merge\n\n",
    "\r\n# heading\r\n",
    "\n- [x] task\n",
    "\u2028/close\u2029",
    "\x85/close",
    "***a***",
    "~~a~~",
    "___",
    "---",
    "===",
    "> quote",
    "1. list",
    "    indented",
    "$`a`$",
    "```math\na\n```",
    "- {+ added +}",
    "\ud83d",
    "x" * 250,
    "`x` " * 60,
    "{stack}",
    "%s",
)


def _hostile(choice: random.Random, number: int) -> str:
    parts = [choice.choice(HOSTILE) for _ in range(choice.randrange(1, 4))]
    return f"{choice.choice(('', SIGN))}{''.join(f'{part}{SIGN}' for part in parts)}{number}"


def _reads_alike(document: str, seed: int, first: int | None = None) -> None:
    choice = random.Random(seed)
    order, texts = choice.random(), choice.random()
    hostile, harmless = (
        mutated(document, random.Random(order), text, first)
        for text in (
            lambda number: _hostile(random.Random(texts + number), number),
            lambda number: f"{SIGN}harmless{number}",
        )
    )
    stack = choice.choice(["prd-codecommit", _hostile(choice, 0), choice.choice(HOSTILE)])
    found, expected = _reviewed(hostile, stack), _reviewed(harmless, "prd-codecommit")
    assert (found is None) == (expected is None)
    if found is None or expected is None:
        return
    assert verdict(found) == verdict(expected)
    for text in comments(found):
        assert alive(text) == []
        outside = words(text)
        assert [mark for mark in LIVE if mark in outside] == []


def _reviewed(document: str, stack: str) -> Review | None:
    """The review, None for a plan that is refused."""
    try:
        return reviewed_as(document, stack)
    except RefusedError:
        return None


def test_no_text_of_a_plan_is_more_than_text_in_the_comment() -> None:
    choice = random.Random(20261129)
    small = [document for document in documents() if places(document) <= MOST_PLACES]
    for seed in range(20):
        _reads_alike(choice.choice(small), seed)


@pytest.mark.slow
def test_no_text_at_any_place_of_a_plan_is_more_than_text_in_the_comment() -> None:
    """More than 3,000 documents in `make proofs`."""
    choice = random.Random(20261130)
    cases: list[tuple[str, int | None]] = []
    for document in documents():
        number = places(document)
        every = range(number) if number <= MOST_PLACES else choice.sample(range(number), MOST_PLACES)
        cases += [(document, first) for first in [*every, *[None] * 12]]
    assert len(cases) >= 3_000
    for seed, (document, first) in list(enumerate(cases))[::EVERY]:
        _reads_alike(document, seed, first)
