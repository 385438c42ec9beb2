"""Strings in HCL: a sign at the end of a text escapes nothing that follows it, and heredocs keep every tab."""

import pytest

from ops.handover.grammar import ArgumentKind
from ops.handover.hcl import Block, FunctionCall, Template
from ops.handover.lists_in_texts import KeyList
from ops.handover.printing import expression
from ops.handover.strings import is_heredoc, quoted_template
from ops.handover.texts import TextFiles
from ops.handover.values import Problems, ValueReader
from terraform.templates import Directive, Interpolation, Literal, Part

_X = Interpolation("local.x")
_IF = (Directive(" if true "), Literal("y"), Directive(" endif "))


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ([Literal("$"), _X], r'"\u0024${local.x}"'),
        ([Literal("a$$"), _X, Literal("$"), _X], r'"a$\u0024${local.x}\u0024${local.x}"'),
        ([Literal('"$'), Literal(""), _X], r'"\"\u0024${local.x}"'),
        ([Literal("%"), *_IF], r'"\u0025%{ if true }y%{ endif }"'),
        # Another sign, another character or the end: nothing is escaped.
        ([Literal("%"), _X, Literal("$")], '"%${local.x}$"'),
        ([Literal("$"), *_IF, Literal("%")], '"$%{ if true }y%{ endif }%"'),
        ([Literal("$ "), _X, Literal("{")], '"$ ${local.x}{"'),
        # Two texts are written as one.
        ([Literal("$"), Literal("{x}")], '"$${x}"'),
    ],
)
def test_a_quoted_string_writes_the_sign_as_an_escape(parts: list[Part], written: str) -> None:
    assert quoted_template(Template(tuple(parts))) == written


@pytest.mark.parametrize(
    ("parts", "fits"),
    [
        ([Literal("a\n$"), _X, Literal("\nb\n")], False),
        ([Literal("a\n%"), *_IF, Literal("\nb\n")], False),
        ([Literal("a\n$"), Literal(""), _X, Literal("\nb\n")], False),
        ([Literal("a\n$"), Literal("$"), Literal("{x}\nb\n")], False),
        ([Literal("a\n%"), _X, Literal("\nb$\n")], True),
        ([Literal("a\n$"), *_IF, Literal("\nb\n")], True),
    ],
)
def test_a_heredoc_has_no_such_sign(parts: list[Part], fits: bool) -> None:
    template = Template(tuple(parts))
    assert is_heredoc(template) == fits
    assert expression(template).startswith("<<-EOT" if fits else '"')


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        pytest.param("a\tb\n\tc\n", True, id="a tab inside of a line, and in front of one of several"),
        pytest.param("\ta\n\tb\n", False, id="a tab in front of every line, which is removed as indentation"),
        pytest.param(" a\n\tb\n", False, id="a tab or a space in front of every line"),
        pytest.param("a\n\t\nb\n", False, id="a line of a tab"),
        pytest.param("a\n \t \nb\n", False, id="a line of a tab between spaces"),
        pytest.param("a\n\t\u0301b\n", False, id="a mark that joins a tab"),
        pytest.param("a\n \u0301b\n", False, id="a mark that joins a space"),
        pytest.param("a\n\u0301b\n", False, id="a mark that joins the indentation"),
        pytest.param("a\n\tb\u0301\n", True, id="a mark that joins a letter"),
    ],
)
def test_a_heredoc_keeps_every_tab_and_every_mark(text: str, fits: bool) -> None:
    assert is_heredoc(Template((Literal(text),))) == fits


def test_a_template_file_has_no_such_sign() -> None:
    texts = TextFiles()
    lines = Literal("a line\n" * 12 + "$")
    block = Block("resource", ("it", "it"), arguments={"run": Template((lines, _X))})
    assert texts.moved_from(block) == block
    rooms = KeyList(name="rooms", key_name="room", keys=["a", "b"], expression="keys(local.rooms)")
    for end, is_moved in (("$", False), ("", True)):
        run = Template((Literal(f"in a\nin b\n{end}"), _X))
        moved = texts.moved_from(Block("resource", ("it", "it"), arguments={"run": run}), [rooms])
        assert isinstance(moved.arguments["run"], FunctionCall) == is_moved
    assert list(texts.files.values()) == ["%{ for room in rooms ~}\nin ${room}\n%{ endfor ~}\n${x}"]


def test_a_sign_that_a_trim_marker_brings_there_is_written_as_an_escape() -> None:
    read = ValueReader(Problems("web")).read(ArgumentKind.TEMPLATE, "cost $ ${~ local.x }", "it")
    assert expression(read) == r'"cost \u0024${ local.x }"'
