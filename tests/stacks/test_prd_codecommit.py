import json
from collections.abc import Callable

import pytest

from errors import RefusedError
from terraform.address_lists import (
    MOST_ADDRESSES,
    has_one_source,
    has_own_endpoints,
    no_overlap,
    of_all_rooms,
    of_other_rooms,
    of_room,
    room_is_at_most,
    room_is_public,
    room_is_well_formed,
)
from tests.terraform import Stacks, Terraform

BRIDGE_ALONE: dict[str, object] = {"dev": None, "prd.codecommit.push": None, "prd.codecommit.detection": {}}


@pytest.fixture(scope="module")
def codecommit(example: Stacks) -> Terraform:
    return example["prd-codecommit"]


def _arns(*names: str) -> list[str]:
    return [f"arn:aws:codecommit:ap-northeast-1:222222222222:{name}" for name in names]


def test_repositories_cannot_be_deleted_unless_the_deployment_says_so(
    codecommit: Terraform, changed: Callable[..., Stacks]
) -> None:
    repositories = codecommit.resources("aws_codecommit_repository")
    assert {repository["repository_name"] for repository in repositories.values()} == {
        "infrastructure",
        "application",
        "batch",
    }
    assert all(repository["lifecycle"] == {"prevent_destroy": True} for repository in repositories.values())
    unprotected = changed("minimal", {"prd.codecommit.deletion_protected": False})["prd-codecommit"].resources(
        "aws_codecommit_repository"
    )
    assert unprotected
    assert not any("lifecycle" in repository for repository in unprotected.values())


def test_the_push_user_may_push_only_to_gitlabs_repositories(codecommit: Terraform) -> None:
    allow = codecommit.statements(codecommit.resource("aws_iam_policy.push_user_allow_policy")["policy"])
    assert set(allow) == {"PushAndPull"}
    assert allow["PushAndPull"]["actions"] == ["codecommit:GitPull", "codecommit:GitPush"]
    # `batch` is filled by the Backlog bridge.
    assert allow["PushAndPull"]["resources"] == _arns("infrastructure", "application")


def test_the_pull_user_may_change_nothing(codecommit: Terraform) -> None:
    allow = codecommit.statements(codecommit.resource("aws_iam_policy.pull_user_allow_policy")["policy"])
    for statement in allow.values():
        for action in statement["actions"]:
            service, _, name = action.partition(":")
            assert service == "codecommit"
            assert name.startswith(("Get", "BatchGet", "List", "GitPull")), action
            assert "*" not in name
    assert allow["Pull"]["resources"] == _arns("infrastructure", "application", "batch", "website")


@pytest.mark.parametrize(
    ("user", "cidrs"),
    [
        (
            "push",
            "${[for address in values(data.terraform_remote_state.dev_network.outputs.nat_public_ips) : "
            '"${address}/32"]}',
        ),
        ("pull", "${var.pull_from_cidrs}"),
    ],
)
def test_denies_every_request_from_another_address(codecommit: Terraform, user: str, cidrs: str) -> None:
    deny = codecommit.statements(codecommit.resource(f"aws_iam_policy.{user}_user_deny_policy")["policy"])
    assert deny["DenyFromElsewhere"].pop("//")["comment"].startswith("What an AWS service asks on the user's behalf")
    assert deny == {
        "DenyFromElsewhere": {
            "sid": "DenyFromElsewhere",
            "effect": "Deny",
            "actions": ["*"],
            "resources": ["*"],
            "condition": [
                {"test": "NotIpAddress", "variable": "aws:SourceIp", "values": cidrs},
                {"test": "BoolIfExists", "variable": "aws:ViaAWSService", "values": ["false"]},
            ],
        }
    }


def test_both_policies_of_a_user_are_attached_to_that_user(codecommit: Terraform) -> None:
    attachments = codecommit.resources("aws_iam_user_policy_attachment")
    assert {(a["user"], a["policy_arn"]) for a in attachments.values()} == {
        (f"${{aws_iam_user.{user}_user.name}}", f"${{aws_iam_policy.{user}_user_{role}_policy.arn}}")
        for user in ("push", "pull")
        for role in ("allow", "deny")
    }


def test_no_secret_is_made_by_terraform(codecommit: Terraform) -> None:
    # Everyone who can read the state can read a password or key that Terraform creates.
    secrets = {"aws_iam_access_key", "aws_iam_service_specific_credential", "aws_iam_user_login_profile"}
    assert not secrets & set(codecommit.json["resource"])


