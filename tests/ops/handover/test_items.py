"""Resources for each item of a list iterate over a variable, to which somebody can add an item."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import Converted, convert, shipped
from ops.handover.given import Given
from ops.handover.inputs import with_inputs
from tests.ops.handover.by_plan import plans
from tests.ops.handover.cases.similar import stack
from tests.ops.handover.evaluation import with_old_addresses

Document = dict[str, Any]

EMAILS = {"variable": "alert_emails", "description": "Who is told.", "item": True}
SUBNETS = {"variable": "subnet_ids", "description": "Where builds run.", "item": True}


def marked(document: Document, argument: str, mark: Mapping[str, Any], type_: str) -> Document:
    """The document with a mark on an argument of every resource of a type."""
    for resource in document["resource"].get(type_, {}).values():
        resource["//"]["inputs"] = {argument: dict(mark)}
    return document


def subscriptions(*emails: str, **more: Mapping[str, Any]) -> Document:
    members = [
        (
            "aws_sns_topic_subscription",
            f"alerts/subscriptions/{it}",
            {
                "topic_arn": "arn:aws:sns:eu-central-1:123456789012:t",
                "protocol": "email",
                "endpoint": it,
                **more.get(it[0], {}),
            },
        )
        for it in emails
    ]
    return marked(stack("resource", members), "endpoint", EMAILS, "aws_sns_topic_subscription")


def caches(mirrors: Iterable[str], subnets: Sequence[str], *, builds: bool = False, parent: str = "caches") -> Document:
    """A file system for each mirror, with a mount target in each subnet."""
    members: list[tuple[str, str, Document]] = []
    for mirror in mirrors:
        system = {"tags": {"Name": mirror}}
        members.append(("aws_efs_file_system", f"{parent}/{mirror}/file_system", system))
        members += [
            (
                "aws_efs_mount_target",
                f"{parent}/{mirror}/mount_target_{subnet.replace('-', '_')}",
                {"file_system_id": f"${{aws_efs_file_system.{parent}_{mirror}_file_system.id}}", "subnet_id": subnet},
            )
            for subnet in subnets
        ]
    document = marked(stack("resource", members), "subnet_id", SUBNETS, "aws_efs_mount_target")
    if builds:
        lists = {key: it for key, it in SUBNETS.items() if key != "item"}
        group = {"name": "g", "subnet_ids": [*subnets], "//": {"inputs": {"subnet_ids": lists}}}
        document["resource"]["aws_elasticache_subnet_group"] = {"builds": group}
    return document


def converted(*documents: Document) -> Converted:
    """The last of the documents, which were handed over in this order."""
    given = Given()
    for document in documents:
        found = convert(document, name="web", schemas=shipped(), given=given)
        given = found.given
    return found


@pytest.mark.parametrize("emails", [("a@example.com",), ("b@example.com", "a@example.com")])
def test_one_block_iterates_over_the_variable_however_many_items_it_has(emails: tuple[str, ...]) -> None:
    files = converted(subscriptions(*emails)).files
    assert files["sns.tf"] == (
        'resource "aws_sns_topic_subscription" "alerts" {\n'
        "  for_each = toset(var.alert_emails)\n\n"
        '  topic_arn = "arn:aws:sns:eu-central-1:123456789012:t"\n'
        '  protocol = "email"\n'
        "  endpoint = each.key\n"
        "}\n"
    )
    listed = ", ".join(f'"{it}"' for it in emails)
    assert files["terraform.tfvars"] == f"alert_emails = [{listed}]\n"
    assert "type = list(string)" in files["variables.tf"]


def test_resources_for_each_pair_are_one_block() -> None:
    files = converted(caches(["app", "web"], ["subnet-1", "subnet-2"])).files
    assert 'resource "aws_efs_mount_target" "caches" {\n  for_each = {\n    for pair in setproduct(' in files["efs.tf"]
    assert 'var.subnet_ids) : "${pair[0]}/${pair[1]}" => {\n' in files["efs.tf"]
    assert "  subnet_id = each.value.subnet_id\n" in files["efs.tf"]
    assert "subnet_1" not in "".join(text for path, text in files.items() if path != "moved.tf")


def test_one_that_stood_alone_is_moved_into_the_block() -> None:
    """Handovers before there was a variable gave a single address a name of its own."""
    before = subscriptions("a@example.com")
    old = next(iter(before["resource"]["aws_sns_topic_subscription"]))
    before["resource"]["aws_sns_topic_subscription"][old]["//"].pop("inputs")
    moved = converted(before, subscriptions("a@example.com")).files["moved.tf"]
    assert 'to = aws_sns_topic_subscription.alerts["a@example.com"]' in moved


def test_a_list_that_grows_and_shrinks_keeps_its_block() -> None:
    one, two = subscriptions("a@example.com"), subscriptions("a@example.com", "b@example.com")
    for documents in ((one, two), (two, one), (two, one, two)):
        assert "for_each = toset(var.alert_emails)" in converted(*documents).files["sns.tf"]
    added = converted(caches(["app", "web"], ["subnet-1"]), caches(["app", "web", "x"], ["subnet-1", "subnet-2"]))
    assert 'to = aws_efs_mount_target.caches["x/subnet-2"]' in added.files["moved.tf"]
    assert added.files["efs.tf"].count('resource "aws_efs_mount_target"') == 1


@pytest.mark.parametrize(
    ("parent", "key"), [("mirrors", "mirror"), ("fors", "key"), ("ins", "key"), ("ifs", "key"), ("s", "key")]
)
def test_the_other_key_of_a_pair_has_a_name_that_is_no_word_of_the_language(parent: str, key: str) -> None:
    document = caches(["app", "web"], ["subnet-1", "subnet-2"], parent=parent)
    members: list[tuple[str, str, Document]] = [
        ("aws_sqs_queue", f"{parent}/{it}/queue", {"name": it}) for it in ("app", "web")
    ]
    document["resource"] |= stack("resource", members)["resource"]
    written = " ".join(converted(document).files["efs.tf"].split())
    assert f"=> {{ {key} = pair[0] subnet_id = pair[1] }}" in written
    assert f"aws_efs_file_system.{parent}[each.value.{key}].id" in written


def test_pairs_that_an_earlier_handover_wrote_as_blocks_by_key_are_moved_into_one() -> None:
    before = caches(["app", "web"], ["subnet-1", "subnet-2"], builds=True)
    for resource in before["resource"]["aws_efs_mount_target"].values():
        resource["//"].pop("inputs")
    old = converted(before).addresses.values()
    after = converted(before, caches(["app", "web"], ["subnet-1", "subnet-2"], builds=True))
    assert 'aws_efs_mount_target.caches_subnet_1["app"]' in old
    assert {it for it in after.addresses.values() if "mount" in it} == {
        f'aws_efs_mount_target.caches["{mirror}/subnet-{number}"]' for mirror in ("app", "web") for number in (1, 2)
    }
    assert (
        '  from = aws_efs_mount_target.caches_subnet_1["app"]\n  to = aws_efs_mount_target.caches["app/subnet-1"]\n'
    ) in after.files["moved.tf"]


def test_an_item_that_cannot_be_merged_follows_a_variable_that_is_needed_anyway() -> None:
    document = caches(["app", "web"], ["subnet-1", "subnet-2"], builds=True)
    one = document["resource"]["aws_efs_mount_target"]["caches_app_mount_target_subnet_2"]
    one["lifecycle"] = {"prevent_destroy": True}
    assert "  subnet_id = var.subnet_ids[1]\n" in converted(document).files["efs.tf"]


@pytest.mark.parametrize("arguments", [{"protocol": "sms"}, {"lifecycle": {"prevent_destroy": True}}])
def test_there_is_no_variable_where_an_item_needs_more_than_its_entry(arguments: Document) -> None:
    found = converted(subscriptions("a@example.com", "b@example.com", a=arguments))
    assert "var." not in found.files["sns.tf"]
    assert found.files.keys() == {"sns.tf"} | found.files.keys() & {"moved.tf", "locals.tf"}
    assert found.left_out == {"alert_emails"}


def test_there_is_no_variable_if_another_resource_would_not_follow_it() -> None:
    document = subscriptions("a@example.com", "b@example.com")
    other = {"name": "b@example.com", "//": {"inputs": {"name": dict(EMAILS)}}}
    document["resource"]["aws_sns_topic"] = {"other": other}
    for documents in ((document,), (subscriptions("a@example.com", "b@example.com"), document)):
        found = converted(*documents)
        assert "var." not in found.files["sns.tf"]
        assert "variables.tf" not in found.files


def test_there_is_no_variable_if_another_text_names_the_item() -> None:
    text = {"filter_policy": "only a@example.com"}
    assert "var." not in converted(subscriptions("a@example.com", a=text)).files["sns.tf"]


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (
            {
                **caches(["app"], ["subnet-1"]),
                "data": {"aws_vpc": {"it": {"id": "v", "//": {"inputs": {"id": EMAILS}}}}},
            },
            "data.aws_vpc.it.id: 'v' is no item",
        ),
        (
            {
                "resource": {
                    "aws_sns_topic": {
                        "one": {"name": "a", "//": {"inputs": {"name": {"variable": "names", "item": True}}}},
                        "two": {"tags": {"a": "b"}, "//": {"inputs": {"tags": "names"}}},
                    }
                }
            },
            "resource.aws_sns_topic.one.name: the items of var.names are others elsewhere",
        ),
    ],
)
def test_refuses_items_that_are_none(document: Document, what: str) -> None:
    with pytest.raises(RefusedError) as refused:
        with_inputs(document, name="web")
    assert f"error: web: {what}\n" in str(refused.value)


@pytest.mark.terraform
def test_plans_of_resources_for_each_item_are_equal(tmp_path: Path) -> None:
    documents = {
        "one": subscriptions("a@example.com"),
        "two": subscriptions("b@example.com", "a@example.com"),
        "different": subscriptions("a@example.com", "b@example.com", a={"protocol": "sms"}),
        "pairs": caches(["app", "web"], ["subnet-1", "subnet-2"]),
        "one_other": caches(["app"], ["subnet-1", "subnet-2"]),
        "one_item": caches(["app", "web"], ["subnet-1"]),
        "beside_the_list": caches(["app", "web"], ["subnet-2", "subnet-1"], builds=True),
    }
    from_json, from_hcl = plans(documents, tmp_path)
    for name, document in documents.items():
        moved = convert(document, name=name, schemas=shipped()).moved
        assert moved
        assert with_old_addresses(from_hcl[name], name, moved) == with_old_addresses(from_json[name], name, {})
