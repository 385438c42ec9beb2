"""A CloudTrail trail of an account's management events, and the bucket that keeps its files."""

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudtrail import Cloudtrail
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.inputs import whole_number
from modules.labels import Labels
from modules.policies import buckets
from modules.private_bucket import PrivateBucket, PrivateBucketProps

_REPLACED_DAYS = 30
_REPLACED_DAYS_INPUT = whole_number(
    "replaced_trail_retention_days",
    "How long replaced and deleted files of the trail are kept, days.",
    low=1,
    high=3650,
)

_DEFAULTS = """\
Management events, read and write, are what a trail logs by default. \
CloudTrail tests whether it may write to the bucket before it creates the trail."""


@dataclass(frozen=True, kw_only=True)
class AuditTrailProps:
    """`retention_days` is a number, or a reference to one."""

    labels: Labels
    region: str
    account_id: str
    retention_days: float
    deletion_protected: bool


class AuditTrail(Construct):
    """A trail of management events, read and write, in every region; EventBridge gets API calls from it."""

    trail: Cloudtrail

    def __init__(self, scope: Construct, id: str, props: AuditTrailProps) -> None:
        super().__init__(scope, id)
        name = props.labels.name("audit")
        bucket_name = props.labels.name("audit", props.account_id, limit=63)
        files = PrivateBucket(
            self,
            "files",
            PrivateBucketProps(
                name=bucket_name,
                expiration_days=props.retention_days,
                replaced_days=_REPLACED_DAYS,
                replaced_days_input=_REPLACED_DAYS_INPUT,
                deletion_protected=props.deletion_protected,
                grants=buckets.written_by_trail(
                    f"arn:aws:s3:::{bucket_name}",
                    trail_arn=f"arn:aws:cloudtrail:{props.region}:{props.account_id}:trail/{name}",
                    account_id=props.account_id,
                ),
            ),
        )
        acknowledge(
            files.bucket,
            CKV_AWS_18="the trail itself tells who changes this bucket; reading it is for administrators",
            CKV_AWS_144="a second copy in another region is the account owner's to decide",
            CKV_AWS_145="S3 encrypts with a key of its own; nobody but administrators may read",
            CKV2_AWS_62="nothing has to happen when the trail writes a file",
        )
        self.trail = Cloudtrail(
            self,
            "Default",
            name=name,
            s3_bucket_name=files.bucket.id,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            depends_on=[files.policy],
        )
        explain(self.trail, _DEFAULTS)
        acknowledge(
            self.trail,
            CKV_AWS_35="S3 encrypts the files with a key of its own; events hold no secret",
            CKV_AWS_252="event rules tell people what matters; a message for every file would drown it",
            CKV2_AWS_10="EventBridge reads the events; a second copy in CloudWatch Logs would be paid for by size",
        )
