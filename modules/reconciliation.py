"""Starts every mirror on a schedule, in addition to webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf import Fn
from cdktf_cdktf_provider_aws.codebuild_project import CodebuildProject
from cdktf_cdktf_provider_aws.scheduler_schedule import (
    SchedulerSchedule,
    SchedulerScheduleFlexibleTimeWindow,
    SchedulerScheduleTarget,
)
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.labels import Labels
from modules.policies import builds, roles
from modules.role import Role, RoleProps


@dataclass(frozen=True, kw_only=True)
class ReconciliationProps:
    """`schedule` is an EventBridge expression, or a reference to one; `projects` by a name for each."""

    labels: Labels
    account_id: str
    schedule: str
    projects: Mapping[str, CodebuildProject]


class Reconciliation(Construct):
    """One schedule per project, so that a push whose webhook was lost is mirrored at the next scheduled run."""

    schedules: dict[str, SchedulerSchedule]

    def __init__(self, scope: Construct, id: str, props: ReconciliationProps) -> None:
        super().__init__(scope, id)
        role = Role(
            self,
            "role",
            RoleProps(
                name=props.labels.name("backlog-reconcile", limit=64),
                description="Lets EventBridge Scheduler start the mirror builds",
                trust=roles.assumed_by("scheduler", account_id=props.account_id),
                permissions=builds.start_builds([project.arn for project in props.projects.values()]),
            ),
        )
        schedules = Construct(self, "schedules")
        self.schedules = {
            key: SchedulerSchedule(
                schedules,
                key,
                name=props.labels.name("backlog", key, limit=64),
                description=f"Starts the mirror build {key}",
                schedule_expression=props.schedule,
                flexible_time_window=SchedulerScheduleFlexibleTimeWindow(mode="OFF"),
                target=SchedulerScheduleTarget(
                    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
                    arn="arn:aws:scheduler:::aws-sdk:codebuild:startBuild",
                    role_arn=role.role.arn,
                    input=Fn.jsonencode({"ProjectName": project.name}),
                ),
            )
            for key, project in props.projects.items()
        }
        for schedule in self.schedules.values():
            acknowledge(schedule, CKV_AWS_297="it holds nothing but a project's name, encrypted with AWS's own key")
            explain(schedule, "A push whose webhook was lost is mirrored at the next scheduled run.")
