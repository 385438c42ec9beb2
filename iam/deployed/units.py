"""Reads from finished Terraform which build mirrors into which repositories."""

from collections.abc import Iterator

from iam.deployed.stack import DeployedStack
from iam.model import Unit
from iam.statements import UnsupportedError
from terraform.facts import MirrorUnit


def units(stack: DeployedStack) -> Iterator[Unit]:
    """The unit of every build. Raises UnsupportedError for a build that no fact is about."""
    facts = {fact.build: fact for fact in stack.facts if isinstance(fact, MirrorUnit)}
    for name, address, arguments in stack.of("aws_codebuild_project"):
        fact = facts.get(name)
        if fact is None:
            raise UnsupportedError(address, "which repositories it mirrors into, which no fact of the stack says")
        region = stack.configuration.stack.region
        yield Unit(
            name=fact.unit,
            address=address,
            role=stack.text(arguments["service_role"], address),
            targets=frozenset(f"arn:aws:codecommit:{region}:{stack.account}:{name}" for name in fact.targets),
            region=region,
            account=stack.account,
            uses=fact,
        )
