"""Terraform plans the same from the HCL as from the JSON."""

import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.ops.handover.by_plan import plans
from tests.ops.handover.cases import CASES
from tests.ops.handover.texts import random_texts

pytestmark = pytest.mark.terraform

# Characters that JSON, HCL, heredocs or files may change, and ordinary ones.
_VISIBLE = r"""
${ %{ $${ %%{ $$ } { " \ \n \" ' ` ~} <<EOT EOT <<-EOF EOF # // /* */ [ ] ( ) $ % $HOME ${x} %{x} {{x}} <b> & = : -
é 架 👍 a B 0 true null
"""
_INVISIBLE = ("e\u0301", "\u200d", "\ufeff", "\u2028", "\x85", "\x01", "\x7f", "\n", "\r\n", "\r", "\t", " ", "    ")
_PIECES = [*re.findall(r"\S+", _VISIBLE), *_INVISIBLE, "\n", "\n"]

# Texts that the handover refuses: see test_refusals.py.
_REFUSED = re.compile(r"\r(?!\n).*(\$\$|%%)\{", re.DOTALL)


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    return plans(CASES, tmp_path_factory.mktemp("cases"))


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 320


@pytest.mark.parametrize("case", CASES)
def test_plans_are_equal(case: str, planned: tuple[dict[str, Any], dict[str, Any]]) -> None:
    from_json, from_hcl = planned
    assert any(from_json[case].values())
    assert from_hcl[case] == from_json[case]


def test_random_texts_stay_the_same(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    texts = ["".join(chance.choices(_PIECES, k=chance.randint(1, 40))) for _ in range(200)]
    texts = [text for text in texts if not _REFUSED.search(text)]
    assert len(texts) > 100
    from_json, from_hcl = plans({"random": random_texts(texts)}, tmp_path)
    assert from_hcl == from_json
    (change,) = from_hcl["random"]["changes"]
    assert change["change"]["after"]["input"] == [
        unicodedata.normalize("NFC", text.removeprefix("\ufeff")) for text in texts
    ]
