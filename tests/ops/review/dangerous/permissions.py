"""Dangerous changes of policies and identities."""

from typing import Any

from tests.ops.review.dangerous.row import FOREIGN, Row, removed
from tests.ops.review.rule_cases import PULL, PlannedChange, allow, created, deny, only_from, policy, updated
from tests.terraform.plans import change

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def grown(kind: str, name: str, *statements: dict[str, Any]) -> PlannedChange:
    """A policy that has one statement before, and these after."""
    return updated(kind, name, policy(allow()), policy(*statements))


def trusting(**principal: Any) -> str:
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})


CODEBUILD = trusting(Service="codebuild.amazonaws.com")


POLICIES: list[Row] = [
    (
        "policy-widened",
        "an action is added",
        [grown("aws_iam_policy", "policy", allow(Action=["codecommit:GitPull", "codecommit:GitPush"]))],
    ),
    ("policy-widened", "every action", [grown("aws_iam_policy", "policy", allow(Action="*"))]),
    (
        "policy-widened",
        "every action of a service",
        [grown("aws_iam_role_policy", "policy", allow(Action="codecommit:*"))],
    ),
    ("policy-widened", "every resource", [grown("aws_iam_user_policy", "policy", allow(Resource="*"))]),
    (
        "policy-widened",
        "a pattern of resources",
        [grown("aws_iam_policy", "policy", allow(Resource="arn:aws:codecommit:*:*:*"))],
    ),
    (
        "policy-widened",
        "NotAction",
        [
            updated(
                "aws_iam_policy",
                "policy",
                policy(allow()),
                policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            )
        ],
    ),
    (
        "policy-widened",
        "a condition is dropped",
        [
            updated(
                "aws_iam_policy",
                "policy",
                policy(allow(Condition={"Bool": {"aws:SecureTransport": "true"}})),
                policy(allow()),
            )
        ],
    ),
    (
        "policy-widened",
        "a network more in a fence",
        [
            updated(
                "aws_iam_policy",
                "policy",
                policy(deny(Condition=only_from("192.0.2.0/24"))),
                policy(deny(Condition=only_from("192.0.2.0/24", "198.51.100.0/24"))),
            )
        ],
    ),
    (
        "policy-widened",
        "a fence denies less",
        [updated("aws_iam_policy", "policy", policy(deny()), policy(deny(Action="codecommit:*")))],
    ),
    (
        "policy-widened",
        "a fence is lifted for a service",
        [
            updated(
                "aws_iam_policy",
                "policy",
                policy(deny()),
                policy(deny(Condition={"Bool": {"aws:ViaAWSService": "false"}})),
            )
        ],
    ),
    (
        "policy-widened",
        "a fence becomes an Allow",
        [updated("aws_iam_policy", "policy", policy(deny()), policy(allow()))],
    ),
    ("policy-removed", "a fence is destroyed", [removed("aws_iam_policy", policy=policy(deny()))]),
    (
        "policy-removed",
        "a user's inline fence is destroyed",
        [removed("aws_iam_user_policy", policy=policy(deny()), user="pull")],
    ),
    (
        "policy-removed",
        "a bucket's fence is destroyed",
        [removed("aws_s3_bucket_policy", policy=policy(deny(Principal="*")))],
    ),
    (
        "policy-widened",
        "a role trusts another account",
        [updated("aws_iam_role", "assume_role_policy", CODEBUILD, trusting(AWS=FOREIGN))],
    ),
    (
        "policy-widened",
        "a role trusts another service too",
        [
            updated(
                "aws_iam_role",
                "assume_role_policy",
                CODEBUILD,
                trusting(Service=["codebuild.amazonaws.com", "lambda.amazonaws.com"]),
            )
        ],
    ),
    (
        "policy-to-the-world",
        "a role trusts everybody",
        [updated("aws_iam_role", "assume_role_policy", CODEBUILD, trusting(AWS="*"))],
    ),
    (
        "policy-to-the-world",
        "a bucket is public",
        [created("aws_s3_bucket_policy", policy=policy(allow(Action="s3:GetObject", Principal="*")))],
    ),
    (
        "policy-to-the-world",
        "a key is public",
        [created("aws_kms_key", policy=policy(allow(Action="kms:*", Principal="*")))],
    ),
    (
        "policy-to-the-world",
        "a topic is public",
        [created("aws_sns_topic_policy", policy=policy(allow(Action="sns:Publish", Principal={"AWS": "*"})))],
    ),
    (
        "policy-to-the-world",
        "a queue is public",
        [created("aws_sqs_queue_policy", policy=policy(allow(Action="sqs:*", Principal="*")))],
    ),
    (
        "policy-to-the-world",
        "a fence names every address",
        [
            updated(
                "aws_iam_policy",
                "policy",
                policy(deny(Condition=only_from("192.0.2.0/24"))),
                policy(deny(Condition=only_from("0.0.0.0/0"))),
            )
        ],
    ),
    ("policy-unknown", "a policy is no JSON", [updated("aws_sns_topic_policy", "policy", policy(deny()), "nonsense")]),
    (
        "policy-unknown",
        "a policy is sensitive",
        [
            change(
                "aws_iam_policy.it",
                "update",
                {"policy": policy(deny())},
                {"policy": policy(allow(Action="*"))},
                sensitive=(False, {"policy": True}),
            )
        ],
    ),
    (
        "policy-unknown",
        "a policy is known after the apply only",
        [change("aws_iam_policy.it", "update", {"policy": policy(deny())}, {}, unknown={"policy": True})],
    ),
    (
        "deny-detached",
        "a fence is detached",
        [
            change("aws_iam_policy.it", "no-op", *[{"arn": PULL, "policy": policy(deny())}] * 2),
            change("aws_iam_user_policy_attachment.it", "delete", {"user": "pull", "policy_arn": PULL}),
        ],
    ),
    (
        "policy-of-aws-attached",
        "a user becomes an administrator",
        [created("aws_iam_user_policy_attachment", user="pull", policy_arn=ADMINISTRATOR)],
    ),
    (
        "policy-of-aws-attached",
        "a role becomes an administrator",
        [created("aws_iam_role_policy_attachment", role="it", policy_arn=ADMINISTRATOR)],
    ),
    (
        "policy-of-aws-attached",
        "a group becomes an administrator",
        [created("aws_iam_group_policy_attachment", group="it", policy_arn=ADMINISTRATOR)],
    ),
    (
        "policy-of-aws-attached",
        "another policy of AWS",
        [updated("aws_iam_role_policy_attachment", "policy_arn", PULL, ADMINISTRATOR)],
    ),
    (
        "policy-widened",
        "an endpoint's policy",
        [
            updated(
                "aws_vpc_endpoint",
                "policy",
                policy(allow(Principal="*")),
                policy(allow(Principal="*", Action="*", Resource="*")),
            )
        ],
    ),
    (
        "policy-widened",
        "an API's policy",
        [
            updated(
                "aws_api_gateway_rest_api_policy",
                "policy",
                policy(deny(Principal="*", Condition=only_from("192.0.2.0/24"))),
                policy(deny(Principal="*", Condition=only_from("192.0.2.0/23"))),
            )
        ],
    ),
    (
        "policy-widened",
        "a file system's policy",
        [
            updated(
                "aws_efs_file_system_policy",
                "policy",
                policy(deny(Principal="*")),
                policy(allow(Principal="*", Action="elasticfilesystem:ClientMount")),
            )
        ],
    ),
    (
        "policy-widened",
        "a secret's policy",
        [
            created(
                "aws_secretsmanager_secret_policy",
                policy=policy(allow(Principal={"AWS": FOREIGN}, Action="secretsmanager:GetSecretValue")),
            )
        ],
    ),
    (
        "policy-widened",
        "an event bus accepts another account",
        [
            created(
                "aws_cloudwatch_event_bus_policy",
                policy=policy(allow(Principal={"AWS": FOREIGN}, Action="events:PutEvents")),
            )
        ],
    ),
]

IDENTITIES: list[Row] = [
    ("identity-new", f"{kind} is created", [created(kind, **arguments)])
    for kind, arguments in {
        "aws_iam_user": {"name": "x"},
        "aws_iam_access_key": {"user": "pull"},
        "aws_iam_service_specific_credential": {"user_name": "pull"},
        "aws_iam_user_login_profile": {"user": "pull"},
        "aws_iam_user_ssh_key": {"username": "pull"},
        "aws_iam_openid_connect_provider": {"url": "https://example.com"},
        "aws_iam_saml_provider": {"name": "x"},
    }.items()
]

SHARED: list[Row] = [
    ("shared", f"{kind} is created", [created(kind, **arguments)])
    for kind, arguments in {
        "aws_ami_launch_permission": {"account_id": "999999999999"},
        "aws_snapshot_create_volume_permission": {"account_id": "999999999999"},
        "aws_ram_resource_share": {"name": "x"},
        "aws_ram_principal_association": {"principal": "999999999999"},
        "aws_kms_grant": {"grantee_principal": FOREIGN},
    }.items()
]

ROWS = [*POLICIES, *IDENTITIES, *SHARED]