def test_given_push_addresses_are_a_variable_that_operations_may_change(
    synthesised: Callable[[str], Stacks],
) -> None:
    minimal = synthesised("minimal")["prd-codecommit"]
    deny = minimal.statements(minimal.resource("aws_iam_policy.push_user_deny_policy")["policy"])
    assert deny["DenyFromElsewhere"]["condition"][0]["values"] == "${var.push_from_cidrs}"
    assert minimal.json["variable"]["push_from_cidrs"]["default"] == ["203.0.113.10/32"]
    assert "terraform_remote_state" not in minimal.json["data"]


def test_without_a_proxy_the_push_users_address_is_the_servers(synthesised: Callable[[str], Stacks]) -> None:
    codecommit = synthesised("gitlab-existing-vpc")["prd-codecommit"]
    deny = codecommit.statements(codecommit.resource("aws_iam_policy.push_user_deny_policy")["policy"])
    assert deny["DenyFromElsewhere"]["condition"][0]["values"] == (
        '${[for address in [data.terraform_remote_state.dev_gitlab.outputs.public_ip] : "${address}/32"]}'
    )


def test_clone_urls_and_users_are_outputs(codecommit: Terraform) -> None:
    outputs = codecommit.json["output"]
    assert outputs["clone_urls_codecommit"]["value"]["batch"] == "codecommit::ap-northeast-1://batch"
    assert outputs["clone_urls_https"]["value"]["batch"] == (
        "${aws_codecommit_repository.repositories_batch.clone_url_http}"
    )
    assert {f"{user}_user_{what}" for user in ("push", "pull") for what in ("name", "arn")} <= set(outputs)


@pytest.mark.slow
def test_without_a_push_user_only_the_bridge_writes(changed: Callable[..., Stacks]) -> None:
    codecommit = changed("example", BRIDGE_ALONE)["prd-codecommit"]
    assert set(codecommit.resources("aws_iam_user")) == {"pull_user"}


def test_a_repositorys_key_is_usable_through_codecommit_only(synthesised: Callable[[str], Stacks]) -> None:
    codecommit = synthesised("everything")["prd-codecommit"]
    key = "arn:aws:kms:ap-northeast-1:222222222222:key/1234abcd-12ab-34cd-86ef-1234567890ab"
    assert codecommit.resource("aws_codecommit_repository.repositories_infrastructure")["kms_key_id"] == key
    for user in ("push", "pull"):
        policy = codecommit.resource(f"aws_iam_policy.{user}_user_allow_policy")["policy"]
        keys = codecommit.statements(policy)["RepositoryKeys"]
        assert keys["resources"] == [key]
        assert keys["condition"] == [
            {
                "test": "StringEquals",
                "variable": "kms:ViaService",
                "values": ["codecommit.ap-northeast-1.amazonaws.com"],
            }
        ]


def test_the_deny_is_attached_before_the_allow_and_detached_after_it(codecommit: Terraform) -> None:
    for user in ("push", "pull"):
        allow = codecommit.resource(f"aws_iam_user_policy_attachment.{user}_user_allow_attachment")
        assert allow["depends_on"] == [f"aws_iam_user_policy_attachment.{user}_user_deny_attachment"]


def test_a_plan_that_would_allow_the_isolated_room_to_push_fails(codecommit: Terraform) -> None:
    apart, public = codecommit.resource("aws_iam_policy.push_user_deny_policy")["lifecycle"]["precondition"]
    assert "var.pull_from_cidrs" in apart["condition"]
    assert "var.pull_from_cidrs" not in public["condition"]
    for precondition in (apart, public):
        assert "data.terraform_remote_state.dev_network.outputs.nat_public_ips" in precondition["condition"]


@pytest.fixture(scope="module")
def rooms(synthesised: Callable[[str], Stacks]) -> Terraform:
    return synthesised("everything")["prd-codecommit"]


