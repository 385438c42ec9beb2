import itertools

import pytest

from modules import policies

ARN = "arn:aws:codecommit:ap-northeast-1:222222222222:app"


def test_pushing_takes_two_actions_on_named_repositories() -> None:
    (statement,) = policies.push([ARN])
    assert set(statement.actions) == {"codecommit:GitPull", "codecommit:GitPush"}
    assert statement.resources == [ARN]


def test_pulling_never_writes() -> None:
    actions = [action for statement in policies.pull([ARN]) for action in statement.actions]
    assert "codecommit:GitPull" in actions
    assert not [
        action for action in actions if not action.split(":")[1].startswith(("Get", "BatchGet", "List", "GitPull"))
    ]


def test_only_the_list_of_repositories_is_asked_of_every_repository() -> None:
    everywhere = [statement for statement in policies.pull([ARN]) if statement.resources == ("*",)]
    assert [statement.actions for statement in everywhere] == [("codecommit:ListRepositories",)]


def test_elsewhere_is_denied_everything_but_what_aws_services_do_in_turn() -> None:
    deny = policies.only_from(["198.51.100.7/32"])
    assert (deny.effect, deny.actions, deny.resources) == ("Deny", ("*",), ("*",))
    assert [(c.test, c.variable, c.values) for c in deny.conditions] == [
        ("NotIpAddress", "aws:SourceIp", ["198.51.100.7/32"]),
        ("BoolIfExists", "aws:ViaAWSService", ("false",)),
    ]


def test_without_keys_no_statement_speaks_of_keys() -> None:
    assert policies.repository_keys([], "ap-northeast-1") == []


@pytest.mark.parametrize("account_id", ["111111111111", None])
def test_a_service_is_trusted_for_its_own_account_where_it_says_for_whom_it_acts(account_id: str | None) -> None:
    (trust,) = policies.assumed_by("scheduler", account_id=account_id)
    assert trust.services == ("scheduler.amazonaws.com",)
    assert [condition.values for condition in trust.conditions] == ([(account_id,)] if account_id else [])


def test_statements_allow_no_wildcard_action() -> None:
    every = itertools.chain(
        policies.push([ARN]),
        policies.pull([ARN]),
        policies.repository_keys(["arn"], "r"),
        policies.deliver_flow_logs("arn"),
        policies.start_and_stop("arn"),
        [policies.mirror_into(ARN), policies.read_parameter("arn"), policies.keep_cache("arn", "key")],
        [policies.decrypt_parameter("arn", "arn"), policies.write_logs("arn")],
        policies.build_in_vpc(["arn"], "r", "1"),
        policies.start_builds(["arn"]),
        policies.invoked_from("arn", ["198.51.100.7/32"]),
    )
    for statement in every:
        if statement.effect == "Allow":
            assert not [action for action in statement.actions if "*" in action], statement.sid
