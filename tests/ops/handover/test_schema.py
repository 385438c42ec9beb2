"""The schema file matches the release of the AWS provider that it names."""

import pytest

from ops.handover import schema


@pytest.mark.slow
@pytest.mark.terraform
def test_the_schema_file_is_up_to_date() -> None:
    assert schema.main(["--check"]) == 0
