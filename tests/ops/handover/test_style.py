"""The HCL reads as a person would have written it. Cases of `cases/style.py` show that its plan stays equal."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.handover import convert, shipped, style
from ops.handover.hcl import Block, Verbatim
from ops.handover.metadata import TopLevelBlock
from ops.handover.style.order import in_order
from tests.ops.handover.cases import style as cases
from tests.ops.handover.cases.style import (
    ARNS,
    LONG_VALUES,
    LOOPS,
    NAMES,
    TEXTS_BY_KEY,
    booleans,
    by_key,
    checked,
    digest,
    group,
    matches,
    members,
    one_after_the_other,
    provider,
    same,
    tagged,
    topics,
    urls,
)

WRITTEN_AS_BOOLEANS = json.loads(Path(style.__file__).with_name("booleans.json").read_text("utf-8"))["arguments"]
ID, REGION = "222222222222", "eu-west-1"


def converted(document: Mapping[str, Any]) -> Mapping[str, str]:
    return convert(document, name="web", schemas=shipped()).files


def test_names_the_account_and_the_region_once() -> None:
    role = f"arn:aws:iam::{ID}:role/deploy"
    files = converted(
        provider(assume_role=[{"role_arn": role}]) | topics(a=f"{ID} in {REGION}a", b=f"x-{ID}.{REGION}.example.com")
    )
    assert files["locals.tf"] == 'locals {\n  account_id = "222222222222"\n  region = "eu-west-1"\n}\n'
    assert 'display_name = "${local.account_id} in ${local.region}a"' in files["sns.tf"]
    assert 'display_name = "x-${local.account_id}.${local.region}.example.com"' in files["sns.tf"]
    assert "allowed_account_ids = [local.account_id]" in files["providers.tf"]
    assert "region = local.region" in files["providers.tf"]
    assert 'role_arn = "arn:aws:iam::${local.account_id}:role/deploy"' in files["providers.tf"]


def test_leaves_out_null_and_the_iterator_of_the_blocks_name() -> None:
    files = converted(cases.NEEDLESS["null_and_iterator"])
    written = "".join(text for path, text in files.items() if path != "outputs.tf")
    assert "null" not in written
    assert "iterator = port" in written
    assert "iterator = ingress" not in written
    assert "a = null" in files["outputs.tf"]


def test_writes_constant_texts_that_are_joined_as_one_text() -> None:
    written = converted(cases.NEEDLESS["joins"])["terraform_data.tf"]
    assert '    "shop-web",\n' in written
    assert 'join("-", ["a", local.it])' in written
    assert written.count("join(") == 6


def test_a_value_that_is_another_each_time_stands_where_it_is_evaluated() -> None:
    def document(value: str) -> dict[str, Any]:
        names = ", ".join(f"n{number} = {number}" for number in range(12))
        own = {it: {"input": f"${{jsonencode({{ {names}, it = {value} }})}}"} for it in ("a", "b")}
        return {"resource": {"terraform_data": own}}

    assert "locals.tf" not in converted(document("uuid()"))
    assert "jsonencode" in converted(document("timestamp()"))["terraform_data.tf"].partition("resource")[2]
    assert "input = local." in converted(document('upper("uuid()")'))["terraform_data.tf"]


def test_writes_how_names_begin_once() -> None:
    files = converted(NAMES["that_begin_alike"])
    assert 'name = "shop-dev"' in files["locals.tf"]
    written = "".join(files.values())
    for name in (
        '"${local.name}-web"',
        '"${local.name}-mail"',
        '"${local.name}-${local.zone}"',
        "local.name",
        '"other"',
    ):
        assert f"name = {name}\n" in written
    assert '"shop-dev-web" = "/app/${local.name}-web/x-shop-dev-web"' in written, "a key stays, and part of a word"
    assert 'display_name = "Alerts of shop-dev-web"' in written, "a text for people stays"
    assert 'a = "${local.name}-web:"' in written
    assert 'value = "arn:aws:iam::222222222222:role/${local.name}-web"' in written


def test_no_reference_stands_behind_a_sign_that_would_escape_it() -> None:
    written = converted(NAMES["behind_signs"])["outputs.tf"]
    assert '"$shop-dev"' in written
    assert '"%shop-dev-a"' in written
    assert '"{${local.name}}"' in written


@pytest.mark.parametrize(
    ("case", "beginning"),
    [
        ("that_begin_alike_for_long", "shop-dev-web"),
        ("that_begin_alike_for_long_but_one", "shop-dev"),
        ("of_which_one_is_the_beginning", "a-b"),
        ("with_a_word_that_only_begins_so", "shop-dev"),
        ("beside_a_local_of_that_name", None),
        ("with_references_in_a_word", None),
    ],
)
def test_all_names_with_the_same_first_words_begin_so(case: str, beginning: str | None) -> None:
    files = converted(NAMES[case])
    assert 'name = "shop-developer-a"' in files["iam.tf"] or case != "with_a_word_that_only_begins_so"
    assert ("local.name" in "".join(files.values())) is (beginning is not None)
    assert beginning is None or f'name = "{beginning}"' in files["locals.tf"]


def test_does_not_name_an_account_that_stands_once() -> None:
    assert converted(provider() | topics(a=ID, b="b", c=f"1{ID} {ID}2")).keys() == {"providers.tf", "sns.tf"}


def test_does_not_name_the_account_of_an_alias() -> None:
    assert "locals.tf" not in converted(provider(alias="other") | topics(a=ID, b=ID))


def test_does_not_name_one_of_several_accounts() -> None:
    assert "locals.tf" not in converted(provider(allowed_account_ids=[ID, "1" * 12]) | topics(a=ID, b=ID))


def test_keeps_the_account_in_descriptions_and_in_the_states_place() -> None:
    backend = {"bucket": f"states-{ID}", "key": "web", "region": REGION}
    files = converted(
        provider()
        | topics(a=ID, b=ID, c=REGION, d=REGION)
        | {
            "terraform": {"backend": {"s3": backend}},
            "variable": {"v": {"default": ID, "description": f"Of {ID}."}},
            "output": {"o": {"value": "x", "description": f"In {REGION}, of {ID}."}},
        }
    )
    assert f'bucket = "states-{ID}"' in files["backend.tf"]
    assert f'description = "In {REGION}, of {ID}."' in files["outputs.tf"]
    assert f'description = "Of {ID}."' in files["variables.tf"]
    assert files["terraform.tfvars"] == f'v = "{ID}"\n'
    assert files["sns.tf"].count("local.account_id") == files["sns.tf"].count("local.region") == 2


def test_keeps_a_local_value_of_another_meaning() -> None:
    files = converted(provider() | {"locals": {"account_id": "7"}} | topics(a=ID, b=ID))
    assert files["locals.tf"] == 'locals {\n  account_id = "7"\n}\n'
    assert f'display_name = "{ID}"' in files["sns.tf"]


def test_uses_a_local_value_of_the_same_name_and_value() -> None:
    files = converted(provider() | {"locals": {"account_id": ID}} | topics(a=ID, b=ID))
    assert files["locals.tf"] == f'locals {{\n  account_id = "{ID}"\n}}\n'
    assert files["sns.tf"].count("display_name = local.account_id") == 2


def test_writes_true_and_false_without_quotes_where_people_do() -> None:
    files = "".join(converted(booleans("true")).values())
    assert re.findall(r'(\w+) = "true"', files) == ["value"]
    assert files.count(" = true") == sum(map(len, WRITTEN_AS_BOOLEANS.values()))


TAGS = {"cost-center": "4711", "owner": "platform-team"}


def test_writes_default_tags_once() -> None:
    files = converted(tagged(TAGS, a=TAGS, b={"Name": "b", **TAGS}))
    assert 'tags = {\n    "cost-center" = "4711"\n    "owner" = "platform-team"\n  }\n' in files["locals.tf"]
    assert "  default_tags {\n    tags = local.tags\n  }\n" in files["providers.tf"]
    assert "  tags = local.tags\n" in files["sns.tf"]
    assert '  tags = merge(local.tags, { Name = "b" })\n' in files["sns.tf"]


def test_keeps_default_tags_that_nothing_repeats() -> None:
    assert "locals.tf" not in converted(tagged(TAGS, a=TAGS | {"owner": "x"}, b={"owner": "platform-team"}))


def test_keeps_default_tags_where_the_stack_has_a_local_value_of_this_name() -> None:
    files = converted(tagged(TAGS, a=TAGS) | {"locals": {"tags": "x"}})
    assert "local.tags" not in "".join(files.values())


def test_writes_the_tags_of_a_group_as_one_dynamic_block() -> None:
    document = group(("cost-center", "4711", True), ("owner", "platform-team", True), ("Name", "x", True))
    files = converted(document | provider(default_tags=[{"tags": TAGS}]))
    assert (
        '  dynamic "tag" {\n'
        '    for_each = merge(local.tags, { Name = "x" })\n\n'
        "    content {\n"
        "      key = tag.key\n"
        "      value = tag.value\n"
        "      propagate_at_launch = true\n"
        "    }\n"
        "  }\n"
    ) in files["autoscaling.tf"]


@pytest.mark.parametrize(
    "tags",
    [
        [("a", "1", True), ("b", "2", True)],
        [("a", "1", True), ("b", "2", False), ("c", "3", True)],
        [("a", "1", True), ("a", "2", True), ("c", "3", True)],
        [("${local.name}", "1", True), ("a", "2", True), ("c", "3", True)],
    ],
    ids=["few", "not alike", "a key twice", "a key by reference"],
)
def test_keeps_the_tags_of_other_groups(tags: list[tuple[str, str, bool]]) -> None:
    assert converted(group(*tags))["autoscaling.tf"].count("  tag {\n") == len(tags)


def value_of(document: Mapping[str, Any]) -> str:
    """The output's value."""
    return converted(document)["outputs.tf"].removeprefix('output "o" {\n  value = ').removesuffix("\n}\n")


