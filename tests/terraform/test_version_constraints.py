"""Which versions a constraint allows, as Terraform 1.11 reads it."""

import pytest

from terraform.version_constraints import allows, allows_major


@pytest.mark.parametrize(
    ("constraint", "majors"),
    [
        ("", [4, 5, 6]),
        ("~> 5.0", [5]),
        ("~> 5", [5]),
        ("~> 5.99.0", [5]),
        ("5.100.0", [5]),
        ("= 6.25", [6]),
        ("v6", [4, 5, 6]),
        (">= 5.100.0, < 7.0.0", [5, 6]),
        (">= 5.100.0,<6.0.0", [5]),
        ("> 4.9, <= 6.0.0", [4, 5, 6]),
        (">= 4.0, != 5.1.0", [4, 5, 6]),
        ("< 5.0.0", [4]),
        ("<= 5.0.0-beta1", [4, 5]),
        (">= 7.0", []),
    ],
)
def test_a_constraint_allows_these_of_the_major_versions_4_to_6(constraint: str, majors: list[int]) -> None:
    assert [major for major in (4, 5, 6) if allows_major(constraint, major)] == majors


@pytest.mark.parametrize(
    ("constraint", "allowed"),
    [
        ("", True),
        ("5.100.0", True),
        ("= 5.100", True),
        ("v5.100.0", False),
        ("5.99.0", False),
        ("!= 5.100.0", False),
        ("!= 5.99.0", True),
        ("~> 5", True),
        ("~> 4", False),
        ("~> 5.0", True),
        ("~> 5.101", False),
        ("~> 5.100.0", True),
        ("~> 5.99.0", False),
        (">= 5.100.0, < 6.0", True),
        ("> 5.100.0", False),
        ("> 5.99, <= 5.100.0", True),
        ("< 5.100.0", False),
        ("<= 5.99.9", False),
        (">= 5.100.0-beta1", False),
    ],
)
def test_a_constraint_surely_allows_the_release_5_100_0(constraint: str, allowed: bool) -> None:
    assert allows(constraint, "5.100.0") is allowed