def test_every_room_has_a_user_with_its_own_addresses_and_repositories(rooms: Terraform) -> None:
    assert set(rooms.resources("aws_iam_user")) == {"push_user", "pull_user", "rooms_batch_operators", "rooms_vault"}
    allow = rooms.statements(rooms.resource("aws_iam_policy.rooms_batch_operators_allow_policy")["policy"])
    assert allow["Pull"]["resources"] == _arns("application", "batch")
    assert "RepositoryKeys" not in allow
    deny = rooms.statements(rooms.resource("aws_iam_policy.rooms_batch_operators_deny_policy")["policy"])
    assert deny["DenyFromElsewhere"]["condition"][0]["values"] == "${var.room_batch_operators_from_cidrs}"
    assert rooms.json["output"]["room_user_names"]["value"] == {
        name: f"${{aws_iam_user.rooms_{name}.name}}" for name in ("batch_operators", "vault")
    }


def test_a_room_without_a_list_of_repositories_pulls_all_of_them(rooms: Terraform) -> None:
    allow = rooms.statements(rooms.resource("aws_iam_policy.rooms_vault_allow_policy")["policy"])
    created = ("website", "partner-api", "partner-lib-client", "partner-lib-server.java")
    assert allow["Pull"]["resources"] == _arns("infrastructure*", "application", "batch", *created)


def test_no_user_of_a_room_may_write_or_has_a_secret(rooms: Terraform) -> None:
    for name, policy in rooms.resources("aws_iam_policy").items():
        if name.startswith(("pull_user_allow", "rooms_")) and "_allow" in name:
            for sid, statement in rooms.statements(policy["policy"]).items():
                assert sid == "RepositoryKeys" or not any("Push" in action for action in statement["actions"])
    secrets = {"aws_iam_access_key", "aws_iam_service_specific_credential", "aws_iam_user_login_profile"}
    assert not secrets & set(rooms.json["resource"])


def test_a_plan_that_gives_two_rooms_one_address_or_lets_a_room_push_fails(rooms: Terraform) -> None:
    def conditions(user: str) -> list[str]:
        policy = rooms.resource(f"aws_iam_policy.{user}_deny_policy")
        return [it["condition"] for it in policy["lifecycle"]["precondition"]]

    assert rooms.json["locals"]["room_cidrs"] == {
        "batch_operators": "${var.room_batch_operators_from_cidrs}",
        "vault": [],
    }
    assert conditions("push_user") == [no_overlap("var.push_from_cidrs", ["var.pull_from_cidrs", of_all_rooms()])]
    for room in ("batch_operators", "vault"):
        others = ["var.pull_from_cidrs", of_other_rooms(room)]
        assert no_overlap(of_room(room), others) in conditions(f"rooms_{room}")


def test_every_room_is_checked_as_its_settings_are(rooms: Terraform) -> None:
    for room in ("batch_operators", "vault"):
        checks = rooms.resource(f"aws_iam_policy.rooms_{room}_deny_policy")["lifecycle"]["precondition"]
        assert [it["condition"] for it in checks] == [
            room_is_well_formed(room),
            room_is_public(room),
            has_one_source(room),
            has_own_endpoints(room, []),
            room_is_at_most(room, MOST_ADDRESSES),
            no_overlap(of_room(room), ["var.pull_from_cidrs", of_other_rooms(room)]),
            no_overlap(of_room(room), ['["198.51.100.128/28", "203.0.113.64/26"]']),
        ]
    assert "lifecycle" not in rooms.resource("aws_iam_policy.pull_user_deny_policy")


def test_a_room_with_vpc_endpoints_works_through_them_only(rooms: Terraform) -> None:
    endpoints = ["vpce-0123456789abcdef0", "vpce-0fedcba9876543210"]
    deny = rooms.statements(rooms.resource("aws_iam_policy.rooms_vault_deny_policy")["policy"])["DenyFromElsewhere"]
    # A request from the internet has no aws:SourceVpce. StringNotEquals then matches, with and without IfExists, and
    # StringEquals in the Allow does not.
    assert deny["condition"] == [
        {"test": "StringNotEquals", "variable": "aws:SourceVpce", "values": endpoints},
        {"test": "BoolIfExists", "variable": "aws:ViaAWSService", "values": ["false"]},
    ]
    allow = rooms.statements(rooms.resource("aws_iam_policy.rooms_vault_allow_policy")["policy"])
    for sid in ("Pull", "ListRepositories"):
        assert allow[sid]["condition"] == [{"test": "StringEquals", "variable": "aws:SourceVpce", "values": endpoints}]


