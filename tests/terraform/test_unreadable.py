"""An error of Python's names the line of the project that failed."""

import json
from pathlib import Path

import pytest

from errors import RefusedError
from terraform.unreadable import refused_at


def _reads(text: str) -> object:
    return json.loads(text)


def test_names_our_line_where_the_standard_library_fails() -> None:
    with pytest.raises(RefusedError) as refused, refused_at("network: output.it"):
        _reads("{")
    (problem,) = refused.value.problems
    assert problem.where == "network: output.it"
    line = 1 + Path(__file__).read_text().split("\n").index("    return json.loads(text)")
    assert problem.hint == f"write it as cdktf does, or correct _reads in test_unreadable.py, line {line}"
