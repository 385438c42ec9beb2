"""Contradictions between settings, and rules for allow-lists."""

import pytest
from pydantic import TypeAdapter

from settings import Deployment
from settings.types import Reason
from tests.settings.almost_right import PAST_THE_PROXY, TWICE
from tests.settings.contradictions import ACCOUNTS, BACKLOG, GITLAB, NETWORK, PUSH_AND_PULL, TAGS
from tests.settings.whole_file import (
    Change,
    Loaded,
    Refusal,
    WrongValue,
    error,
    in_different_places,
    line_of,
    line_of_change,
    spoilt,
    spoilt_with_lines,
    without,
)

_CLOSED = "list the addresses, or give a reason in open_to_the_world_because"


_NO_PUSH = ("    push:\n      from_cidrs: [203.0.113.10/32]\n", "")


LISTS = [
    ("work_terminal_cidrs", "[198.51.100.128/28]", "dev.gitlab"),
    ("from_cidrs", "[203.0.113.10/32]", "prd.codecommit.push"),
    ("from_cidrs", "[198.51.100.0/28]", "prd.codecommit.pull"),
    ("from_cidrs", "[203.0.113.32/29]", "prd.codecommit.rooms.batch_operators"),
    ("sender_cidrs", "[192.0.2.16/28, 192.0.2.64/28]", "prd.backlog.webhook"),
]


_ROOMS = ("prd.codecommit.pull", "prd.codecommit.rooms.batch_operators")


_ALL = [*ACCOUNTS, *TAGS, *NETWORK, *GITLAB, *PUSH_AND_PULL, *BACKLOG, *TWICE, *PAST_THE_PROXY]


_rows = pytest.mark.parametrize(
    ("change", "path", "what", "hint"), _ALL, ids=[f"{row[1]}-{row[0][1][-30:]}" for row in _ALL]
)


@_rows
def test_a_contradiction_between_settings_is_the_only_error(
    refusal: Refusal, change: Change, path: str, what: str, hint: str
) -> None:
    assert refusal(spoilt(change)) == error(line_of_change(change), path, what, hint)


@pytest.mark.parametrize(
    "rows", in_different_places([(*row[0], *row[1:]) for row in _ALL]), ids=lambda rows: rows[0][2]
)
def test_contradictions_are_reported_together_with_wrong_values(refusal: Refusal, rows: list[WrongValue]) -> None:
    changes = [
        *((old, new) for old, new, *_ in rows),
        ("owner: platform-team", "owner:"),
        ("flow_log_retention_days: 90", "flow_log_retention_days: 91"),
        ("silent_hours: 6", "silent_hours: 0"),
        ("key_pair: break-glass", "key_pair: ''"),
        ("deletion_protected: true", "deletion_protected: yes"),
        ("build_timeout_minutes: 60", "build_timeout_minutes: 1"),
        ("profile: dev", "profile: '*'"),
    ]
    text, lines = spoilt_with_lines(changes)
    answer = refusal(text)
    for row, line in zip(rows, lines, strict=False):
        assert error(line, *row[2:]) in answer
    assert answer.count("error: ") == len(rows) + 7


@pytest.mark.parametrize("without_quotes", [True, False])
def test_refuses_one_account_for_both_environments(refusal: Refusal, without_quotes: bool) -> None:
    written = "222222222222" if without_quotes else '"222222222222"'
    text = without("dev:", "prd:").replace("prd:\n", f"dev:\n  account: {{ id: {written} }}\nprd:\n")
    assert refusal(text) == error(
        line_of(text, '    id: "222222222222"'),
        "prd.account.id",
        "'222222222222' is also the development account",
        "an administrator of one account controls everything in it: use two accounts",
    )


@pytest.mark.parametrize(("key", "old", "part"), LISTS)
@pytest.mark.parametrize(
    ("cidrs", "place", "what"),
    [
        ("0.0.0.0/0", "[0]", "'0.0.0.0/0' allows every address"),
        ("8.0.0.0/7", "[0]", "'8.0.0.0/7' allows 33,554,432 addresses, more than an allow-list may"),
        (
            "11.0.0.0/8, 12.0.0.0/30",
            "",
            "these networks add up to 16,777,220 public addresses, more than an allow-list may allow",
        ),
    ],
)
def test_refuses_an_allow_list_that_is_open_to_the_world(
    refusal: Refusal, key: str, old: str, part: str, cidrs: str, place: str, what: str
) -> None:
    change = (f"{key}: {old}", f"{key}: [{cidrs}]")
    text = spoilt(change)
    assert error(line_of(text, f"{key}: [{cidrs}]"), f"{part}.{key}{place}", what, _CLOSED) in refusal(text)


