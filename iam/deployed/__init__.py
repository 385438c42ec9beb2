"""Reads the model of a deployment's access from its finished Terraform.

A list of addresses that a fact is about counts with the default of its variable; any other variable is refused,
because its value may differ, and so are resource types and arguments that `iam.known` does not know. What only an
apply will tell is represented by a value that equals nothing else, and what cannot be known is refused with
UnsupportedError.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from errors import WRONG_USAGE, RefusedError
from iam import known
from iam.deployed.doubtful import refuse_doubtful
from iam.deployed.held import refuse_unheld
from iam.deployed.identities import identities
from iam.deployed.networks import openings, places, representatives, service_endpoints
from iam.deployed.resources import methods, refuse_open_buckets, refuse_shared_file_systems, repositories, resources
from iam.deployed.stack import DeployedStack
from iam.deployed.units import units
from iam.deployed.unread import refuse_others
from iam.model import Model
from iam.statements import UnsupportedError
from terraform.references import Configuration, configurations
from terraform.unreadable import refused_at


def read(documents: Mapping[str, Mapping[str, Any]]) -> Model:
    """The model of a deployment's `cdk.tf.json` files, by stack.

    Raises RefusedError for what nothing is known of, and UnsupportedError for what cannot be evaluated.
    """
    stacks = configurations(documents, defaults=False)
    if unknown := [problem for stack in stacks.values() for problem in known.problems(stack)]:
        raise RefusedError(unknown, status=WRONG_USAGE)
    return model_of(stacks.values())


@refused_at("the deployment's Terraform")
def model_of(configurations: Iterable[Configuration]) -> Model:
    """The model of stacks of which everything is known. Raises UnsupportedError and RefusedError."""
    stacks = [DeployedStack(configuration) for configuration in configurations]
    refuse_doubtful(stacks)
    refuse_unheld(stacks)
    representing = representatives(stacks)
    for stack in stacks:
        stack.representing = representing
        refuse_others(stack)
        refuse_open_buckets(stack)
        refuse_shared_file_systems(stack)
    people = tuple(identity for stack in stacks for identity in identities(stack))
    for arn, times in Counter(identity.arn for identity in people).items():
        if times > 1:
            raise UnsupportedError(arn, f"{times} users or roles of one name")
    return Model(
        identities=people,
        repositories=tuple(repository for stack in stacks for repository in repositories(stack)),
        units=tuple(unit for stack in stacks for unit in units(stack)),
        resources=tuple(resource for stack in stacks for resource in resources(stack)),
        methods=tuple(method for stack in stacks for method in methods(stack)),
        endpoints=tuple(endpoint for stack in stacks for endpoint in service_endpoints(stack)),
        openings=tuple(opening for stack in stacks for opening in openings(stack)),
        places=places(stacks, people),
    )
