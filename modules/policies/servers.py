"""What a server's role may do, and who starts and stops the server."""

from modules.policies.statement import PolicyStatement

_MANAGED = (
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:GetDocument",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutComplianceItems",
    "ssm:PutInventory",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)

_NOT_ALL = """\
These are the actions of AmazonSSMManagedInstanceCore without those for patches and packages, and without those that \
read parameters: these would let every server read every secret of the account that AWS's own key encrypts."""


def be_managed() -> PolicyStatement:
    """Be reached by Session Manager, and run the documents that associations name.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html
    """
    why = "the agent asks before it knows its instance's id; most of these actions take no resource"
    return PolicyStatement(
        sid="BeManaged",
        effect="Allow",
        actions=_MANAGED,
        resources=("*",),
        why=_NOT_ALL,
        acknowledged=dict.fromkeys(("CKV_AWS_111", "CKV_AWS_356"), why),
    )


def complete_launch(group_name: str, region: str, account_id: str) -> PolicyStatement:
    """Say that a new instance of one auto scaling group is ready."""
    group = f"arn:aws:autoscaling:{region}:{account_id}:autoScalingGroup:*:autoScalingGroupName/{group_name}"
    return PolicyStatement(
        sid="CompleteLaunch", effect="Allow", actions=("autoscaling:CompleteLifecycleAction",), resources=(group,)
    )


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
    """Add backups."""
    return PolicyStatement(
        sid="KeepBackups",
        effect="Allow",
        actions=("s3:PutObject",),
        resources=(f"{bucket_arn}/*",),
        why="The server adds backups, and may not read or delete any.",
    )


def tell_through_parameters(path: str, region: str, account_id: str) -> list[PolicyStatement]:
    """Write the SSM parameters below `path`, and read the result of the last run.

    AWS's own key for SSM needs no statement.
    """
    parameters = f"arn:aws:ssm:{region}:{account_id}:parameter{path}"
    return [
        PolicyStatement(
            sid="TellThroughParameters",
            effect="Allow",
            actions=("ssm:PutParameter",),
            resources=(f"{parameters}/*",),
        ),
        PolicyStatement(
            sid="RememberOutcomes",
            effect="Allow",
            actions=("ssm:GetParameter",),
            resources=(f"{parameters}/backup", f"{parameters}/configure"),
            why="The server may not read the other parameter again: it is root's password.",
        ),
    ]
