"""Trim markers are removed together with exactly the text that Terraform removes for them."""

import random
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.handover.trimming import without_trim_markers
from terraform.templates import Directive, Interpolation, Literal, Part, parts
from tests.real.terraform import read_by_terraform

pytestmark = pytest.mark.terraform

_TEXTS = (
    "a",
    "b",
    " ",
    "   ",
    "\n",
    "\n  ",
    "\r\n",
    "\t",
    "\u00a0",
    "\u3000",
    "\x85",
    "\x1c",
    "\u200b",
    " \u0301",
    "$${",
    "}",
)
_SEQUENCES = ("${local.x}", "${~ local.x}", "${local.x ~}", "${~local.x~}")


def _template(chance: random.Random, depth: int = 2) -> str:
    text = ""
    for _ in range(chance.randint(1, 6)):
        text += "".join(chance.choices(_TEXTS, k=chance.randint(0, 4)))
        if depth and chance.random() < 0.3:
            before, after = chance.choices(("%{ if true }", "%{~ if true }", "%{ if true ~}", "%{~ if true ~}"), k=2)
            text += before + _template(chance, depth - 1) + after.replace("if true", "endif")
        else:
            text += chance.choice(_SEQUENCES)
    return text


def test_terraform_removes_the_same_text(tmp_path: Path) -> None:
    chance = random.Random(20261129)
    templates = [_template(chance) for _ in range(400)]
    assert sum("~" in template and "\n" in template for template in templates) > 200
    found = read_by_terraform(templates, tmp_path, {"x": "X"})
    for template, text in zip(templates, found, strict=True):
        assert unicodedata.normalize("NFC", _evaluated(without_trim_markers(parts(template)))) == text, repr(template)


def test_a_reference_whose_white_space_is_removed_stays_a_string() -> None:
    assert without_trim_markers(parts(" ${~ local.three ~} ")) == (Literal(" "), Interpolation("~ local.three "))
    assert without_trim_markers(parts("${~ local.three ~}")) == (Interpolation(" local.three "),)


def _evaluated(kept: Sequence[Part]) -> str:
    match kept:
        case (Literal(" "), Interpolation(source)) if source.startswith("~"):
            return "X"  # see the test above
    assert not any(isinstance(it, Interpolation | Directive) and "~" in it.source for it in kept)
    return "".join(it.text if isinstance(it, Literal) else "X" if "local" in it.source else "" for it in kept)
