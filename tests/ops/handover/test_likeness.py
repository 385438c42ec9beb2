"""Similar resources of any type become one block; unlike ones stay apart, and plans stay equal."""

import re
from typing import Any

import pytest

from ops.handover import convert, shipped
from ops.handover.edit_places import EditPlace
from tests.ops.handover.by_plan import plans
from tests.ops.handover.cases.by_key import by_key
from tests.ops.handover.cases.captures import captures
from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.exact import exact
from tests.ops.handover.cases.members import members
from tests.ops.handover.cases.similar import each, similar, stack
from tests.ops.handover.evaluation import with_old_addresses

SIMILAR = similar() | exact() | by_key() | captures() | {f"members_{name}": it for name, it in members().items()}


def files(document: Document) -> dict[str, str]:
    return dict(convert(document, name="web", schemas=shipped()).files)


def blocks(document: Document) -> set[str]:
    """The resources and data sources in the HCL; those with `for_each` end in `[]`."""
    text = "\n".join(files(document).values())
    found = re.findall(r'^(?:resource|data) "(\w+)" "([\w-]+)" \{\n(?:  #.*\n|\n)*( *for_each)?', text, re.MULTILINE)
    return {f"{kind}.{name}{'[]' if repeated else ''}" for kind, name, repeated in found}


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    return plans(SIMILAR, tmp_path_factory.mktemp("similar"))


@pytest.mark.terraform
@pytest.mark.parametrize("case", SIMILAR)
def test_plans_of_similar_resources_are_equal(case: str, planned: tuple[dict[str, Any], dict[str, Any]]) -> None:
    from_json, from_hcl = planned
    addresses = convert(SIMILAR[case], name=case, schemas=shipped()).addresses
    one = with_old_addresses(from_json[case], case, {})
    assert any(one.values())
    assert with_old_addresses(from_hcl[case], case, addresses) == one


@pytest.mark.slow
def test_random_stacks_have_groups_and_others() -> None:
    found = [blocks(document) for name, document in SIMILAR.items() if name.startswith("random")]
    assert sum(any(it.endswith("[]") for it in one) for one in found) > 20
    assert sum(any(not it.endswith("[]") for it in one) for one in found) > 10


@pytest.mark.parametrize("case", ["texts_of_some", "different_texts_of_some", "a_text_of_one"])
def test_writes_a_text_of_some_members_by_key_as_that_of_all(case: str) -> None:
    whole = "\n".join(files(SIMILAR[case]).values())
    parameter = '"arn:aws:ssm:eu-central-1:111111111111:parameter/backlog/${each.value.backlog}/ssh-key"'
    assert f"resources = [{parameter}]" in whole
    assert f'values = [\n          {parameter},\n          "x",\n        ]' in whole
    assert whole.count("/ssh-key") == 2


def test_keeps_a_text_of_some_members_that_is_not_that_of_all() -> None:
    whole = "\n".join(files(SIMILAR["a_text_that_all_have_otherwise"]).values())
    assert '"arn:aws:ssm:eu-central-1:111111111111:parameter/backlog/example/ssh-key",' in whole


def test_everything_about_mirrors_iterates_over_one_local_value() -> None:
    assert blocks(SIMILAR["mirrors"]) == {
        "aws_s3_object.program_units[]",
        "aws_cloudwatch_log_group.mirrors[]",
        "aws_ssm_parameter.mirrors_state[]",
        "aws_iam_policy_document.mirrors_permissions[]",
    }
    whole = "\n".join(files(SIMILAR["mirrors"]).values())
    assert len(re.findall(r"for_each += local\.mirrors\n", whole)) == 4
    assert len(re.findall(r'^ {4}"?partner-api"? = \{', whole, re.MULTILINE)) == 1


def test_a_block_that_only_some_mirrors_have_is_dynamic() -> None:
    text = files(SIMILAR["mirrors"])["iam_mirrors.tf"]
    assert re.findall(r'dynamic "statement" \{\n    for_each = (.+)\n', text) == [
        "each.value.unlock ? [1] : []",
        "each.value.keys ? [1] : []",
    ]
    assert 'resources = ["arn:aws:codecommit:eu-central-1:111111111111:${each.value.repository}"]' in text


def test_members_with_and_without_rules_and_settings_become_one_block() -> None:
    assert blocks(SIMILAR["blocks_of_some"]) == {"aws_security_group.rooms[]", "aws_codebuild_project.rooms[]"}
    assert files(SIMILAR["blocks_of_some"])["codebuild.tf"].count("dynamic ") == 3


def test_digests_of_files_are_computed() -> None:
    written = files(SIMILAR["mirrors"])
    assert 'etag = filemd5("${path.module}/content/program_units/${each.key}.json")' in written["s3.tf"]
    assert "sha256(aws_s3_object.program_units[each.key].content)" in written["ssm.tf"]


def test_writes_json_of_members_once_and_by_key() -> None:
    text = files(SIMILAR["json_of_members"])["s3.tf"]
    assert "for key, mirror in local.mirrors : key => jsonencode({\n" in text
    assert "        (key) = {\n          source = mirror.source\n          is = key\n" in text
    assert "content = local.program_units[each.key]\n" in text
    assert "etag = md5(local.program_units[each.key])\n" in text


def test_keeps_a_file_of_each_member_whose_json_has_little_in_common() -> None:
    written = files(SIMILAR["json_that_differs_in_most"])
    assert [path for path in written if path.startswith("content/")] == [
        f"content/program_units/{key}.json" for key in ("batch", "partner-api", "web")
    ]


