"""Buckets, file systems, logs and the audit trail."""

from iam.known.argument import Arguments, each, harmless, one_of, own, read_by, required
from iam.known.networks import GROUP, SUBNET

_BUCKET = own("aws_s3_bucket", "id", "bucket")
_KEPT = harmless("how long it is kept")

TYPES: dict[str, Arguments] = {
    "aws_s3_bucket": {
        "bucket": read_by("the policies' evaluation"),
        "force_destroy": harmless("whether it can be lost, not who reads it"),
    },
    "aws_s3_bucket_lifecycle_configuration": {
        "bucket": _BUCKET,
        **each(
            _KEPT,
            "rule.abort_incomplete_multipart_upload.days_after_initiation",
            "rule.expiration.days",
            "rule.filter.prefix",
            "rule.id",
            "rule.noncurrent_version_expiration.noncurrent_days",
            "rule.status",
        ),
    },
    "aws_s3_bucket_ownership_controls": {
        "bucket": _BUCKET,
        "rule.object_ownership": one_of("BucketOwnerEnforced", why="no list of an object's own opens it"),
    },
    "aws_s3_bucket_policy": {"bucket": _BUCKET, "policy": read_by("the promise nothing-is-public")},
    "aws_s3_bucket_public_access_block": {
        "bucket": _BUCKET,
        **each(
            required(one_of(True, why="nothing opens the bucket to the public")),
            "block_public_acls",
            "block_public_policy",
            "ignore_public_acls",
            "restrict_public_buckets",
        ),
    },
    "aws_s3_bucket_server_side_encryption_configuration": {
        "bucket": _BUCKET,
        "rule.apply_server_side_encryption_by_default.sse_algorithm": one_of("AES256", why="S3's own key"),
    },
    "aws_s3_object": {
        "bucket": _BUCKET,
        **each(
            harmless("what builds run, which their buildspecs name by its digest and stacks/as_asked.py compares"),
            "content",
            "content_type",
            "etag",
            "key",
        ),
        **each(
            harmless("it refuses a plan, and changes nothing"),
            "lifecycle.postcondition.condition",
            "lifecycle.postcondition.error_message",
        ),
    },
    "aws_s3_bucket_versioning": {
        "bucket": _BUCKET,
        "versioning_configuration.status": one_of("Enabled", why="what was overwritten is kept"),
    },
    "aws_efs_file_system": {
        "encrypted": required(one_of(True, why="whoever has the disk alone reads nothing")),
        **each(harmless("what it costs"), "lifecycle_policy.transition_to_ia", "throughput_mode"),
    },
    "aws_efs_file_system_policy": {
        "file_system_id": own("aws_efs_file_system"),
        "policy": read_by("the promise files-are-mounted-over-tls"),
    },
    "aws_efs_mount_target": {
        "file_system_id": own("aws_efs_file_system"),
        "security_groups": required(GROUP),
        "subnet_id": SUBNET,
    },
    "aws_cloudwatch_log_group": {"name": harmless("what it is called"), "retention_in_days": _KEPT},
    "aws_cloudtrail": {
        **each(
            required(one_of(True, why="every region and service is recorded, and a changed file shows")),
            "enable_log_file_validation",
            "include_global_service_events",
            "is_multi_region_trail",
        ),
        "name": harmless("what it is called"),
        "s3_bucket_name": _BUCKET,
    },
}
