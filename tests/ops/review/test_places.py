"""Networks that are destroyed, providers that work elsewhere, servers that stop, and keys that are still needed."""

import json
from typing import Any

from ops.review import PlanFile, review
from tests.ops.review.plans import real, real_review, reviewed
from tests.terraform.plans import change, plan


def _what(found: Any, rule: str) -> list[str]:
    return [finding.what for finding in (*found.dangerous, *found.notes) if finding.rule == rule]


def test_a_destroyed_network_is_reported_with_what_goes_with_it() -> None:
    [file] = [file for file in real("nothing-changes") if file.stack == "dev-network"]
    document = json.loads(file.text)
    for entry in document["resource_changes"]:
        if entry["mode"] == "managed":
            entry["change"] |= {"actions": ["delete"], "after": None, "after_unknown": {}}
    found = review([PlanFile(stack="dev-network", where=file.where, text=json.dumps(document))], [])
    [what] = _what(found, "network-lost")
    assert what.startswith("is destroyed; lost: the network; with it go 1 `aws_default_security_group`, ")
    assert "2 `aws_subnet`" in what
    assert "1 `aws_nat_gateway`" in what


def test_what_stays_in_a_destroyed_network_is_named() -> None:
    vpc = change("aws_vpc.it", ["delete", "create"], {"id": "vpc-1"}, {}, replace_paths=[["cidr_block"]])
    subnet = change("aws_subnet.it", "delete", {"id": "subnet-1", "vpc_id": "vpc-1"})
    servers = [
        change(f"aws_instance.{name}", "no-op", values, values)
        for name, values in {name: {"subnet_id": subnet} for name, subnet in (("a", "subnet-1"), ("b", "x"))}.items()
    ]
    assert _what(reviewed(plan(vpc, subnet, *servers)), "network-lost") == [
        "is replaced because of `cidr_block`; lost: the network; with it go 1 `aws_subnet`; "
        "still in it: `stack/aws_instance.a`"
    ]


def test_a_provider_in_another_region_leaves_everything_behind() -> None:
    found = real_review("region-changed")
    [what] = _what(found, "place-changed")
    assert what == (
        "is `ap-northeast-3`, and no longer manages 2 objects in `ap-northeast-1`, which stay there: "
        "others are created in their place"
    )
    assert _what(found, "drifted") == []


def test_what_is_destroyed_where_the_provider_works_is_drift() -> None:
    [file] = real("nothing-changes")[:1]
    gone = change("aws_sns_topic.gone", "delete", {"arn": "arn:aws:sns:ap-northeast-1:222222222222:gone"})
    document = json.loads(file.text) | {"resource_drift": [gone]}
    found = review([PlanFile(stack=file.stack, where=file.where, text=json.dumps(document))], [])
    assert _what(found, "drifted") == ["was destroyed outside Terraform"]


def _provider(*accounts: str, allowed: str) -> list[str]:
    resources = [
        {"address": f"aws_sns_topic.t{number}", "mode": "managed", "values": {"arn": f"arn:aws:sns:a:{account}:t"}}
        for number, account in enumerate(accounts)
    ]
    expressions = {"allowed_account_ids": {"constant_value": [allowed]}}
    configuration = {"root_module": {}, "provider_config": {"aws": {"expressions": expressions}}}
    state = {"values": {"root_module": {"resources": resources}}}
    return _what(reviewed(plan(configuration=configuration, prior_state=state)), "place-changed")


def test_a_provider_in_another_account_is_reported_and_an_object_of_another_account_is_not() -> None:
    [what] = _provider("111111111111", "111111111111", allowed="222222222222")
    assert what.startswith("is `222222222222`, and no longer manages 2 objects in `111111111111`")
    assert _provider("111111111111", "222222222222", allowed="222222222222") == []
    assert _provider("", allowed="222222222222") == []


def test_a_larger_server_is_said_to_stop() -> None:
    [what] = _what(real_review("gitlab-larger"), "server-stopped")
    assert what == "stops while `instance_type` changes: `c7i.2xlarge` → `c7i.4xlarge`"


def test_a_key_is_lost_while_a_repository_keeps_it() -> None:
    arn = "arn:aws:kms:ap-northeast-1:222222222222:key/1"
    key = change("aws_kms_key.it", "delete", {"key_id": "1", "arn": arn})
    kept, gone = ({"kms_key_id": key_id} for key_id in (arn, None))
    repositories = [
        change("aws_codecommit_repository.kept", "no-op", kept, kept),
        change("aws_codecommit_repository.dropped", "update", kept, gone),
        change("aws_codecommit_repository.destroyed", "delete", kept),
    ]
    assert _what(reviewed(plan(key, *repositories)), "key-lost") == [
        "is destroyed; lost: the key, and with it everything that is encrypted with it; "
        "still encrypted with it: `aws_codecommit_repository.kept` in `stack`"
    ]
