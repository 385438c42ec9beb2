"""Who assumes a role, and how a role writes logs."""

from modules.policies.statement import PolicyCondition, PolicyStatement


def assumed_by(service: str, *, account_id: str | None = None) -> list[PolicyStatement]:
    """A role's trust in one service; with `account_id`, only when the service acts for that account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    conditions = []
    if account_id is not None:
        conditions.append(PolicyCondition(test="StringEquals", variable="aws:SourceAccount", values=(account_id,)))
    return [
        PolicyStatement(
            sid="Assume",
            effect="Allow",
            actions=("sts:AssumeRole",),
            services=(f"{service}.amazonaws.com",),
            conditions=conditions,
        )
    ]


def assumed_by_role(role_arn: str) -> list[PolicyStatement]:
    """A role's trust in one other role of the account, and in nobody else."""
    return [PolicyStatement(sid="Assume", effect="Allow", actions=("sts:AssumeRole",), roles=(role_arn,))]


def assume(role_arn: str) -> PolicyStatement:
    """Become one other role."""
    return PolicyStatement(sid="AssumeRole", effect="Allow", actions=("sts:AssumeRole",), resources=(role_arn,))


def write_logs(log_group_arn: str) -> PolicyStatement:
    """Write to the streams of one log group that exists already."""
    return PolicyStatement(
        sid="WriteLogs",
        effect="Allow",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(f"{log_group_arn}:*",),
    )


def deliver_flow_logs(log_group_arn: str) -> list[PolicyStatement]:
    """What VPC flow logs need to deliver into one log group.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    return [
        write_logs(log_group_arn),
        PolicyStatement(
            sid="DescribeLogs",
            effect="Allow",
            actions=("logs:DescribeLogGroups", "logs:DescribeLogStreams"),
            resources=("*",),
            acknowledged={"CKV_AWS_356": "flow logs look for their group among all; these two actions only read names"},
        ),
    ]
