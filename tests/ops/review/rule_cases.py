"""For each rule, changes in which it finds something, and similar changes in which it must not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.review.resource_types import LOSSES
from tests.terraform.plans import change

PlannedChange = Mapping[str, Any]


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(**more: Any) -> dict[str, Any]:
    return {"Sid": "It", "Effect": "Allow", "Action": "codecommit:GitPull", "Resource": REPOSITORY, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Sid": "It", "Effect": "Deny", "Action": "*", "Resource": "*", **more}


def only_from(*networks: str) -> dict[str, Any]:
    return {"NotIpAddress": {"aws:SourceIp": list(networks)}}


REPOSITORY = "arn:aws:codecommit:ap-northeast-1:222222222222:application"
USER = "arn:aws:iam::222222222222:user/pull"
PULL = "arn:aws:iam::222222222222:policy/pull"
HOST_KEY = "example.git.backlog.jp ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3"


def destroyed_or_updated(kind: str) -> tuple[PlannedChange, PlannedChange]:
    """Two plans: one destroys a resource of a type, one only changes it."""
    return change(f"{kind}.it", "delete", {"id": "x"}), change(
        f"{kind}.it", "update", {"tags": {}}, {"tags": {"a": "b"}}
    )


def updated(kind: str, name: str, was: Any, now: Any) -> PlannedChange:
    return change(f"{kind}.it", "update", {name: was}, {name: now})


def created(kind: str, **after: Any) -> PlannedChange:
    return change(f"{kind}.it", "create", None, after)


def user_with(document: str, before: str | None = None) -> list[PlannedChange]:
    """A user, a repository, and the one policy that the user has."""
    kept = ["no-op"]
    repository = {"repository_name": "application", "arn": REPOSITORY}
    attachment = {"user": "pull", "policy_arn": PULL}
    return [
        change("aws_codecommit_repository.it", kept, repository, repository),
        change("aws_iam_user.it", kept, {"name": "pull", "arn": USER}, {"name": "pull", "arn": USER}),
        change("aws_iam_user_policy_attachment.it", kept, attachment, attachment),
        change(
            "aws_iam_policy.it",
            "update",
            {"arn": PULL, "policy": before or document},
            {"arn": PULL, "policy": document},
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class RuleCase:
    """Changes in which a rule finds something at an address, and similar changes in which it must not.

    `more` goes into the plan with the former, `not_found_more` into the plan with the latter.
    """

    found: list[PlannedChange] = field(default_factory=list)
    at: str
    not_found: list[PlannedChange] = field(default_factory=list)
    more: Mapping[str, Any] = field(default_factory=dict)
    not_found_more: Mapping[str, Any] = field(default_factory=dict)
    is_dangerous: bool = True


def _case(found: PlannedChange, not_found: PlannedChange, *, is_dangerous: bool = True) -> RuleCase:
    return RuleCase(found=[found], at=str(found["address"]), not_found=[not_found], is_dangerous=is_dangerous)


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


def _resources(**resource: Any) -> dict[str, Any]:
    """A plan's configuration with one resource."""
    return {"configuration": {"root_module": {"resources": [resource]}}}


def _repository(address: str, name: str, *actions: str) -> PlannedChange:
    values = {"repository_name": name, "arn": REPOSITORY.replace("application", name)}
    return change(address, [*actions], None if "create" in actions else values, values)


_REPOSITORIES = [
    {"address": f"aws_codecommit_repository.{name}", "expressions": {"repository_name": {"constant_value": name}}}
    for name in ("batch", "it")
]

