"""Rules for the push user, the rooms, the repositories and the mirrors."""

import pytest

from tests.settings.whole_file import (
    Loaded,
    Refusal,
    error,
    line_of,
    line_of_change,
    spoilt,
    without,
)

_PULL = "    pull:\n      from_cidrs: [198.51.100.0/28]\n"


def test_refuses_repositories_that_no_user_may_pull(refusal: Refusal) -> None:
    text = without("    rooms:\n", "  backlog:\n", (_PULL, ""))
    assert refusal(text) == error(
        line_of(text, "  codecommit:\n"),
        "prd.codecommit",
        "nobody may pull from these repositories",
        "add pull with the isolated room's addresses, or rooms with those of each",
    )


def test_refuses_an_empty_map_of_rooms(refusal: Refusal) -> None:
    text = without("      batch_operators:\n", "  backlog:\n", (_PULL, ""), ("    rooms:\n", "    rooms: {}\n"))
    assert refusal(text) == error(
        line_of(text, "rooms: {}"), "prd.codecommit.rooms", "there are no rooms", "add one, or add pull"
    )


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("repositories: [batch]", "no source is given"),
        (
            "from_cidrs: [203.0.113.48/29]\n        from_vpc_endpoints: [vpce-0123456789abcdef1]",
            "both from_cidrs and from_vpc_endpoints are given",
        ),
    ],
)
def test_refuses_a_room_with_no_source_or_with_two(refusal: Refusal, given: str, what: str) -> None:
    text = spoilt(("from_vpc_endpoints: [vpce-0123456789abcdef0, vpce-0fedcba9876543210]", given))
    hint = "give from_cidrs, the public addresses the room leaves from, or from_vpc_endpoints"
    assert refusal(text) == error(line_of(text, "      vault:\n"), "prd.codecommit.rooms.vault", what, hint)


def test_refuses_a_reason_to_open_an_endpoint_to_the_world(refusal: Refusal) -> None:
    change = (
        "vpce-0fedcba9876543210]",
        "vpce-0fedcba9876543210]\n        open_to_the_world_because: The room is everywhere.",
    )
    assert refusal(spoilt(change)) == error(
        line_of_change(change),
        "prd.codecommit.rooms.vault.open_to_the_world_because",
        "a VPC endpoint is not open to the world",
        "leave it out",
    )


def test_refuses_two_sources_for_the_push_user(refusal: Refusal) -> None:
    push = "push: { from_cidrs: [203.0.113.10/32], from_stack: dev-network }"
    text = spoilt(("push:\n      from_cidrs: [203.0.113.10/32]", push), _PROXY_IN_THE_VPC)
    assert refusal(text) == error(
        line_of(text, "    push:"),
        "prd.codecommit.push",
        "both from_cidrs and from_stack are given",
        "give from_cidrs, or from_stack to take them from its outputs",
    )


_PROXY_IN_THE_VPC = ("    cidrs: [10.99.0.0/28]\n", "")


_FROM_NETWORK = ("from_cidrs: [203.0.113.10/32]", "from_stack: dev-network")


_FROM_GITLAB = ("from_cidrs: [203.0.113.10/32]", "from_stack: dev-gitlab")


def test_refuses_a_push_source_that_is_not_part_of_the_deployment(refusal: Refusal) -> None:
    text = without("dev:", "prd:", _FROM_NETWORK)
    assert refusal(text) == error(
        line_of(text, "from_stack"),
        "prd.codecommit.push.from_stack",
        "'dev-network' is not part of this deployment",
        "add dev.network, or give the addresses in from_cidrs",
    )


def test_refuses_nat_addresses_as_push_source_without_a_proxy(refusal: Refusal) -> None:
    text = without("  proxy:", "prd:", _FROM_NETWORK)
    assert refusal(text) == error(
        line_of(text, "from_stack"),
        "prd.codecommit.push.from_stack",
        "without a proxy GitLab does not leave through the NAT gateways",
        "use from_stack: dev-gitlab, or add dev.proxy",
    )


def test_refuses_gitlabs_address_as_push_source_with_a_proxy(refusal: Refusal) -> None:
    text = spoilt(_FROM_GITLAB)
    assert refusal(text) == error(
        line_of(text, "from_stack"),
        "prd.codecommit.push.from_stack",
        "with a proxy GitLab's mirrors do not leave from its own address",
        "use from_stack: dev-network, or give the proxy's addresses in from_cidrs",
    )


def test_refuses_nat_addresses_as_push_source_for_a_proxy_in_another_network(refusal: Refusal) -> None:
    text = spoilt(_FROM_NETWORK)
    assert refusal(text) == error(
        line_of(text, "from_stack: dev-network"),
        "prd.codecommit.push.from_stack",
        "a proxy in another network does not leave through the NAT gateways",
        "give the addresses that proxy leaves from in from_cidrs",
    )


def test_refuses_a_schedule_that_is_not_shorter_than_the_alarms_period(refusal: Refusal, loaded: Loaded) -> None:
    for schedule in ("rate(6 hours)", "cron(0 * ? * MON-FRI *)"):
        change = ("reconcile: rate(1 hour)", f"reconcile: {schedule}")
        assert refusal(spoilt(change)) == error(
            line_of_change(change),
            "prd.backlog.reconcile",
            f"'{schedule}' is not shorter than the 6 hours after which a mirror counts as silent",
            "run mirrors more often, or raise prd.backlog.alerts.silent_hours",
        )
    assert loaded(spoilt(("reconcile: rate(1 hour)", "reconcile: rate(5 hours)")))


