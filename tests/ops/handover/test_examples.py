"""An example of the next member shows what differs between a single member and others, and nothing of it is written."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from errors import WRONG_USAGE, refused
from ops import cli
from ops.handover import Converted, convert, shipped
from settings import Deployment
from stacks.one_more import REPOSITORY
from stacks.synthesis import synthesise
from tests.conftest import PROJECT
from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.similar import each, stack

ONE, MORE = ("web",), ("web", "next-one")


def mirrors(keys: tuple[str, ...], more: Mapping[str, Any] | None = None) -> Document:
    """Mirrors, a policy of all of them, and a text with a line for each; `more` is what the next one has alone."""
    logs = each("mirrors/*/log", keys, "aws_cloudwatch_log_group", lambda key: {"name": f"/mirrors/{key}"})

    def state(key: str) -> dict[str, Any]:
        return {
            "name": f"/state/{key}",
            "type": "String",
            "value": "web" if key == "web" else "other",
            **((more or {}) if key == "next-one" else {}),
        }

    table = "".join(f"  {key}: known\n" for key in keys)
    readers = {
        "input": [f"${{aws_cloudwatch_log_group.mirrors_{key}_log.arn}}" for key in keys],
        "triggers_replace": f"web stays\n{table}end\n",
    }
    own = [*logs, *each("mirrors/*/state", keys, "aws_ssm_parameter", state), ("terraform_data", "reader", readers)]
    return stack("resource", own, output={"names": {"value": {key: f"/{key}/x" for key in keys}}})


def converted(**more: Any) -> Converted:
    return convert(mirrors(ONE), name="web", schemas=shipped(), larger=mirrors(MORE, more))


def test_a_single_member_gets_a_block_for_all() -> None:
    whole = "\n".join(converted().files.values())
    assert whole.count("for_each = local.mirrors\n") == 2
    assert 'name = "/state/${each.key}"' in whole
    assert "value = each.value.state_value" in whole
    assert "input = [for group in aws_cloudwatch_log_group.mirrors : group.arn]" in whole
    assert "%{ for mirror in mirrors ~}\n  ${mirror}: known\n%{ endfor ~}\n" in whole
    assert "web stays\n" in whole
    assert 'for mirror in keys(local.mirrors) : mirror => "/${mirror}/x"' in whole
    assert converted().moved == {
        "aws_cloudwatch_log_group.mirrors_web_log": 'aws_cloudwatch_log_group.mirrors["web"]',
        "aws_ssm_parameter.mirrors_web_state": 'aws_ssm_parameter.mirrors_state["web"]',
    }


def test_nothing_of_the_example_is_written() -> None:
    for found in (converted(), converted(description="of next-one"), converted(tags={"next-one": "other"})):
        written = json.dumps([dict(found.files), dict(found.addresses), dict(found.given.addresses)])
        assert "next-one" not in written
        assert "other" not in written


def test_a_block_that_only_the_example_has_keeps_the_member_apart() -> None:
    found = converted(lifecycle={"prevent_destroy": True})
    assert found.addresses["aws_ssm_parameter.mirrors_web_state"] == "aws_ssm_parameter.mirrors_web_state"
    assert "prevent_destroy" not in "".join(found.files.values())


def test_a_later_handover_gives_the_same_addresses_and_the_next_member_joins() -> None:
    first = converted()
    second = convert(mirrors(ONE), name="web", schemas=shipped(), larger=mirrors(MORE), given=first.given)
    assert second.addresses == first.addresses
    third = convert(mirrors(MORE), name="web", schemas=shipped(), given=second.given)
    assert third.addresses["aws_ssm_parameter.mirrors_next-one_state"] == 'aws_ssm_parameter.mirrors_state["next-one"]'
    assert first.addresses.items() <= third.addresses.items()


def test_a_member_that_stood_alone_joins_the_block_for_all() -> None:
    first = convert(mirrors(ONE), name="web", schemas=shipped())
    second = convert(mirrors(ONE), name="web", schemas=shipped(), larger=mirrors(MORE), given=first.given)
    assert second.addresses == converted().addresses


def test_a_line_that_the_next_member_does_not_have_stays_a_line() -> None:
    larger = mirrors(MORE)
    larger["resource"]["terraform_data"]["reader"]["triggers_replace"] = "web stays\n  web: known\nend\n"
    files = convert(mirrors(ONE), name="web", schemas=shipped(), larger=larger).files
    assert "%{ for" not in "".join(files.values())


def test_an_example_is_left_out_that_keeps_apart_what_is_one_block_without_keys() -> None:
    """The next document refers to a topic that refers to the first one."""

    def documents(**resources: str) -> Document:
        topic = ("aws_sns_topic", "alerts", {"policy": "${data.aws_iam_policy_document.parts_app_policy.json}"})
        parts = [
            ("aws_iam_policy_document", f"parts/{key}/policy", {"statement": [{"resources": [it]}]})
            for key, it in resources.items()
        ]
        return {**stack("resource", [topic]), **stack("data", parts)}

    same = {"app": "arn:aws:sns:::x", "web": "arn:aws:sns:::x"}
    found = in_shop(documents(**same), documents(**same, next="${aws_sns_topic.alerts.arn}"))
    assert re.findall("^data .+ {$", found, re.MULTILINE) == ['data "aws_iam_policy_document" "parts" {']


def test_without_an_example_a_single_member_stays_as_it_is() -> None:
    files = convert(mirrors(ONE), name="web", schemas=shipped()).files
    assert "for_each" not in "".join(files.values())


def shop(
    keys: tuple[str, ...], listed: tuple[str, ...], *, policy: tuple[str, ...] = (), others: tuple[str, ...] = ()
) -> Document:
    """Queues with a text of their own, and what names the `listed` ones; `policy` and `others` are of other forms."""
    queues = each("queues/*/queue", keys, "aws_sqs_queue", lambda key: {"name": key, "policy": f"of-{len(key)}"})
    statement = [
        {"sid": "Other", "actions": ["sns:Publish"], "resources": list(others)},
        {"sid": "Send", "actions": ["sqs:SendMessage"], "resources": [*map(_arn, listed), *policy]},
    ]
    return stack(
        "resource",
        queues,
        terraform={"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        data={"aws_iam_policy_document": {"senders": {"statement": statement[not others :]}}},
        locals={"names": {key: [] for key in listed}},
        output={
            "urls": {"value": {key: f"${{aws_sqs_queue.queues_{key}_queue.url}}" for key in listed}},
            "texts": {"value": {key: f"of {key}" for key in listed}},
            "all": {"value": [f"${{aws_sqs_queue.queues_{key}_queue.url}}" for key in listed]},
        },
    )


def _arn(key: str) -> str:
    return f"arn:aws:sqs:eu-central-1:111111111111:{key}"


def in_shop(one: Document, more: Document) -> str:
    return "\n".join(convert(one, name="web", schemas=shipped(), larger=more).files.values())


def test_what_names_the_next_member_too_becomes_a_loop() -> None:
    for others in ((), ("arn:aws:sns:eu-central-1:111111111111:news",)):
        whole = in_shop(shop(ONE, ONE), shop(MORE, MORE, others=others))
        assert "    web = {\n      policy = " in whole
        assert 'for queue in keys(local.queues) : "arn:aws:sqs:eu-central-1:111111111111:${queue}"' in whole
        assert "names = { for queue in keys(local.queues) : queue => [] }" in whole
        assert "value = { for name, queue in aws_sqs_queue.queues : name => queue.url }" in whole
        assert "value = [for queue in aws_sqs_queue.queues : queue.url]" in whole
        assert 'value = { for queue in keys(local.queues) : queue => "of ${queue}" }' in whole


@pytest.mark.parametrize("grows", [("public", "private"), ("private",), ()])
def test_what_a_list_names_of_a_single_zone_becomes_a_loop_where_it_names_the_same_of_the_next(
    grows: tuple[str, ...],
) -> None:
    def zones(keys: tuple[str, ...]) -> Document:
        kinds = {
            kind: each(
                f"{kind}/*/subnet",
                keys,
                "aws_subnet",
                lambda key: {"vpc_id": "vpc-1", "cidr_block": f"10.{ord(key)}.0.0/24"},
            )
            for kind in ("public", "private")
        }
        named = [
            f"${{aws_subnet.{kind}_{key}_subnet.id}}" for key in keys for kind in kinds if key == "a" or kind in grows
        ]
        endpoint = ("aws_vpc_endpoint", "endpoint", {"vpc_id": "vpc-1", "service_name": "s", "subnet_ids": named})
        reader = ("terraform_data", "reader", {"input": named})
        provider = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}
        return stack("resource", [*kinds["public"], *kinds["private"], endpoint, reader], terraform=provider)

    # The key `b` is also a letter of `subnet`.
    whole = in_shop(zones(("a",)), zones(("a", "b")))
    own = '[aws_subnet.public["a"].id, aws_subnet.private["a"].id]'
    assert (f"input = {own}" in whole) == (len(grows) < 2)
    whole = whole.replace(f"input = {own}", "")
    for kind in ("public", "private"):
        loop = f"[for subnet in aws_subnet.{kind} : subnet.id]"
        assert (loop in whole) == (kind in grows)
        assert (f'aws_subnet.{kind}["a"].id' in re.sub(r"to +=.*", "", whole)) == (kind not in grows)


@pytest.mark.parametrize(
    "more",
    {
        "the_member_alone": shop(MORE, ONE),
        "the_next_one_alone": shop(MORE, ("next-one",)),
        "both_in_another_place": shop(MORE, ("web", "other"), others=tuple(map(_arn, MORE))),
        "the_next_one_in_another_form": shop(MORE, ONE, policy=(_arn("all-next-one"), f"{_arn('next-one')}/*")),
    }.items(),
    ids=lambda it: it[0],
)
def test_what_does_not_name_the_next_member_names_the_single_one(more: tuple[str, Document]) -> None:
    whole = in_shop(shop(ONE, ONE), more[1])
    assert "for_each = local.queues" in whole
    assert f'resources = ["{_arn("web")}"]' in whole
    if more[0] != "the_next_one_in_another_form":
        assert not re.search(r"\bfor ", whole)


def test_a_map_of_what_the_next_member_has_not_stays() -> None:
    more = shop(MORE, MORE)
    more["locals"]["names"]["next-one"] = ["x"]
    more["output"]["urls"]["value"]["next-one"] = "other"
    whole = in_shop(shop(ONE, ONE), more)
    assert "web = []" in whole
    assert 'web = aws_sqs_queue.queues["web"].url' in whole


def test_an_example_that_does_not_fit_takes_no_loop_away() -> None:
    two = mirrors(("web", "app"))
    more = mirrors(("web", "app", "next-one"), {"lifecycle": {"prevent_destroy": True}})
    alone = convert(two, name="web", schemas=shipped())
    assert alone.addresses["aws_ssm_parameter.mirrors_web_state"] == 'aws_ssm_parameter.mirrors_state["web"]'
    assert convert(two, name="web", schemas=shipped(), larger=more).files == alone.files


def test_an_example_with_a_reference_of_its_own_takes_no_loop_away() -> None:
    def topics(keys: tuple[str, ...]) -> Document:
        texts = {"web": "w", "app": "a", "next-one": "${aws_sqs_queue.it.url}"}
        own = each("topics/*/topic", keys, "aws_sns_topic", lambda key: {"name": key, "display_name": texts[key]})
        return stack("resource", [*own, ("aws_sqs_queue", "it", {"name": "it"})])

    two, more = topics(("web", "app")), topics(("web", "app", "next-one"))
    alone = convert(two, name="web", schemas=shipped())
    assert alone.addresses["aws_sns_topic.topics_web_topic"] == 'aws_sns_topic.topics["web"]'
    assert convert(two, name="web", schemas=shipped(), larger=more).files == alone.files


def test_an_output_of_texts_stays_where_no_local_value_has_the_keys() -> None:
    topics = {"it": {"for_each": '${toset(["app", "web"])}', "name": "${each.key}"}}
    document = {
        "resource": {"aws_sns_topic": topics},
        "output": {"texts": {"value": {key: f"of {key}" for key in ("web", "app")}}},
    }
    whole = "\n".join(convert(document, name="web", schemas=shipped()).files.values())
    assert 'for_each = toset(["app", "web"])' in whole
    assert "for topic in" not in whole
    assert 'web = "of web"' in whole


def test_a_variable_of_the_next_member_is_never_null_either() -> None:
    def rooms(keys: tuple[str, ...]) -> Document:
        def policy(room: str) -> dict[str, Any]:
            condition = {"test": "IpAddress", "variable": "aws:SourceIp", "values": f"${{var.{room}}}"}
            return {"statement": [{"actions": ["sqs:SendMessage"], "resources": ["*"], "condition": [condition]}]}

        variables = {key: {"type": "list(string)", "nullable": False, "default": ["192.0.2.0/24"]} for key in keys}
        policies = each("rooms/*/policy", keys, "aws_iam_policy_document", policy)
        return stack("data", policies, variable=variables)

    assert "source_ip = var.day" in in_shop(rooms(("day",)), rooms(("day", "night")))


def test_lists_of_which_one_alone_grows_are_not_the_same() -> None:
    def rooms(names: tuple[str, ...], keys: tuple[str, ...]) -> Document:
        def body(room: str) -> dict[str, Any]:
            own = keys if room != "night" else ("web",)
            sid = f"Of{len(room)}" if room != "week" else "Weekly"
            return {"statement": [{"sid": sid, "actions": ["sqs:SendMessage"], "resources": list(map(_arn, own))}]}

        own = each("rooms/*/policy", names, "aws_iam_policy_document", body)
        document = shop(keys, keys)
        document["data"]["aws_iam_policy_document"] |= stack("data", own)["data"]["aws_iam_policy_document"]
        return document

    names = ("day", "night", "week")
    whole = in_shop(rooms(names, ONE), rooms(names, MORE))
    loop = '[\n for queue in keys(local.queues) : "arn:aws:sqs:eu-central-1:111111111111:${queue}"\n ]'
    found = dict(re.findall(r"(\w+) = \{\s+sid = \"\w+\"\s+statement_resources = (\[[^\]]*\])", whole))
    assert {room: " ".join(it.split()) for room, it in found.items()} == {
        "day": " ".join(loop.split()),
        "night": f'["{_arn("web")}"]',
        "week": " ".join(loop.split()),
    }


@pytest.mark.tool("terraform")
def test_a_deployment_that_must_not_grow_is_handed_over_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def synth(deployment: Deployment, out: Path) -> object:
        assert deployment.prd is not None
        assert deployment.prd.codecommit is not None
        if REPOSITORY in deployment.prd.codecommit.repositories:
            raise refused("prd.codecommit", "too many repositories", "remove one", status=WRONG_USAGE)
        return synthesise(deployment, out)

    file, out = str(PROJECT / "deployments" / "minimal.yaml"), tmp_path / "hcl"
    assert cli.run(["handover", file, "--out", str(out), "--no-providers"], synth) == 0
    (written,) = out.glob("*/prd-codecommit/codecommit.tf")
    assert "for_each" not in written.read_text()
    said = "lists of a single member stay as they are: with one more, too many repositories\n"
    assert said in capsys.readouterr().err
    assert cli.run(["handover", file, "--out", str(tmp_path / "more"), "--no-providers"], synthesise) == 0
    (written,) = (tmp_path / "more").glob("*/prd-codecommit/codecommit.tf")
    assert "for_each = local.repositories" in written.read_text()
    assert "stay as they are" not in capsys.readouterr().err
