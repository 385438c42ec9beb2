"""An example of the next member shows what differs between a single member and others, and nothing of it is written."""

import json
from collections.abc import Mapping
from typing import Any

from ops.handover import Converted, convert, shipped
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


def test_without_an_example_a_single_member_stays_as_it_is() -> None:
    files = convert(mirrors(ONE), name="web", schemas=shipped()).files
    assert "for_each" not in "".join(files.values())
