"""What a server's role may do, and who starts and stops the server."""

from modules.policies.statement import PolicyStatement

SESSION_MANAGER_POLICY_ARN = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


def start_and_stop(instance_arn: str) -> list[PolicyStatement]:
    """Start and stop one instance."""
    return [
        PolicyStatement(
            sid="StartAndStop",
            effect="Allow",
            actions=("ec2:StartInstances", "ec2:StopInstances"),
            resources=(instance_arn,),
        )
    ]


def keep_backups(bucket_arn: str) -> PolicyStatement:
    """Add backups; the server may not read them."""
    return PolicyStatement(sid="KeepBackups", effect="Allow", actions=("s3:PutObject",), resources=(f"{bucket_arn}/*",))


def tell_through_parameters(path: str, region: str, account_id: str) -> PolicyStatement:
    """Write the SSM parameters below `path`, and read them; AWS's own key for SSM needs no statement."""
    return PolicyStatement(
        sid="TellThroughParameters",
        effect="Allow",
        actions=("ssm:GetParameter", "ssm:PutParameter"),
        resources=(f"arn:aws:ssm:{region}:{account_id}:parameter{path}/*",),
    )
