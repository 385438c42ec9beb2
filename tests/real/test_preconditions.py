"""Preconditions on addresses that another stack outputs, tried in the real Terraform."""

import json
from pathlib import Path

import pytest

from terraform.address_lists import all_public
from tests.real.terraform import terraform

pytestmark = pytest.mark.terraform


@pytest.mark.parametrize(
    ("networks", "is_public"),
    [
        (["203.0.113.10/32"], True),
        (["203.0.113.10/32", "8.8.8.8/32"], True),
        ([], False),
        (["0.0.0.0/32"], False),
        (["0.0.0.0/0"], False),
        (["10.1.2.3/32"], False),
        (["203.0.113.10/32", "192.168.0.1/32"], False),
        (["100.64.0.1/32"], False),
        (["2001:db8::1/128"], False),
        (["2001:db8::1/32"], False),
        (["/32"], False),
        (["203.0.113.10"], False),
    ],
)
def test_addresses_of_another_stack_are_public(tmp_path: Path, networks: list[str], is_public: bool) -> None:
    condition = all_public(f"[{', '.join(map(json.dumps, networks))}]")
    (tmp_path / "main.tf.json").write_text(json.dumps({"output": {"it": {"value": f"public: {condition}"}}}))
    applied = terraform(tmp_path, "apply", "-input=false", "-auto-approve")
    assert f'it = "public: {json.dumps(is_public)}"' in applied.stdout, applied.stdout + applied.stderr
