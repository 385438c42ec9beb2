"""EventBridge patterns, which the real Terraform computes, matched with events in CloudTrail's form.

moto matches the patterns. It accepts patterns that AWS refuses, so a separate test checks for those.
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, collapse_addresses, ip_network
from pathlib import Path
from typing import Any

import pytest

from modules.elsewhere import elsewhere, pattern_values
from tests.real.terraform import terraform
from tests.terraform import Stacks, Terraform

pytestmark = pytest.mark.terraform

Event = dict[str, Any]


def _computed(folder: Path, settings: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The values that Terraform computes for local values, without a provider."""
    settings = {**settings, "output": {name: {"value": f"${{local.{name}}}"} for name in names}}
    planned = _planned(folder, settings)
    return {name: planned["outputs"][name]["value"] for name in names}


def _patterns(folder: Path, codecommit: Terraform, locals_: dict[str, Any] | None = None) -> dict[str, list[str]]:
    """The patterns of each rule, as Terraform writes them."""
    settings = {"variable": codecommit.json["variable"], "locals": locals_ or codecommit.json["locals"]}
    rules = codecommit.resources("aws_cloudwatch_event_rule")
    resources = {
        name: {"input": rule["event_pattern"], **({"count": rule["count"]} if "count" in rule else {})}
        for name, rule in rules.items()
    }
    planned = _planned(folder, {**settings, "resource": {"terraform_data": resources}})
    found: dict[str, list[str]] = {}
    for resource in planned["root_module"]["resources"]:
        found.setdefault(resource["name"], []).append(resource["values"]["input"])
    return found


