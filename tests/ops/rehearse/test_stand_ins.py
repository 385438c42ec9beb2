"""boto3 calls each stand-in in the emulator's process: create, get, change, delete, not found."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from ops.rehearse.emulator import Emulator
from ops.rehearse.stand_ins import load

ACCOUNT = "111111111111"
REGION = "ap-northeast-1"

ClientOf = Callable[[str], Any]

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(log=tmp_path_factory.mktemp("emulator") / "aws.log") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def client(aws: Emulator) -> ClientOf:
    def of(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=aws.url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="rehearsal",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    return of


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_a_repository_is_created_changed_and_deleted(client: ClientOf) -> None:
    codecommit = client("codecommit")
    created = codecommit.create_repository(
        repositoryName="app", repositoryDescription="first", kmsKeyId="key-1", tags={"owner": "us"}
    )["repositoryMetadata"]
    assert created["Arn"] == f"arn:aws:codecommit:{REGION}:{ACCOUNT}:app"
    assert created["cloneUrlHttp"] == f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/app"
    assert created["creationDate"].year > 2000
    assert refusal(codecommit.create_repository, repositoryName="app") == "RepositoryNameExistsException"

    codecommit.update_repository_description(repositoryName="app", repositoryDescription="second")
    codecommit.update_repository_encryption_key(repositoryName="app", kmsKeyId="key-2")
    codecommit.tag_resource(resourceArn=created["Arn"], tags={"cost": "1"})
    codecommit.untag_resource(resourceArn=created["Arn"], tagKeys=["owner"])
    changed = codecommit.get_repository(repositoryName="app")["repositoryMetadata"]
    assert (changed["repositoryDescription"], changed["kmsKeyId"]) == ("second", "key-2")
    assert codecommit.list_tags_for_resource(resourceArn=created["Arn"])["tags"] == {"cost": "1"}

    assert codecommit.delete_repository(repositoryName="app")["repositoryId"] == created["repositoryId"]
    assert refusal(codecommit.get_repository, repositoryName="app") == "RepositoryDoesNotExistException"
    assert refusal(codecommit.list_tags_for_resource, resourceArn=created["Arn"]) == "RepositoryDoesNotExistException"


def test_a_repository_without_a_key_has_the_key_of_aws(client: ClientOf) -> None:
    created = client("codecommit").create_repository(repositoryName="plain")["repositoryMetadata"]
    assert created["kmsKeyId"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")


def test_a_project_without_source_keeps_its_mounts_and_limit(client: ClientOf) -> None:
    codebuild = client("codebuild")
    mount = {"type": "EFS", "identifier": "CACHE", "location": "fs-1:/", "mountPoint": "/cache"}
    project = codebuild.create_project(
        name="mirror",
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "ARM_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole="arn:aws:iam::111111111111:role/build",
        fileSystemLocations=[mount],
        concurrentBuildLimit=1,
        tags=[{"key": "owner", "value": "us"}],
    )["project"]
    assert project["fileSystemLocations"] == [mount]
    assert project["concurrentBuildLimit"] == 1
    assert (project["timeoutInMinutes"], project["queuedTimeoutInMinutes"]) == (60, 480)
    assert project["tags"] == [{"key": "owner", "value": "us"}]

    codebuild.update_project(name="mirror", timeoutInMinutes=5, concurrentBuildLimit=-1)
    (changed,) = codebuild.batch_get_projects(names=[project["arn"]])["projects"]
    assert changed["timeoutInMinutes"] == 5
    assert "concurrentBuildLimit" not in changed
    assert codebuild.list_projects()["projects"] == ["mirror"]

    codebuild.delete_project(name=project["arn"])
    assert codebuild.batch_get_projects(names=["mirror"])["projectsNotFound"] == ["mirror"]
    assert refusal(codebuild.update_project, name="mirror") == "ResourceNotFoundException"


def _named_as_the_provider_does(request: Any, **_: Any) -> None:
    request.headers.replace_header("X-Amz-Target", "CloudTrail_20131101.DeleteTrail")


@pytest.mark.parametrize("given", ["Name", "TrailARN"])
def test_a_trail_is_deleted_by_its_name_or_arn(client: ClientOf, given: str) -> None:
    client("s3").create_bucket(Bucket="trail-files", CreateBucketConfiguration={"LocationConstraint": REGION})
    trails = client("cloudtrail")
    trail = trails.create_trail(Name="audit", S3BucketName="trail-files")
    trails.meta.events.register("before-sign.cloudtrail.DeleteTrail", _named_as_the_provider_does)
    trails.delete_trail(Name=trail[given])
    assert trails.describe_trails()["trailList"] == []
    assert refusal(trails.delete_trail, Name=trail[given]) == "TrailNotFoundException"
    client("s3").delete_bucket(Bucket="trail-files")


def test_a_lifecycle_policy_is_created_changed_and_deleted(client: ClientOf) -> None:
    dlm = client("dlm")
    schedule = {"Name": "daily", "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS"}, "RetainRule": {"Count": 7}}
    policy_id = dlm.create_lifecycle_policy(
        ExecutionRoleArn="arn:aws:iam::111111111111:role/dlm",
        Description="images",
        State="ENABLED",
        PolicyDetails={"PolicyType": "IMAGE_MANAGEMENT", "Schedules": [schedule]},
        Tags={"owner": "us"},
    )["PolicyId"]
    policy = dlm.get_lifecycle_policy(PolicyId=policy_id)["Policy"]
    assert policy["PolicyDetails"]["Schedules"] == [schedule]
    assert policy["DateCreated"].year > 2000

    dlm.update_lifecycle_policy(PolicyId=policy_id, State="DISABLED")
    dlm.tag_resource(ResourceArn=policy["PolicyArn"], Tags={"cost": "1"})
    dlm.untag_resource(ResourceArn=policy["PolicyArn"], TagKeys=["owner"])
    changed = dlm.get_lifecycle_policy(PolicyId=policy_id)["Policy"]
    assert (changed["State"], changed["Description"], changed["Tags"]) == ("DISABLED", "images", {"cost": "1"})
    assert dlm.list_tags_for_resource(ResourceArn=policy["PolicyArn"])["Tags"] == {"cost": "1"}

    dlm.delete_lifecycle_policy(PolicyId=policy_id)
    assert refusal(dlm.get_lifecycle_policy, PolicyId=policy_id) == "ResourceNotFoundException"
    assert refusal(dlm.delete_lifecycle_policy, PolicyId=policy_id) == "ResourceNotFoundException"


def test_backups_and_the_policy_of_a_file_system_can_be_removed(client: ClientOf) -> None:
    efs = client("efs")
    file_system_id = efs.create_file_system(CreationToken="cache")["FileSystemId"]
    assert refusal(efs.describe_backup_policy, FileSystemId=file_system_id) == "PolicyNotFound"
    for status in ("ENABLED", "DISABLED"):
        efs.put_backup_policy(FileSystemId=file_system_id, BackupPolicy={"Status": status})
        assert efs.describe_backup_policy(FileSystemId=file_system_id)["BackupPolicy"] == {"Status": status}

    efs.put_file_system_policy(FileSystemId=file_system_id, Policy="{}")
    efs.delete_file_system_policy(FileSystemId=file_system_id)
    assert refusal(efs.describe_file_system_policy, FileSystemId=file_system_id) == "PolicyNotFound"

    efs.delete_file_system(FileSystemId=file_system_id)
    assert refusal(efs.describe_backup_policy, FileSystemId=file_system_id) == "FileSystemNotFound"


def test_a_resource_policy_is_returned_with_the_escapes_of_aws(client: ClientOf) -> None:
    apigateway = client("apigateway")
    created = apigateway.create_rest_api(name="webhook", policy='{"Version":"2012-10-17"}')
    assert created["policy"] == r"{\"Version\":\"2012-10-17\"}"
    apigateway.update_rest_api(
        restApiId=created["id"], patchOperations=[{"op": "replace", "path": "/policy", "value": '{"Id":"a"}'}]
    )
    assert apigateway.get_rest_api(restApiId=created["id"])["policy"] == r"{\"Id\":\"a\"}"

    plain = apigateway.create_rest_api(name="plain")
    assert "policy" not in apigateway.get_rest_api(restApiId=plain["id"])
    apigateway.delete_rest_api(restApiId=plain["id"])
    assert refusal(apigateway.get_rest_api, restApiId=plain["id"]) == "NotFoundException"


def test_an_instance_starts_with_the_termination_protection_of_its_request(client: ClientOf) -> None:
    ec2 = client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    launch = {"ImageId": image, "MinCount": 1, "MaxCount": 1}
    protected = ec2.run_instances(**launch, DisableApiTermination=True)["Instances"][0]["InstanceId"]
    open_to_all = ec2.run_instances(**launch)["Instances"][0]["InstanceId"]
    assert refusal(ec2.terminate_instances, InstanceIds=[protected]) == "OperationNotPermitted"
    ec2.terminate_instances(InstanceIds=[open_to_all])

    assert ec2.monitor_instances(InstanceIds=[protected])["InstanceMonitorings"][0]["Monitoring"]["State"] == "enabled"
    ec2.unmonitor_instances(InstanceIds=[protected])
    (reservation,) = ec2.describe_instances(InstanceIds=[protected])["Reservations"]
    assert reservation["Instances"][0]["Monitoring"]["State"] == "disabled"
    assert refusal(ec2.monitor_instances, InstanceIds=["i-00000000000000000"]) == "InvalidInstanceID.NotFound"


def test_a_launch_template_does_not_tag_what_it_launches_with_its_own_tags(client: ClientOf) -> None:
    ec2 = client("ec2")
    tags = [{"Key": "owner", "Value": "us"}]
    for name, launched in (("plain", []), ("tagging", [{"ResourceType": "volume", "Tags": tags}])):
        ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={"InstanceType": "t3.small", "TagSpecifications": launched},
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
        )
        (template,) = ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
        assert template["Tags"] == tags
        (version,) = ec2.describe_launch_template_versions(LaunchTemplateName=name)["LaunchTemplateVersions"]
        assert version["LaunchTemplateData"].get("TagSpecifications", []) == launched
    assert refusal(
        ec2.create_launch_template, LaunchTemplateName="plain", LaunchTemplateData={"InstanceType": "t3.small"}
    ).startswith("InvalidLaunchTemplateName")


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_between_groups_keeps_its_description(client: ClientOf, direction: str) -> None:
    ec2 = client("ec2")
    group_id = ec2.create_security_group(GroupName=direction, Description="one")["GroupId"]
    other_id = ec2.create_security_group(GroupName=f"{direction}-other", Description="two")["GroupId"]
    ports = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049}
    pairs = [{"GroupId": other_id, "Description": "NFS"}]
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    rule_id = authorize(GroupId=group_id, IpPermissions=[{**ports, "UserIdGroupPairs": pairs}])["SecurityGroupRules"][
        0
    ]["SecurityGroupRuleId"]
    (rule,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"]
    assert (rule["Description"], rule["ReferencedGroupInfo"]["GroupId"]) == ("NFS", other_id)
    getattr(ec2, f"revoke_security_group_{direction}")(GroupId=group_id, SecurityGroupRuleIds=[rule_id])
    assert refusal(ec2.describe_security_group_rules, SecurityGroupRuleIds=[rule_id]).startswith(
        "InvalidSecurityGroupRule"
    )


def test_a_user_has_at_most_two_git_credentials_and_each_password_is_returned_once(client: ClientOf) -> None:
    iam = client("iam")
    asked = {"UserName": "push", "ServiceName": "codecommit.amazonaws.com"}
    assert refusal(iam.create_service_specific_credential, **asked) == "NoSuchEntity"
    iam.create_user(UserName="push")
    made = [iam.create_service_specific_credential(**asked)["ServiceSpecificCredential"] for _ in range(2)]
    assert [one["ServiceUserName"] for one in made] == [f"push-at-{ACCOUNT}", f"push+1-at-{ACCOUNT}"]
    assert made[0]["ServicePassword"] != made[1]["ServicePassword"]
    assert refusal(iam.create_service_specific_credential, **asked) == "LimitExceeded"

    first = made[0]["ServiceSpecificCredentialId"]
    iam.delete_service_specific_credential(UserName="push", ServiceSpecificCredentialId=first)
    (left,) = iam.list_service_specific_credentials(**asked)["ServiceSpecificCredentials"]
    assert left["ServiceSpecificCredentialId"] == made[1]["ServiceSpecificCredentialId"]
    assert "ServicePassword" not in left
    again = {"UserName": "push", "ServiceSpecificCredentialId": first}
    assert refusal(iam.delete_service_specific_credential, **again) == "NoSuchEntity"


def test_every_stand_in_gives_its_reason_and_the_api_it_stands_for() -> None:
    stand_ins = load()
    assert set(stand_ins) == {
        "apigateway",
        "autoscaling",
        "cloudtrail",
        "codebuild",
        "codecommit",
        "dlm",
        "ec2",
        "efs",
        "iam",
        "s3",
        "ssm",
    }
    for stand_in in stand_ins.values():
        assert stand_in.because.startswith("moto ")
        assert stand_in.api.startswith("https://docs.aws.amazon.com/")
        assert stand_in.operations


def test_the_record_separates_own_answers_from_corrected_ones(aws: Emulator, client: ClientOf) -> None:
    before = aws.record()
    client("codecommit").create_repository(repositoryName="counted")
    client("apigateway").create_rest_api(name="counted")
    after = aws.record()
    assert after.made["codecommit:CreateRepository"] == before.made.get("codecommit:CreateRepository", 0) + 1
    assert after.corrected["apigateway:CreateRestApi"] == before.corrected.get("apigateway:CreateRestApi", 0) + 1
    assert "apigateway:CreateRestApi" not in after.made
    assert after.calls == before.calls + 2


def test_a_lifecycle_hook_notifies_only_whom_it_names(client: ClientOf) -> None:
    ec2, autoscaling = client("ec2"), client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.create_launch_template(LaunchTemplateName="proxy", LaunchTemplateData={"InstanceType": "t3.small"})
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="proxy",
        LaunchTemplate={"LaunchTemplateName": "proxy", "Version": "1"},
        MinSize=0,
        MaxSize=0,
        VPCZoneIdentifier=subnet,
    )
    hook = {"AutoScalingGroupName": "proxy", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
    notified = {"NotificationTargetARN": "arn:aws:sns:x", "RoleARN": "arn:aws:iam::1:role/x"}
    autoscaling.put_lifecycle_hook(LifecycleHookName="quiet", DefaultResult="ABANDON", **hook)
    autoscaling.put_lifecycle_hook(LifecycleHookName="loud", **hook, **notified)
    hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName="proxy")["LifecycleHooks"]
    quiet, loud = sorted(hooks, key=lambda one: one["LifecycleHookName"], reverse=True)
    assert not notified.keys() & quiet.keys()
    assert quiet["DefaultResult"] == "ABANDON"
    assert loud == {**loud, **notified}


def test_a_buckets_policy_denies_nothing_that_its_conditions_allow(client: ClientOf) -> None:
    s3, configuration = client("s3"), {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="programs", CreateBucketConfiguration=configuration)
    assert refusal(s3.get_bucket_policy, Bucket="programs") == "NoSuchBucketPolicy"
    everything = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::programs/*"}
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything | {"Condition": tls}]})
    s3.put_bucket_policy(Bucket="programs", Policy=policy)
    assert s3.get_bucket_policy(Bucket="programs")["Policy"] == policy
    s3.put_bucket_versioning(Bucket="programs", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="programs", Key="mirror.sh", Body=b"first")["VersionId"]
    s3.put_object(Bucket="programs", Key="mirror.sh", Body=b"second")
    assert s3.get_object(Bucket="programs", Key="mirror.sh", VersionId=first)["Body"].read() == b"first"
    s3.delete_bucket_policy(Bucket="programs")
    assert refusal(s3.get_bucket_policy, Bucket="programs") == "NoSuchBucketPolicy"
