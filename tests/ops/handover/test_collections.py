"""Members that a stack lists in JSON are written once, and everything else that lists them is a loop."""

import hashlib
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from ops.handover import Converted, convert, shipped
from tests.ops.handover.by_plan import OFFLINE
from tests.ops.handover.cases import sets
from tests.ops.handover.cases.owners import spaces, two_spaces

_ARN = "arn:aws:codecommit:eu-central-1:111111111111:"
_MIRRORS = {
    "site": {"project": "WEB", "target": "website", "key_arn": None},
    "jobs": {"project": "OPS", "target": "batch", "key_arn": None},
}
_HOOKS = ["jobs", "site", "space.OPS", "space.WEB"]


def bridge(
    mirrors: Mapping[str, Mapping[str, Any]] = _MIRRORS,
    *,
    more: Mapping[str, Any] | None = None,
    hooks: Mapping[str, str] | None = None,
    resources: list[str] | None = None,
    **values: Any,
) -> dict[str, Any]:
    """A stack with an object in JSON, a policy and two outputs; `values` are further top-level blocks."""
    names = [*mirrors, *sorted({f"space.{it['project']}" for it in mirrors.values()})]
    arns = [f"{_ARN}{it['target']}" for it in mirrors.values()]
    content = {"unit": "space", "hours": 6, "mirrors": mirrors}
    objects = {"unit": content, **({} if more is None else {"other": {"unit": "other", "mirrors": more}})}
    return {
        "//": {
            "collections": {
                "mirrors": {
                    "arns": {"codecommit": "target", "kms": "key_arn"},
                    "lists": {"hooks": {"project": "space."}},
                }
            }
        },
        "provider": {"aws": [OFFLINE]},
        "resource": {
            "aws_s3_object": {
                name: {
                    "bucket": "programs",
                    "key": name,
                    "content": json.dumps(it, separators=(",", ":"), sort_keys=True, ensure_ascii=False),
                }
                for name, it in objects.items()
            }
        },
        "data": {
            "aws_iam_policy_document": {
                "mirror": {
                    "statement": [{"sid": "It", "actions": ["codecommit:GitPull"], "resources": resources or arns}]
                }
            }
        },
        "output": {
            "urls": {"value": {it: f"${{aws_s3_object.unit.id}}/{it}" for it in names} if hooks is None else hooks},
            "units": {"value": dict.fromkeys(mirrors, "${aws_s3_object.unit.key}")},
        },
        **sets.releases(),
        **values,
    }


def converted(document: Mapping[str, Any]) -> Converted:
    return convert(document, name="bridge", schemas=shipped())


def text(document: Mapping[str, Any]) -> str:
    """The HCL with every white space as one blank."""
    return " ".join("\n".join(converted(document).files.values()).split())


def test_every_list_is_a_loop_over_the_members() -> None:
    found = text(bridge())
    assert found.count("site = {") == 1
    assert "mirrors = local.mirrors" in found
    assert (
        'hooks = toset(concat(keys(local.mirrors), [for mirror in local.mirrors : "space.${mirror.project}"]))' in found
    )
    assert 'for mirror in local.mirrors : "arn:aws:codecommit:${local.region}:111111111111:${mirror.target}"' in found
    assert "value = { for mirror in keys(local.mirrors) : mirror => aws_s3_object.unit.key }" in found
    assert 'value = { for hook in local.hooks : hook => "${aws_s3_object.unit.id}/${hook}" }' in found


def test_a_target_may_have_the_beginning_of_all_names() -> None:
    types = ("aws_sns_topic", "aws_sqs_queue", "aws_cloudwatch_log_group", "aws_ecs_cluster")
    named = {type_: {"it": {"name": f"team-prd-{type_}"}} for type_ in types}
    mirrors = {key: {**one, "target": f"team-prd-{key}"} for key, one in _MIRRORS.items()}
    document = bridge(mirrors)
    found = text({**document, "resource": {**document["resource"], **named}})
    assert 'target = "${local.name}-site"' in found
    assert found.count("${mirror.target}") == 1


@pytest.mark.parametrize("keys", [["1", "2"], ["1", "1"], ["1", None], [None, "1"]])
def test_keys_that_some_members_have_are_listed_from_the_members(keys: list[str | None]) -> None:
    arns = [None if it is None else f"arn:aws:kms:eu-central-1:111111111111:key/{it}" for it in keys]
    mirrors = {key: {**one, "key_arn": arn} for (key, one), arn in zip(_MIRRORS.items(), arns, strict=True)}
    found = text(bridge(mirrors, resources=sorted({it for it in arns if it is not None})))
    assert "resources = compact([for mirror in local.mirrors : mirror.key_arn])" in found


def test_keys_that_something_else_has_too_stay() -> None:
    key = "arn:aws:kms:eu-central-1:111111111111:key/1"
    document = bridge({"site": {**_MIRRORS["site"], "key_arn": key}}, resources=[key])
    assert "compact(" in text(document)
    (statement,) = document["data"]["aws_iam_policy_document"]["mirror"]["statement"]
    document["data"]["aws_iam_policy_document"]["other"] = {"statement": [{**statement, "actions": ["kms:Decrypt"]}]}
    assert "compact(" not in text(document)