def test_writes_a_map_of_members_as_a_loop() -> None:
    value = by_key('${aws_sns_topic.it["KEY"].arn}', "c", "a")
    assert value_of(members(value)) == "{ for key, topic in aws_sns_topic.it : key => topic.arn }"


def test_names_the_key_after_the_local_value() -> None:
    zones = {
        "locals": {"zones": {"a": 1, "c": 2}},
        "output": {"o": {"value": by_key('${aws_sns_topic.it["KEY"].arn}', "a", "c")}},
    }
    topics = {"aws_sns_topic": {"it": {"for_each": "${local.zones}", "name": "${each.key}"}}}
    assert value_of({**zones, "resource": topics}) == "{ for zone, topic in aws_sns_topic.it : zone => topic.arn }"


def test_writes_a_list_of_members_as_a_loop() -> None:
    value = [*by_key('x-${aws_sns_topic.it["KEY"].arn}/*', "a", "c").values()]
    assert value_of(members(value)) == '[for topic in aws_sns_topic.it : "x-${topic.arn}/*"]'


def test_writes_a_list_of_several_values_for_each_member_as_a_loop() -> None:
    items = one_after_the_other('aws_sns_topic.it["KEY"].arn', 'aws_sqs_queue.it["KEY"].arn')
    assert value_of(members(digest(items))) == (
        "sha1(jsonencode(concat([for key, topic in aws_sns_topic.it : [\n"
        "topic.arn,\naws_sqs_queue.it[key].arn,\n]]...)))"
    )


