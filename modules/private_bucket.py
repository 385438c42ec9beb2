"""A bucket that needs credentials and TLS."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import S3BucketVersioningA, S3BucketVersioningVersioningConfiguration
from constructs import Construct

from modules.explained import explain
from modules.inputs import Input, mark
from modules.policies import buckets
from modules.policies.statement import PolicyStatement, document

_ABORT_UPLOADS_AFTER_DAYS = 2


@dataclass(frozen=True, kw_only=True)
class PrivateBucketProps:
    """`expiration_days` is a number, or a reference to one; without it, nothing expires but what was replaced.

    With `replaced_days`, which may be an input, the bucket is versioned, and keeps replaced and deleted versions for so
    many days. With
    `deletion_protected` Terraform refuses any plan that deletes the bucket; without it, Terraform deletes the bucket
    with its contents. `grants` are statements for AWS services.
    """

    name: str
    expiration_days: float | None
    deletion_protected: bool
    replaced_days: int | None = None
    replaced_days_input: Input | None = None
    grants: Sequence[PolicyStatement] = ()


class PrivateBucket(Construct):
    """A private, encrypted bucket."""

    bucket: S3Bucket
    policy: S3BucketPolicy
    versioning: S3BucketVersioningA | None

    def __init__(self, scope: Construct, id: str, props: PrivateBucketProps) -> None:
        super().__init__(scope, id)
        self.bucket = S3Bucket(
            self,
            "bucket",
            bucket=props.name,
            force_destroy=None if props.deletion_protected else True,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.deletion_protected else None,
        )
        if props.deletion_protected:
            explain(self.bucket, "With prevent_destroy, Terraform refuses to delete the bucket and what it keeps.")
        S3BucketOwnershipControls(
            self,
            "ownership",
            bucket=self.bucket.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        public_access_block = S3BucketPublicAccessBlock(
            self,
            "public_access_block",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            bucket=self.bucket.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=(
                        S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                            sse_algorithm="AES256"
                        )
                    )
                )
            ],
        )
        self.versioning = None
        if props.replaced_days is not None:
            self.versioning = S3BucketVersioningA(
                self,
                "versioning",
                bucket=self.bucket.id,
                versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
            )
        lifecycle = S3BucketLifecycleConfiguration(
            self, "lifecycle", bucket=self.bucket.id, rule=[_expiration_rule(props)]
        )
        if props.replaced_days_input is not None:
            mark(lifecycle, {"rule.noncurrent_version_expiration.noncurrent_days": props.replaced_days_input})
        self.policy = S3BucketPolicy(
            self,
            "policy",
            bucket=self.bucket.id,
            policy=document(self, "transport", [*buckets.encrypted_transport_only(self.bucket.arn), *props.grants]),
            depends_on=[public_access_block],
        )
        explain(self.policy, "S3 accepts one change of a bucket's access at a time.")


def _expiration_rule(props: PrivateBucketProps) -> S3BucketLifecycleConfigurationRule:
    replaced = None
    if props.replaced_days is not None:
        replaced = [S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=props.replaced_days)]
    unfinished = S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
        days_after_initiation=_ABORT_UPLOADS_AFTER_DAYS
    )
    return S3BucketLifecycleConfigurationRule(
        id="expire",
        status="Enabled",
        filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
        expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=props.expiration_days)]
        if props.expiration_days is not None
        else None,
        noncurrent_version_expiration=replaced,
        abort_incomplete_multipart_upload=[unfinished],
    )
