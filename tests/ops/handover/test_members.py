"""What lists the members of a collection becomes a loop over the local value that has them, and nothing else does."""

import re

import pytest

from ops.handover import convert, shipped
from tests.ops.handover.cases.members import members


def text(case: str) -> str:
    """The files of a case with every white space as one blank, and without those inside of brackets."""
    whole = "\n".join(convert(members()[case], name="web", schemas=shipped()).files.values())
    return re.sub(r",? (?=[)\]])|(?<=[(\[]) ", "", " ".join(whole.split()))


_ARN = "arn:aws:codecommit:eu-central-1:111111111111:"
_LOOP = f'[for repository in keys(local.repositories) : "{_ARN}${{repository}}"'


def test_a_set_of_all_members_is_a_loop() -> None:
    assert f"resources = {_LOOP}]" in text("all_listed")
    assert f'resources = concat(["{_ARN}website"], {_LOOP}])' in text("all_listed_beside_others")


def test_a_wildcard_stands_for_the_members_that_it_includes() -> None:
    assert f'["{_ARN}infra*"]' in text("listed_beside_a_wildcard")
    assert f'{_LOOP} if !startswith(repository, "infra")]' in text("listed_beside_a_wildcard")


def test_a_set_of_the_members_without_an_argument_is_a_loop_where_the_block_says_so() -> None:
    loop = f'[for name, repository in local.repositories : "{_ARN}${{name}}" if repository.tags == null'
    assert f"resources = {loop}]" in text("without_tags")
    assert f'{loop} && !startswith(name, "app")]' in text("without_tags_beside_a_wildcard")


def test_a_key_of_an_argument_decides_whatever_other_keys_there_are() -> None:
    loop = f'[for name, repository in local.repositories : "{_ARN}${{name}}" if !can(repository.tags["by"])]'
    assert f"resources = {loop}" in text("without_a_tag")


@pytest.mark.parametrize(
    "case",
    [
        "without_a_tag_that_none_has",
        "listed_twice",
        "some_listed",
        "a_wildcard_for_others",
        "not_all_without_tags",
        "one_with_tags",
        "without_another_argument",
        "a_wildcard_for_one_with_tags",
    ],
)
def test_a_set_of_some_members_stays(case: str) -> None:
    assert " in local.repositories" not in text(case)
    assert "keys(local.repositories)" not in text(case)


def test_a_set_stays_where_the_loops_variable_would_hide_what_it_refers_to() -> None:
    assert 'resources = ["${aws_sns_topic.main.name}/app", "${aws_sns_topic.main.name}/web"]' in text(
        "named_like_a_type"
    )


def test_a_map_is_made_of_members_that_have_lists_of_texts_under_a_name() -> None:
    assert "other = { for name, room in local.rooms : name => coalesce(room.cidrs, [])" in text("own_map")


@pytest.mark.parametrize(
    "case", ["of_several_types", "with_a_key_that_is_no_name", "with_a_computed_key", "called_names", "with_null"]
)
def test_a_map_stays_where_a_loop_would_change_it(case: str) -> None:
    assert "coalesce" not in text(f"own_map_{case}")


def test_keys_that_begin_as_all_names_do_are_a_loop_too() -> None:
    found = text("keys_that_begin_as_names_do")
    assert 'name = "shop-web"' in found
    assert f'[for group in keys(local.groups) : "{_ARN}${{group}}"]' in found


def test_conditions_on_different_keys_are_dynamic_with_the_values_of_the_member() -> None:
    found = text("rooms")
    assert found.count('data "aws_iam_policy_document"') == 1
    for name in ("source_ip", "source_vpce"):
        assert f"for_each = each.value.{name} == null ? [] : [1]" in found
        assert f"values = each.value.{name}" in found
    assert found.count("vpce-0123456789abcdef0") == 1


@pytest.mark.parametrize(
    ("case", "decides"),
    [
        ("with_a_block_of_its_own", True),
        ("with_a_block_that_may_have_null", False),
        ("with_a_block_that_has_a_secret", False),
    ],
)
def test_a_value_tells_who_has_a_block_if_it_is_never_null_and_no_secret(case: str, decides: bool) -> None:
    """Terraform refuses a dynamic block that depends on a sensitive value."""
    found = text(case)
    assert ("for_each = each.value == null ? [] : [1]" in found) is decides
    assert ("for_each = each.value ? [1] : []" in found) is not decides


def test_a_value_that_one_of_those_with_a_block_lacks_does_not_tell_who_has_it() -> None:
    found = text("with_a_block_in_which_one_has_no_value")
    assert "for_each = each.value.health_check ? [1] : []" in found
    assert "path = each.value.path" in found


def test_a_value_whose_argument_says_what_it_is_is_not_named_after_the_block() -> None:
    assert "path = each.value.path" in text("with_a_block_that_each_has")


@pytest.mark.parametrize("case", ["rooms", "rooms_of_which_two_have_addresses", "rooms_that_all_have_addresses"])
def test_a_value_has_the_same_name_however_many_members_have_it(case: str) -> None:
    assert "values = each.value.source_ip " in text(case)
    assert "source_ip = var.night_cidrs" in text(case)


def test_rooms_are_kept_apart_by_one_block_and_one_list() -> None:
    found = text("rooms_kept_apart")
    assert found.count("precondition {") == 1
    assert "room != each.key" in found
    assert "local.room_cidrs[each.key]" in found
    assert "room_cidrs = { for name, room in local.rooms : name => coalesce(room.source_ip, []) }" in found


def test_a_list_with_other_values_stays() -> None:
    assert "coalesce" not in text("rooms_with_another_list")


def test_members_that_differ_in_nothing_are_a_set_that_all_lists_are_made_of() -> None:
    found = text("alike_and_listed")
    assert 'queues = toset(["app", "batch", "web"])' in found
    assert "for_each = local.queues" in found
    assert '[for queue in local.queues : "arn:aws:sqs:eu-central-1:111111111111:${queue}"]' in found
    assert "empty = { for queue in local.queues : queue => [] }" in found
    assert 'value = { for queue in local.queues : queue => "shop/${queue}" }' in found


def test_members_that_no_other_block_lists_stand_in_their_own() -> None:
    assert 'for_each = toset(["app", "batch", "web"])' in text("alike_and_some_listed")
