"""Each rule with plans that it must speak of, and ones that look alike and it must not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ops.review import Source, review
from ops.review.kinds import DOORS, GUARDS, LOST, NEITHER, is_classified
from ops.review.rules import RULES
from tests.ops.review.plans import change, found_rules, plan, reviewed
from tests.terraform import Stacks

Change = Mapping[str, Any]


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(**more: Any) -> dict[str, Any]:
    return {"Sid": "It", "Effect": "Allow", "Action": "codecommit:GitPull", "Resource": REPOSITORY, **more}


def _deny(**more: Any) -> dict[str, Any]:
    return {"Sid": "It", "Effect": "Deny", "Action": "*", "Resource": "*", **more}


def _from(*networks: str) -> dict[str, Any]:
    return {"NotIpAddress": {"aws:SourceIp": list(networks)}}


REPOSITORY = "arn:aws:codecommit:ap-northeast-1:222222222222:application"
USER = "arn:aws:iam::222222222222:user/pull"
PULL = "arn:aws:iam::222222222222:policy/pull"
HOST_KEY = "example.git.backlog.jp ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3"


def _lost(kind: str) -> tuple[Change, Change]:
    """A type destroyed, and only changed."""
    return change(f"{kind}.it", "delete", {"id": "x"}), change(
        f"{kind}.it", "update", {"tags": {}}, {"tags": {"a": "b"}}
    )


def _set(kind: str, name: str, was: Any, now: Any) -> Change:
    return change(f"{kind}.it", "update", {name: was}, {name: now})


def _created(kind: str, **after: Any) -> Change:
    return change(f"{kind}.it", "create", None, after)


def _user_with(policy: str, before: str | None = None) -> list[Change]:
    """A user, a repository, and the one policy that the user has."""
    kept = ["no-op"]
    repository = {"repository_name": "application", "arn": REPOSITORY}
    attachment = {"user": "pull", "policy_arn": PULL}
    return [
        change("aws_codecommit_repository.it", kept, repository, repository),
        change("aws_iam_user.it", kept, {"name": "pull", "arn": USER}, {"name": "pull", "arn": USER}),
        change("aws_iam_user_policy_attachment.it", kept, attachment, attachment),
        change(
            "aws_iam_policy.it", "update", {"arn": PULL, "policy": before or policy}, {"arn": PULL, "policy": policy}
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What makes a rule speak, at which address, and what does not; `more` goes into the plan of the first."""

    speaks: list[Change] = field(default_factory=list)
    at: str
    silent: list[Change] = field(default_factory=list)
    more: Mapping[str, Any] = field(default_factory=dict)
    silent_more: Mapping[str, Any] = field(default_factory=dict)
    is_dangerous: bool = True


def _case(speaks: Change, silent: Change, *, is_dangerous: bool = True) -> Case:
    return Case(speaks=[speaks], at=str(speaks["address"]), silent=[silent], is_dangerous=is_dangerous)


_DOCUMENT = {
    "address": "data.aws_iam_policy_document.it",
    "expressions": {"statement": [{"resources": {"references": ["aws_s3_object.it.arn"]}}]},
}
_POLICY = {
    "address": "aws_iam_policy.it",
    "expressions": {"policy": {"references": ["data.aws_iam_policy_document.it.json"]}},
}
_TOPIC = {
    "address": "aws_sns_topic.it",
    "type": "aws_sns_topic",
    "provider_name": "registry.example/hashicorp/aws",
    "values": {},
}
_STATE = {"prior_state": {"values": {"root_module": {"resources": [_TOPIC]}}}}

