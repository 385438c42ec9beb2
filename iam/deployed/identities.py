"""Reads users and roles with their policies from finished Terraform."""

from collections.abc import Iterator

from iam.aws_managed import aws_managed
from iam.deployed.stack import DeployedStack
from iam.deployed.unread import SECRETS
from iam.model import Identity
from iam.statements import Policy, UnsupportedError


def identities(stack: DeployedStack) -> Iterator[Identity]:
    """Users, then roles."""
    for kind in ("user", "role"):
        for name, address, arguments in stack.of(f"aws_iam_{kind}"):
            called = stack.text(arguments["name"], address)
            trust = arguments.get("assume_role_policy")
            yield Identity(
                address=address,
                arn=stack.arn(f"aws_iam_{kind}", name),
                account=stack.account,
                policies=tuple(_attached(stack, kind, called)),
                trust=stack.policy(trust, f"{called}'s trust") if trust else None,
                secrets=tuple(_secrets(stack, called)) if kind == "user" else (),
            )


def _attached(stack: DeployedStack, kind: str, owner: str) -> Iterator[Policy]:
    for _, address, arguments in stack.of(f"aws_iam_{kind}_policy"):
        if stack.text(arguments[kind], address) == owner:
            yield stack.policy(arguments["policy"], f"{owner}/{stack.text(arguments['name'], address)}")
    for _, address, arguments in stack.of(f"aws_iam_{kind}_policy_attachment"):
        if stack.text(arguments[kind], address) == owner:
            yield _managed(stack, arguments["policy_arn"], address)


def _managed(stack: DeployedStack, arn: str, place: str) -> Policy:
    if (own := stack.configuration.resource_of(arn, "aws_iam_policy")) is not None:
        arguments = stack.configuration.resources("aws_iam_policy")[own]
        return stack.policy(arguments["policy"], stack.text(arguments["name"], place))
    published = aws_managed(arn)
    if published is None:
        raise UnsupportedError(place, f"what {arn!r} allows; add the document to iam/aws_managed.json")
    return published


def _secrets(stack: DeployedStack, user: str) -> Iterator[str]:
    for kind in SECRETS:
        for _, address, arguments in stack.of(kind):
            if stack.text(arguments["user"], address) == user:
                yield address