def _planned(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    (folder / "main.tf.json").write_text(json.dumps(settings))
    planned = terraform(folder, "plan", "-no-color", "-input=false", "-lock=false", "-out=plan")
    assert planned.returncode == 0, planned.stderr
    values: dict[str, Any] = json.loads(terraform(folder, "show", "-json", "plan").stdout)["planned_values"]
    return values


def _sources(patterns: list[str]) -> list[Any]:
    """The networks and addresses that the patterns of a rule have."""
    values = [value for pattern in patterns for value in json.loads(pattern)["detail"]["sourceIPAddress"]]
    return [ip_network(value["cidr"] if isinstance(value, dict) else value) for value in values]


def _networks(seed: int) -> list[str]:
    """Random networks: some near each other, some far apart, some inside others."""
    chosen = random.Random(seed)
    near = chosen.randrange(2**32)
    networks = []
    for _ in range(chosen.randint(1, 6)):
        prefix = chosen.choice((0, 1, 8, 15, 24, 28, 30, 31, 32, 32, 32))
        address = chosen.choice((near ^ chosen.randrange(2**8), chosen.randrange(2**32)))
        networks.append(str(IPv4Network((address, prefix), strict=False)))
    return networks


def test_elsewhere_contains_every_other_address_exactly_once(tmp_path: Path) -> None:
    lists = {f"case_{seed}": _networks(seed) for seed in range(25)}
    lists["case_wide"] = ["0.0.0.0/0"]
    lists["case_none"] = []
    settings = {"locals": {"lists": lists, "places": elsewhere("local.lists")}}
    (computed,) = _computed(tmp_path, settings, ["places"]).values()
    for name, networks in lists.items():
        ours = [IPv4Network(network) for network in networks]
        found = [network for network in map(ip_network, computed[name]) if network.version == 4]
        assert set(computed[name]) - {str(network) for network in found} == {"::/1", "8000::/1"}
        # The result has none of the listed addresses and none twice; together with them it is all of IPv4.
        assert not any(network.overlaps(own) for network in found for own in ours), networks
        union = sum(network.num_addresses for network in found)
        admitted = sum(network.num_addresses for network in collapse_addresses(ours))
        assert union == sum(network.num_addresses for network in collapse_addresses(found))
        assert union + admitted == 2**32, networks


def test_every_value_is_valid_for_eventbridge(tmp_path: Path) -> None:
    places = elsewhere('{ x = ["203.113.113.110/32", "198.151.100.128/31"] }')
    settings = {"locals": {"places": places, "values": f"${{{pattern_values('local.places.x')}}}"}}
    computed = _computed(tmp_path, settings, ["places", "values"])
    addresses = [value for value in computed["values"] if isinstance(value, str)]
    networks = [value["cidr"] for value in computed["values"] if isinstance(value, dict)]
    assert sorted([*(f"{address}/32" for address in addresses), *networks]) == sorted(computed["places"]["x"])
    assert addresses == [str(IPv4Address(address)) for address in addresses] == ["203.113.113.111"]
    # EventBridge refuses a CIDR of a single address.
    assert all(network.prefixlen < network.max_prefixlen for network in map(ip_network, networks))


def test_a_pattern_stays_within_its_limit_with_many_endpoints(changed: Callable[..., Stacks], tmp_path: Path) -> None:
    endpoints = [f"vpce-0123456789abcde{number:02x}" for number in range(40)]
    patterns = _of_pulls(changed, tmp_path, {"vault": {"from_vpc_endpoints": endpoints}})
    assert len(patterns) > 1
    assert all(len(pattern) <= 2_048 for pattern in patterns)


@pytest.mark.parametrize("of_user", [[], ["vpce-0fedcba987654321a", "vpce-0fedcba987654321b"]])
def test_as_many_networks_fit_beside_endpoints_of_a_local_value_as_beside_the_endpoints_themselves(
    changed: Callable[..., Stacks], tmp_path: Path, of_user: list[str]
) -> None:
    first, last = ["vpce-0123456789abcdef1", "vpce-01234567"], ["vpce-0123456789abcdef0"]
    rooms = {"vault": {"from_vpc_endpoints": last}, "archive": {"from_vpc_endpoints": first}}
    settings: dict[str, Any] = {"prd.codecommit.push.from_cidrs": ["192.0.2.1/32", "192.0.3.1/32"]}
    if of_user:
        settings["prd.codecommit.pull"] = {"from_vpc_endpoints": of_user}
    patterns = _of_pulls(changed, tmp_path, rooms, settings)
    written = {pattern.partition('"vpcEndpointId":')[2].partition("}]")[0] for pattern in patterns}
    expected = json.dumps([*of_user, *first, *last], separators=(",", ":"))
    assert written == {f'[{{"exists":false}},{{"anything-but":{expected}'}
    beside = len(re.sub(r'("sourceIPAddress":)\[.*?\]', r'\1"sources"', patterns[0]))
    counted = [len(json.loads(pattern)["detail"]["sourceIPAddress"]) for pattern in patterns]
    assert set(counted[:-1]) == {(2_048 - beside) // len('{"cidr":"255.255.255.255/31"},')}


def test_pulls_through_every_endpoint_are_reported_once_no_room_has_one(
    changed: Callable[..., Stacks], tmp_path: Path
) -> None:
    patterns = _of_pulls(changed, tmp_path, {"vault": {"from_vpc_endpoints": ["vpce-01234567"]}}, removed="vault")
    (values,) = {json.dumps(json.loads(pattern)["detail"]["vpcEndpointId"]) for pattern in patterns}
    assert values == '[{"exists": false}, {"anything-but": ["none"]}]'


def _of_pulls(
    changed: Callable[..., Stacks],
    folder: Path,
    rooms: dict[str, Any],
    settings: dict[str, Any] | None = None,
    *,
    removed: str = "",
) -> list[str]:
    """The patterns for pulls with these rooms; the Terraform lists no endpoints of the room `removed`."""
    codecommit = changed("everything", {"prd.codecommit.rooms": rooms, **(settings or {})})["prd-codecommit"]
    named = dict(codecommit.json["locals"])
    named["room_endpoints"] = {name: ids for name, ids in named["room_endpoints"].items() if name != removed}
    return _patterns(folder, codecommit, named)["detection_pulls"]


def test_addresses_in_another_stacks_outputs_are_expected(changed: Callable[..., Stacks], tmp_path: Path) -> None:
    codecommit = changed("example", {"prd.codecommit.detection": {}})["prd-codecommit"]
    outputs = "data.terraform_remote_state.dev_network.outputs.nat_public_ips"
    written = json.dumps(codecommit.json["locals"])
    assert outputs in written
    known = json.loads(written.replace(outputs, json.dumps('{ a = "203.0.113.10", c = "203.0.113.11" }')[1:-1]))
    patterns = _patterns(tmp_path, codecommit, known)
    pushes, pulls = (_sources(patterns[f"detection_{name}"]) for name in ("pushes", "pulls"))
    assert set(collapse_addresses(IPv4Network(n) for n in pushes if n.version == 4)) == _all_but("203.0.113.10/31")
    assert set(collapse_addresses(IPv4Network(n) for n in pulls if n.version == 4)) == _all_but(
        "203.0.113.10/31", "198.51.100.0/28"
    )


def _all_but(*networks: str) -> set[IPv4Network]:
    rest = [IPv4Network("0.0.0.0/0")]
    for network in map(IPv4Network, networks):
        rest = [part for one in rest for part in (one.address_exclude(network) if network.subnet_of(one) else [one])]
    return set(collapse_addresses(rest))


@pytest.fixture(scope="module")
def codecommit(synthesised: Callable[[str], Stacks]) -> Terraform:
    return synthesised("everything")["prd-codecommit"]


@pytest.fixture(scope="module")
def matching_rules(codecommit: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Event], list[str]]:
    """Gives the names of the rules that match an event, in the order of their names."""
    from moto.events.models import EventPattern

    patterns: dict[str, list[Any]] = {}
    for name, texts in _patterns(tmp_path_factory.mktemp("detection"), codecommit).items():
        assert all(len(one) <= 2_048 and "${" not in one for one in texts)
        patterns[name] = [EventPattern.load(one) for one in texts]
    return lambda event: sorted(
        name for name, found in patterns.items() if any(pattern.matches_event(event) for pattern in found)
    )


PUSH_USER = "arn:aws:iam::222222222222:user/kakehashi-prd-push"
PULL_USER = "arn:aws:iam::222222222222:user/kakehashi-prd-pull"
BUILD = "arn:aws:sts::222222222222:assumed-role/kakehashi-prd-backlog-mirror-website/AWSCodeBuild-0123"
LIKE_A_BUILD = "arn:aws:sts::222222222222:assumed-role/kakehashi-prd-backlog-mirror-evil/AWSCodeBuild-0123"
ADMINISTRATOR = "arn:aws:sts::222222222222:assumed-role/administrator/somebody"


def _identity(arn: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""
    if ":assumed-role/" not in arn:
        return {"type": "IAMUser", "arn": arn, "accountId": "222222222222"}
    role = arn.replace(":sts:", ":iam:").replace(":assumed-role/", ":role/").rpartition("/")[0]
    issuer = {"type": "Role", "arn": role, "accountId": "222222222222", "userName": role.rpartition("/")[2]}
    return {"type": "AssumedRole", "arn": arn, "sessionContext": {"sessionIssuer": issuer}}


def _git(name: str, arn: str, address: str, **more: Any) -> Event:
    """https://docs.aws.amazon.com/codecommit/latest/userguide/integ-cloudtrail.html"""
    return {
        "version": "0",
        "id": "aa4985bd-7090-e49f-600d-9674e2fc3517",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.codecommit",
        "account": "222222222222",
        "time": "2026-11-24T03:00:00Z",
        "region": "ap-northeast-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "userIdentity": _identity(arn),
            "eventTime": "2026-11-24T03:00:00Z",
            "eventSource": "codecommit.amazonaws.com",
            "eventName": name,
            "awsRegion": "ap-northeast-1",
            "sourceIPAddress": address,
            "userAgent": "git/2.47.0",
            "requestParameters": None,
            "responseElements": None,
            "additionalEventData": {"protocol": "HTTP", "dataTransferred": True, "repositoryName": "application"},
            "readOnly": name == "GitPull",
            "eventType": "AwsApiCall",
            "recipientAccountId": "222222222222",
            **more,
        },
    }


# push from 192.0.2.128 and .129; pull from 198.51.100.0/28 and 203.0.113.10, a room from 203.0.113.32/29.
@pytest.mark.parametrize(
    ("event", "rules"),
    [
        (_git("GitPush", PUSH_USER, "192.0.2.128"), []),
        (_git("GitPush", PUSH_USER, "192.0.2.129"), []),
        (_git("GitPush", PUSH_USER, "192.0.2.130"), ["detection_pushes"]),
        (_git("GitPush", PUSH_USER, "192.0.2.127"), ["detection_pushes"]),
        (_git("GitPush", PUSH_USER, "198.51.100.1"), ["detection_pushes"]),
        (_git("GitPush", PUSH_USER, "203.0.113.33", errorCode="AccessDenied"), ["detection_pushes"]),
        (_git("GitPush", ADMINISTRATOR, "8.8.8.8"), ["detection_pushes"]),
        (_git("GitPush", ADMINISTRATOR, "2001:db8::1"), ["detection_pushes"]),
        (_git("GitPush", ADMINISTRATOR, "fd00::1", vpcEndpointId="vpce-0123456789abcdef0"), ["detection_pushes"]),
        (_git("GitPush", PUSH_USER, "192.0.2.130", readOnly=True), []),
        (_git("GitPush", PUSH_USER, "192.0.2.130", readOnly=True, errorCode="AccessDenied"), ["detection_pushes"]),
        (_git("GitPush", BUILD, "8.8.8.8"), []),
        (_git("GitPush", LIKE_A_BUILD, "8.8.8.8"), ["detection_pushes"]),
        (_git("GitPull", LIKE_A_BUILD, "8.8.8.8"), ["detection_pulls"]),
        (_git("GitPull", BUILD, "8.8.8.8"), []),
        (_git("GitPull", PUSH_USER, "192.0.2.128"), []),
        (_git("GitPull", PULL_USER, "198.51.100.0"), []),
        (_git("GitPull", PULL_USER, "198.51.100.15"), []),
        (_git("GitPull", PULL_USER, "198.51.100.16"), ["detection_pulls"]),
        (_git("GitPull", PULL_USER, "203.0.113.10"), []),
        (_git("GitPull", PULL_USER, "203.0.113.39"), []),
        (_git("GitPull", PULL_USER, "203.0.113.40"), ["detection_pulls"]),
        (_git("GitPull", PULL_USER, "0.0.0.0"), ["detection_pulls"]),
        (_git("GitPull", PULL_USER, "255.255.255.255"), ["detection_pulls"]),
        (_git("GitPull", PULL_USER, "::ffff:198.51.100.1"), ["detection_pulls"]),
        (_git("GitPull", PULL_USER, "10.0.0.7", vpcEndpointId="vpce-0fedcba9876543210"), []),
        (_git("GitPull", PULL_USER, "10.0.0.7", vpcEndpointId="vpce-00000000000000000"), ["detection_pulls"]),
        (_git("GetRepository", PULL_USER, "8.8.8.8"), []),
    ],
    ids=lambda value: (
        "" if isinstance(value, list) else f"{value['detail']['eventName']}-{value['detail']['sourceIPAddress']}"
    ),
)
def test_git_from_an_address_outside_the_lists_is_reported(
    matching_rules: Callable[[Event], list[str]], event: Event, rules: list[str]
) -> None:
    assert matching_rules(event) == rules


def test_every_address_outside_the_lists_is_reported(matching_rules: Callable[[Event], list[str]]) -> None:
    push = [IPv4Network("192.0.2.128/32"), IPv4Network("192.0.2.129/32")]
    pull = [*push, *map(IPv4Network, ("198.51.100.0/28", "203.0.113.10/32", "203.0.113.32/29"))]
    chosen = random.Random(5)
    addresses = [IPv4Address(chosen.randrange(2**32)) for _ in range(100)]
    addresses += [
        IPv4Address(int(network[place]) + step) for network in pull for place in (0, -1) for step in (-1, 0, 1)
    ]
    for address in addresses:
        for name, ours, rule in (("GitPush", push, "detection_pushes"), ("GitPull", pull, "detection_pulls")):
            expected = [] if any(address in network for network in ours) else [rule]
            assert matching_rules(_git(name, ADMINISTRATOR, str(address))) == expected, address


POLICIES = "arn:aws:iam::222222222222:policy/"


def _iam(name: str, parameters: dict[str, str] | None) -> Event:
    event = _git(name, ADMINISTRATOR, "198.51.100.1", eventSource="iam.amazonaws.com", requestParameters=parameters)
    return {**event, "source": "aws.iam", "region": "us-east-1"}


@pytest.mark.parametrize(
    ("event", "is_reported"),
    [
        (_iam("CreateServiceSpecificCredential", {"userName": "any", "serviceName": "codecommit.amazonaws.com"}), True),
        (_iam("ResetServiceSpecificCredential", {"userName": "any"}), True),
        (_iam("UpdateServiceSpecificCredential", {"userName": "any", "status": "Active"}), True),
        (_iam("UploadSSHPublicKey", {"userName": "any"}), True),
        (_iam("CreateAccessKey", {"userName": "kakehashi-prd-push"}), True),
        (_iam("CreateLoginProfile", {"userName": "kakehashi-prd-pull-batch_operators"}), True),
        *(
            (_iam(name, {"userName": "kakehashi-prd-pull", "policyArn": "x", "policyName": "x"}), True)
            for name in (
                "AddUserToGroup",
                "AttachUserPolicy",
                "DetachUserPolicy",
                "PutUserPolicy",
                "DeleteUserPolicy",
                "PutUserPermissionsBoundary",
                "DeleteUserPermissionsBoundary",
                "UpdateAccessKey",
                "UpdateLoginProfile",
                "UpdateUser",
            )
        ),
        (_iam("CreatePolicyVersion", {"policyArn": f"{POLICIES}kakehashi-prd-pull-deny"}), True),
        (_iam("SetDefaultPolicyVersion", {"policyArn": f"{POLICIES}kakehashi-prd-push-allow"}), True),
        (_iam("CreatePolicyVersion", {"policyArn": f"{POLICIES}another"}), False),
        (_iam("PutUserPolicy", {"userName": "somebody-else"}), False),
        (_iam("CreateAccessKey", {"userName": "somebody-else"}), False),
        (_iam("CreateAccessKey", None), False),
        (_iam("DeleteServiceSpecificCredential", {"userName": "any"}), False),
        (_iam("GetUser", {"userName": "kakehashi-prd-push"}), False),
    ],
)
def test_what_changes_the_access_of_users_for_git_is_reported_in_iams_region_and_in_the_alerts_region(
    matching_rules: Callable[[Event], list[str]], event: Event, is_reported: bool
) -> None:
    assert matching_rules(event) == (
        ["detection_credentials", "detection_forwarded_credentials"] if is_reported else []
    )
