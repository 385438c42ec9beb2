"""Reads a model from synthesised Terraform."""

from collections.abc import Mapping
from typing import Any

from access.model import Model


def read(stacks: Mapping[str, Mapping[str, Any]]) -> Model:
    """The model of a deployment's `cdk.tf.json` files, by stack."""
    raise NotImplementedError