CASES: dict[str, Case] = {
    **{rule: _case(*_lost(next(iter(kinds)))) for rule, kinds in LOST.items()},
    "unknown-lost": _case(
        change("aws_something_new.it", ["delete", "create"], {"id": "x"}, {}), _lost("aws_something_new")[1]
    ),
    "access-widened": Case(
        speaks=_user_with(_policy(_allow(Action=["codecommit:GitPull", "codecommit:GitPush"])), _policy(_allow())),
        at="aws_iam_user.it",
        silent=_user_with(_policy(_allow()), _policy(_allow(Action=["codecommit:GitPull", "codecommit:GitPush"]))),
    ),
    "access-unknown": Case(
        speaks=_user_with(_policy(_allow(Condition={"NoSuchOperator": {"aws:SourceIp": "x"}}))),
        at="aws_iam_user.it",
        silent=_user_with(_policy(_allow())),
        is_dangerous=False,
    ),
    "world-let-in": _case(
        _created(
            "aws_vpc_security_group_ingress_rule", ip_protocol="tcp", from_port=22, to_port=22, cidr_ipv4="0.0.0.0/0"
        ),
        _created(
            "aws_vpc_security_group_ingress_rule", ip_protocol="tcp", from_port=22, to_port=22, cidr_ipv4="192.0.2.0/24"
        ),
    ),
    "more-let-in": _case(
        _set(
            "aws_security_group",
            "ingress",
            [],
            [{"protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_blocks": ["192.0.2.0/24"]}],
        ),
        _set(
            "aws_security_group",
            "ingress",
            [{"protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_blocks": ["192.0.2.0/24"]}],
            [{"protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_blocks": ["192.0.2.0/25"]}],
        ),
    ),
    "world-let-out": _case(
        _created("aws_security_group_rule", type="egress", protocol="-1", cidr_blocks=["0.0.0.0/0"]),
        _created("aws_security_group_rule", type="egress", protocol="-1", cidr_blocks=["10.0.0.0/8"]),
    ),
    "policy-to-the-world": _case(
        _set("aws_s3_bucket_policy", "policy", "", _policy(_allow(Principal="*"))),
        _set(
            "aws_s3_bucket_policy",
            "policy",
            "",
            _policy(_allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        ),
    ),
    "policy-widened": _case(
        _set("aws_iam_policy", "policy", _policy(_allow()), _policy(_allow(Resource=[REPOSITORY, "*"]))),
        _set("aws_iam_policy", "policy", _policy(_allow(Resource=[REPOSITORY, "*"])), _policy(_allow())),
    ),
    "policy-removed": _case(
        change("aws_iam_policy.it", "delete", {"policy": _policy(_deny())}),
        change("aws_iam_policy.it", "delete", {"policy": _policy(_allow())}),
    ),
    "deny-detached": Case(
        speaks=[
            change("aws_iam_policy.it", "no-op", *[{"arn": PULL, "policy": _policy(_deny())}] * 2),
            change("aws_iam_user_policy_attachment.it", "delete", {"user": "pull", "policy_arn": PULL}),
        ],
        at="aws_iam_user_policy_attachment.it",
        silent=[
            change("aws_iam_policy.it", "no-op", *[{"arn": PULL, "policy": _policy(_allow())}] * 2),
            change("aws_iam_user_policy_attachment.it", "delete", {"user": "pull", "policy_arn": PULL}),
        ],
    ),
    "policy-unknown": _case(
        change("aws_sns_topic_policy.it", "update", {"policy": _policy(_deny())}, {}, unknown={"policy": True}),
        change("aws_sns_topic_policy.it", "update", {"policy": "", "arn": "a"}, {"policy": ""}, unknown={"arn": True}),
    ),
    "policy-open": Case(
        speaks=[
            change(
                "data.aws_iam_policy_document.it",
                "read",
                None,
                {"statement": [{"effect": "Allow", "actions": ["s3:GetObject"], "resources": [None]}]},
                unknown={"json": True, "statement": [{"resources": [True]}]},
                mode="data",
            ),
            change("aws_iam_policy.it", "create", None, {}, unknown={"policy": True}),
        ],
        at="aws_iam_policy.it",
        more={"configuration": {"root_module": {"resources": [_DOCUMENT, _POLICY]}}},
        silent=[_created("aws_iam_policy", policy=_policy(_allow()))],
        is_dangerous=False,
    ),
    "policy-of-aws-attached": _case(
        _created("aws_iam_role_policy_attachment", role="it", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess"),
        _created("aws_iam_role_policy_attachment", role="it", policy_arn=PULL),
    ),
    "identity-new": _case(
        _created("aws_iam_access_key", user="pull"), _set("aws_iam_access_key", "status", "Active", "Inactive")
    ),
    "way-new": _case(
        _created("aws_vpc_peering_connection", peer_vpc_id="vpc-1"),
        change(
            "aws_route.it",
            "update",
            {"destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"},
            {"destination_cidr_block": "0.0.0.0/0"},
            unknown={"nat_gateway_id": True},
        ),
    ),
    "opened": _case(
        _set("aws_s3_bucket_public_access_block", "block_public_policy", True, False),
        _set("aws_s3_bucket_public_access_block", "block_public_policy", False, True),
    ),
    "metadata-opened": _case(
        _set("aws_instance", "metadata_options", [{"http_tokens": "required"}], [{"http_tokens": "optional"}]),
        _set("aws_instance", "metadata_options", [{"http_tokens": "optional"}], [{"http_tokens": "required"}]),
    ),
    "shared": _case(
        _created("aws_ami_launch_permission", account_id="333333333333"), _lost("aws_ami_launch_permission")[0]
    ),
    "host-key-changed": _case(
        _set(
            "aws_codebuild_project",
            "source",
            [{"buildspec": HOST_KEY}],
            [{"buildspec": HOST_KEY.replace("IPDx", "IPDy")}],
        ),
        _set("aws_codebuild_project", "source", [{"buildspec": HOST_KEY}], [{"buildspec": f"echo; {HOST_KEY}"}]),
    ),
    "runs-otherwise": _case(
        _set("aws_instance", "user_data", "a", "b"),
        _set("aws_instance", "instance_type", "a", "b"),
        is_dangerous=False,
    ),
    "protection-lifted": _case(
        _set("aws_instance", "disable_api_termination", True, False),
        _set("aws_instance", "disable_api_termination", False, True),
    ),
    "encryption-lifted": _case(
        _set("aws_sns_topic", "kms_master_key_id", "alias/own", None),
        _set("aws_sns_topic", "kms_master_key_id", None, "alias/own"),
    ),
    "retention-shortened": _case(
        _set("aws_cloudwatch_log_group", "retention_in_days", 0, 365),
        _set("aws_cloudwatch_log_group", "retention_in_days", 365, 0),
    ),
    "versioning-stopped": _case(
        _set(
            "aws_s3_bucket_versioning", "versioning_configuration", [{"status": "Enabled"}], [{"status": "Suspended"}]
        ),
        _set(
            "aws_s3_bucket_versioning", "versioning_configuration", [{"status": "Suspended"}], [{"status": "Enabled"}]
        ),
    ),
    "backups-stopped": _case(
        _set("aws_dlm_lifecycle_policy", "state", "ENABLED", "DISABLED"),
        _set("aws_dlm_lifecycle_policy", "state", "DISABLED", "ENABLED"),
    ),
    "watch-stopped": _case(
        _set("aws_cloudwatch_metric_alarm", "alarm_actions", ["arn:aws:sns:x"], []),
        _set("aws_cloudwatch_metric_alarm", "alarm_actions", ["arn:aws:sns:x"], ["arn:aws:sns:y"]),
    ),
    "moved": _case(
        change("aws_sns_topic.it", "no-op", {}, {}, previous_address="aws_sns_topic.was"),
        change("aws_sns_topic.it", "no-op", {}, {}),
    ),
    "forgotten": _case(change("aws_sns_topic.it", "forget", {"id": "x"}), change("aws_sns_topic.it", "no-op", {}, {})),
    "imported": _case(
        change("aws_sns_topic.it", "no-op", {}, {}, importing={"id": "x"}),
        change("aws_sns_topic.it", "no-op", {}, {}),
        is_dangerous=False,
    ),
    "provider-changed": Case(
        speaks=[change("aws_sns_topic.it", "no-op", {}, {}, provider_name="registry.example/other/aws")],
        at="aws_sns_topic.it",
        silent=[change("aws_sns_topic.it", "no-op", {}, {}, provider_name="registry.example/hashicorp/aws")],
        more=_STATE,
        silent_more=_STATE,
    ),
    "action-invoked": Case(
        at="action.aws_lambda_invoke.it", more={"action_invocations": [{"address": "action.aws_lambda_invoke.it"}]}
    ),
    "incomplete": Case(at="the plan", more={"complete": False}, silent_more={"complete": True}),
    "check-failed": Case(
        at="check.it",
        more={"checks": [{"address": {"to_display": "check.it"}, "status": "fail"}]},
        silent_more={"checks": [{"address": {"to_display": "check.it"}, "status": "pass"}]},
    ),
    "terraform-changed": Case(
        at="the plan",
        more={"prior_state": {"terraform_version": "1.10.0"}},
        silent_more={"prior_state": {"terraform_version": "1.11.4"}},
        is_dangerous=False,
    ),
    "drifted": Case(
        at="aws_sns_topic.it",
        more={"resource_drift": [change("aws_sns_topic.it", "update", {"name": "a"}, {"name": "b"})]},
        silent_more={"resource_drift": [change("aws_sns_topic.it", "update", {"tags": None}, {"tags": {}})]},
        is_dangerous=False,
    ),
}


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_rule_speaks_of_what_it_is_for_and_of_nothing_that_looks_alike(rule: str) -> None:
    case = CASES[rule]
    speaking = reviewed(plan(*case.speaks, **case.more))
    found = speaking.dangerous if case.is_dangerous else speaking.notes
    assert (rule, case.at) in {(finding.rule, finding.address) for finding in found}
    silent = reviewed(plan(*case.silent, **case.silent_more))
    assert rule not in {finding.rule for finding in (*silent.dangerous, *silent.notes)}


def test_an_input_is_stale_when_the_stack_it_comes_from_changes_it() -> None:
    """It takes two plans, so it has no case above."""
    reading = {"root_module": {"resources": [{"x": "data.terraform_remote_state.stack.outputs.addresses"}]}}

    def two(actions: list[str], before: object) -> set[tuple[str, str]]:
        output = {"actions": actions, "before": before, "after": ["192.0.2.2"]}
        network = plan(output_changes={"addresses": output})
        return found_rules(reviewed(network, plan(configuration=reading)))

    assert two(["update"], ["192.0.2.1"]) == {("stale-input", "data.terraform_remote_state.stack")}
    assert two(["no-op"], ["192.0.2.2"]) == set()


LOCK = """provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = ">= 5.100.0, < 7.0.0"
}
"""


def test_a_provider_is_upgraded_when_the_lock_file_says_so() -> None:
    def rules(applied: str, planned: str) -> set[tuple[str, str]]:
        source = Source(stack="stack", where="plan.json", text=json.dumps(plan()), locks=(applied, planned))
        return found_rules(review([source], []))

    newer = LOCK.replace('5.100.0"\n', '6.25.0"\n', 1)
    assert rules(LOCK, newer) == {("provider-upgraded", "registry.terraform.io/hashicorp/aws")}
    assert rules(LOCK, LOCK) == rules("", newer) == set()


def test_every_rule_has_its_cases_and_says_what_and_why() -> None:
    assert {rule.id for rule in RULES} == {*CASES, "provider-upgraded", "stale-input"}
    assert len(RULES) == len({rule.id for rule in RULES}) >= 20
    assert all(rule.what.endswith(".") and rule.why.endswith(".") for rule in RULES)


@pytest.mark.parametrize("deployment", ["backlog-only", "everything", "example"])
def test_it_is_known_of_every_type_what_it_holds_opens_or_guards(
    synthesised: Callable[[str], Stacks], deployment: str
) -> None:
    emitted = {kind for stack in synthesised(deployment).terraform.values() for kind in stack.json["resource"]}
    assert {kind for kind in emitted if not is_classified(kind)} == set(), "classify it in ops/review/kinds.py"


def test_what_is_neither_is_nothing_else() -> None:
    others = {*DOORS, *(kind for table in (LOST, GUARDS) for kinds in table.values() for kind in kinds)}
    assert others & set(NEITHER) == set()
    assert all(len(reason) > 10 for reason in NEITHER.values())


def test_every_type_that_holds_something_is_told_when_it_is_destroyed_and_when_it_is_replaced() -> None:
    for rule, kinds in LOST.items():
        for kind in kinds:
            for actions in (["delete"], ["delete", "create"], ["create", "delete"]):
                found = reviewed(plan(change(f"{kind}.it", actions, {"id": "x"}, None)))
                assert (rule, f"{kind}.it") in found_rules(found)


def test_every_guard_is_told_when_it_is_destroyed_and_not_when_it_is_made_anew() -> None:
    for rule, kinds in GUARDS.items():
        for kind in kinds:
            gone = reviewed(plan(change(f"{kind}.it", "delete", {"id": "x"})))
            assert (rule, f"{kind}.it") in found_rules(gone)
            anew = reviewed(plan(change(f"{kind}.it", ["create", "delete"], {"id": "x"}, {"id": "y"})))
            assert rule not in {finding.rule for finding in anew.dangerous}


def test_a_deny_that_exempts_more_addresses_is_wider_and_fewer_is_not() -> None:
    def widened(was: list[str], now: list[str]) -> bool:
        before, after = (_policy(_deny(Condition=_from(*networks))) for networks in (was, now))
        found = reviewed(plan(_set("aws_iam_policy", "policy", before, after)))
        return "policy-widened" in {finding.rule for finding in found.dangerous}

    assert widened(["192.0.2.0/28"], ["192.0.2.0/28", "198.51.100.7/32"])
    assert widened(["192.0.2.0/28"], ["192.0.2.0/24"])
    assert not widened(["192.0.2.0/28", "198.51.100.7/32"], ["192.0.2.0/28"])
    assert not widened(["192.0.2.0/24"], ["192.0.2.0/28"])