def test_writes_a_line_for_each_member_as_a_loop() -> None:
    written = files(SIMILAR["table"])
    (path,) = (path for path in written if path.endswith(".tftpl"))
    loop = '%{ for mirror in mirrors ~}\n  "${mirror}": {"is": "${mirror}"},\n%{ endfor ~}\n'
    assert written[path] == f"begin\n{loop}end\n"
    assert f'templatefile("${{path.module}}/{path}", {{ mirrors = keys(local.mirrors) }})' in "".join(written.values())


@pytest.mark.parametrize(
    "case",
    [
        "table_behind_signs",
        "table_without_line_ends",
        "table_with_other_line_ends",
        "table_in_another_order",
        "table_of_keys_in_another_order",
        "table_in_a_provisioner",
        "table_of_a_list_that_refers_to_a_resource",
    ],
)
def test_writes_no_loop_where_the_text_would_change_or_a_cycle_is_possible(case: str) -> None:
    assert "%{ for " not in "".join(files(SIMILAR[case]).values())


def test_names_the_place_where_a_member_is_added() -> None:
    (mirrors,) = convert(SIMILAR["mirrors"], name="web", schemas=shipped()).edit_places
    also = ["content/program_units/KEY.json"]
    assert mirrors == EditPlace(file="locals.tf", name="local.mirrors", what="mirrors", also=also)
    topics = each("news/topic_*", ("a", "b"), "aws_sns_topic", lambda key: {"name": f"news-{key}"})
    (news,) = convert(stack("resource", topics), name="web", schemas=shipped()).edit_places
    assert news == EditPlace(file="sns.tf", name="aws_sns_topic.news", what="news", also=[])


def test_parts_of_one_thing_are_no_place_where_members_are_added() -> None:
    keys = ("hook", "old_hook")
    paths = each("webhook/*/resource", keys, "aws_sns_topic", lambda key: {"name": key})
    methods = each("webhook/*/post", keys, "aws_sqs_queue", lambda key: {"name": key})
    document = stack("resource", [*paths, *methods, ("aws_sns_topic", "webhook/stage", {"name": "x"})])
    assert blocks(document) >= {"aws_sns_topic.webhook_resource[]", "aws_sqs_queue.webhook_post[]"}
    assert convert(document, name="web", schemas=shipped()).edit_places == []


@pytest.mark.parametrize("case", ["two_zones", "three_zones"])
def test_a_zone_is_added_in_one_place(case: str) -> None:
    assert {it for it in blocks(SIMILAR[case]) if it.endswith("[]")} == blocks(SIMILAR[case])
    text = files(SIMILAR[case])["locals.tf"]
    assert re.search(r"^  zones = \{\n    a = \{\n      private_cidr_block = ", text, re.MULTILINE)
    assert "      public_cidr_block = " in text


def test_names_begin_with_any_letter() -> None:
    found = convert(similar()["other_letters"], name="web", schemas=shipped())
    assert set(found.addresses.values()) == {
        *(f'aws_sns_topic.über_news["{key}"]' for key in ("de", "fr", "jp")),
        "aws_sns_topic.日本_main",
        "aws_sns_topic.reader",
        "data.aws_region.été",
    }
    text = "".join(it for path, it in found.files.items() if path != "moved.tf")
    assert "1A2B3C4D" not in text
    assert re.search(r"depends_on += \[aws_sns_topic.über_news\]", text)


def test_two_rules_and_two_users_stay_apart() -> None:
    assert blocks(SIMILAR["rules_and_users"]) == {
        "aws_vpc_security_group_ingress_rule.load_balancer_from_ssh",
        "aws_vpc_security_group_ingress_rule.load_balancer_from_https",
        "aws_iam_user.push",
        "aws_iam_user.pull",
    }


def test_merges_three_that_differ_in_a_word_without_metadata() -> None:
    assert blocks(SIMILAR["without_metadata"]) == {"aws_sns_topic.news[]", "aws_sns_topic.other"}


def test_a_data_source_that_is_the_same_for_all_is_read_once() -> None:
    keys = ("app", "batch")
    trust = each("mirrors/*/trust", keys, "aws_iam_policy_document", lambda _: {"statement": [{"sid": "Assume"}]})
    roles = each(
        "mirrors/*/role",
        keys,
        "aws_iam_role",
        lambda key: {
            "name": key,
            "assume_role_policy": f"${{data.aws_iam_policy_document.mirrors_{key}_trust.json}}",
        },
    )
    document = stack("data", trust) | stack("resource", roles)
    assert blocks(document) == {"aws_iam_policy_document.mirrors_trust", "aws_iam_role.mirrors[]"}
    assert "assume_role_policy = data.aws_iam_policy_document.mirrors_trust.json\n" in files(document)["iam_mirrors.tf"]


def test_members_that_differ_in_more_than_they_share_stay_apart() -> None:
    bodies: dict[str, dict[str, Any]] = {
        "cpu": {"alarm_name": "one", "metric_name": "A", "namespace": "B", "threshold": 1, "evaluation_periods": 2},
        "disk": {"alarm_name": "two", "metric_name": "C", "namespace": "D", "threshold": 3, "evaluation_periods": 4},
    }
    document = stack("resource", each("alarms/*", bodies, "aws_cloudwatch_metric_alarm", bodies.__getitem__))
    assert blocks(document) == {"aws_cloudwatch_metric_alarm.cpu", "aws_cloudwatch_metric_alarm.disk"}
