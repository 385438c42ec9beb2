"""The document of a unit, and the variables that a build is started with."""

import copy
import dataclasses
import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from buildspec.mirror.config import Config, ConfigError, Started, read_config, read_started

UNIT: dict[str, Any] = {
    "unit": "kakehashi-prd-backlog-example",
    "region": "ap-northeast-1",
    "account_id": "222222222222",
    "source": {
        "host": "example.git.backlog.jp",
        "user": "example",
        "known_hosts": ["example.git.backlog.jp ssh-ed25519 AAAA"],
        "key_parameter": "/kakehashi/backlog/ssh-key",
    },
    "role_arn": None,
    "transfer": "relay",
    "cache": "none",
    "lfs": "refuse",
    "max_lost_percent": 50,
    "max_rewritten_percent": 50,
    "alert_hours": 6,
    "timeout_minutes": 60,
    "state_parameter": "/kakehashi/backlog/example/state",
    "notify_parameter": None,
    "metric_of_each_mirror": False,
    "mirrors": {
        "website": {"project": "WEB", "repository": "website", "target": "website", "key_arn": None},
        "shop": {"project": "WEB", "repository": "shop", "target": "web-shop", "key_arn": "arn:aws:kms:x:2:key/3"},
        "api": {"project": "API", "repository": "api", "target": "api", "key_arn": None},
    },
}
CONFIG: Config = read_config(json.dumps(UNIT))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, part in inner for place in _places(part, (*path, name)))]


def _changed(path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(UNIT)
    if not path:
        return value
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


def _at(path: tuple[Any, ...]) -> Any:
    value: Any = UNIT
    for name in path:
        value = value[name]
    return value


def test_reads_a_unit() -> None:
    assert CONFIG.mirrors["shop"].path == "/WEB/shop.git"
    assert CONFIG.source.known_hosts == ("example.git.backlog.jp ssh-ed25519 AAAA",)
    assert (CONFIG.role_arn, CONFIG.alert_hours, CONFIG.metric_of_each_mirror) == (None, 6, False)


@given(
    st.sampled_from(_places(UNIT)),
    st.sampled_from([None, True, 1.5, -1, "", [], {}, {"unknown": 1}, [1], "50", "elsewhere"]),
)
def test_refuses_every_value_of_another_type(path: tuple[Any, ...], value: Any) -> None:
    now = _at(path)
    assume(
        not (isinstance(value, str) and value and isinstance(now, str) and path[-1] not in ("transfer", "cache", "lfs"))
    )
    assume(not (value is True and now is False))
    assume(
        not (
            path
            and path[-1] in ("role_arn", "notify_parameter", "key_arn")
            and (value is None or (isinstance(value, str) and value))
        )
    )
    with pytest.raises(ConfigError, match=r"unit\.json"):
        read_config(json.dumps(_changed(path, value)))


@given(st.sampled_from([path for path in _places(UNIT) if isinstance(_at(path), dict) and path != ("mirrors",)]))
def test_refuses_unknown_keys(path: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigError, match=r"'[a-z.]*later' is not known"):
        read_config(json.dumps(_changed((*path, "later"), 1)))


@given(st.sampled_from([path for path in _places(UNIT) if path and len(path) != 3 and path[0] != "known_hosts"]))
def test_refuses_a_document_that_lacks_a_key(path: tuple[Any, ...]) -> None:
    assume(path[-1] not in UNIT["mirrors"] and path[-1] != 0)
    lacking = copy.deepcopy(UNIT)
    place = lacking
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    with pytest.raises(ConfigError, match=r"is missing|names no mirror"):
        read_config(json.dumps(lacking))


def test_all_problems_are_said_together() -> None:
    wrong = {**UNIT, "transfer": "carry", "alert_hours": "6", "later": 1}
    with pytest.raises(ConfigError) as refused:
        read_config(json.dumps(wrong))
    assert str(refused.value) == (
        "unit.json: 'later' is not known; 'transfer' is 'carry' instead of relay or copy; "
        "'alert_hours' is '6' instead of a whole number that is not negative. "
        "Apply the deployment with the newest version"
    )


def test_refuses_what_is_no_json() -> None:
    with pytest.raises(ConfigError, match="no JSON"):
        read_config('{"unit"')


@pytest.mark.parametrize(
    ("variables", "started"),
    [
        ({}, Started(("website", "shop", "api"), True)),
        ({"MIRROR": ""}, Started(("website", "shop", "api"), True)),
        ({"MIRROR": "shop"}, Started(("shop",), False)),
        ({"MIRROR": "example.WEB"}, Started(("website", "shop"), False)),
        ({"MIRROR": "shop", "ALLOW_DELETIONS": "31"}, Started(("shop",), False, 31)),
        ({"MIRROR": "shop", "ALLOW_REWRITES": "007"}, Started(("shop",), False, 0, 7)),
    ],
)
def test_a_build_is_for_the_mirrors_that_it_was_started_with(variables: dict[str, str], started: Started) -> None:
    assert read_started(variables, CONFIG) == started


@pytest.mark.parametrize(
    "name",
    [
        "Shop",
        "other.WEB",
        "example.web",
        "example.",
        "kakehashi-prd-backlog-example.WEB",
        "*",
        "shop,api",
        " shop",
        "shop\n",
    ],
)
def test_refuses_a_mirror_that_is_not_of_the_unit(name: str) -> None:
    with pytest.raises(ConfigError, match="which is no mirror of the unit kakehashi-prd-backlog-example"):
        read_started({"MIRROR": name}, CONFIG)


@given(st.sampled_from(["ALLOW_DELETIONS", "ALLOW_REWRITES"]), st.text() | st.integers(max_value=-1).map(str))
def test_refuses_what_is_no_whole_number(name: str, value: str) -> None:
    assume(not (value.isascii() and value.isdigit() and len(value) < 10))
    with pytest.raises(ConfigError, match=f"{name} is .* which is no whole number"):
        read_started({"MIRROR": "shop", name: value}, CONFIG)


@pytest.mark.parametrize("value", ["1e9", "-1", " 5", "5 ", "+5", "5\n", "0x10", "٥", "", "1_000"])  # noqa: RUF001
def test_refuses_numbers_that_a_shell_would_take(value: str) -> None:
    with pytest.raises(ConfigError, match="no whole number"):
        read_started({"MIRROR": "shop", "ALLOW_DELETIONS": value}, CONFIG)


@pytest.mark.parametrize("name", ["ALLOW_DELETIONS", "ALLOW_REWRITES"])
@pytest.mark.parametrize("variables", [{}, {"MIRROR": "example.WEB"}])
def test_nothing_is_allowed_for_several_mirrors_at_once(variables: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigError, match="are for one mirror"):
        read_started({**variables, name: "31"}, CONFIG)


def test_a_build_for_the_only_mirror_of_a_unit_is_no_reconcile() -> None:
    one = dataclasses.replace(CONFIG, mirrors={"shop": CONFIG.mirrors["shop"]})
    assert not read_started({"MIRROR": "shop"}, one).whole
    assert read_started({}, one).whole


def test_of_many_mirrors_some_are_named() -> None:
    many = dataclasses.replace(CONFIG, mirrors={f"m{number:03}": CONFIG.mirrors["api"] for number in range(1000)})
    with pytest.raises(ConfigError, match=r"m000, .*, m019 and 980 others$"):
        read_started({"MIRROR": "x"}, many)
