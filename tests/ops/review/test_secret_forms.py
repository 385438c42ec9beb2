"""A sensitive value at any place and in any form: the comment does not contain it, and reads alike without it."""

import base64
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from textwrap import wrap
from urllib.parse import quote, quote_plus

import pytest

from errors import RefusedError
from ops.masking import Mask
from ops.review.outcome import Review
from tests.cases import EVERY
from tests.ops.review.mutations import comments, documents, mutated, reviewed_as, verdict
from tests.terraform.plans import change

SECRETS = (
    ("hunter", "jumper"),
    ("correct horse battery", "another horse's stapl"),
    ('Qu"ote\\back/slash', 'Ot"her\\text/forms'),
    ("a<b>&c'd=e%f+g", "h<i>&j'k=l%m+n"),
    ("パスワードひみつ", "ヒミツのことばで"),
    ("8675309", "2718281"),
    ("first line of key\nsecond line of it", "begin of a secret\nand its last word"),
    ("``` | @everyone", "^^^ # /approve!"),
    ("p\u202ea\u200bs\x00s\x9fw", "q\u202eb\u200bt\x00t\x9fx"),
    ("Zq9" * 40, "Xp7" * 40),
)
"""Secrets, each with another one of its kind and length."""


def _base64(before: bytes = b"", after: bytes = b"") -> Callable[[str], str]:
    return lambda text: base64.b64encode(before + text.encode() + after).decode()


def _jsonencode(text: str) -> str:
    """As Terraform's function writes a text: https://developer.hashicorp.com/terraform/language/functions/jsonencode."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "JSON with other characters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "jsonencode": _jsonencode,
    "URL": lambda text: quote(text, safe=""),
    "path of a URL": quote,
    "query of a URL": quote_plus,
    "Base64": _base64(),
    "Base64, one byte later": _base64(b"x", b"yz"),
    "Base64, two bytes later": _base64(b"xx", b"y"),
    "Base64 for URLs": lambda text: _base64(b"?>")(text).replace("+", "-").replace("/", "_").rstrip("="),
    "Base64 in a path": lambda text: f"/some-path/of_it/{_base64()(text).rstrip('=')}x",
    "Base64 in lines": lambda text: "\n".join(wrap(_base64(b"x" * 50, b"y" * 50)(text), 76)),
    "Base64 in indented lines": lambda text: "\n    ".join(wrap(_base64(b"x" * 40)(text), 64)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("secret", "another"), SECRETS)
def test_a_secret_is_masked_in_every_form(secret: str, another: str, form: str) -> None:
    texts = {Mask([one])(f"see {FORMS[form](one)} there") for one in (secret, another)}
    assert len(texts) == 1
    assert "(sensitive)" in texts.pop()


def _hides(document: str, seed: int) -> None:
    """The comments on a plan with a secret in it are those on the same plan with another one."""
    choice = random.Random(seed)
    pair, order, texts, where = choice.choice(SECRETS), choice.random(), choice.random(), choice.randrange(3)
    found, expected = (_reviewed(document, secret, order, texts, where) for secret in pair)
    assert (found is None) == (expected is None)
    if found is None or expected is None:
        return
    assert verdict(found) == verdict(expected)
    for text, other in zip(comments(found), comments(expected), strict=True):
        assert _words(text) == _words(other)
        shown = [
            name for name, form in FORMS.items() for part in (pair[0], *pair[0].splitlines()) if form(part) in text
        ]
        assert shown == []


def _words(text: str) -> Counter[str]:
    """The order of a list is that of what is masked in it."""
    return Counter(re.split(r"[\s,;`]+", text))


def _reviewed(document: str, secret: str, order: float, texts: float, where: int) -> Review | None:
    def text(number: int) -> str:
        choice = random.Random(texts + number)
        before, after = (choice.choice(("", " ", "?", "x=", "long " * 40, "\n", '"', "ab\ncd\n")) for _ in range(2))
        return f"{before}{FORMS[choice.choice(list(FORMS))](secret)}{after}"

    content = json.loads(mutated(document, random.Random(order), text))
    marks = {"value": True}
    if where == 0:
        parameter = change("aws_ssm_parameter.secret", "no-op", *[{"value": secret}] * 2, sensitive=(marks, marks))
        others = content.get("resource_changes")
        content["resource_changes"] = [*(others if isinstance(others, list) else ()), parameter]
    elif where == 1:
        output = {"actions": ["no-op"], "before": secret, "after": secret, "after_sensitive": True}
        others = content.get("output_changes")
        content["output_changes"] = {**(others if isinstance(others, dict) else {}), "secret": output}
    else:
        content["variables"] = {"secret": {"value": {"deep": [int(secret) if secret.isdigit() else secret]}}}
        content["configuration"] = {"root_module": {"variables": {"secret": {"sensitive": True}}}}
    try:
        return reviewed_as(json.dumps(content), "prd-codecommit")
    except RefusedError:
        return None


def test_a_secret_in_a_plan_changes_nothing_of_the_comment() -> None:
    choice = random.Random(20261129)
    for seed in range(20):
        _hides(choice.choice([document for document in documents() if len(document) < 10_000]), seed)


@pytest.mark.slow
def test_a_secret_in_one_of_many_plans_changes_nothing_of_the_comment() -> None:
    """2,000 plans in `make proofs`."""
    for seed in range(0, 2_000, EVERY):
        _hides(random.Random(seed).choice(documents()), seed)
