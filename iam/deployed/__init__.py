"""Reads the model of a deployment's access from its finished Terraform.

A list of addresses that a fact is about counts with the default of its variable; any other variable is refused,
because its value may differ. What only an apply will tell is represented by a value that equals nothing else, and
what cannot be known is refused with UnsupportedError.
"""

from collections.abc import Mapping
from typing import Any

from iam.deployed.doubtful import refuse_doubtful
from iam.deployed.identities import identities
from iam.deployed.networks import openings, places, representatives
from iam.deployed.resources import methods, repositories, resources
from iam.deployed.stack import DeployedStack
from iam.deployed.unread import refuse_unread
from iam.model import Model
from terraform.references import configurations


def read(documents: Mapping[str, Mapping[str, Any]]) -> Model:
    """The model of a deployment's `cdk.tf.json` files, by stack. Raises UnsupportedError and RefusedError."""
    stacks = [DeployedStack(configuration) for configuration in configurations(documents, defaults=False).values()]
    refuse_doubtful(stacks)
    representing = representatives(stacks)
    for stack in stacks:
        stack.representing = representing
        refuse_unread(stack)
    people = tuple(identity for stack in stacks for identity in identities(stack))
    return Model(
        identities=people,
        repositories=tuple(repository for stack in stacks for repository in repositories(stack)),
        resources=tuple(resource for stack in stacks for resource in resources(stack)),
        methods=tuple(method for stack in stacks for method in methods(stack)),
        openings=tuple(opening for stack in stacks for opening in openings(stack)),
        places=places(stacks, people),
    )