def test_a_single_member_is_listed_as_several_are() -> None:
    found = text(bridge({"site": _MIRRORS["site"]}))
    assert found.count("local.mirrors") == 5
    assert found.count("local.hooks") == 1


def test_the_readme_names_the_local_value_alone() -> None:
    (place,) = converted(bridge()).edit_places
    assert (place.name, place.what, place.also, place.some) == ("local.mirrors", "mirrors", [], ())


def test_the_readme_names_the_members_that_each_member_of_a_local_value_has() -> None:
    units = {it: {"unit": it, "mirrors": {f"{it}-{key}": one for key, one in _MIRRORS.items()}} for it in ("a", "b")}
    document = bridge(locals={"units": units})
    del document["resource"]["aws_s3_object"], document["output"]
    (place,) = converted(document).edit_places
    assert (place.name, place.what, place.also) == ("local.units", "mirrors", [])
    names = [key for it in units.values() for key in it["mirrors"]]
    (place,) = converted({**document, "output": {"names": {"value": names}}}).edit_places
    assert place.also == ["outputs.tf"]


def test_a_map_by_member_is_no_loop_over_a_resource_with_the_same_keys_by_chance() -> None:
    document = spaces()
    names = {key: f"of {key}" for own in two_spaces().values() for key in own}
    document["locals"]["twins"] = {key: {"name": key} for key in names}
    document["resource"]["aws_sqs_queue"] = {"twins": {"for_each": "${local.twins}", "name": "${each.value.name}"}}
    found = text({**document, "output": {"names": {"value": names}}})
    assert "for name, space in local.spaces : { for mirror in keys(space.mirrors) : mirror => " in found
    assert "for twin in" not in found


def test_json_that_one_resource_has_twice_stands_once() -> None:
    document = bridge({f"site{number}": _MIRRORS["site"] for number in range(20)})
    unit = document["resource"]["aws_s3_object"]["unit"]
    unit["etag"] = hashlib.md5(unit["content"].encode(), usedforsecurity=False).hexdigest()
    # A loop's variable in a check is no name in the JSON.
    check = "${alltrue([for mirror in jsondecode(self.content).mirrors : mirror.target != null])}"
    unit["lifecycle"] = {"postcondition": [{"condition": check, "error_message": "A mirror has no target."}]}
    found = text(document)
    assert found.count("jsonencode(") == 1
    assert "unit = jsonencode({ hours = 6 mirrors = local.mirrors unit = " in found
    assert "content = local.unit etag = md5(local.unit)" in found


def _without(name: str) -> dict[str, Any]:
    document = deepcopy(bridge())
    del document["//"]["collections"]["mirrors"][name]
    return document


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({**bridge(), "//": {}}, id="the stack does not say so"),
        pytest.param({**bridge(), "//": {"collections": ["mirrors"]}}, id="the stack says something else"),
        pytest.param(_without("arns"), id="the stack does not say which ARNs"),
        pytest.param(bridge({**_MIRRORS, "jobs": {"project": "OPS", "target": "batch"}}), id="a member has less"),
        pytest.param(
            bridge(more=_MIRRORS | {"site": {**_MIRRORS["site"], "project": "OPS"}}), id="there are two forms"
        ),
        pytest.param(bridge(locals={"mirrors": ["site"]}), id="the name of the members is taken"),
        pytest.param(bridge(locals={"hooks": ["site"]}), id="the name of a list is taken"),
        pytest.param(bridge({**_MIRRORS, "jobs": {**_MIRRORS["jobs"], "project": 1}}), id="a name is a number"),
        pytest.param(
            bridge({**_MIRRORS, "jobs": {**_MIRRORS["jobs"], "project": "${path.module}"}}), id="a name is not known"
        ),
    ],
)
def test_lists_stay_where_the_members_are_not_known(document: dict[str, Any]) -> None:
    found = text(document)
    assert "for mirror" not in found
    assert "for hook" not in found
    assert not converted(document).edit_places


@pytest.mark.parametrize("key", ['"a"', "each.key", "aws_sns_topic.it.name", "uuid()", "var.it"])
def test_lists_stay_where_a_member_has_no_constants(key: str) -> None:
    """A local value has no key of its own, and may close a cycle."""
    document = bridge(variable={"it": {"default": "a"}})
    unit = {"bucket": "b", "key": "k", "for_each": {"a": 1}}
    unit["content"] = f'${{jsonencode({{ "mirrors" = {{ "a" = {{ "project" = "A", "target" = {key} }} }} }})}}'
    document["resource"] = {"aws_s3_object": {"unit": unit}, "aws_sns_topic": {"it": {"name": "it"}}}
    assert ("mirrors = local.mirrors" in text(document)) is (key == '"a"')