@pytest.mark.parametrize(
    "case",
    [
        "map_of_some",
        "map_of_others",
        "map_of_another_block",
        "map_with_one_more",
        "map_with_the_name_of_the_iterator",
        "list_in_another_order",
        "list_with_one_twice",
        "list_in_a_hash_by_type",
        "list_in_a_hash_in_another_order",
        "list_with_strings_like_members",
        "list_of_indexes",
        "list_with_comments",
        "list_with_comments_after_texts",
        "map_with_comments",
        "text_with_comments",
    ],
)
def test_keeps_other_maps_and_lists(case: str) -> None:
    assert " in aws_" not in value_of(LOOPS[case])


def test_keeps_members_where_terraform_takes_no_loop() -> None:
    triggered = {"lifecycle": {"replace_triggered_by": [*by_key('aws_sns_topic.it["KEY"]', "a", "c").values()]}}
    document = members("x")
    document["resource"]["terraform_data"] = {"other": triggered}
    assert "for topic" not in converted(document)["terraform_data.tf"]


def test_writes_a_block_after_those_that_it_refers_to() -> None:
    api = {"rest_api_id": "${aws_api_gateway_rest_api.api.id}"}
    resources = {
        "aws_api_gateway_deployment": {"a": api | {"depends_on": ["aws_api_gateway_resource.hooks"]}},
        "aws_api_gateway_resource": {"hooks": api | {"parent_id": "x", "path_part": "hooks"}},
        "aws_api_gateway_rest_api": {"api": {"name": "api"}, "before": {"name": "before"}},
    }
    text = converted({"resource": resources})["api_gateway.tf"]
    assert re.findall(r'^resource "aws_api_gateway_(\w+)" "(\w+)"', text, re.MULTILINE) == [
        ("rest_api", "api"),
        ("resource", "hooks"),
        ("deployment", "a"),
        ("rest_api", "before"),
    ]


