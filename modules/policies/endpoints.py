"""What may go through VPC endpoints."""

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
        why="Packages are read without credentials, from buckets of AWS.",
    )
    if not backup_buckets:
        return [read]
    keep = PolicyStatement(
        sid="KeepBackups",
        effect="Allow",
        actions=("s3:GetObject", "s3:PutObject"),
        resources=[f"arn:aws:s3:::{name}/*" for name in backup_buckets],
        everybody=True,
        conditions=(_for_account("Resource", account_id),),
    )
    return [read, keep]


def systems_manager(region: str, account_id: str) -> list[PolicyStatement]:
    """Serve this account's identities, with this account's resources, and AWS's documents and parameters to read.

    https://github.com/aws-samples/data-perimeter-policy-examples has such a policy for `ssm`. Actions of the other two
    services take no resource, so none of another account can be named:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmessagegatewayservice.html
    """
    mine = _for_account("Principal", account_id)
    return [
        PolicyStatement(
            sid="ServeAccount",
            effect="Allow",
            actions=("ssm:*",),
            resources=("*",),
            everybody=True,
            conditions=(mine, _for_account("Resource", account_id)),
        ),
        PolicyStatement(
            sid="CarryMessages",
            effect="Allow",
            actions=("ec2messages:*", "ssmmessages:*"),
            resources=("*",),
            everybody=True,
            conditions=(mine,),
            why="These actions take no resource, so none of another account can be named.",
        ),
        PolicyStatement(
            sid="ReadFromAws",
            effect="Allow",
            actions=("ssm:DescribeDocument", "ssm:GetDocument", "ssm:GetParameter"),
            resources=(f"arn:aws:ssm:{region}::document/*", f"arn:aws:ssm:{region}::parameter/aws/*"),
            everybody=True,
            conditions=(mine,),
            why="AWS's own documents and parameters belong to no account.",
        ),
    ]


def _for_account(whose: str, account_id: str) -> PolicyCondition:
    return PolicyCondition(test="StringEquals", variable=f"aws:{whose}Account", values=(account_id,))
