"""A bucket that keeps builds' copies of repositories between runs."""

from dataclasses import dataclass

from constructs import Construct

from modules.acknowledged import acknowledge
from modules.private_bucket import PrivateBucket, PrivateBucketProps


@dataclass(frozen=True, kw_only=True)
class CacheBucketProps:
    """`expiration_days` is a number, or a reference to one."""

    name: str
    expiration_days: float


class CacheBucket(PrivateBucket):
    """A private, encrypted bucket of copies, which expire; it is deleted together with the bridge."""

    def __init__(self, scope: Construct, id: str, props: CacheBucketProps) -> None:
        super().__init__(
            scope,
            id,
            PrivateBucketProps(name=props.name, expiration_days=props.expiration_days, deletion_protected=False),
        )
        acknowledge(
            self.bucket,
            CKV_AWS_18="its only readers and writers are the builds, which have logs of their own",
            CKV_AWS_21="an older copy of a copy is of no use to anybody",
            CKV_AWS_144="it holds copies only, which a build makes again when they are gone",
            CKV_AWS_145="S3 encrypts with a key of its own; only the builds' roles may read",
            CKV2_AWS_62="nothing has to happen when a build keeps its copy",
        )