def test_writes_a_data_source_before_its_first_reader() -> None:
    def policy(name: str) -> str:
        return f"${{data.aws_iam_policy_document.{name}.json}}"

    document = {
        "data": {"aws_iam_policy_document": {"permissions": {}, "trust": {}}},
        "resource": {
            "aws_iam_role": {"it": {"assume_role_policy": policy("trust")}},
            "aws_iam_role_policy": {"it": {"role": "${aws_iam_role.it.id}", "policy": policy("permissions")}},
        },
    }
    names = re.findall(r'^(?:data|resource) "aws_iam_(\w+)" "(\w+)"', converted(document)["iam.tf"], re.MULTILINE)
    assert [kind for kind, _ in names] == ["policy_document", "role", "policy_document", "role_policy"]
    assert [name for kind, name in names if kind == "policy_document"] == ["trust", "permissions"]


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"arn:aws:kms:{REGION}:{ID}:key/1234abcd-12ab-34cd-86ef-1234567890ab", "kms_key_arn"),
        (f"arn:aws:events:{REGION}:{ID}:event-bus/default", "default_event_bus_arn"),
        (f"arn:aws:ssm:{REGION}:{ID}:parameter/backlog/ssh-key", "ssh_key_parameter_arn"),
        (
            f"arn:aws:elasticloadbalancing:{REGION}:{ID}:loadbalancer/app/web/50dc6c495c0c9188",
            "elasticloadbalancing_loadbalancer_arn",
        ),
    ],
)
def test_names_an_arn_that_stands_three_times(arn: str, name: str) -> None:
    files = converted(same(arn))
    assert files["locals.tf"] == f'locals {{\n  {name} = "{arn}"\n}}\n'
    assert files["sns.tf"].count(f"display_name = local.{name}\n") == 3
    assert "locals.tf" not in converted(same(arn, times=2))


def test_names_an_arn_without_the_beginning_of_the_names() -> None:
    document = same(f"arn:aws:iam::{ID}:role/team-prd-mirror-example")
    for number, topic in enumerate(document["resource"]["aws_sns_topic"].values()):
        topic["name"] = f"team-prd-{number}"
    document["resource"]["aws_sns_topic"]["last"] = {"name": "team-prd-last"}
    assert "mirror_example_role_arn = " in " ".join(converted(document)["locals.tf"].split())
    document["resource"]["aws_sns_topic"]["last"]["//"] = {"metadata": {"path": "it/spaces/example/topic/Default"}}
    assert "mirror_role_arn = " in " ".join(converted(document)["locals.tf"].split())


@pytest.mark.parametrize("arn", ["arn:aws:s3:::bucket/*", "arn:aws:iam::*:role/x", "arn:aws:s3:::bucket", "x"])
def test_keeps_arns_of_many_things_and_without_a_type(arn: str) -> None:
    assert "locals.tf" not in converted(same(arn))


def test_names_a_pattern_that_checks_repeat() -> None:
    files = converted(checked(">= 1.9", a_name=matches("a_name"), b_name=matches("b_name")))
    assert files["variables.tf"].count("can(regex(local.name_pattern, var.") == 2
    assert files["locals.tf"].startswith('locals {\n  name_pattern = "^(10\\\\.[0-9]+|')


def test_names_a_long_list_in_a_check() -> None:
    numbers = list(range(1, 13))
    files = converted(checked("~> 1.10", retention_days=f"${{contains({numbers}, var.retention_days)}}"))
    assert "condition = contains(local.allowed_retention_days, var.retention_days)" in files["variables.tf"]
    assert "  allowed_retention_days = [" in files["locals.tf"]
    other = converted(checked("~> 1.10", days=f"${{!contains({numbers}, var.days)}}"))
    assert "!contains(local.excluded_days, var.days)" in other["variables.tf"]


def test_conditions_of_resources_have_the_constant_of_variables_by_name() -> None:
    files = converted(cases.VALIDATIONS["with_a_pattern_in_a_precondition"])
    resource = files["terraform_data.tf"]
    assert "condition = can(regex(local.name_pattern, var.b_name))" in resource
    assert 'input = can(regex(\n    "^(10' in resource


@pytest.mark.parametrize("required", [">= 1.8", "< 1.9", "!= 1.9", ">= 0.15", "~> 1.3.0"])
def test_keeps_constants_in_checks_for_releases_that_take_no_local_values(required: str) -> None:
    assert "locals.tf" not in converted(checked(required, a=matches("a"), b=matches("b")))


