"""A bucket with the program that builds run, and with what each unit of builds works with."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import Postcondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.s3_object import S3Object
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.private_bucket import PrivateBucket, PrivateBucketProps
from terraform.templates import escaped

# A build waits for up to 8 hours and runs for up to 36.
# https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
_KEEP_REPLACED_DAYS = 30

PROGRAM_VERSION = "PROGRAM_VERSION"
CONFIG_VERSION = "CONFIG_VERSION"
"""The environment variables of a build with the versions of what it fetches."""


@dataclass(frozen=True, kw_only=True)
class ProgramBucketProps:
    """`program` and the texts of `configs`, by unit, are what the keys beside them name in the bucket.

    `checks` are what a config must fulfil, or a plan is refused: in HCL, people change it.
    """

    name: str
    program_key: str
    program: str
    configs: Mapping[str, tuple[str, str]]
    checks: Sequence[Postcondition]


class ProgramBucket(PrivateBucket):
    """A private, encrypted bucket that is deleted together with the bridge.

    A buildspec has the digests of both texts, so that a build runs nothing else that somebody may put here. A build
    project has the versions of both, and is changed after them. What a change replaces stays as a version, longer than
    any build may wait and run: one that began before the change fetches what its buildspec names.
    """

    program: S3Object
    configs: dict[str, S3Object]

    def __init__(self, scope: Construct, id: str, props: ProgramBucketProps) -> None:
        super().__init__(
            scope,
            id,
            PrivateBucketProps(
                name=props.name,
                expiration_days=None,
                deletion_protected=False,
                replaced_days=_KEEP_REPLACED_DAYS,
            ),
        )
        acknowledge(
            self.bucket,
            CKV_AWS_18="its only readers are the builds, which have logs of their own",
            CKV_AWS_144="Terraform creates it again when it is gone",
            CKV_AWS_145="S3 encrypts with a key of its own; nothing in it is a secret",
            CKV2_AWS_62="nothing has to happen when a program is replaced",
        )
        if self.versioning is not None:
            explain(
                self.versioning, "A build that began before a change fetches the versions that its project named then."
            )
        self.program = self._object(self, "script", props.program_key, props.program)
        units = Construct(self, "units")
        self.configs = {unit: self._object(units, unit, *config) for unit, config in props.configs.items()}
        for config in self.configs.values():
            config.lifecycle = TerraformResourceLifecycle(postcondition=list(props.checks))

    def objects(self, unit: str) -> dict[S3Object, str]:
        """What the builds of a unit fetch, with the ARNs, which are known before the objects are."""
        found = (self.program, self.configs[unit])
        return {one: f"{self.bucket.arn}/{one.key_input}" for one in found}

    def versions(self, unit: str) -> dict[str, str]:
        """The versions that the builds of a unit fetch, by the environment variable that they read them from."""
        return {PROGRAM_VERSION: self.program.version_id, CONFIG_VERSION: self.configs[unit].version_id}

    def _object(self, scope: Construct, id: str, key: str, text: str) -> S3Object:
        made = S3Object(
            scope,
            id,
            bucket=self.bucket.id,
            key=key,
            content=escaped(text),
            content_type="text/plain; charset=utf-8",
            etag=hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
            depends_on=[self.policy, *filter(None, [self.versioning])],
        )
        explain(made, "The etag is S3's own digest: Terraform sees when somebody replaced the object.")
        return made
