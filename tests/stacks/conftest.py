"""The bridge in its three forms."""

from collections.abc import Callable

import pytest

from tests.terraform import Stacks, Terraform


@pytest.fixture(scope="module")
def bridge(example: Stacks) -> Terraform:
    """A build for each space."""
    return example["backlog-bridge"]


@pytest.fixture(scope="module")
def with_file_system(synthesised: Callable[[str], Stacks]) -> Terraform:
    """A build for each repository, with a file system for its copy."""
    return synthesised("everything")["backlog-bridge"]


@pytest.fixture(scope="module")
def with_bucket(synthesised: Callable[[str], Stacks]) -> Terraform:
    """A build for each repository in a VPC, with a bucket for its copy."""
    return synthesised("backlog-only")["backlog-bridge"]