CASES: dict[str, RuleCase] = {
    "first-deployment": RuleCase(
        found=[created("aws_sns_topic", name="it")],
        at="the plan",
        more={"configuration": {"root_module": {}}},
        not_found=[created("aws_sns_topic", name="it")],
        not_found_more={"configuration": {"root_module": {}}, **_STATE},
        is_dangerous=False,
    ),
    "repository-new": RuleCase(
        found=[
            *user_with(policy(allow(Resource=[REPOSITORY, REPOSITORY.replace("application", "batch")]))),
            _repository("aws_codecommit_repository.batch", "batch", "create"),
        ],
        at="aws_codecommit_repository.batch",
        more={"configuration": {"root_module": {"resources": _REPOSITORIES}}},
        not_found=[
            *user_with(policy(allow(Resource=REPOSITORY.replace("application", "batch")))),
            _repository("aws_codecommit_repository.batch", "batch", "create"),
        ],
        not_found_more={"configuration": {"root_module": {"resources": _REPOSITORIES}}},
        is_dangerous=False,
    ),
    **{rule: _case(*destroyed_or_updated(next(iter(kinds)))) for rule, kinds in LOSSES.items()},
    "unknown-lost": _case(
        change("aws_something_new.it", ["delete", "create"], {"id": "x"}, {}),
        destroyed_or_updated("aws_something_new")[1],
    ),
    "access-widened": RuleCase(
        found=user_with(policy(allow(Action=["codecommit:GitPull", "codecommit:GitPush"])), policy(allow())),
        at="aws_iam_user.it",
        not_found=user_with(policy(allow()), policy(allow(Action=["codecommit:GitPull", "codecommit:GitPush"]))),
    ),
    "access-unknown": RuleCase(
        found=user_with(policy(allow(Condition={"NoSuchOperator": {"aws:SourceIp": "x"}}))),
        at="aws_iam_user.it",
        not_found=user_with(policy(allow())),
    ),
    "access-still-unknown": RuleCase(
        found=[change("aws_iam_user.it", "no-op", *[{"name": "pull", "permissions_boundary": PULL}] * 2)],
        at="aws_iam_user.it",
        not_found=[change("aws_iam_user.it", "update", *[{"name": "pull", "permissions_boundary": PULL}] * 2)],
        is_dangerous=False,
    ),
    "world-let-in": _case(
        created(
            "aws_vpc_security_group_ingress_rule", ip_protocol="tcp", from_port=22, to_port=22, cidr_ipv4="0.0.0.0/0"
        ),
        created(
            "aws_vpc_security_group_ingress_rule", ip_protocol="tcp", from_port=22, to_port=22, cidr_ipv4="192.0.2.0/24"
        ),
    ),
    "more-let-in": _case(
        updated(
            "aws_security_group",
            "ingress",
            [],
            [{"protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_blocks": ["192.0.2.0/24"]}],
        ),
        updated(
            "aws_security_group",
            "ingress",
            [{"protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_blocks": ["192.0.2.0/24"]}],
            [{"protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_blocks": ["192.0.2.0/25"]}],
        ),
    ),
    "world-let-out": _case(
        created("aws_security_group_rule", type="egress", protocol="-1", cidr_blocks=["0.0.0.0/0"]),
        created("aws_security_group_rule", type="egress", protocol="-1", cidr_blocks=["10.0.0.0/8"]),
    ),
    "more-let-out": _case(
        created("aws_security_group_rule", type="egress", protocol="-1", cidr_blocks=["0.0.0.0/1"]),
        created("aws_security_group_rule", type="ingress", protocol="-1", cidr_blocks=["0.0.0.0/1"]),
    ),
    "policy-to-the-world": _case(
        updated("aws_s3_bucket_policy", "policy", "", policy(allow(Principal="*"))),
        updated(
            "aws_s3_bucket_policy",
            "policy",
            "",
            policy(allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        ),
    ),
    "policy-widened": _case(
        updated("aws_iam_policy", "policy", policy(allow()), policy(allow(Resource=[REPOSITORY, "*"]))),
        updated("aws_iam_policy", "policy", policy(allow(Resource=[REPOSITORY, "*"])), policy(allow())),
    ),
    "policy-changed": _case(
        updated("aws_iam_policy", "policy", policy(allow(Resource=[REPOSITORY, "*"])), policy(allow())),
        updated("aws_iam_policy", "policy", policy(allow()), policy(allow(Resource=[REPOSITORY, "*"]))),
        is_dangerous=False,
    ),
    "type-unknown": _case(
        updated("aws_something_new", "name", "a", "b"), updated("aws_codebuild_project", "name", "a", "b")
    ),
    "not-read": _case(
        updated("aws_codebuild_project", "badge_enabled", False, True),
        updated("aws_codebuild_project", "tags", {}, {"a": "b"}),
        is_dangerous=False,
    ),
    "code-on-apply": RuleCase(
        found=[created("terraform_data")],
        at="terraform_data.it",
        more=_resources(address="terraform_data.it", provisioners=[{"type": "local-exec"}]),
        not_found=[change("terraform_data.it", "no-op", {}, {})],
        not_found_more=_resources(address="terraform_data.it", provisioners=[{"type": "local-exec"}]),
    ),
    "provider-new": RuleCase(
        found=[change("aws_sns_topic.other", "create", None, {}, provider_name="registry.example/somebody/aws")],
        at="registry.example/somebody/aws",
        more=_STATE,
        not_found=[change("aws_sns_topic.other", "create", None, {}, provider_name="registry.example/hashicorp/aws")],
        not_found_more=_STATE,
    ),
    "module-new": RuleCase(
        at="module.it",
        more={"configuration": {"root_module": {"module_calls": {"it": {"source": "example/it/aws"}}}}},
        not_found_more={"configuration": {"root_module": {"module_calls": {"it": {"source": "./modules/it"}}}}},
    ),
    "policy-removed": _case(
        change("aws_iam_policy.it", "delete", {"policy": policy(deny())}),
        change("aws_iam_policy.it", "delete", {"policy": policy(allow())}),
    ),
    "deny-detached": RuleCase(
        found=[
            change("aws_iam_policy.it", "no-op", *[{"arn": PULL, "policy": policy(deny())}] * 2),
            change("aws_iam_user_policy_attachment.it", "delete", {"user": "pull", "policy_arn": PULL}),
        ],
        at="aws_iam_user_policy_attachment.it",
        not_found=[
            change("aws_iam_policy.it", "no-op", *[{"arn": PULL, "policy": policy(allow())}] * 2),
            change("aws_iam_user_policy_attachment.it", "delete", {"user": "pull", "policy_arn": PULL}),
        ],
    ),
    "policy-unknown": _case(
        change("aws_sns_topic_policy.it", "update", {"policy": policy(deny())}, {}, unknown={"policy": True}),
        change("aws_sns_topic_policy.it", "update", {"policy": "", "arn": "a"}, {"policy": ""}, unknown={"arn": True}),
    ),
    "policy-open": RuleCase(
        found=[
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
        not_found=[created("aws_iam_policy", policy=policy(allow()))],
        is_dangerous=False,
    ),
    "boundary-lifted": _case(
        updated("aws_iam_role", "permissions_boundary", PULL, None),
        updated("aws_iam_role", "permissions_boundary", None, PULL),
    ),
    "policy-of-aws-attached": _case(
        created("aws_iam_role_policy_attachment", role="it", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess"),
        created("aws_iam_role_policy_attachment", role="it", policy_arn=PULL),
    ),
    "identity-new": _case(
        created("aws_iam_access_key", user="pull"), updated("aws_iam_access_key", "status", "Active", "Inactive")
    ),
    "way-new": RuleCase(
        found=[created("aws_vpc_peering_connection", peer_vpc_id="vpc-1")],
        at="aws_vpc_peering_connection.it",
        not_found=[
            change("aws_nat_gateway.it", ["delete", "create"], {"id": "nat-1"}, {}, unknown={"id": True}),
            change(
                "aws_route.it",
                "update",
                {"destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"},
                {"destination_cidr_block": "0.0.0.0/0"},
                unknown={"nat_gateway_id": True},
            ),
        ],
        not_found_more=_resources(
            address="aws_route.it",
            expressions={
                "nat_gateway_id": {
                    "constant_value": "${aws_nat_gateway.it.id}",
                    "references": ["aws_nat_gateway.it.id"],
                }
            },
        ),
    ),
    "opened": _case(
        updated("aws_s3_bucket_public_access_block", "block_public_policy", True, False),
        updated("aws_s3_bucket_public_access_block", "block_public_policy", False, True),
    ),
    "placed-elsewhere": _case(
        updated("aws_instance", "vpc_security_group_ids", ["sg-1"], ["sg-1", "sg-2"]),
        updated("aws_instance", "vpc_security_group_ids", ["sg-1", "sg-2"], ["sg-2"]),
    ),
    "handed-over": _case(
        change("aws_volume_attachment.it", "create", None, {"volume_id": "vol-1"}),
        updated("aws_volume_attachment", "force_detach", False, True),
    ),
    "metadata-opened": _case(
        updated("aws_instance", "metadata_options", [{"http_tokens": "required"}], [{"http_tokens": "optional"}]),
        updated("aws_instance", "metadata_options", [{"http_tokens": "optional"}], [{"http_tokens": "required"}]),
    ),
    "shared": _case(
        created("aws_ami_launch_permission", account_id="333333333333"),
        destroyed_or_updated("aws_ami_launch_permission")[0],
    ),
    "host-key-changed": _case(
        updated(
            "aws_codebuild_project",
            "source",
            [{"buildspec": HOST_KEY}],
            [{"buildspec": HOST_KEY.replace("IPDx", "IPDy")}],
        ),
        updated("aws_codebuild_project", "source", [{"buildspec": HOST_KEY}], [{"buildspec": f"echo; {HOST_KEY}"}]),
    ),
    "target-tag-changed": _case(
        updated("aws_codecommit_repository", "tags", {"kakehashi:mirrored-by": "a"}, {}),
        updated("aws_codecommit_repository", "tags", {"team": "a"}, {"team": "b"}),
    ),
    "mirror-runs-otherwise": _case(
        updated("aws_codebuild_project", "source", [{"buildspec": "a"}], [{"buildspec": "b"}]),
        updated("aws_codebuild_project", "description", "a", "b"),
    ),
    "runs-otherwise": _case(
        updated("aws_instance", "user_data", "a", "b"),
        updated("aws_instance", "instance_type", "a", "b"),
        is_dangerous=False,
    ),
    "protection-lifted": _case(
        updated("aws_instance", "disable_api_termination", True, False),
        updated("aws_instance", "disable_api_termination", False, True),
    ),
    "encryption-lifted": _case(
        updated("aws_sns_topic", "kms_master_key_id", "alias/own", None),
        updated("aws_sns_topic", "kms_master_key_id", None, "alias/own"),
    ),
    "retention-shortened": _case(
        updated("aws_cloudwatch_log_group", "retention_in_days", 0, 365),
        updated("aws_cloudwatch_log_group", "retention_in_days", 365, 0),
    ),
    "versioning-stopped": _case(
        updated(
            "aws_s3_bucket_versioning", "versioning_configuration", [{"status": "Enabled"}], [{"status": "Suspended"}]
        ),
        updated(
            "aws_s3_bucket_versioning", "versioning_configuration", [{"status": "Suspended"}], [{"status": "Enabled"}]
        ),
    ),
    "backups-stopped": _case(
        updated("aws_dlm_lifecycle_policy", "state", "ENABLED", "DISABLED"),
        updated("aws_dlm_lifecycle_policy", "state", "DISABLED", "ENABLED"),
    ),
    "watch-stopped": _case(
        updated("aws_cloudwatch_metric_alarm", "alarm_actions", ["arn:aws:sns:x"], []),
        updated("aws_cloudwatch_metric_alarm", "alarm_actions", ["arn:aws:sns:x"], ["arn:aws:sns:y"]),
    ),
    "watch-changed": _case(
        updated("aws_cloudwatch_event_rule", "event_pattern", '{"source": ["aws.iam"]}', '{"source": ["aws.ec2"]}'),
        updated("aws_cloudwatch_event_rule", "description", "a", "b"),
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
    "provider-changed": RuleCase(
        found=[change("aws_sns_topic.it", "no-op", {}, {}, provider_name="registry.example/other/aws")],
        at="aws_sns_topic.it",
        not_found=[change("aws_sns_topic.it", "no-op", {}, {}, provider_name="registry.example/hashicorp/aws")],
        more=_STATE,
        not_found_more=_STATE,
    ),
    "action-invoked": RuleCase(
        at="action.aws_lambda_invoke.it", more={"action_invocations": [{"address": "action.aws_lambda_invoke.it"}]}
    ),
    "incomplete": RuleCase(at="the plan", more={"complete": False}, not_found_more={"complete": True}),
    "check-failed": RuleCase(
        at="check.it",
        more={"checks": [{"address": {"to_display": "check.it"}, "status": "fail"}]},
        not_found_more={"checks": [{"address": {"to_display": "check.it"}, "status": "pass"}]},
    ),
    "terraform-changed": RuleCase(
        at="the plan",
        more={"prior_state": {"terraform_version": "1.10.0"}},
        not_found_more={"prior_state": {"terraform_version": "1.11.4"}},
        is_dangerous=False,
    ),
    "drifted": RuleCase(
        at="aws_sns_topic.it",
        more={"resource_drift": [change("aws_sns_topic.it", "update", {"name": "a"}, {"name": "b"})]},
        not_found_more={"resource_drift": [change("aws_sns_topic.it", "update", {"tags": None}, {"tags": {}})]},
        is_dangerous=False,
    ),
}
