"""Permissions for many repositories are divided into policies of the size that IAM accepts."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.policies import git_users
from modules.policies.sizes import POLICY_CHARACTERS, divided, repository_arns, size
from modules.policies.statement import PolicyCondition, PolicyStatement

PLACE = "ap-northeast-1:222222222222"
ARN = f"arn:aws:codecommit:{PLACE}:"


def _pull(count: int) -> list[PolicyStatement]:
    return git_users.pull(
        repository_arns(
            [f"service-{number:04}" for number in range(count)], everything=(), own_prefixes=(), place=PLACE
        )
    )


@pytest.mark.parametrize(("repositories", "documents"), [(1, 1), (10, 1), (100, 2), (1000, 11)])
def test_uses_as_few_policies_as_the_permissions_size_needs(repositories: int, documents: int) -> None:
    packed = divided(_pull(repositories))
    assert len(packed) == documents
    assert all(size(policy) <= POLICY_CHARACTERS for policy in packed)
    # Every policy except the last is too full for one more repository.
    next_one = len(f'"{ARN}service-0000",')
    assert all(size(policy) + next_one > POLICY_CHARACTERS for policy in packed[:-1])


def test_a_thousand_repositories_of_an_own_prefix_fit_into_one_policy() -> None:
    names = [f"service-{number:04}" for number in range(1000)]
    arns = repository_arns(names, everything=names, own_prefixes=["service-"], place=PLACE)
    assert arns == [ARN + "service-*"]
    assert len(divided(git_users.pull(arns))) == 1


_statements = st.lists(
    st.builds(
        PolicyStatement,
        sid=st.text("AZaz", min_size=1, max_size=20),
        effect=st.just("Allow"),
        actions=st.lists(st.text("ab:", min_size=1, max_size=60), min_size=1, max_size=8),
        resources=st.lists(st.text('a"*é', min_size=1, max_size=200), min_size=1, max_size=80),
        conditions=st.lists(
            st.builds(PolicyCondition, test=st.just("StringEquals"), variable=st.just("k"), values=st.just(["v" * 90])),
            max_size=2,
        ),
    ),
    max_size=5,
)


@given(_statements)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_dividing_keeps_all_permissions_within_the_size_limit(statements: list[PolicyStatement]) -> None:
    packed = divided(statements)
    assert all(size(policy) <= POLICY_CHARACTERS for policy in packed)
    pieces = [(replace(s, resources=()), resource) for policy in packed for s in policy for resource in s.resources]
    assert pieces == [(replace(s, resources=()), resource) for s in statements for resource in s.resources]


def test_raises_for_a_statement_that_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match=r"^Huge is too long for any policy$"):
        divided([PolicyStatement(sid="Huge", effect="Allow", actions=("a:b",), resources=("x" * 7000,))])


def test_names_of_an_own_prefix_become_one_wildcard() -> None:
    names = ["pay-api", "web", "pay-jobs"]
    assert repository_arns(names, everything=names, own_prefixes=["pay-"], place=PLACE) == [ARN + "pay-*", ARN + "web"]


def test_a_common_prefix_becomes_a_wildcard_only_if_it_is_an_own_prefix() -> None:
    names = ["pay-api", "pay-jobs"]
    assert repository_arns(names, everything=names, own_prefixes=[], place=PLACE) == [ARN + name for name in names]


_names = st.sets(st.text("ab-", min_size=1, max_size=4), min_size=1, max_size=12)


@given(_names, _names, st.sets(st.text("ab-", min_size=1, max_size=3), max_size=4))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_arns_match_the_named_repositories_and_no_other_of_the_deployment(
    names: set[str], others: set[str], own_prefixes: set[str]
) -> None:
    everything = names | others
    arns = repository_arns(sorted(names), everything=everything, own_prefixes=own_prefixes, place=PLACE)
    patterns = [arn.removeprefix(ARN) for arn in arns]

    def admitted(name: str) -> bool:
        return any(name.startswith(p[:-1]) if p.endswith("*") else name == p for p in patterns)

    assert {name for name in everything if admitted(name)} == names
    assert {pattern[:-1] for pattern in patterns if pattern.endswith("*")} <= own_prefixes
    assert len(set(patterns)) == len(patterns)