def test_rooms_do_not_need_pull(changed: Callable[..., Stacks]) -> None:
    one = {"night_shift": {"from_cidrs": ["198.51.100.0/28"]}}
    codecommit = changed("minimal", {"prd.codecommit.pull": None, "prd.codecommit.rooms": one})["prd-codecommit"]
    assert set(codecommit.resources("aws_iam_user")) == {"push_user", "rooms_night_shift"}
    assert codecommit.resource("aws_iam_user.rooms_night_shift")["name"] == "kakehashi-prd-pull-night_shift"
    assert "pull_user_name" not in codecommit.json["output"]


@pytest.mark.slow
def test_many_repositories_take_several_policies_each_attached_after_the_deny(changed: Callable[..., Stacks]) -> None:
    names = [f"payments-service-{number:03}" for number in range(200)]
    codecommit = changed("minimal", {"prd.codecommit.repositories": dict.fromkeys(names)})["prd-codecommit"]
    attachments = codecommit.resources("aws_iam_user_policy_attachment")
    allowed = [name for name in attachments if name.startswith("pull_user_allow")]
    assert allowed == [f"pull_user_allow{number}_attachment" for number in ("_2", "_3", "")]
    admitted: set[str] = set()
    for name in allowed:
        assert attachments[name]["depends_on"] == ["aws_iam_user_policy_attachment.pull_user_deny_attachment"]
        policy = codecommit.resource(f"aws_iam_policy.{name.replace('_attachment', '_policy')}")["policy"]
        admitted.update(codecommit.statements(policy)["Pull"]["resources"])
    assert admitted == set(_arns(*names))


_ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_every_rule_receives_read_events_and_publishes_to_the_topic(rooms: Terraform) -> None:
    rules = rooms.resources("aws_cloudwatch_event_rule")
    publishing = {name for name in rules if name != "detection_forwarded_credentials"}
    assert publishing == {"detection_pushes", "detection_pulls", "detection_credentials"}
    # CloudTrail marks pulls as read-only, and a rule in the state ENABLED receives no read-only events.
    assert {rule["state"] for rule in rules.values()} == {_ALL_EVENTS}
    for name in publishing:
        target = rooms.resource(f"aws_cloudwatch_event_target.{name}_to_topic")
        assert target["arn"] == "${aws_sns_topic.detection_topic.arn}"
        assert target.get("count") == rules[name].get("count")
    emails = [one["endpoint"] for one in rooms.resources("aws_sns_topic_subscription").values()]
    assert emails == ["security@example.com"]


def test_iams_events_are_forwarded_from_their_region(rooms: Terraform, changed: Callable[..., Stacks]) -> None:
    target = rooms.resource("aws_cloudwatch_event_target.detection_forwarded_credentials_to_bus")
    assert target["provider"] == "aws.us_east_1"
    assert target["arn"] == "arn:aws:events:ap-northeast-1:222222222222:event-bus/default"
    assert target["role_arn"] == "${aws_iam_role.detection_forwarding_role.arn}"
    home, away = rooms.json["provider"]["aws"]
    assert away == {**home, "alias": "us_east_1", "region": "us-east-1"}
    in_virginia = {"region": "us-east-1", "prd.codecommit.detection": {}}
    there = changed("minimal", in_virginia)["prd-codecommit"]
    assert len(there.json["provider"]["aws"]) == 1
    assert "detection_credentials" in there.resources("aws_cloudwatch_event_rule")
    assert "aws_iam_role" not in there.json["resource"]


