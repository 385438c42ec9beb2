"""Splits templates as Terraform does, and distinguishes code from strings, comments and heredocs."""

import pytest

from terraform.templates import (
    Directive,
    Interpolation,
    Literal,
    Part,
    TemplateError,
    arguments_of,
    code,
    escaped,
    masked,
    parts,
    rewritten,
)

SPLIT: dict[str, list[Part]] = {
    "": [],
    "$ {a} $x %": [Literal("$ {a} $x %")],
    "a${b}c": [Literal("a"), Interpolation("b"), Literal("c")],
    "${ b }${c}": [Interpolation(" b "), Interpolation("c")],
    "${~ b ~}": [Interpolation("~ b ~")],
    "%{ if a }x%{ endif }": [Directive(" if a "), Literal("x"), Directive(" endif ")],
    "$${a} %%{b} $$${c}": [Literal("${a} %{b} $${c}")],
    '${f("}", { a = "${b}" })}c': [Interpolation('f("}", { a = "${b}" })'), Literal("c")],
    "${f({a = {b = 1}})}/x": [Interpolation("f({a = {b = 1}})"), Literal("/x")],
    '${f("}", ["${b}", "\\"}", "$${"])}.': [Interpolation('f("}", ["${b}", "\\"}", "$${"])'), Literal(".")],
    "${a /* } */}": [Interpolation("a /* } */")],
    "${a # }\n}": [Interpolation("a # }\n")],
    "${<<E\n}\nE\n}": [Interpolation("<<E\n}\nE\n")],
    "\ufeffa": [Literal("a")],
}


@pytest.mark.parametrize("text", SPLIT)
def test_splits_a_template(text: str) -> None:
    assert parts(text) == SPLIT[text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${a", "a '${' or '%{' has no '}'"),
        ('${"a}', "a '\"' in an expression has no end"),
        ("${a /* }", "'/*' has no end"),
        ("${<<E\n}", "'<<E' has no end"),
        ("\r$$${a}", "Terraform reads '$$${' differently after a lone carriage return"),
    ],
)
def test_refuses_a_template_that_it_cannot_split(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as refused:
        parts(text)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["", "${a}", "%{if}", "$ {"])
def test_an_escaped_text_is_one_literal(text: str) -> None:
    assert parts(escaped(text)) == ([Literal(text)] if text else [])


def test_rewrites_code_alone() -> None:
    source = 'a + "a ${a} $${a}" # a\n+ <<E\na ${a}\nE\n'
    assert rewritten(source, lambda text: text.replace("a", "b")) == 'b + "a ${b} $${a}" # a\n+ <<E\na ${b}\nE\n'


def test_blanks_strings_and_comments() -> None:
    assert code('a + "b ${c}" /* d */ + e').split() == ["a", "+", "c", "+", "e"]


def test_masks_characters_one_by_one() -> None:
    assert masked('f({ a = "}" }) # }\n') == "f({ a = \0\0\0 }) \0\0\0\n"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("", []),
        ("var.a", ["var.a"]),
        ('f(a, b), ["x,y", { z = 1, w = 2 }]', ["f(a, b)", '["x,y", { z = 1, w = 2 }]']),
        ("\n  a,\n  b[0],\n", ["a", "b[0]"]),
    ],
)
def test_splits_the_arguments_of_a_call(call: str, arguments: list[str]) -> None:
    assert arguments_of(call) == arguments


@pytest.mark.parametrize("call", ["a) + f(b", "a, (b", "a]"])
def test_refuses_arguments_whose_brackets_are_not_in_pairs(call: str) -> None:
    with pytest.raises(TemplateError, match="brackets that are not in pairs"):
        arguments_of(call)


def test_a_comment_may_end_with_the_expression() -> None:
    assert masked("a # }") == "a \0\0\0"
    assert code("a // b") == "a  "
    with pytest.raises(TemplateError, match="has no '}'"):
        parts("${a # }")
