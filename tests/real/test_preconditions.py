"""Preconditions on addresses that another stack outputs, tried in the real Terraform."""

import json
from pathlib import Path

import pytest

from terraform.address_lists import all_public, single_addresses
from tests.real.terraform import read_by_terraform

pytestmark = pytest.mark.terraform

IS_PUBLIC = {
    ("203.0.113.10",): True,
    ("203.0.113.10", "8.8.8.8"): True,
    (): False,
    ("0.0.0.0",): False,
    ("10.1.2.3",): False,
    ("203.0.113.10", "192.168.0.1"): False,
    ("100.64.0.1",): False,
    ("2001:db8::1",): False,
    ("2001:db8::",): False,
    ("::ffff:203.0.113.10",): False,
    ("",): False,
    ("203.0.113.10/32",): False,
    ("203.0.113",): False,
    ("203.0.113.256",): False,
    ("a.example.com",): False,
}


def test_addresses_of_another_stack_are_public(tmp_path: Path) -> None:
    texts = [f"public: {all_public(single_addresses(json.dumps(addresses)))}" for addresses in IS_PUBLIC]
    read = read_by_terraform(texts, tmp_path)
    assert dict(zip(IS_PUBLIC, read, strict=True)) == {
        addresses: f"public: {json.dumps(is_public)}" for addresses, is_public in IS_PUBLIC.items()
    }


def test_refuses_networks_that_are_no_single_addresses() -> None:
    with pytest.raises(ValueError, match="is no list of single addresses"):
        all_public("var.push_from_cidrs")
