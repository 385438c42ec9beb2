"""A variable accepts the values that its setting accepts."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from modules import data_volume, gitlab_server
from modules.inputs import Input
from settings.backlog import BacklogSettings
from settings.bounds import bounds
from settings.gitlab import DataVolumeSettings, GitlabSettings
from settings.proxy import SquidSettings
from tests.terraform import Stacks


@pytest.mark.parametrize(
    ("settings", "name", "expected"),
    [
        (SquidSettings, "instances", (1, 8)),
        (BacklogSettings, "build_timeout_minutes", (5, 2160)),
        (DataVolumeSettings, "iops", (100, 256_000)),
    ],
)
def test_reads_the_bounds_of_a_setting(settings: type[BaseModel], name: str, expected: tuple[int, int]) -> None:
    assert bounds(settings, name) == expected


def test_refuses_a_setting_without_bounds() -> None:
    with pytest.raises(ValueError, match=r"^SquidSettings\.instance_type has no bounds$"):
        bounds(SquidSettings, "instance_type")


# Constructs do not import settings, so these inputs write the bounds of their settings again.
@pytest.mark.parametrize(
    ("input", "settings", "name"),
    [
        (gitlab_server._ROOT_VOLUME_GIB, GitlabSettings, "root_volume_gib"),
        (data_volume._IOPS, DataVolumeSettings, "iops"),
    ],
)
def test_an_input_of_a_construct_has_the_bounds_of_its_setting(
    input: Input, settings: type[BaseModel], name: str
) -> None:
    low, high = bounds(settings, name)
    ((_, message),) = input.checks
    assert message == f"Write a whole number from {low} to {high}."


def test_a_variable_has_the_bounds_of_its_setting(example: Stacks) -> None:
    variable: Mapping[str, Any] = example["dev-proxy"].json["variable"]["instance_count"]
    low, high = bounds(SquidSettings, "instances")
    assert variable["validation"][0]["error_message"] == f"Write a whole number from {low} to {high}."
