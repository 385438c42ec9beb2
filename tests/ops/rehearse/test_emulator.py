"""The emulator's process: accounts, prerequisites, refused calls, and what it finds in its accounts."""

import functools
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from errors import RefusedError
from ops.rehearse.emulator import Emulator
from ops.rehearse.prerequisites import (
    ExistingAddress,
    ExistingImage,
    ExistingKey,
    ExistingSubnet,
    ExistingVpc,
    Prerequisites,
)

DEV = "111111111111"
PRD = "222222222222"
REGION = "ap-northeast-1"

ClientOf = Callable[..., Any]

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator for all tests, because starting one takes seconds."""
    with Emulator(log=tmp_path_factory.mktemp("emulator") / "aws.log") as emulator:
        yield emulator


def connect(aws: Emulator, service: str, key: str = DEV, **session: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.url,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key="rehearsal",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
        **session,
    )


@pytest.fixture(scope="module")
def client(aws: Emulator) -> ClientOf:
    return functools.partial(connect, aws)


def test_the_access_key_decides_the_account(client: ClientOf) -> None:
    for account in (DEV, PRD):
        assert client("sts", account).get_caller_identity()["Account"] == account
    client("logs", DEV).create_log_group(logGroupName="/dev")
    client("codecommit", DEV).create_repository(repositoryName="dev")
    assert client("logs", PRD).describe_log_groups()["logGroups"] == []
    with pytest.raises(ClientError, match="RepositoryDoesNotExistException"):
        client("codecommit", PRD).get_repository(repositoryName="dev")


def test_an_assumed_role_works_in_its_account(client: ClientOf) -> None:
    role = "arn:aws:iam::222222222222:role/deploy"
    session = client("sts", "000000000000").assume_role(RoleArn=role, RoleSessionName="deploy")["Credentials"]
    inside = {"key": session["AccessKeyId"], "aws_session_token": session["SessionToken"]}
    client("codecommit", **inside).create_repository(repositoryName="assumed")
    assert client("codecommit", PRD).get_repository(repositoryName="assumed")


def test_a_repeated_call_gets_the_same_answer(aws: Emulator, client: ClientOf) -> None:
    def as_one(request: Any, **_: object) -> None:
        request.headers["amz-sdk-invocation-id"] = "11111111-2222-3333-4444-555555555555"

    before = aws.record().calls
    codecommit = client("codecommit")
    codecommit.meta.events.register("before-send.codecommit.CreateRepository", as_one)
    first = codecommit.create_repository(repositoryName="once")
    assert codecommit.create_repository(repositoryName="once")["repositoryMetadata"] == first["repositoryMetadata"]
    assert aws.record().calls == before + 1
    with pytest.raises(ClientError, match="RepositoryNameExistsException"):
        client("codecommit").create_repository(repositoryName="once")


def test_refuses_a_key_that_is_not_of_the_rehearsal(aws: Emulator, client: ClientOf) -> None:
    with pytest.raises(ClientError, match="403"):
        client("logs", "AKIAIOSFODNN7EXAMPLE").describe_log_groups()
    assert "access key AKIA… is not one of this rehearsal" in aws.record().unknown


def test_refuses_an_unsigned_request(aws: Emulator) -> None:
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(f"{aws.url}/moto-api/data.json")  # noqa: S310 - our own address
    assert "GET /moto-api/data.json came without a signature" in aws.record().unknown


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("logs", "describe_index_policies", {"logGroupIdentifiers": ["a"]}),  # JSON
        ("ec2", "describe_trunk_interface_associations", {}),  # EC2's query
        ("iam", "get_context_keys_for_custom_policy", {"PolicyInputList": ["{}"]}),  # query
        ("efs", "describe_account_preferences", {}),  # REST, without a path in moto
        ("dlm", "get_lifecycle_policies", {}),  # a stand-in's service, another operation
        ("braket", "search_devices", {"filters": []}),  # a service that moto does not have
    ],
)
def test_an_unknown_call_is_answered_at_once_by_name_and_listed(
    aws: Emulator, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(connect(aws, service), operation)(**arguments)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    reason = (
        f"{service}:{caught.value.operation_name} is not known to moto, "
        "and nothing stands in for it in ops/rehearse/stand_ins"
    )
    assert caught.value.response["Error"]["Message"] == reason
    assert reason in aws.record().unknown


def test_prerequisites_are_found_under_their_ids(aws: Emulator, client: ClientOf) -> None:
    key = f"arn:aws:kms:{REGION}:{PRD}:key/11111111-2222-3333-4444-555555555555"
    aws.seed(
        Prerequisites(
            region=REGION,
            vpcs=(ExistingVpc(account=PRD, vpc_id="vpc-0123", cidr=IPv4Network("10.9.0.0/16")),),
            subnets=(
                ExistingSubnet(
                    account=PRD,
                    subnet_id="subnet-0123",
                    vpc_id="vpc-0123",
                    cidr=IPv4Network("10.9.1.0/24"),
                    availability_zone=f"{REGION}a",
                ),
            ),
            addresses=(
                ExistingAddress(account=PRD, allocation_id="eipalloc-0123", public_ip=IPv4Address("203.0.113.9")),
            ),
            images=(ExistingImage(account=PRD, ami_id="ami-0123", name="GitLab CE 1.0.0", owner="782774275127"),),
            keys=(ExistingKey(arn=key),),
        )
    )
    ec2 = client("ec2", PRD)
    (subnet,) = ec2.describe_subnets(SubnetIds=["subnet-0123"])["Subnets"]
    assert (subnet["VpcId"], subnet["CidrBlock"], subnet["AvailabilityZone"]) == (
        "vpc-0123",
        "10.9.1.0/24",
        f"{REGION}a",
    )
    assert ec2.describe_vpcs(VpcIds=["vpc-0123"])["Vpcs"][0]["CidrBlock"] == "10.9.0.0/16"
    assert ec2.describe_addresses(AllocationIds=["eipalloc-0123"])["Addresses"][0]["PublicIp"] == "203.0.113.9"
    found = ec2.describe_images(Owners=["782774275127"], Filters=[{"Name": "name", "Values": ["GitLab CE *"]}])
    assert [image["ImageId"] for image in found["Images"]] == ["ami-0123"]
    assert client("kms", PRD).describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound"):
        client("ec2", DEV).describe_vpcs(VpcIds=["vpc-0123"])


def test_an_account_is_as_before_only_when_everything_is_deleted(aws: Emulator, client: ClientOf) -> None:
    before = aws.inventory([DEV, PRD], REGION)
    client("codecommit").create_repository(repositoryName="app")
    client("logs").create_log_group(logGroupName="/app")
    client("s3").create_bucket(Bucket="cache-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_object(Bucket="cache-bucket", Key="state.tflock", Body=b"x")
    image = client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    subnet = client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    launched = client("ec2").run_instances(ImageId=image, SubnetId=subnet, MinCount=1, MaxCount=1)
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert vpc
    left = aws.inventory([DEV, PRD], REGION)
    assert left[PRD] == before[PRD]
    assert {
        "codecommit.repositories/app",
        "codecommit.tags/app",
        "logs.groups//app",
        "s3.buckets/cache-bucket",
        "s3.objects/cache-bucket/state.tflock",
        f"ec2.vpcs/{vpc}",
    } <= left[DEV] - before[DEV]

    client("codecommit").delete_repository(repositoryName="app")
    client("logs").delete_log_group(logGroupName="/app")
    client("s3").delete_object(Bucket="cache-bucket", Key="state.tflock")
    client("s3").delete_bucket(Bucket="cache-bucket")
    client("ec2").delete_vpc(VpcId=vpc)
    client("ec2").terminate_instances(InstanceIds=[launched["Instances"][0]["InstanceId"]])
    assert aws.inventory([DEV, PRD], REGION) == before


@pytest.mark.parametrize("account", ["123456789012", "333333333333"])  # moto's own account, and another
def test_the_first_request_to_a_service_creates_nothing(aws: Emulator, client: ClientOf, account: str) -> None:
    before = aws.inventory([account], REGION)
    client("ec2", account).describe_vpcs()
    client("sns", account).list_topics()
    assert aws.inventory([account], REGION) == before


def test_the_emulators_process_imports_neither_settings_nor_the_rehearsal() -> None:
    program = "import sys, ops.rehearse.server; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ops.rehearse.server" in run.stdout.split()
    assert {"settings", "iam", "cdktf", "ops.rehearse.rehearsal"} & set(run.stdout.split()) == set()
    # How an ARN is split is all that it needs of the readers of Terraform.
    assert {name for name in run.stdout.split() if name.startswith("terraform.")} == {"terraform.arns"}


def test_a_value_is_counted_where_it_occurs(aws: Emulator, client: ClientOf) -> None:
    client("iam").create_user(UserName="push")
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", '
        '"Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.77/32"]}}}]}'
    )
    assert aws.counts(DEV, ["203.0.113.77/32", 1827]) == [0, 0]
    client("iam").put_user_policy(UserName="push", PolicyName="p", PolicyDocument=policy)
    client("logs").create_log_group(logGroupName="/kept")
    client("logs").put_retention_policy(logGroupName="/kept", retentionInDays=1827)
    assert min(aws.counts(DEV, ["203.0.113.77/32", 1827])) > 0
    assert aws.counts(PRD, ["203.0.113.77/32", 1827]) == [0, 0]


def test_the_emulator_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import pathlib, time\n"
        "from ops.rehearse.emulator import Emulator\n"
        f"with Emulator(log=pathlib.Path({str(tmp_path / 'aws.log')!r})) as aws:\n"
        "    print(aws.url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(url)  # noqa: S310 - our own address
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(50):
        try:
            urllib.request.urlopen(url)  # noqa: S310
        except HTTPError:
            time.sleep(0.1)
        except (URLError, ConnectionResetError):
            return
    pytest.fail("it still answers")


def test_an_error_gives_the_emulators_exit_code(tmp_path: Path) -> None:
    with Emulator(log=tmp_path / "aws.log") as aws:
        aws._process.kill()
        aws._process.wait()
        with pytest.raises(RefusedError, match="ended with exit code -9"):
            aws.record()


def test_refuses_a_prerequisite_without_its_own_prerequisite(aws: Emulator) -> None:
    subnet = ExistingSubnet(
        account=DEV,
        subnet_id="subnet-1",
        vpc_id="vpc-1",
        cidr=IPv4Network("10.0.0.0/24"),
        availability_zone=f"{REGION}a",
    )
    with pytest.raises(RefusedError, match="vpc-1"):
        aws.seed(Prerequisites(region=REGION, subnets=(subnet,)))