def test_refuses_each_half_of_the_address_space(refusal: Refusal) -> None:
    change = ("[198.51.100.128/28]", "[0.0.0.0/1, 128.0.0.0/1]")
    what = "allows 2,147,483,648 addresses, more than an allow-list may"
    assert refusal(spoilt(change)) == "\n".join(
        error(line_of_change(change), f"dev.gitlab.work_terminal_cidrs[{index}]", f"'{half}' {what}", _CLOSED)
        for index, half in enumerate(("0.0.0.0/1", "128.0.0.0/1"))
    )


def test_refuses_many_small_networks_that_cover_the_world(refusal: Refusal) -> None:
    change = ("[198.51.100.128/28]", f"[{', '.join(f'{number}.0.0.0/8' for number in range(2, 224, 2))}]")
    assert refusal(spoilt(change)) == error(
        line_of_change(change),
        "dev.gitlab.work_terminal_cidrs",
        "these networks add up to 1,845,493,760 public addresses, more than an allow-list may allow",
        _CLOSED,
    )


@pytest.mark.parametrize(("key", "old", "part"), LISTS)
def test_refuses_a_network_that_is_named_twice_in_a_list(refusal: Refusal, key: str, old: str, part: str) -> None:
    change = (f"{key}: {old}", f"{key}: [192.0.2.128/29, 192.0.2.136/29, 192.0.2.128/29]")
    text = spoilt(change)
    line = line_of(text, "192.0.2.136")
    assert error(line, f"{part}.{key}[2]", "'192.0.2.128/29' is named twice", "remove one") in refusal(text)


def test_counts_an_address_in_two_networks_once(loaded: Loaded) -> None:
    assert loaded(spoilt(("[198.51.100.128/28]", "[11.0.0.0/8, 11.1.0.0/16]")))


@pytest.mark.parametrize(("key", "old", "part"), [row for row in LISTS if row[2] != "prd.codecommit.push"])
def test_a_reason_lets_an_allow_list_be_open_to_the_world(loaded: Loaded, key: str, old: str, part: str) -> None:
    indent = "  " * len(part.split(".")) if part != "dev.gitlab" else "    "
    reason = f"\n{indent}open_to_the_world_because: People work from everywhere, through single sign-on."
    # The other rooms use VPC endpoints: rooms share no address with each other, nor with whom GitLab lets in.
    others = [
        (f"from_cidrs: {row[1]}", f"from_vpc_endpoints: [vpce-0123456789abcde{number:02}]")
        for number, row in enumerate(LISTS)
        if row[2] in _ROOMS and row[2] != part and part != "prd.backlog.webhook"
    ]
    text = spoilt(_NO_PUSH, (f"{key}: {old}", f"{key}: [0.0.0.0/0]{reason}"), *others)
    if part in _ROOMS:
        text = text[: text.index("  gitlab:")] + text[text.index("prd:\n") :]
    assert loaded(text)


@pytest.mark.parametrize(
    ("room", "terminals"),
    [
        ("198.51.100.0/28", "198.51.100.0/28"),
        ("198.51.100.0/28", "198.51.100.7/32"),
        ("198.51.100.0/28", "198.51.100.0/24"),
        ("198.51.100.0/28", "192.0.2.0/24, 198.51.100.0/25"),
    ],
)
def test_refuses_a_room_that_reaches_gitlab(refusal: Refusal, room: str, terminals: str) -> None:
    change = ("work_terminal_cidrs: [198.51.100.128/28]", f"work_terminal_cidrs: [{terminals}]")
    index, network = len(terminals.split(", ")) - 1, terminals.split(", ")[-1]
    assert refusal(spoilt(change)) == error(
        line_of_change(change),
        f"dev.gitlab.work_terminal_cidrs[{index}]",
        f"'{network}' overlaps '{room}' of prd.codecommit.pull, an isolated room",
        "a room that reaches GitLab can send data out: keep the two lists apart",
    )


def test_refuses_a_gitlab_that_is_open_to_the_world_beside_a_room(refusal: Refusal) -> None:
    reason = "open_to_the_world_because: People work from everywhere, through single sign-on."
    change = ("work_terminal_cidrs: [198.51.100.128/28]", f"work_terminal_cidrs: [0.0.0.0/0]\n    {reason}")
    found = refusal(spoilt(change))
    for room, network in (("pull", "198.51.100.0/28"), ("rooms.batch_operators", "203.0.113.32/29")):
        assert f"'0.0.0.0/0' overlaps '{network}' of prd.codecommit.{room}, an isolated room" in found


