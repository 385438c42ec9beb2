"""A bucket for a server's backups."""

from dataclasses import dataclass

from constructs import Construct

from modules.acknowledged import acknowledge
from modules.inputs import whole_number
from modules.private_bucket import PrivateBucket, PrivateBucketProps

_REPLACED_DAYS = 30
_REPLACED_DAYS_INPUT = whole_number(
    "replaced_backup_retention_days", "How long replaced and deleted backups are kept, days.", low=1, high=3650
)


@dataclass(frozen=True, kw_only=True)
class BackupBucketProps:
    """`keep_days` is a number, or a reference to one; replaced and deleted backups are kept for 30 more days."""

    name: str
    keep_days: float
    deletion_protected: bool


class BackupBucket(PrivateBucket):
    """A private, versioned, encrypted bucket, in which overwriting a backup keeps the old version."""

    def __init__(self, scope: Construct, id: str, props: BackupBucketProps) -> None:
        super().__init__(
            scope,
            id,
            PrivateBucketProps(
                name=props.name,
                expiration_days=props.keep_days,
                replaced_days=_REPLACED_DAYS,
                replaced_days_input=_REPLACED_DAYS_INPUT,
                deletion_protected=props.deletion_protected,
            ),
        )
        acknowledge(
            self.bucket,
            CKV_AWS_18="only the server writes to it, and a restore, which reads it, is done by hand",
            CKV_AWS_144="the daily images are a second copy; a third in another region is the account's to decide",
            CKV_AWS_145="S3 encrypts with a key of its own; the server's role may write and not read",
            CKV2_AWS_62="the server tells of each backup in an SSM parameter",
        )
