"""Dangerous changes of stored data."""

from tests.ops.review.dangerous.row import Row, removed
from tests.ops.review.rule_cases import updated
from tests.terraform.plans import change

ROWS: list[Row] = [
    ("repository-lost", "a repository is destroyed", [removed("aws_codecommit_repository")]),
    ("server-lost", "a server is destroyed", [removed("aws_instance")]),
    ("volume-lost", "a volume is destroyed", [removed("aws_ebs_volume")]),
    ("bucket-lost", "a bucket is destroyed", [removed("aws_s3_bucket")]),
    ("file-system-lost", "a file system is destroyed", [removed("aws_efs_file_system")]),
    ("address-lost", "an address is released", [removed("aws_eip")]),
    ("logs-lost", "logs are destroyed", [removed("aws_cloudwatch_log_group")]),
    ("secret-lost", "a secret is destroyed", [removed("aws_secretsmanager_secret")]),
    ("secret-lost", "a parameter is destroyed", [removed("aws_ssm_parameter")]),
    ("key-lost", "a key is destroyed", [removed("aws_kms_key")]),
    ("backup-lost", "a snapshot is destroyed", [removed("aws_ebs_snapshot")]),
    ("database-lost", "a database is destroyed", [removed("aws_db_instance")]),
    ("queue-lost", "a queue is destroyed", [removed("aws_sqs_queue")]),
    (
        "repository-lost",
        "a repository is replaced",
        [change("aws_codecommit_repository.it", ["delete", "create"], {"id": "x"}, {})],
    ),
    *(
        ("handed-over", f"{kind} with {argument}", [change(f"{kind}.it", "create", None, {argument: value})])
        for kind, argument, value in (
            ("aws_ami_from_instance", "source_instance_id", "i-1"),
            ("aws_cloudwatch_event_target", "arn", "arn:aws:events:ap-northeast-1:999999999999:event-bus/it"),
            ("aws_cloudwatch_log_subscription_filter", "destination_arn", "arn:aws:logs:x:999999999999:destination:it"),
            ("aws_codebuild_project", "artifacts", [{"type": "S3", "location": "a-stranger"}]),
            (
                "aws_dlm_lifecycle_policy",
                "policy_details",
                [{"schedule": [{"share_rule": [{"target_accounts": ["9"]}]}]}],
            ),
            ("aws_ebs_volume", "snapshot_id", "snap-1"),
            ("aws_eip", "instance", "i-1"),
            ("aws_eip_association", "allocation_id", "eipalloc-1"),
            ("aws_s3_bucket_acl", "access_control_policy", [{"grant": [{"permission": "READ"}]}]),
            (
                "aws_s3_bucket_replication_configuration",
                "rule",
                [{"destination": [{"bucket": "arn:aws:s3:::a-stranger"}]}],
            ),
            ("aws_s3_object", "acl", "public-read"),
            ("aws_ssm_parameter", "overwrite", True),
            ("aws_volume_attachment", "volume_id", "vol-1"),
        )
    ),
    ("unknown-lost", "something unknown is destroyed", [removed("aws_something_new")]),
    (
        "encryption-lifted",
        "a repository's key is dropped",
        [updated("aws_codecommit_repository", "kms_key_id", "arn:aws:kms:x", None)],
    ),
    ("encryption-lifted", "a volume is no longer encrypted", [updated("aws_ebs_volume", "encrypted", True, False)]),
    *[
        (
            "encryption-lifted",
            f"{name} is not known",
            [change(f"{kind}.it", "update", {name: was}, {}, unknown={name: True})],
        )
        for kind, name, was in (
            ("aws_ebs_volume", "encrypted", True),
            ("aws_codecommit_repository", "kms_key_id", "arn:aws:kms:x"),
        )
    ],
    (
        "encryption-lifted",
        "a topic's key is another one",
        [updated("aws_sns_topic", "kms_master_key_id", "alias/own", "alias/aws/sns")],
    ),
    (
        "encryption-lifted",
        "a log group's key is dropped",
        [updated("aws_cloudwatch_log_group", "kms_key_id", "arn:aws:kms:x", None)],
    ),
    (
        "encryption-lifted",
        "a bucket's encryption is removed",
        [removed("aws_s3_bucket_server_side_encryption_configuration")],
    ),
    (
        "encryption-lifted",
        "a file system is no longer encrypted",
        [updated("aws_efs_file_system", "encrypted", True, False)],
    ),
    (
        "retention-shortened",
        "logs are kept shorter",
        [updated("aws_cloudwatch_log_group", "retention_in_days", 365, 7)],
    ),
    ("retention-shortened", "a key is deleted sooner", [updated("aws_kms_key", "deletion_window_in_days", 30, 7)]),
    (
        "retention-shortened",
        "objects expire sooner",
        [
            updated(
                "aws_s3_bucket_lifecycle_configuration",
                "rule",
                [{"id": "a", "status": "Enabled", "expiration": [{"days": 365}]}],
                [{"id": "a", "status": "Enabled", "expiration": [{"days": 7}]}],
            )
        ],
    ),
    (
        "versioning-stopped",
        "old versions are kept no longer",
        [
            updated(
                "aws_s3_bucket_versioning",
                "versioning_configuration",
                [{"status": "Enabled"}],
                [{"status": "Suspended"}],
            )
        ],
    ),
    ("versioning-stopped", "versioning is removed", [removed("aws_s3_bucket_versioning")]),
    (
        "protection-lifted",
        "a server may be terminated",
        [updated("aws_instance", "disable_api_termination", True, False)],
    ),
    (
        "protection-lifted",
        "a load balancer may be deleted",
        [updated("aws_lb", "enable_deletion_protection", True, False)],
    ),
    (
        "protection-lifted",
        "a database may be deleted",
        [updated("aws_db_instance", "deletion_protection", True, False)],
    ),
    (
        "protection-lifted",
        "a bucket's objects may be destroyed with it",
        [updated("aws_s3_bucket", "force_destroy", False, True)],
    ),
    (
        "protection-lifted",
        "a volume is destroyed with its server",
        [
            updated(
                "aws_instance",
                "root_block_device",
                [{"delete_on_termination": False}],
                [{"delete_on_termination": True}],
            )
        ],
    ),
    ("backups-stopped", "images are made no more", [removed("aws_dlm_lifecycle_policy")]),
    ("backups-stopped", "images are suspended", [updated("aws_dlm_lifecycle_policy", "state", "ENABLED", "DISABLED")]),
    ("backups-stopped", "a backup plan is destroyed", [removed("aws_backup_plan")]),
]
