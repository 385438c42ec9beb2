"""Preconditions on addresses that another stack outputs, tried in the real Terraform."""

import json
from pathlib import Path

import pytest

from terraform.address_lists import all_public
from tests.real.terraform import read_by_terraform

pytestmark = pytest.mark.terraform

IS_PUBLIC = {
    ("203.0.113.10/32",): True,
    ("203.0.113.10/32", "8.8.8.8/32"): True,
    (): False,
    ("0.0.0.0/32",): False,
    ("0.0.0.0/0",): False,
    ("10.1.2.3/32",): False,
    ("203.0.113.10/32", "192.168.0.1/32"): False,
    ("100.64.0.1/32",): False,
    ("2001:db8::1/128",): False,
    ("2001:db8::1/32",): False,
    ("/32",): False,
    ("203.0.113.10",): False,
}


def test_addresses_of_another_stack_are_public(tmp_path: Path) -> None:
    texts = [f"public: {all_public(json.dumps(networks))}" for networks in IS_PUBLIC]
    read = read_by_terraform(texts, tmp_path)
    assert dict(zip(IS_PUBLIC, read, strict=True)) == {
        networks: f"public: {json.dumps(is_public)}" for networks, is_public in IS_PUBLIC.items()
    }
