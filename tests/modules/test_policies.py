import itertools

import pytest

from modules.policies import builds, git_users, roles, servers, sizes
from modules.policies.statement import PolicyStatement

ARN = "arn:aws:codecommit:ap-northeast-1:222222222222:app"


def test_pushing_needs_two_actions_on_named_repositories() -> None:
    (statement,) = git_users.push([ARN])
    assert set(statement.actions) == {"codecommit:GitPull", "codecommit:GitPush"}
    assert statement.resources == [ARN]


def test_pulling_never_writes() -> None:
    actions = [action for statement in git_users.pull([ARN]) for action in statement.actions]
    assert "codecommit:GitPull" in actions
    assert not [
        action for action in actions if not action.split(":")[1].startswith(("Get", "BatchGet", "List", "GitPull"))
    ]


def test_only_listing_repositories_is_allowed_on_all_repositories() -> None:
    everywhere = [statement for statement in git_users.pull([ARN]) if statement.resources == ("*",)]
    assert [statement.actions for statement in everywhere] == [("codecommit:ListRepositories",)]


def test_denies_other_addresses_except_aws_services_on_the_users_behalf() -> None:
    deny = git_users.only_from(["198.51.100.7/32"])
    assert (deny.effect, deny.actions, deny.resources) == ("Deny", ("*",), ("*",))
    assert [(c.test, c.variable, c.values) for c in deny.conditions] == [
        ("NotIpAddress", "aws:SourceIp", ["198.51.100.7/32"]),
        ("BoolIfExists", "aws:ViaAWSService", ("false",)),
    ]


def test_without_keys_there_is_no_statement_about_keys() -> None:
    assert git_users.repository_keys([], "ap-northeast-1") == []


@pytest.mark.parametrize("account_id", ["111111111111", None])
def test_a_role_trusts_a_service_for_the_given_account_only(account_id: str | None) -> None:
    (trust,) = roles.assumed_by("scheduler", account_id=account_id)
    assert trust.services == ("scheduler.amazonaws.com",)
    assert [condition.values for condition in trust.conditions] == ([(account_id,)] if account_id else [])


def test_statements_allow_no_wildcard_action() -> None:
    every = itertools.chain(
        git_users.push([ARN]),
        git_users.pull([ARN]),
        git_users.repository_keys(["arn"], "r"),
        roles.deliver_flow_logs("arn"),
        servers.start_and_stop("arn"),
        builds.mirror_into([ARN], ["arn"], unit="unit", region="r", account_id="1"),
        [builds.read_parameters("Read", ["arn"]), builds.keep_state("arn"), builds.keep_cache("arn", "key")],
        [builds.fetch_program(["arn"]), builds.report_mirrors("r", "1"), roles.assume("arn")],
        roles.assumed_by_role("arn"),
        [builds.decrypt_parameter("arn", "arn"), roles.write_logs("arn")],
        builds.build_in_vpc(["arn"], "r", "1"),
        builds.start_builds(["arn"]),
        builds.invoked_from("arn", ["198.51.100.7/32"]),
    )
    for statement in every:
        if statement.effect == "Allow":
            assert not [action for action in statement.actions if "*" in action], statement.sid


def _targets(count: int) -> list[str]:
    return [f"arn:aws:codecommit:ap-northeast-1:222222222222:repository-{number:04}" for number in range(count)]


def _mirroring(count: int, keys: list[str]) -> list[PolicyStatement]:
    return builds.mirror_into(
        _targets(count), keys, unit="kakehashi-prd-backlog-example", region="ap-northeast-1", account_id="222222222222"
    )


def test_a_role_names_its_targets_as_long_as_they_fit_into_its_policy() -> None:
    most = max(count for count in range(300) if _mirroring(count, [])[0].resources == _targets(count))
    assert 100 < most < 200
    assert sizes.size(_mirroring(most, [])) <= 10_240
    (tagged,) = _mirroring(most + 1, [])
    assert tagged.resources == ("arn:aws:codecommit:ap-northeast-1:222222222222:*",)
    (condition,) = tagged.conditions
    assert (condition.test, condition.variable) == ("StringEquals", "aws:ResourceTag/kakehashi:mirrored-by")
    assert condition.values == ("kakehashi-prd-backlog-example",)
    assert tagged.actions == _mirroring(1, [])[0].actions


def test_the_keys_of_targets_count_for_the_size_of_a_policy() -> None:
    keys = [f"arn:aws:kms:ap-northeast-1:222222222222:key/{number:036}" for number in range(90)]
    named, _ = _mirroring(20, keys)
    assert named.resources == _targets(20)
    tagged, used = _mirroring(60, keys)
    assert tagged.conditions
    assert (used.sid, used.resources) == ("RepositoryKeys", keys)
    assert used.why == "Git fails without the key of a repository that has one: each is here."
