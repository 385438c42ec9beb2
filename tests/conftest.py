"""What all tests share: one jsii process, the deployments synthesised once, and which tools are here."""

import os
import shutil
from pathlib import Path

import bindings

bindings.install()

import pytest

PROJECT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip a test whose tool is missing, by the tool's name; with KAKEHASHI_NO_SKIP the test runs, and fails."""
    if os.environ.get("KAKEHASHI_NO_SKIP"):
        return
    for item in items:
        needed = [str(mark.args[0]) for mark in item.iter_markers("tool")]
        if item.get_closest_marker("terraform"):
            needed.append("terraform")
        for tool in needed:
            if shutil.which(tool) is None:
                item.add_marker(pytest.mark.skip(reason=f"{tool} is not installed"))