def test_accepts_a_push_source_that_matches_the_proxy(loaded: Loaded) -> None:
    assert loaded(spoilt(_FROM_NETWORK, _PROXY_IN_THE_VPC))
    assert loaded(without("  proxy:", "prd:", _FROM_GITLAB))


def test_refuses_a_push_user_without_a_repository_to_push(refusal: Refusal) -> None:
    text = without("      infrastructure:", "      batch:\n    del")
    assert refusal(text) == error(
        line_of(text, "    push:"),
        "prd.codecommit.push",
        "every repository is the target of a Backlog mirror, so there is nothing to push",
        "leave push out",
    )


def test_refuses_two_mirrors_of_one_backlog_repository(refusal: Refusal) -> None:
    change = ("project: OPS\n        repository: batch", "project: WEB\n        repository: website")
    text = spoilt(change)
    assert refusal(text) == error(
        line_of(text, "      batch:\n        space"),
        "prd.backlog.repositories.batch",
        "'example/WEB/website' is already the source of 'website'",
        "a repository has one mirror, because Backlog calls one webhook for it: remove one",
    )


def test_refuses_two_mirrors_into_one_target(refusal: Refusal) -> None:
    change = ("target: { codecommit: batch }", "target: { create: website }")
    assert refusal(spoilt(change)) == error(
        line_of_change(change),
        "prd.backlog.repositories.batch.target",
        "'website' is already the target of 'website'",
        "give each mirror its own target: two mirrors would undo each other's pushes",
    )


def test_an_efs_cache_needs_a_vpc(refusal: Refusal) -> None:
    text = without("    vpc:", "    build_timeout", ("mode: s3", "mode: efs"))
    assert refusal(text) == error(
        line_of(text, "mode: efs"),
        "prd.backlog.cache.mode",
        "'efs' needs a VPC",
        "give prd.backlog.vpc, or use mode: s3",
    )


@pytest.mark.parametrize("isolation", ["    isolation: space\n", ""])
def test_an_efs_cache_of_a_space_is_not_told_to_have_a_vpc_or_a_bucket(refusal: Refusal, isolation: str) -> None:
    text = without("    vpc:", "    build_timeout", ("mode: s3", "mode: efs")).replace(
        "    isolation: repository\n", isolation
    )
    assert refusal(text) == error(
        line_of(text, "mode: efs"),
        "prd.backlog.cache.mode",
        "'efs' needs a build for each repository",
        "give isolation: repository in prd.backlog, or use mode: none",
    )


@pytest.mark.parametrize("mode", ["s3", "efs"])
@pytest.mark.parametrize("isolation", ["    isolation: space\n", ""])
def test_a_cache_needs_a_build_for_each_repository(refusal: Refusal, mode: str, isolation: str) -> None:
    text = spoilt(("    isolation: repository\n", isolation), ("mode: s3", f"mode: {mode}"))
    assert refusal(text) == error(
        line_of(text, f"mode: {mode}"),
        "prd.backlog.cache.mode",
        f"'{mode}' needs a build for each repository",
        "give isolation: repository in prd.backlog, or use mode: none",
    )


@pytest.mark.parametrize(
    ("isolation", "kept", "kind"), [("space", "example", "a mirror"), ("repository", "website", "a space")]
)
def test_logs_are_kept_of_builds_that_the_isolation_replaces(
    refusal: Refusal, isolation: str, kept: str, kind: str
) -> None:
    lines = f"    isolation: {isolation}\n    keep_logs_of: [{kept}]\n"
    text = spoilt(("    isolation: repository\n", lines), ("mode: s3", "mode: none"))
    assert refusal(text) == error(
        line_of(text, "keep_logs_of"),
        "prd.backlog.keep_logs_of[0]",
        f"'{kept}' is not {kind} of this bridge",
        f"give the key of {kind} whose build the isolation replaces, or remove the line",
    )


def test_a_wrong_isolation_is_the_only_error(refusal: Refusal) -> None:
    text = spoilt(("isolation: repository", "isolation: project"))
    assert refusal(text) == error(
        line_of(text, "isolation: project"),
        "prd.backlog.isolation",
        "'project' is not known here",
        "use 'space' or 'repository'",
    )


def test_a_list_instead_of_a_map_of_repositories_is_the_only_error(refusal: Refusal) -> None:
    listed = ("  codecommit:\n    repositories:\n", "  codecommit:\n    repositories: [app, batch]\n")
    text = without("      infrastructure:\n", "    deletion_protected: true\n", listed)
    assert refusal(text) == error(
        line_of(text, "[app, batch]"),
        "prd.codecommit.repositories",
        "['app', 'batch'] is a list, not a map",
        "write each name on a line of its own with a colon, for example app:",
    )


def test_a_repository_with_errors_still_counts_as_a_target(refusal: Refusal) -> None:
    change = ("      batch:\n    del", "      batch: 1\n    del")
    assert refusal(spoilt(change)) == error(
        line_of(spoilt(change), "      batch: 1"),
        "prd.codecommit.repositories.batch",
        "1 is not a map of settings",
        "indent the settings below it: description, kms_key_arn, gitlab_project, only_protected_branches",
    )