def test_keeps_short_lists_and_single_patterns_in_checks() -> None:
    short = f"${{contains({list(range(10))}, var.b)}}"
    assert "locals.tf" not in converted(checked(">= 1.9", a=matches("a"), b=short))


def test_writes_texts_of_an_output_that_differ_in_the_key_as_a_loop() -> None:
    value = value_of(urls(by_key("${local.stage}/hooks/KEY", "a", "c"), a=1, c=2))
    assert value == '{ for zone in keys(local.zones) : zone => "${local.stage}/hooks/${zone}" }'


@pytest.mark.parametrize("case", ["in_words", "of_other_keys", "of_another_key", "in_another_text"])
def test_keeps_other_texts_of_an_output(case: str) -> None:
    assert "for zone" not in value_of(TEXTS_BY_KEY[case])


NUMBERS = list(range(1, 13))


def listed(message: str, values: list[Any]) -> dict[str, str]:
    check = {"condition": f"${{contains({json.dumps(values)}, var.days)}}", "error_message": message}
    days = {"type": "number", "default": 99, "nullable": False, "validation": [check]}
    return dict(converted({"terraform": {"required_version": ">= 1.9"}, "variable": {"days": days}}))


def test_a_message_takes_the_allowed_values_from_their_list() -> None:
    files = listed(f"One of {', '.join(map(str, NUMBERS))} days.", NUMBERS)
    assert 'error_message = "One of ${join(", ", local.allowed_days)} days."' in files["variables.tf"]


@pytest.mark.parametrize(
    "message", ["1, 2, 3", "11" + ", ".join(map(str, NUMBERS)), ", ".join(map(str, range(1, 14)))[:-1]]
)
def test_keeps_a_message_that_does_not_name_the_whole_list(message: str) -> None:
    assert f'error_message = "{message}"' in listed(message, NUMBERS)["variables.tf"]


@pytest.mark.tool("terraform")
def test_terraform_prints_the_same_message(tmp_path: Path) -> None:
    message = f"One of {', '.join(map(str, NUMBERS))} days."
    for name, content in listed(message, NUMBERS).items():
        (tmp_path / name).write_text(content)
    command = ["terraform", "plan", "-json", "-input=false"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stdout


def test_puts_a_long_chain_of_references_in_order() -> None:
    references = [Verbatim(f"terraform_data.it_{number + 1}.id") for number in range(1500)]
    blocks = [
        Block("resource", ("terraform_data", f"it_{number}"), arguments={"input": reference})
        for number, reference in enumerate(references)
    ]
    chain = [TopLevelBlock(block=block) for block in blocks]
    assert in_order(chain) == chain[::-1]


def test_compares_tags_before_the_account_in_them_is_named() -> None:
    files = converted(cases.TAGS["with_the_account"])
    assert "tags = local.tags" in files["providers.tf"]
    assert '"account" = local.account_id' in files["locals.tf"]


def test_names_the_account_before_the_arns_that_have_it() -> None:
    files = converted(ARNS["of_a_key_with_the_account"])
    assert 'kms_key_arn = "arn:aws:kms:${local.region}:${local.account_id}:key/' in files["locals.tf"]


@pytest.mark.parametrize(
    ("case", "file", "name"),
    [
        ("patterns", "eventbridge.tf", "in_event_pattern"),
        ("with_a_reference", "eventbridge.tf", "event_pattern"),
        ("maps", "terraform_data.tf", "input"),
        ("lists", "terraform_data.tf", "input"),
    ],
)
def test_writes_a_long_value_once(case: str, file: str, name: str) -> None:
    written = converted(LONG_VALUES[case])[file]
    assert written.count(f"= local.{name}\n") == 2
    assert written.startswith(f"locals {{\n  {name} = ")


@pytest.mark.parametrize("case", ["of_an_instance", "in_a_taken_name"])
def test_keeps_long_values_that_no_local_value_can_have(case: str) -> None:
    assert converted(LONG_VALUES[case])["eventbridge.tf"].count("eventName") == 2


def test_keeps_short_values_and_those_of_one_resource() -> None:
    short = json.dumps({"source": ["aws.iam"]}, separators=(",", ":"))
    for document in (cases.rules("one", "other", pattern=short), cases.rules("one", pattern=cases.pattern())):
        assert "locals" not in converted(document)["eventbridge.tf"]
