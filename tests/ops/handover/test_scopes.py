"""References are found by the syntax of expressions, and names that expressions bind are none."""

import pytest

from ops.handover import convert, shipped
from ops.handover.by_key import source_by_key
from ops.handover.hcl import Block, Expression, Template, Verbatim
from ops.handover.names import identifier
from ops.handover.references import NewAddresses, redirected
from ops.handover.scopes import bound_names, references
from terraform.templates import parts
from tests.ops.handover.cases.exact import data, exact

_NEW = NewAddresses(instances={"aws_x.old": 'aws_y.new["k"]', "data.aws_x.old": "data.aws_x.new"}, blocks={})


def readdressed(source: str) -> str:
    block = redirected(Block("it", arguments={"it": Verbatim(source)}), _NEW)
    expression = block.arguments["it"]
    assert isinstance(expression, Verbatim)
    return expression.source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("aws_x.old.id", 'aws_y.new["k"].id'),
        ("[é, aws_x . old.id, data.aws_x.old]", '[é, aws_y.new["k"].id, data.aws_x.new]'),
        ('"${aws_x.old["a"].id}"', '"${aws_y.new["k"]["a"].id}"'),
        ("local. aws_x.old", "local. aws_x.old"),
        ("module.a.aws_x.old", "module.a.aws_x.old"),
        ('"aws_x.old"', '"aws_x.old"'),
        ("aws_x.older", "aws_x.older"),
        ("[for aws_x in aws_x.old : aws_x.old]", '[for aws_x in aws_y.new["k"] : aws_x.old]'),
        (
            "f({for k, aws_x in b : k => aws_x.old}, aws_x.old)",
            'f({for k, aws_x in b : k => aws_x.old}, aws_y.new["k"])',
        ),
        (
            '"%{for aws_x in b}${aws_x.old}%{endfor}${aws_x.old}"',
            '"%{for aws_x in b}${aws_x.old}%{endfor}${aws_y.new["k"]}"',
        ),
    ],
)
def test_exchanges_addresses_only_where_they_are_references(source: str, expected: str) -> None:
    assert readdressed(source) == expected


def test_exchanges_no_address_within_a_directive_or_dynamic_block_that_binds_its_name() -> None:
    template: Expression = Template(
        tuple(parts("%{ for /* x */ aws_x in aws_x.old ~}${aws_x.old}%{ endfor }${aws_x.old}"))
    )
    expected = Template(
        tuple(parts('%{ for /* x */ aws_x in aws_y.new["k"] ~}${aws_x.old}%{ endfor }${aws_y.new["k"]}'))
    )
    assert redirected(Block("it", arguments={"it": template}), _NEW).arguments["it"] == expected
    content = Block("content", arguments={"it": Verbatim("aws_x.old")})
    block = Block("dynamic", ("a",), arguments={"iterator": Verbatim("aws_x")}, blocks=(content,))
    assert redirected(block, _NEW) == block


def test_finds_every_name_that_a_block_binds() -> None:
    arguments: dict[str, Expression] = {
        "a": Verbatim("[for b, c in d : e]"),
        "f": Template(tuple(parts("%{for g in h}${[for i in j : k]}%{endfor}"))),
    }
    inner = Block("dynamic", ("l",), arguments={"iterator": Verbatim("m")})
    assert bound_names(Block("it", arguments=arguments, blocks=(inner,))) == set("bcgim")
    assert bound_names(Block("dynamic", ("l",))) == {"l"}


def test_a_reference_ends_at_its_first_index() -> None:
    (found,) = references("data.aws_x.old[0].id")
    assert (found.names, found.address) == (("data", "aws_x", "old"), "data.aws_x.old")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (('a["x"]', 'a["y"]'), "a[each.key]"),
        (('f(["x"], a["x"])', 'f(["y"], a["y"])'), "f([each.key], a[each.key])"),
        (('"${a["x"]}"', '"${a["y"]}"'), '"${a[each.key]}"'),
        (('<<EOT\n["x"]\nEOT\n', '<<EOT\n["y"]\nEOT\n'), None),
        (('"[\\"x\\"]"', '"[\\"y\\"]"'), None),
    ],
)
def test_only_an_index_or_a_list_takes_the_key(texts: tuple[str, str], expected: str | None) -> None:
    assert source_by_key(texts, {"each.key": ("x", "y")}) == expected


def test_merges_no_members_that_bind_the_names_of_new_references() -> None:
    for case, document in exact().items():
        if "binds_each" in case or "binds_local" in case or case == "iterator_named_each":
            written = "".join(convert(document, name="web", schemas=shipped()).files.values())
            assert '"items_alpha_it" {' in written, case


def test_a_data_source_in_a_check_keeps_its_name_to_itself() -> None:
    metadata = {"//": {"metadata": {"path": "web/x", "uniqueId": "x_ABCDEF12"}}}
    inner = {"data": {"aws_region": {"x": {}}}, "assert": {"condition": "${true}", "error_message": "m"}}
    document = {"data": {"aws_region": {"x_ABCDEF12": metadata}}, "check": {"c": inner}}
    converted = convert(document, name="web", schemas=shipped())
    assert 'data "aws_region" "x_ABCDEF12"' in "".join(converted.files.values())


@pytest.mark.parametrize(
    ("words", "expected"),
    [("2024 budget", "value_2024_budget"), ("m²", "m"), ("true", "value_true"), ("", "value"), ("a-b_c", "a_b_c")],
)
def test_makes_identifiers(words: str, expected: str) -> None:
    assert identifier(words) == expected


def test_members_that_begin_to_bind_a_name_leave_the_block_that_they_were_in() -> None:
    before = convert(data(lambda key: key), name="web", schemas=shipped())
    after = convert(exact()["for_that_binds_each"], name="web", schemas=shipped(), given=before.given)
    assert before.addresses["terraform_data.items_alpha_it"] == 'terraform_data.items_it["alpha"]'
    assert after.addresses["terraform_data.items_alpha_it"] == "terraform_data.items_alpha_it"
    assert 'from = terraform_data.items_it["alpha"]' in after.files["moved.tf"]