def test_a_set_stays_where_a_member_is_not_in_it() -> None:
    """A text with null in it is an error."""
    mirrors = {**_MIRRORS, "new": {**_MIRRORS["site"], "target": None}}
    document = bridge(mirrors, resources=[f"{_ARN}website", f"{_ARN}batch"])
    assert "${mirror.target}" not in text(document)
    assert "mirrors = local.mirrors" in text(document)


def test_lists_stay_where_terraform_may_order_the_keys_otherwise() -> None:
    assert "for mirror" not in text(bridge({**_MIRRORS, "架": _MIRRORS["site"]}))
    named = {**_MIRRORS, "jobs": {**_MIRRORS["jobs"], "project": "架"}}
    assert "for hook" not in text(bridge(named))


@pytest.mark.parametrize(("keys", "are_named"), [(("a", "e"), True), (("\u00e9", "e\u0301"), False)])
def test_lists_stay_where_two_keys_may_be_one(keys: tuple[str, ...], are_named: bool) -> None:
    """Terraform composes letters with marks, and takes the last member of a key."""
    document = bridge()
    document["//"]["collections"]["mirrors"]["lists"] = {}
    members = ", ".join(f'"{it}" = {{ "target" = "{it[0]}" }}' for it in keys)
    content = f'${{jsonencode({{ "mirrors" = {{ {members} }} }})}}'
    document["resource"]["aws_s3_object"]["unit"]["content"] = content
    document["output"] = {"units": {"value": dict.fromkeys(keys, "x")}}
    assert ("mirrors = local.mirrors" in text(document)) is are_named


def test_lists_stay_where_local_is_another_name() -> None:
    """A reference to a local value would be to what the expression calls so."""
    document = bridge()
    document["data"]["aws_iam_policy_document"]["mirror"]["policy_id"] = '${[for local in ["it"] : local][0]}'
    found = text(document)
    assert "${mirror.target}" not in found
    assert "mirrors = local.mirrors" in found


_CODE = 'a = file("/etc/passwd")'


@pytest.mark.parametrize(
    "said",
    [
        {_CODE: {"arns": {}, "lists": {}}},
        {"mirrors": {"arns": {"codecommit": _CODE}, "lists": {}}},
        {"mirrors": {"arns": {"codecommit": 1}, "lists": {}}},
        {"mirrors": {"arns": {}, "lists": {_CODE: {"project": "x"}}}},
        {"mirrors": {"arns": {}, "lists": {"hooks": {_CODE: "x"}}}},
        {"mirrors": {"arns": {}, "lists": {"hooks": ["project"]}}},
        {"mirrors": {"arns": {}, "lists": {"hooks": {"project": _CODE}}}},
    ],
)
def test_metadata_writes_no_code(said: Mapping[str, Any]) -> None:
    content = dict.fromkeys(said, _MIRRORS)
    document = {**bridge(), "//": {"collections": said}}
    document["resource"]["aws_s3_object"]["unit"]["content"] = json.dumps(
        content, separators=(",", ":"), sort_keys=True
    )
    assert "file(" not in re.sub(r'"(\\.|[^"\\])*"', "", text(document)), "outside of texts"
    assert "for mirror" not in text(document)


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param([f"{_ARN}website"], id="some members"),
        pytest.param([f"{_ARN}website", f"{_ARN}batch", f"{_ARN}other"], id="another one, too"),
        pytest.param([f"{_ARN}website", "arn:aws:codecommit:eu-west-1:111111111111:batch"], id="different ARNs"),
        pytest.param([it.replace("codecommit", "sns") for it in (f"{_ARN}website", f"{_ARN}batch")], id="other ARNs"),
        pytest.param([f"{_ARN}site", f"{_ARN}jobs"], id="keys"),
    ],
)
def test_a_set_of_other_texts_stays(resources: list[str]) -> None:
    assert "mirror.target" not in text(bridge(resources=resources))


@pytest.mark.parametrize(
    "hooks",
    [
        pytest.param(dict.fromkeys(_HOOKS[:3], "x"), id="some names"),
        pytest.param(dict.fromkeys([*_HOOKS, "more"], "x"), id="another name, too"),
        pytest.param({it: f"/{it}/{it}" for it in _HOOKS}, id="a name twice"),
        pytest.param({it: f"/{it[::-1]}" for it in _HOOKS}, id="other texts"),
    ],
)
def test_a_map_of_other_values_stays(hooks: dict[str, str]) -> None:
    assert "for hook" not in text(bridge(hooks=hooks))


def test_a_list_that_is_called_as_a_local_value_of_the_stack_takes_nothing_of_it() -> None:
    document = bridge(provider={"aws": [{"region": "eu-central-1", "allowed_account_ids": ["111111111111"]}]})
    document["//"]["collections"]["mirrors"]["lists"] = {"account_id": {"project": "space."}}
    found = text(document)
    assert "account_id = toset(" not in found
    assert 'account_id = "111111111111"' in found or "local.account_id" not in found
