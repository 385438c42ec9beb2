"""A bucket that keeps builds' copies of repositories between runs."""

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
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
from constructs import Construct

from modules import policies
from modules.acknowledged import acknowledge

_ABORT_UPLOADS_AFTER_DAYS = 2


@dataclass(frozen=True, kw_only=True)
class CacheBucketProps:
    """`expiration_days` is a number, or a reference to one."""

    name: str
    expiration_days: float


class CacheBucket(Construct):
    """A private, encrypted bucket whose contents expire; it holds copies only, and goes with the bridge."""

    bucket: S3Bucket

    def __init__(self, scope: Construct, id: str, props: CacheBucketProps) -> None:
        super().__init__(scope, id)
        self.bucket = S3Bucket(self, "bucket", bucket=props.name, force_destroy=True)
        acknowledge(
            self.bucket,
            CKV_AWS_18="its only readers and writers are the builds, which have logs of their own",
            CKV_AWS_21="an older copy of a copy is of no use to anybody",
            CKV_AWS_144="it holds copies only, which a build makes anew when they are gone",
            CKV_AWS_145="S3 encrypts with a key of its own; only the builds' roles may read",
            CKV2_AWS_62="nothing has to happen when a build keeps its copy",
        )
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
        S3BucketLifecycleConfiguration(
            self,
            "lifecycle",
            bucket=self.bucket.id,
            rule=[
                S3BucketLifecycleConfigurationRule(
                    id="expire",
                    status="Enabled",
                    filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=props.expiration_days)],
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=_ABORT_UPLOADS_AFTER_DAYS
                        )
                    ],
                )
            ],
        )
        S3BucketPolicy(
            self,
            "policy",
            bucket=self.bucket.id,
            policy=policies.document(self, "transport", policies.encrypted_transport_only(self.bucket.arn)),
            # S3 takes one change of a bucket's access at a time.
            depends_on=[public_access_block],
        )
