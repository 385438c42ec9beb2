"""The real Terraform plans the same from the HCL as from the JSON it was made of."""

import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.ops.handover.by_plan import plans
from tests.ops.handover.cases import CASES, random_texts

pytestmark = pytest.mark.terraform

# What goes wrong between JSON, HCL, heredocs and files, and where people and programs put it.
_SIGNS = r"""
${ %{ $${ %%{ $$ } { " \ \n \" ' ` ~} <<EOT EOT <<-EOF EOF # // /* */ [ ] ( ) $ % $HOME ${x} %{x} {{x}} <b> & = : -
é 架 👍 a B 0 true null
"""
_INVISIBLE = ("e\u0301", "\u200d", "\ufeff", "\u2028", "\x85", "\x01", "\x7f", "\n", "\r\n", "\r", "\t", " ", "    ")
_PIECES = [*re.findall(r"\S+", _SIGNS), *_INVISIBLE, "\n", "\n"]

# Which JSON cannot say: see test_text_that_terraform_reads_in_two_ways_is_refused.
_READ_IN_TWO_WAYS = re.compile(r"\r(?!\n).*(\$\$|%%)\{", re.DOTALL)


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    return plans(CASES, tmp_path_factory.mktemp("cases"))


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_planned_alike(case: str, planned: tuple[dict[str, Any], dict[str, Any]]) -> None:
    from_json, from_hcl = planned
    assert any(from_json[case].values())
    assert from_hcl[case] == from_json[case]


def test_random_text_comes_out_as_it_went_in(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    texts = ["".join(chance.choices(_PIECES, k=chance.randint(1, 40))) for _ in range(200)]
    texts = [text for text in texts if not _READ_IN_TWO_WAYS.search(text)]
    assert len(texts) > 100
    from_json, from_hcl = plans({"random": random_texts(texts)}, tmp_path)
    assert from_hcl == from_json
    came_out = {it["address"]: it["change"]["after"]["input"]["text"] for it in from_hcl["random"]["changes"]}
    assert came_out == {
        f"module.random.terraform_data.it_{index}": unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
        for index, text in enumerate(texts)
    }
