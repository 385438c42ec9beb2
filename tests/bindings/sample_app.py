"""An app with what bindings can be asked for: nested structs, lists of structs, data sources, references, an Aspect."""

import cdktf
import constructs
import jsii
from cdktf_cdktf_provider_aws.api_gateway_rest_api import ApiGatewayRestApi, ApiGatewayRestApiEndpointConfiguration
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.codebuild_project import (
    CodebuildProject,
    CodebuildProjectArtifacts,
    CodebuildProjectEnvironment,
    CodebuildProjectEnvironmentEnvironmentVariable,
    CodebuildProjectLogsConfig,
    CodebuildProjectLogsConfigCloudwatchLogs,
    CodebuildProjectSource,
)
from cdktf_cdktf_provider_aws.codecommit_repository import CodecommitRepository
from cdktf_cdktf_provider_aws.data_aws_ami import DataAwsAmi, DataAwsAmiFilter
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.efs_file_system import EfsFileSystem, EfsFileSystemLifecyclePolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.instance import Instance, InstanceMetadataOptions, InstanceRootBlockDevice
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
)
from cdktf_cdktf_provider_aws.security_group import SecurityGroup, SecurityGroupEgress
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc


@jsii.implements(cdktf.IAspect)
class _ProtectedRepositories:
    def visit(self, node: constructs.IConstruct) -> None:
        if isinstance(node, CodecommitRepository):
            node.lifecycle = cdktf.TerraformResourceLifecycle(prevent_destroy=True)


def synthesise(outdir: str) -> None:
    """Write the app's Terraform configuration to `outdir`."""
    app = cdktf.App(outdir=outdir)
    stack = cdktf.TerraformStack(app, "sample")
    cdktf.LocalBackend(stack, path="sample.tfstate")  # the default writes an absolute path
    AwsProvider(stack, "aws", region="eu-west-1", default_tags=[AwsProviderDefaultTags(tags={"service": "sample"})])
    account = DataAwsCallerIdentity(stack, "account")
    _servers(stack)
    _builds(stack, account)
    cdktf.Aspects.of(app).add(_ProtectedRepositories())
    app.synth()


def _servers(stack: cdktf.TerraformStack) -> None:
    vpc = Vpc(stack, "vpc", cidr_block="10.0.0.0/16", enable_dns_hostnames=True)
    subnets = [Subnet(stack, zone, vpc_id=vpc.id, cidr_block=f"10.0.{zone[-1]}.0/24") for zone in ("zone_1", "zone_2")]
    everywhere = SecurityGroupEgress(from_port=0, to_port=0, protocol="-1", cidr_blocks=["0.0.0.0/0"])
    group = SecurityGroup(stack, "group", vpc_id=vpc.id, egress=[everywhere])
    image = DataAwsAmi(
        stack,
        "image",
        owners=["amazon"],
        most_recent=True,
        filter=[
            DataAwsAmiFilter(name="name", values=["al2023-*"]),
            DataAwsAmiFilter(name="state", values=["available"]),
        ],
    )
    Instance(
        stack,
        "server",
        ami=image.id,
        instance_type="t3.micro",
        subnet_id=subnets[0].id,
        vpc_security_group_ids=[group.id],
        metadata_options=InstanceMetadataOptions(http_tokens="required"),
        root_block_device=InstanceRootBlockDevice(encrypted=True, volume_size=20),
    )
    EfsFileSystem(
        stack,
        "files",
        lifecycle_policy=[EfsFileSystemLifecyclePolicy(transition_to_ia="AFTER_30_DAYS")],
        encrypted=True,
    )


def _builds(stack: cdktf.TerraformStack, account: DataAwsCallerIdentity) -> None:
    trust = DataAwsIamPolicyDocument(
        stack,
        "trust",
        statement=[
            DataAwsIamPolicyDocumentStatement(
                actions=["sts:AssumeRole"],
                principals=[
                    DataAwsIamPolicyDocumentStatementPrincipals(type="Service", identifiers=["codebuild.amazonaws.com"])
                ],
                condition=[
                    DataAwsIamPolicyDocumentStatementCondition(
                        test="StringEquals", variable="aws:SourceAccount", values=[account.account_id]
                    )
                ],
            )
        ],
    )
    role = IamRole(stack, "role", assume_role_policy=trust.json)
    log = CloudwatchLogGroup(stack, "log", name="/sample", retention_in_days=30)
    CodecommitRepository(stack, "repository", repository_name="sample")
    CodebuildProject(
        stack,
        "project",
        name="sample",
        service_role=role.arn,
        artifacts=CodebuildProjectArtifacts(type="NO_ARTIFACTS"),
        environment=CodebuildProjectEnvironment(
            compute_type="BUILD_GENERAL1_SMALL",
            image="aws/codebuild/amazonlinux-aarch64-standard:3.0",
            type="ARM_CONTAINER",
            environment_variable=[CodebuildProjectEnvironmentEnvironmentVariable(name="STAGE", value="sample")],
        ),
        logs_config=CodebuildProjectLogsConfig(
            cloudwatch_logs=CodebuildProjectLogsConfigCloudwatchLogs(group_name=log.name)
        ),
        source=CodebuildProjectSource(type="NO_SOURCE", buildspec="version: 0.2"),
    )
    bucket = S3Bucket(stack, "bucket", bucket_prefix="sample")
    S3BucketLifecycleConfiguration(
        stack,
        "bucket_lifecycle",
        bucket=bucket.id,
        rule=[
            S3BucketLifecycleConfigurationRule(
                id="expire",
                status="Enabled",
                filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="cache/")],
                expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=7)],
            )
        ],
    )
    ApiGatewayRestApi(
        stack,
        "api",
        name="sample",
        endpoint_configuration=ApiGatewayRestApiEndpointConfiguration(types=["REGIONAL"]),
    )
