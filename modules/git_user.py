"""An IAM user for Git only, who works from given addresses or VPC endpoints only."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable, Precondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_user import IamUser
from cdktf_cdktf_provider_aws.iam_user_policy_attachment import IamUserPolicyAttachment
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.policies import sizes
from modules.policies.statement import PolicyStatement, document


@dataclass(frozen=True, kw_only=True)
class GitUserProps:
    """`deny` denies everything from other addresses or endpoints.

    The resources of `allow` are plain text instead of references, because the policies' sizes depend on their length.
    `preconditions` are checked when Terraform plans; each has a text that explains it, if it needs one.
    """

    name: str
    allow: Sequence[PolicyStatement]
    deny: PolicyStatement
    preconditions: Sequence[tuple[Precondition, str]] = ()


class GitUser(Construct):
    """A user with no password and no access key; its Git credentials are not issued by Terraform."""

    user: IamUser

    def __init__(self, scope: Construct, id: str, props: GitUserProps) -> None:
        super().__init__(scope, id)
        self.user = IamUser(self, "Default", name=props.name, force_destroy=True)
        acknowledge(
            self.user, CKV_AWS_273="Git over HTTPS with a password that GitLab can hold works for IAM users alone"
        )
        explain(
            self.user,
            "Git credentials, which Terraform does not know, would block the user's removal without force_destroy.",
        )
        deny = self._attach("deny", "Nothing from anywhere else", [props.deny], props)
        for number, statements in enumerate(sizes.divided(props.allow), start=1):
            role = "allow" if number == 1 else f"allow_{number}"
            self._attach(role, "What the user may do", statements, props, after=[deny])

    def _attach(
        self,
        role: str,
        description: str,
        statements: Sequence[PolicyStatement],
        props: GitUserProps,
        after: Sequence[ITerraformDependable] = (),
    ) -> IamUserPolicyAttachment:
        policy = IamPolicy(
            self,
            f"{role}_policy",
            name=f"{props.name}-{role.replace('_', '-')}",
            description=description,
            policy=document(self, role, statements),
            lifecycle=TerraformResourceLifecycle(precondition=[it for it, _ in props.preconditions])
            if role == "deny" and props.preconditions
            else None,
        )
        attachment = IamUserPolicyAttachment(
            self, f"{role}_attachment", user=self.user.name, policy_arn=policy.arn, depends_on=list(after)
        )
        if role == "deny":
            explain(policy, "It is apart from what the user may do, so that a change of repositories never changes it.")
            for number, (_, why) in enumerate(props.preconditions):
                if why:
                    explain(policy, why, f"lifecycle.precondition.{number}")
        else:
            explain(
                attachment, "The Deny is attached first and detached last: the user never has permissions without it."
            )
        acknowledge(attachment, CKV_AWS_40="each user has a purpose of its own; a group of one would say no more")
        return attachment
