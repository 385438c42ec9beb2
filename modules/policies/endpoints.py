"""What may go through the VPC endpoint of S3. AWS's default is every request to every bucket of every account."""

from collections.abc import Sequence

from modules.policies.statement import PolicyCondition, PolicyStatement

_READ_FROM_AWS = {
    "al2023-repos-{region}-de612dc2": "the packages of the forward proxy's servers, which run Amazon Linux 2023",
    "amazon-ssm-{region}": "new versions of Systems Manager's agent, where the account installs them",
}
"""AWS's own buckets, with what servers get from them; {region} stands for the deployment's region.

Sources: https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html and
https://github.com/aws-samples/data-perimeter-policy-examples, collected on 2026-11-28. No bucket of patches is among
them, because no server's role may install patches.
"""


def s3(region: str, account_id: str, backup_buckets: Sequence[str]) -> list[PolicyStatement]:
    """Read AWS's packages, without credentials; write and read backups in buckets of this account, given by name."""
    read = PolicyStatement(
        sid="ReadPackages",
        effect="Allow",
        actions=("s3:GetObject",),
        resources=[f"arn:aws:s3:::{name.format(region=region)}/*" for name in _READ_FROM_AWS],
        everybody=True,
    )
    if not backup_buckets:
        return [read]
    own = PolicyCondition(test="StringEquals", variable="aws:ResourceAccount", values=(account_id,))
    keep = PolicyStatement(
        sid="KeepBackups",
        effect="Allow",
        actions=("s3:GetObject", "s3:PutObject"),
        resources=[f"arn:aws:s3:::{name}/*" for name in backup_buckets],
        everybody=True,
        conditions=(own,),
    )
    return [read, keep]
