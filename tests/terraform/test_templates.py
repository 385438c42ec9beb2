import pytest

from terraform.templates import Interpolation, split


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("", [""]),
        ("plain { } text", ["plain { } text"]),
        ("${ var.x }", [Interpolation("var.x")]),
        ("a-${var.x}-${var.y}", ["a-", Interpolation("var.x"), "-", Interpolation("var.y")]),
        ("$${HOME} %%{ if } $$${x}", ["${HOME} %{ if } $${x}"]),
        ("${jsonencode({a = {b = 1}})}/x", [Interpolation("jsonencode({a = {b = 1}})"), "/x"]),
        ('${join("}", ["${var.x}", "\\"}", "$${"])}.', [Interpolation('join("}", ["${var.x}", "\\"}", "$${"])'), "."]),
    ],
)
def test_splits_a_text_into_literal_text_and_expressions(written: str, parts: list[str | Interpolation]) -> None:
    assert split(written) == parts


@pytest.mark.parametrize("written", ["x %{ if var.x }y%{ endif }", "x ${var.y", '${"}'])
def test_takes_a_text_that_it_cannot_split_as_one_expression(written: str) -> None:
    assert split(written) == [Interpolation(written)]