def test_without_a_push_user_every_push_except_the_bridges_is_reported(changed: Callable[..., Stacks]) -> None:
    rule = changed("example", BRIDGE_ALONE)["prd-codecommit"].resource("aws_cloudwatch_event_rule.detection_pushes")
    assert "count" not in rule
    assert json.loads(rule["event_pattern"])["detail"] == {
        "eventSource": ["codecommit.amazonaws.com"],
        "eventName": ["GitPush"],
        "$or": [
            {"readOnly": [False], "userIdentity": {"type": [{"anything-but": "AssumedRole"}]}},
            {"readOnly": [False], "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [_NO_BUILD]}}}},
            {"errorCode": [{"exists": True}]},
        ],
    }


_BUILDS = "arn:aws:iam::222222222222:role/kakehashi-prd-backlog-mirror-"
_NO_BUILD = {"anything-but": [f"{_BUILDS}example"]}


@pytest.mark.slow
def test_many_builds_are_left_out_by_the_beginning_of_their_names(changed: Callable[..., Stacks]) -> None:
    mirror = {"space": "example", "project": "WEB"}
    mirrors = {f"m{n}": {**mirror, "repository": f"r{n}", "target": {"create": f"r{n}"}} for n in range(16)}
    changes = {**BRIDGE_ALONE, "prd.backlog.repositories": mirrors, "prd.backlog.isolation": "repository"}
    rule = changed("example", changes)["prd-codecommit"].resource("aws_cloudwatch_event_rule.detection_pushes")
    first, refused = json.loads(rule["event_pattern"])["detail"]["$or"]
    assert first["userIdentity"] == {
        "arn": [{"anything-but": {"prefix": _BUILDS.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}}]
    }
    assert refused == {"errorCode": [{"exists": True}]}


def test_endpoints_of_rooms_are_written_once_and_those_of_the_pull_user_in_the_pattern(
    rooms: Terraform, changed: Callable[..., Stacks]
) -> None:
    def pattern(codecommit: Terraform) -> str:
        written = codecommit.resource("aws_cloudwatch_event_rule.detection_pulls")["event_pattern"]
        assert isinstance(written, str)
        return written

    assert "vpce-" not in pattern(rooms)
    assert "vpce-" not in str(rooms.json["locals"]["detection_expected_endpoints"])
    pull = {"prd.codecommit.pull": {"from_vpc_endpoints": ["vpce-01234567"]}, "prd.codecommit.rooms": {}}
    of_user = changed("everything", pull)["prd-codecommit"]
    assert '"vpcEndpointId":[{"exists":false},{"anything-but":["vpce-01234567"]}]' in pattern(of_user)
    assert "detection_expected_endpoints" not in of_user.json["locals"]


def test_refuses_more_endpoints_than_fit_into_a_pattern(changed: Callable[..., Stacks]) -> None:
    rooms = {
        name: {"from_vpc_endpoints": [f"vpce-{name}00000000000{n:02}" for n in range(40)]} for name in ("aaaa", "b0b0")
    }
    with pytest.raises(RefusedError, match=r"detection_pulls\.event_pattern: 2,\d\d\d characters, AWS takes 2,048"):
        changed("minimal", {"prd.codecommit.rooms": rooms, "prd.codecommit.detection": {}})


def test_builds_no_detection_unless_the_deployment_asks_for_it(codecommit: Terraform) -> None:
    assert not {"aws_cloudwatch_event_rule", "aws_sns_topic"} & set(codecommit.json["resource"])


def test_a_trail_is_created_on_request_for_all_regions(rooms: Terraform, codecommit: Terraform) -> None:
    trail = rooms.resource("aws_cloudtrail.audit_trail")
    assert trail["is_multi_region_trail"]  # IAM's events are in one region only
    assert trail["enable_log_file_validation"]
    assert "event_selector" not in trail  # by default all management events
    assert trail["depends_on"] == ["aws_s3_bucket_policy.audit_trail_files_policy"]
    grants = rooms.statements(rooms.resource("aws_s3_bucket_policy.audit_trail_files_policy")["policy"])
    bucket = "arn:aws:s3:::kakehashi-prd-audit-222222222222"
    assert rooms.resource("aws_s3_bucket.audit_trail_files_bucket")["bucket"] == bucket.rpartition(":")[2]
    assert grants["TrailWrites"]["resources"] == [f"{bucket}/AWSLogs/222222222222/*"]
    for sid in ("TrailLooks", "TrailWrites"):
        assert grants[sid]["condition"][-1] == {
            "test": "StringEquals",
            "variable": "aws:SourceArn",
            "values": [f"arn:aws:cloudtrail:ap-northeast-1:222222222222:trail/{trail['name']}"],
        }
    assert "aws_cloudtrail" not in codecommit.json["resource"]


@pytest.mark.slow
def test_without_deletion_protection_the_trails_bucket_can_be_deleted_with_its_files(
    rooms: Terraform, changed: Callable[..., Stacks]
) -> None:
    address = "aws_s3_bucket.audit_trail_files_bucket"
    kept = rooms.resource(address)
    assert ("force_destroy" in kept, kept["lifecycle"]) == (False, {"prevent_destroy": True})
    unprotected = changed("everything", {"prd.codecommit.deletion_protected": False})["prd-codecommit"]
    bucket = unprotected.resource(address)
    assert ("lifecycle" in bucket, bucket["force_destroy"]) == (False, True)
