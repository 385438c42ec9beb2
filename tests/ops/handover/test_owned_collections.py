"""Where each member of a local value has some members of a collection, everything that lists these is a loop."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ops.handover import Converted, convert, shipped
from tests.ops.handover.cases.owners import if_true, keys_of, mirror, spaces, two_spaces, unless_null, with_keys

_ARNS = (
    'resources = [for mirror in each.value.mirrors : "arn:aws:codecommit:eu-central-1:111111111111:${mirror.target}"]'
)
_KEYS = "resources = compact([for mirror in each.value.mirrors : mirror.key_arn])"
_KEY = "arn:aws:kms:eu-central-1:111111111111:key/"


def converted(document: Mapping[str, Any]) -> Converted:
    return convert(document, name="bridge", schemas=shipped())


def text(document: Mapping[str, Any]) -> str:
    """The HCL with every white space as one blank."""
    found = " ".join("\n".join(converted(document).files.values()).split())
    return found.replace("[ ", "[").replace(" ]", "]")


def test_every_list_is_a_loop_over_the_members_of_each_owner() -> None:
    found = text(spaces())
    assert _ARNS in found
    assert "arns =" not in found
    assert (
        "hooks = { for hook, spaces in transpose({ for name, space in local.spaces : name => distinct(concat( "
        'keys(space.mirrors), [for mirror in space.mirrors : "${name}.${mirror.project}"], )) }) '
        ": hook => one(spaces) }"
    ) in found
    assert (
        "value = merge([for name, space in local.spaces : { "
        "for mirror in keys(space.mirrors) : mirror => terraform_data.build[name].id }]...)"
    ) in found
    assert 'value = { for hook in keys(local.hooks) : hook => "https://example.com/${hook}" }' in found
    assert 'value = { for hook, space in local.hooks : hook => "${hook} of ${space}" }' in found


def test_texts_have_a_loop_over_the_names_with_their_owners_where_they_need_these() -> None:
    files = converted(spaces()).files
    assert files["input/table.txt.tftpl"] == ("%{ for hook, space in hooks ~}\n${hook}: build-${space}\n%{ endfor ~}\n")
    assert files["input/names.txt.tftpl"] == "%{ for hook in hooks ~}\n${hook}: known\n%{ endfor ~}\n"
    found = text(spaces())
    assert 'table.txt.tftpl", { hooks = local.hooks })' in found
    assert 'names.txt.tftpl", { hooks = keys(local.hooks) })' in found


def test_the_readme_names_the_local_value_of_the_owners_alone() -> None:
    (place,) = converted(spaces()).edit_places
    assert (place.within, place.name, place.what) == ("mirrors", "local.spaces", "mirrors")
    assert (place.also, place.some) == ([], ())


@pytest.mark.parametrize("document", [if_true(), unless_null()])
def test_what_only_owners_of_members_with_keys_have_follows_the_members(document: dict[str, Any]) -> None:
    found = text(document)
    assert _KEYS in found
    assert "for_each = anytrue([for mirror in each.value.mirrors : mirror.key_arn != null]) ? [1] : []" in found
    assert "has_keys" not in found
    assert " keys = " not in found


def test_keys_that_every_owner_has_are_listed_from_the_members() -> None:
    found = text(with_keys())
    assert _KEYS in found
    assert "anytrue" not in found


def test_a_key_with_a_local_value_of_its_own_is_the_same_key() -> None:
    key = "1234abcd-12ab-34cd-86ef-1234567890ab"
    document = spaces(
        {it: {f"{it}-{number}": mirror(f"{it}-{number}", key=key) for number in range(2)} for it in ("blue", "red")},
        more={it: {"key": key} for it in ("blue", "red")},
        statements=[keys_of(resources=[f"{_KEY}${{each.value.key}}"])],
    )
    found = text(document)
    assert f'kms_key_arn = "{_KEY}{key}"' in found
    assert _KEYS in found


def _with_statements(*statements: dict[str, Any]) -> dict[str, Any]:
    document = with_keys()
    policy = document["data"]["aws_iam_policy_document"]["it"]
    policy["statement"] = [policy["statement"][0], *statements]
    return document


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(keys_of(resources=[f"{_KEY}9"]), id="it is no member's key"),
        pytest.param(keys_of(resources=[]), id="it is empty"),
        pytest.param(keys_of(resources="${each.value.keys}", not_resources="${each.value.keys}"), id="there are two"),
    ],
)
def test_keys_stay_where_it_is_not_known_whose_they_are(statement: dict[str, Any]) -> None:
    found = text(_with_statements(statement))
    assert "compact(" not in found
    assert _ARNS in found


@pytest.mark.parametrize(
    "resources",
    [["${each.value.keys[0]}"], "${concat(each.value.keys, [])}", ["%{ if true }x%{ endif }"], ["${each.value.keys}"]],
)
def test_keys_stay_where_another_set_may_be_the_same(resources: object) -> None:
    one = keys_of(resources="${each.value.keys}")
    assert _KEYS in text(_with_statements(one, keys_of(resources=["${terraform_data.build[each.key].id}"])))
    assert "compact(" not in text(_with_statements(one, keys_of(resources=resources)))


def test_keys_stay_where_a_set_has_something_else_that_is_not_known() -> None:
    one_each = {it: {it: mirror(it, key=it)} for it in ("blue", "red")}
    known = f"{_KEY}${{each.key}}"
    assert _KEYS in text(spaces(one_each, statements=[keys_of(resources=[known])]))
    assert "compact(" not in text(spaces(one_each, statements=[keys_of(resources=[known, "${each.value.arns[0]}"])]))


def test_a_statement_that_has_no_keys_stays() -> None:
    document = if_true()
    document["locals"]["spaces"]["red"]["has_keys"] = True
    found = text(document)
    assert "for_each = each.value.has_keys ? [1] : []" in found
    assert "compact(" not in found


def test_a_key_that_stands_in_the_statement_itself_is_that_of_owners_with_the_statement() -> None:
    document = if_true()
    content = document["data"]["aws_iam_policy_document"]["it"]["dynamic"]["statement"]["content"]
    content["resources"] = [f"{_KEY}1", f"{_KEY}2"]
    assert _KEYS in text(document)


def test_keys_stay_where_an_owner_of_members_with_keys_does_not_have_them() -> None:
    document = unless_null()
    document["locals"]["spaces"]["red"]["mirrors"]["red"]["key_arn"] = f"{_KEY}3"
    found = text(document)
    assert "compact(" not in found
    assert "for_each = each.value.keys == null ? [] : [1]" in found


def test_keys_stay_where_a_condition_is_not_known() -> None:
    document = unless_null()
    dynamic = document["data"]["aws_iam_policy_document"]["it"]["dynamic"]["statement"]
    dynamic["for_each"] = "${each.value.keys != null ? [1, 2] : []}"
    assert "compact(" not in text(document)


def test_sets_stay_in_a_block_within_a_condition_that_is_not_known() -> None:
    document = if_true()
    dynamic = document["data"]["aws_iam_policy_document"]["it"]["dynamic"]["statement"]
    dynamic["for_each"] = "${range(each.value.has_keys ? 1 : 0)}"
    condition = {"test": "ArnEquals", "variable": "a:b", "values": "${each.value.arns}"}
    for_each = "${each.value.has_keys ? [1] : []}"
    dynamic["content"]["dynamic"] = {"condition": {"for_each": for_each, "content": condition}}
    found = text(document)
    assert _ARNS in found
    assert "values = each.value.arns" in found


def test_sets_of_other_blocks_stay() -> None:
    one = {"blue": {"site": mirror("website")}}
    statement = {
        "actions": ["codecommit:GitPush"],
        "resources": ["arn:aws:codecommit:eu-central-1:111111111111:website"],
    }
    document = spaces(one)
    document["data"]["aws_iam_policy_document"]["other"] = {"statement": [statement]}
    found = text(document)
    assert _ARNS in found
    assert found.count("each.value.mirrors") == 1


def test_arns_stay_where_an_owner_has_others() -> None:
    document = spaces()
    document["locals"]["spaces"]["red"]["arns"].append("arn:aws:codecommit:eu-central-1:111111111111:other")
    assert "resources = each.value.arns" in text(document)


@pytest.mark.parametrize(
    "values",
    [
        {"output": {"it": {"value": "${jsonencode(local.spaces)}"}}},
        {"resource": {"terraform_data": {"it": {"for_each": "${local.spaces}", "input": "${jsonencode(each.value)}"}}}},
    ],
)
def test_an_entry_that_is_needed_as_a_whole_keeps_all_of_it(values: dict[str, Any]) -> None:
    found = text(spaces(**values))
    assert _ARNS in found
    assert found.count("arns = [") == 2


def test_an_entry_of_others_may_be_needed_as_a_whole() -> None:
    others = {"other": {"for_each": {"a": "b"}, "input": "${jsonencode(each.value)}"}}
    document = spaces()
    document["resource"]["terraform_data"] |= others
    assert "arns =" not in text(document)


def test_an_attribute_stays_that_something_needs_or_nothing_ever_needed() -> None:
    document = spaces(more={it: {"note": it, "label": it} for it in ("blue", "red")})
    document["resource"]["terraform_data"]["build"]["input"] = "${each.value.label}"
    found = text(document)
    assert "note =" in found
    assert "label =" in found


def test_a_collection_without_owners_may_stand_beside_one_with_owners() -> None:
    document = spaces()
    rooms = {"attic": {"target": "top"}, "cellar": {"target": "bottom"}}
    document["//"]["collections"]["rooms"] = {"arns": {}, "lists": {}}
    unit = json.dumps({"rooms": rooms}, separators=(",", ":"), sort_keys=True)
    document["resource"]["aws_s3_object"] = {"unit": {"bucket": "b", "key": "k", "content": unit}}
    document["output"]["rooms"] = {"value": rooms}
    found = text(document)
    assert "value = local.rooms" in found
    assert found.count(" spaces = {") == 1
    assert _ARNS in found


def test_sets_stay_where_each_is_another_name() -> None:
    document = spaces()
    document["data"]["aws_iam_policy_document"]["it"]["policy_id"] = '${[for each in ["it"] : each][0]}'
    assert "resources = each.value.arns" in text(document)


def _mirrors(space: str, key: str, **values: Any) -> dict[str, Any]:
    found = two_spaces()
    return {**found, space: {**found[space], key: {**mirror("new"), **values}}}


def _without_lists(document: dict[str, Any]) -> dict[str, Any]:
    document["//"]["collections"]["mirrors"]["lists"] = {}
    return document


def _with_local(name: str) -> dict[str, Any]:
    document = spaces()
    return {**document, "locals": {**document["locals"], name: 1}}


_LISTED = {"blue.WEB": "blue", "docs": "blue"}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({**spaces(), "//": {}}, id="the stack does not say so"),
        pytest.param(spaces({**two_spaces(), "green": {}}), id="an owner has no members"),
        pytest.param(spaces(_mirrors("red", "docs")), id="two owners have the same member"),
        pytest.param(spaces(_mirrors("red", "new", more="x")), id="a member has more"),
        pytest.param(spaces(_mirrors("red", "new", project="${path.module}")), id="a member is not constant"),
        pytest.param(spaces(_mirrors("red", "new", project=1), hooks=_LISTED), id="a name is a number"),
        pytest.param(spaces(_mirrors("red", "blue.WEB")), id="two owners have the same name"),
        pytest.param(spaces(_mirrors("red", "new", target="${path.module}")), id="a target is not constant"),
        pytest.param(spaces(_mirrors("red", "new", project="架")), id="Terraform may order the names otherwise"),
        pytest.param(_without_lists(spaces(_mirrors("red", "docs"))), id="there are no lists either"),
        pytest.param(spaces(_mirrors("red", "架")), id="Terraform may order the keys otherwise"),
        pytest.param(_with_local("hooks"), id="the name of a list is taken"),
        pytest.param(_with_local("mirrors"), id="the name of the members is taken"),
    ],
)
def test_lists_stay_where_the_members_of_each_owner_are_not_known(document: dict[str, Any]) -> None:
    found = text(document)
    assert "for mirror" not in found
    assert "for hook" not in found


def test_lists_stay_where_two_local_values_have_members_of_the_collection() -> None:
    document = spaces()
    document["locals"]["units"] = {"a": {"mirrors": {"site": mirror("website")}}}
    assert "for mirror" not in text(document)


def test_lists_stay_where_the_owners_are_called_like_something_of_terraforms() -> None:
    document = json.loads(json.dumps(spaces()).replace("local.spaces", "local.data"))
    document["locals"]["data"] = document["locals"].pop("spaces")
    found = text(document)
    assert "for_each = local.data" in found
    assert "for mirror" not in found


def test_an_owner_that_is_no_object_has_no_members() -> None:
    document = spaces()
    document["locals"]["spaces"]["green"] = "x"
    del document["output"]
    assert "for mirror" not in text(document)


@pytest.mark.parametrize(
    ("builds", "is_loop"),
    [
        ({"site": "a", "jobs": "a", "docs": "a", "red": "a"}, True),
        ({"site": "blue", "jobs": "blue", "docs": "blue", "red": "red"}, True),
        ({"site": "of blue", "jobs": "of blue", "docs": "of blue", "red": "of"}, False),
        ({"site": "a", "jobs": "a", "docs": "a"}, False),
        ({"site": "${[for name in [1] : name]}", "jobs": "a", "docs": "a", "red": "a"}, False),
        (dict.fromkeys(["site", "jobs", "docs", "red"], "${[for mirror in [1] : mirror]}"), False),
        (dict.fromkeys(["site", "jobs", "docs", "red"], "${[for space in [1] : space]}"), False),
        (dict.fromkeys(["site", "jobs", "docs", "red"], "${[\n1]}"), False),
    ],
)
def test_an_output_is_a_loop_if_its_values_differ_in_the_keys_alone(builds: dict[str, Any], is_loop: bool) -> None:
    found = text(spaces(output={"builds": {"value": builds}}))
    assert ("for mirror in keys(space.mirrors)" in found) is is_loop


def test_other_maps_stay() -> None:
    by_mirror = {"site": "blue", "jobs": "blue", "docs": "blue", "red": "red"}
    document = spaces(output={"urls": {"value": {"site": "https://example.com/site"}}})
    document["resource"]["terraform_data"]["map"] = {"input": by_mirror}
    found = text(document)
    assert "for mirror in keys(" not in found
    assert "for hook" not in found


def test_a_list_that_no_output_needs_is_not_written() -> None:
    document = spaces(output={})
    found = text(document)
    assert _ARNS in found
    assert "hook" not in found
    assert found.count("locals {") == 1


def test_names_with_signs_of_the_language_are_not_computed() -> None:
    names = {
        'blue"WEB': "blue",
        'blue"OPS': "blue",
        'red"WEB': "red",
        **dict.fromkeys(["site", "jobs", "docs"], "blue"),
    }
    document = spaces(hooks=dict(sorted({**names, "red": "red"}.items())))
    document["//"]["collections"]["mirrors"]["lists"]["hooks"]["project"] = '{key}"'
    assert "for hook" not in text(document)


@pytest.mark.parametrize(
    "said",
    [
        {"arns": {}, "lists": {"hooks": {"project": '{key}${file("x")}'}}},
        {"arns": {}, "lists": {"hooks": {'file("x")': "{key}."}}},
    ],
)
def test_metadata_writes_no_code(said: dict[str, Any]) -> None:
    found = text(spaces() | {"//": {"collections": {"mirrors": said}}})
    assert "file(" not in found
    assert "for hook" not in found
