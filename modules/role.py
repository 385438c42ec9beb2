"""A role that one AWS service assumes."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from modules.policies.statement import PolicyStatement, document


@dataclass(frozen=True, kw_only=True)
class RoleProps:
    """`permissions` become the role's inline policy; `managed_policy_arn` is attached too."""

    name: str
    description: str
    trust: Sequence[PolicyStatement]
    permissions: Sequence[PolicyStatement] = ()
    managed_policy_arn: str | None = None


class Role(Construct):
    """A role with its trust and its permissions; what needs them to be attached depends on `permissions`."""

    role: IamRole
    permissions: list[IamRolePolicy | IamRolePolicyAttachment]

    def __init__(self, scope: Construct, id: str, props: RoleProps) -> None:
        super().__init__(scope, id)
        self.role = IamRole(
            self,
            "Default",
            name=props.name,
            description=props.description,
            assume_role_policy=document(self, "trust", props.trust),
        )
        self.permissions = []
        if props.permissions:
            permissions = document(self, "permissions", props.permissions)
            self.permissions.append(
                IamRolePolicy(self, "policy", name="permissions", role=self.role.name, policy=permissions)
            )
        if props.managed_policy_arn is not None:
            self.permissions.append(
                IamRolePolicyAttachment(
                    self, "managed_policy", role=self.role.name, policy_arn=props.managed_policy_arn
                )
            )
