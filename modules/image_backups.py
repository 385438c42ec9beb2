"""Daily machine images of tagged instances."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.dlm_lifecycle_policy import (
    DlmLifecyclePolicy,
    DlmLifecyclePolicyPolicyDetails,
    DlmLifecyclePolicyPolicyDetailsParameters,
    DlmLifecyclePolicyPolicyDetailsSchedule,
    DlmLifecyclePolicyPolicyDetailsScheduleCreateRule,
    DlmLifecyclePolicyPolicyDetailsScheduleRetainRule,
)
from constructs import Construct

from modules.inputs import Input, mark
from modules.labels import Labels
from modules.policies import roles
from modules.role import Role, RoleProps

_MANAGE_IMAGES_POLICY_ARN = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRoleForAMIManagement"

_TIMES = Input(
    variable="image_times_utc", description="When the daily image of the server is taken, UTC: one time, as HH:MM."
)


@dataclass(frozen=True, kw_only=True)
class ImageBackupsProps:
    """`at_utc` is a time of day as HH:MM; `keep` images remain, a number or a reference to one."""

    labels: Labels
    account_id: str
    target_tags: Mapping[str, str]
    at_utc: str
    keep: float


class ImageBackups(Construct):
    """A lifecycle policy that takes an image every day, without a reboot, and removes the oldest."""

    policy: DlmLifecyclePolicy

    def __init__(self, scope: Construct, id: str, props: ImageBackupsProps) -> None:
        super().__init__(scope, id)
        role = Role(
            self,
            "role",
            RoleProps(
                name=props.labels.name("image-backups", limit=64),
                description="Lets Data Lifecycle Manager take and remove images",
                trust=roles.assumed_by("dlm", account_id=props.account_id),
                managed_policy_arn=_MANAGE_IMAGES_POLICY_ARN,
            ),
        )
        self.policy = DlmLifecyclePolicy(
            self,
            "policy",
            description="Daily images of the GitLab server",
            execution_role_arn=role.role.arn,
            state="ENABLED",
            policy_details=DlmLifecyclePolicyPolicyDetails(
                policy_type="IMAGE_MANAGEMENT",
                resource_types=["INSTANCE"],
                target_tags=props.target_tags,
                parameters=DlmLifecyclePolicyPolicyDetailsParameters(no_reboot=True),
                schedule=[
                    DlmLifecyclePolicyPolicyDetailsSchedule(
                        name="daily",
                        copy_tags=True,
                        create_rule=DlmLifecyclePolicyPolicyDetailsScheduleCreateRule(
                            interval=24, interval_unit="HOURS", times=[props.at_utc]
                        ),
                        retain_rule=DlmLifecyclePolicyPolicyDetailsScheduleRetainRule(count=props.keep),
                    )
                ],
            ),
            tags=props.labels.named("image-backups"),
        )
        mark(self.policy, {"policy_details.schedule.create_rule.times": _TIMES})
