"""Refuses what Terraform can say about access and the model does not hold."""

from iam.deployed.stack import DeployedStack
from iam.statements import UnsupportedError

SECRETS = ("aws_iam_access_key", "aws_iam_service_specific_credential", "aws_iam_user_login_profile")
"""Resources that give a user a password or a key, and put it into the state."""

_IAM_READ = frozenset(
    (
        "aws_iam_instance_profile",
        "aws_iam_policy",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_user",
        "aws_iam_user_policy",
        "aws_iam_user_policy_attachment",
        *SECRETS,
    )
)
_POLICIES_READ = _IAM_READ | {"aws_api_gateway_rest_api_policy", "aws_s3_bucket_policy", "aws_sns_topic_policy"}
_NOT_EVALUATED = ("permissions_boundary", "inline_policy", "managed_policy_arns", "for_each", "count")


def refuse_unread(stack: DeployedStack) -> None:
    """Raise UnsupportedError for resources and arguments that bear on access and are not read."""
    if stack.configuration.stack.document.get("module"):
        raise UnsupportedError(stack.name, "what a module does to access")
    for kind, name, arguments in stack.configuration.stack.resources():
        if kind not in _POLICIES_READ and "policy" in arguments:
            raise UnsupportedError(stack.name, f"what the policy of {kind} does to access")
        if "dynamic" in arguments and (kind in _POLICIES_READ or "security_group" in kind):
            raise UnsupportedError(f"{stack.name}: {kind}.{name}", "what a dynamic block does to access")
        if not kind.startswith("aws_iam_"):
            continue
        if kind not in _IAM_READ:
            raise UnsupportedError(stack.name, f"what {kind} does to access")
        for argument in _NOT_EVALUATED:
            if argument in arguments:
                raise UnsupportedError(f"{stack.name}: {kind}.{name}", f"what {argument} does to access")
    for owner in ("user", "role"):
        _refuse_others(stack, owner)


def _refuse_others(stack: DeployedStack, owner: str) -> None:
    """Refuse what would give something to a user or role that this stack does not make."""
    made = {stack.text(arguments["name"], address) for _, address, arguments in stack.of(f"aws_iam_{owner}")}
    given = (f"aws_iam_{owner}_policy", f"aws_iam_{owner}_policy_attachment", *(SECRETS if owner == "user" else ()))
    for kind in given:
        for _, address, arguments in stack.of(kind):
            if (name := stack.text(arguments[owner], address)) not in made:
                raise UnsupportedError(address, f"whose it is: no {owner} {name!r} is made here")