def test_refuses_a_room_that_starts_mirror_runs(refusal: Refusal) -> None:
    change = ("sender_cidrs: [192.0.2.16/28, 192.0.2.64/28]", "sender_cidrs: [192.0.2.16/28, 198.51.100.0/24]")
    assert refusal(spoilt(change)) == error(
        line_of_change(change),
        "prd.backlog.webhook.sender_cidrs[1]",
        "'198.51.100.0/24' overlaps '198.51.100.0/28' of prd.codecommit.pull, an isolated room",
        "list the addresses of Backlog's webhooks, which no room has",
    )


def test_refuses_that_the_world_pushes_beside_a_room_that_is_known_by_its_endpoints(refusal: Refusal) -> None:
    reason = "open_to_the_world_because: A test of what is pushed from where."
    rooms = [
        (f"from_cidrs: {row[1]}", f"from_vpc_endpoints: [vpce-0123456789abcde{number:02}]")
        for number, row in enumerate(LISTS)
        if row[2] in _ROOMS
    ]
    change = ("from_cidrs: [203.0.113.10/32]", f"from_cidrs: [0.0.0.0/0]\n      {reason}")
    found = refusal(spoilt(change, *rooms))
    assert "prd.codecommit.push.from_cidrs[0]: '0.0.0.0/0' may push, and prd.codecommit.pull is known by" in found


@pytest.mark.parametrize("reason", ["yes", "旧拠点で", '"because\\nof us"', "''"])
def test_refuses_a_reason_that_is_too_short_or_not_one_line(refusal: Refusal, reason: str) -> None:
    change = ("[198.51.100.128/28]", f"[0.0.0.0/0]\n    open_to_the_world_because: {reason}")
    shown = {"''": "''", '"because\\nof us"': "'because\\nof us'"}.get(reason, f"'{reason}'")
    assert refusal(spoilt(change)) == error(
        line_of_change(change),
        "dev.gitlab.open_to_the_world_because",
        f"{shown} is not a reason",
        "give the reason in one line, in 10 characters or more (Chinese, Japanese and Korean ones count as two), "
        "at most 500",
    )


def test_takes_a_reason_of_nine_japanese_characters() -> None:
    assert TypeAdapter(Reason).validate_python("旧拠点の閉鎖のため") == "旧拠点の閉鎖のため"


def test_refuses_a_file_with_nothing_to_build(refusal: Refusal) -> None:
    assert refusal("name: kakehashi\nowner: me\nregion: ap-northeast-1\n") == (
        "error: x.yaml:1: there is nothing to build\n"
        "hint: add at least one of dev.network, dev.gitlab, prd.codecommit, prd.backlog"
    )


def test_a_part_with_errors_counts_as_something_to_build(refusal: Refusal) -> None:
    assert refusal("name: kakehashi\nowner: me\nregion: ap-northeast-1\nprd: 1\n") == error(
        4, "prd", "1 is not a map of settings", "indent the settings below it: account, codecommit, backlog"
    )


def test_refuses_a_proxy_without_gitlab(refusal: Refusal) -> None:
    text = without("  gitlab:", "  proxy:")
    assert refusal(text) == error(
        line_of(text, "  proxy:"), "dev.proxy", "nothing uses the proxy", "remove it, or add dev.gitlab"
    )


def test_checks_a_deployment_that_is_built_without_a_file() -> None:
    account = {"id": "222222222222"}
    codecommit = {"repositories": {"a": None}, "pull": {"from_cidrs": ["0.0.0.0/0"]}}
    with pytest.raises(ValueError, match="allows every address"):
        Deployment.model_validate(
            {
                "name": "kakehashi",
                "owner": "me",
                "region": "ap-northeast-1",
                "prd": {"account": account, "codecommit": codecommit},
            }
        )


@pytest.mark.parametrize(
    ("role", "key"),
    [("333333333333", "333333333333"), ("111111111111", "333333333333"), ("333333333333", "222222222222")],
)
def test_the_state_may_have_one_account_of_its_own(loaded: Loaded, role: str, key: str) -> None:
    written = "    kms_key_arn: arn:aws:kms:ap-northeast-1:333333333333"
    named = f"    assume_role_arn: arn:aws:iam::{role}:role/state\n{written.replace('333333333333', key)}"
    assert loaded(spoilt((written, named))).state.s3 is not None
