"""Starts and stops an instance on schedules."""

from dataclasses import dataclass

from cdktf import Fn
from cdktf_cdktf_provider_aws.scheduler_schedule import (
    SchedulerSchedule,
    SchedulerScheduleFlexibleTimeWindow,
    SchedulerScheduleTarget,
)
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.inputs import Input, mark
from modules.labels import Labels
from modules.policies import roles, servers
from modules.role import Role, RoleProps

_TIMEZONE = Input(
    variable="schedule_timezone", description="Time zone of both schedules, by its IANA name, such as Asia/Tokyo."
)


@dataclass(frozen=True, kw_only=True)
class PowerScheduleProps:
    """`start` and `stop` are EventBridge cron expressions in `timezone`, or references to them."""

    labels: Labels
    account_id: str
    instance_id: str
    instance_arn: str
    start: str
    stop: str
    timezone: str


class PowerSchedule(Construct):
    """Two schedules that call EC2, with a role that may start and stop this instance only."""

    start: SchedulerSchedule
    stop: SchedulerSchedule

    def __init__(self, scope: Construct, id: str, props: PowerScheduleProps) -> None:
        super().__init__(scope, id)
        role = Role(
            self,
            "role",
            RoleProps(
                name=props.labels.name("power-schedule", limit=64),
                description="Lets EventBridge Scheduler start and stop the GitLab server",
                trust=roles.assumed_by("scheduler", account_id=props.account_id),
                permissions=servers.start_and_stop(props.instance_arn),
            ),
        )
        self.start = self._schedule(props, role, "start", props.start)
        self.stop = self._schedule(props, role, "stop", props.stop)

    def _schedule(self, props: PowerScheduleProps, role: Role, action: str, cron: str) -> SchedulerSchedule:
        schedule = SchedulerSchedule(
            self,
            action,
            name=props.labels.name(f"gitlab-{action}", limit=64),
            description=f"Calls {action.title()}Instances for the GitLab server",
            schedule_expression=cron,
            schedule_expression_timezone=props.timezone,
            flexible_time_window=SchedulerScheduleFlexibleTimeWindow(mode="OFF"),
            target=SchedulerScheduleTarget(
                # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
                arn=f"arn:aws:scheduler:::aws-sdk:ec2:{action}Instances",
                role_arn=role.role.arn,
                input=Fn.jsonencode({"InstanceIds": [props.instance_id]}),
            ),
        )
        mark(schedule, {"schedule_expression_timezone": _TIMEZONE})
        acknowledge(schedule, CKV_AWS_297="it holds nothing but the id of an instance, encrypted with AWS's own key")
        return schedule
