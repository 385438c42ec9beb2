import pytest

from terraform.references import Configuration, Unknown
from terraform.templates import Interpolation, Literal, Part, parts


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", []),
        ("plain { } text", [Literal("plain { } text")]),
        ("${ var.x }", [Interpolation(" var.x ")]),
        ("a-${var.x}-${var.y}", [Literal("a-"), Interpolation("var.x"), Literal("-"), Interpolation("var.y")]),
        ("$${HOME} %%{ if } $$${x}", [Literal("${HOME} %{ if } $${x}")]),
        ("${jsonencode({a = {b = 1}})}/x", [Interpolation("jsonencode({a = {b = 1}})"), Literal("/x")]),
        (
            '${join("}", ["${var.x}", "\\"}", "$${"])}.',
            [Interpolation('join("}", ["${var.x}", "\\"}", "$${"])'), Literal(".")],
        ),
    ],
)
def test_splits_a_text_into_literal_text_and_expressions(written: str, expected: list[Part]) -> None:
    assert parts(written) == expected


@pytest.mark.parametrize("written", ["x %{ if var.x }y%{ endif }", "x ${var.y", '${"}'])
def test_takes_a_text_that_it_cannot_split_as_one_expression(written: str) -> None:
    assert Configuration("web", {}).value(written) == Unknown("web", written)
