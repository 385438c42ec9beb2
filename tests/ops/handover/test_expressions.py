"""Expressions are read by a grammar, and long ones are broken into lines."""

import pytest

from ops.handover import convert, scopes, shipped
from ops.handover.expressions import Syntax, is_valid, parsed
from ops.handover.line_breaks import with_line_breaks
from ops.handover.plain_objects import with_plain_objects
from tests.ops.handover.random_expressions import Expressions

VALID = [
    "a.b[0].c",
    "a.*.b",
    "a[*].b",
    "a.0.b",
    "[ for key, val in x : { id = val.id } if val.on ]",
    "{for k, v in x : k => v...}",
    "{ for = 1 }['for']".replace("{ for", '{ "for"').replace("'", '"'),
    "1e10 + 1.5E-3",
    '"%%%{a} $$${b} $ % $$ %%"',
    '"${"}"} ${upper("${a}")}"',
    '"%{ if a }x%{ else }y%{ endif }"',
    "a # }\n",
    "/* { */ a // (\n && b",
    'upper(<<EOT\nit\'s a "heredoc" }\nEOT\n)',
    "[<<A\nx\nA\n, <<-B\n  ${y}\n  B\n]",
    "{\n a = 1\n b : 2, (c) = 3\n}",
    "provider::aws::arn_parse(a).region",
    "local.é-1",
    "a ? b : c ? d : e",
]
INVALID = [
    "",
    "1 +",
    "a b",
    "a) + (b",
    "a\n)\ny = (b",
    "f(a,,b)",
    "[for x in y x]",
    '"a',
    '"a\nb"',
    '"${}"',
    "{ a = 1 b = 2 }",
    "0x10",
    "a..b",
    "<<EOT\nx",
    '"\\q"',
    "'a'",
]


@pytest.mark.parametrize("source", VALID)
def test_accepts(source: str) -> None:
    assert is_valid(source)


@pytest.mark.parametrize("source", INVALID)
def test_refuses(source: str) -> None:
    assert not is_valid(source)


# As cdktf writes it, with a space after the bracket.
ITERATOR = "[ for key, val in var.subnets: merge(val, { cidr = val.cidr_block, zone = key, name = key }, var.others) ]"


def test_breaks_an_iterator_of_cdktf_into_lines() -> None:
    assert with_line_breaks(f"toset({ITERATOR})", "", 60) == (
        "toset([\n"
        "  for key, val in var.subnets : merge(val, { cidr = val.cidr_block, zone = key, name = key }, var.others)\n"
        "])"
    )


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        (
            'f({"a" = [{"b-c":1, "d" = "x"}], "e" = {"for"=1}})',
            'f({ a = [{ "b-c" = 1, "d" = "x" }], e = { "for" = 1 } })',
        ),
        ('{"é"=1, "ü" = {"q"=1}["q"]}', '{ "é" = 1, "ü" = { q = 1 }["q"] }'),
        ("{a=1,b:2}", "{ a = 1,b = 2 }"),
        ('{(a)=1, "b"=2}', '{ (a) = 1, "b" = 2 }'),
        ('{"${a}"=1}', '{ "${a}" = 1 }'),
        ('{"a.b"=1}', '{ "a.b" = 1 }'),
        ("{true=1}", "{ true = 1 }"),
        ('{/* c */ "a" /* d */ = 1,}', "{/* c */ a /* d */ = 1,}"),
        ('{\n"a"=1\nb=2\n}', "{\na = 1\nb = 2\n}"),
        ('{for k, v in x : k => {"v"=v}}', "{for k, v in x : k => { v = v }}"),
        ('"${ {"a"=1}["a"] }"', '"${ { a = 1 }["a"] }"'),
        ("{}", "{}"),
    ],
)
def test_keys_of_objects_are_names_where_all_can_be(source: str, plain: str) -> None:
    assert with_plain_objects(source) == plain
    assert with_plain_objects(plain) == plain


def test_an_operand_in_parentheses_stays_whole_or_is_broken_in_them() -> None:
    operands = [it.text for it in parsed('a && (b || c) && !(d)["e"]').operands]
    assert operands == ["a && (b || c)", "&&", '!(d)["e"]']
    assert with_line_breaks(f"{'a' * 60} && ({'b' * 60} || c)", "", 80) == (
        f"(\n  {'a' * 60}\n  && ({'b' * 60} || c)\n)"
    )
    assert with_line_breaks(f"{'a' * 60} && ({'b' * 60} || {'c' * 60})", "", 80) == (
        f"(\n  {'a' * 60}\n  && (\n    {'b' * 60}\n    || {'c' * 60}\n  )\n)"
    )


def _tokens(source: str) -> list[str]:
    """The leaves of the tree without what a new layout may change: brackets around it, commas, quotes around keys."""

    def leaves(syntax: Syntax) -> list[str]:
        match syntax.kind, syntax.children:
            case (("string_lit" | "comment"), _):
                return [syntax.text]
            case "object_elem", [key, *rest]:
                name = key.text[1:-1] if key.core.kind == "string_lit" else key.text
                return [name, *(it for child in rest for it in leaves(child))]
        return [it for child in syntax.children for it in leaves(child)] or [syntax.text]

    found = [it for it in leaves(parsed(source)) if it not in ("(", ")", ",", "\n")]
    return ["=" if it == ":" else it for it in found]


def test_a_long_text_in_an_expression_is_not_parsed_again_for_each_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a megabyte takes seconds to parse."""
    manifest = "# an optional entry for each node\\n" * 200
    asked: list[str] = []

    def noted(source: str) -> Syntax:
        asked.append(source)
        return parsed(source)

    monkeypatch.setattr(scopes, "parsed", noted)
    document = {"output": {"manifest": {"value": f'${{yamldecode("{manifest}")}}'}}}
    files = convert(document, name="web", schemas=shipped()).files
    assert manifest in files["outputs.tf"]
    assert len(asked) <= 1


@pytest.mark.slow
def test_line_breaks_change_no_token() -> None:
    broken = 0
    for seed in range(400):
        source = Expressions(seed).any(depth=5)
        assert is_valid(source), source
        result = with_line_breaks(source, "", 40)
        assert _tokens(result) == _tokens(source)
        broken += result.count("\n") > source.count("\n")
    assert broken > 100
