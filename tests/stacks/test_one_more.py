"""The deployment with one more of each, which the handover compares single members with."""

import json
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from settings import Deployment, load
from settings.backlog import BacklogSettings, CreatedTargetSettings, mirrors
from settings.codecommit import CodeCommitSettings
from settings.network import NetworkSettings
from stacks.one_more import KEY_ROOM, MIRROR, OTHER_ROOM, REPOSITORY, ROOM, SPACE, TARGET, with_one_more
from tests.conftest import PROJECT
from tests.settings.whole_file import KMS_KEY
from tests.terraform import with_changes

ROOMS = {"night": {"from_cidrs": ["198.51.100.64/28"]}, "day": {"from_vpc_endpoints": ["vpce-0123456789abcdef0"]}}
_MIRROR = {"space": "example", "project": "A", "repository": "a", "target": {"create": "own"}}
NOBODY_AGREED = {"space": "example", "from_project": "LIB", "target": {"create_prefix": "lib-"}, "agreed": []}
_SPACE_SETTINGS = {
    "domain": "backlog.com",
    "known_hosts": [
        f"{SPACE}.git.backlog.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4P"
    ],
    "ssh_key_parameter": "/kakehashi/backlog/ssh-key",
}


def deployment(folder: Path, name: str, changes: Mapping[str, Any] | None = None) -> Deployment:
    """One of `deployments/`, with some settings changed."""
    file = folder / "deployment.yaml"
    file.write_text(json.dumps(with_changes(PROJECT / "deployments" / f"{name}.yaml", changes or {})))
    return load(file)


def larger(folder: Path, name: str, changes: Mapping[str, Any] | None = None) -> Deployment:
    more = with_one_more(deployment(folder, name, changes))
    assert more is not None
    return more


def backlog(found: Deployment) -> BacklogSettings:
    assert found.prd is not None
    assert found.prd.backlog is not None
    return found.prd.backlog


def codecommit(found: Deployment) -> CodeCommitSettings:
    assert found.prd is not None
    assert found.prd.codecommit is not None
    return found.prd.codecommit


def network(found: Deployment) -> NetworkSettings:
    assert found.dev is not None
    assert found.dev.network is not None
    return found.dev.network


def test_a_single_mirror_gets_a_second_one_of_another_space(tmp_path: Path) -> None:
    more = backlog(larger(tmp_path, "backlog-only"))
    first, second = mirrors(more).values()
    assert [*mirrors(more)] == ["website", MIRROR]
    assert first.space != second.space
    assert more.spaces[second.space].known_hosts[0].startswith(f"{second.space}.git.backlog.com ssh-ed25519 ")


@pytest.mark.parametrize(
    "changes",
    [{}, {"prd.backlog.repositories.batch.target": {"create": "nightly"}}, {"prd.backlog.isolation": "repository"}],
)
def test_other_bridges_get_a_mirror_of_a_known_space_into_a_repository_of_its_own(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    more = backlog(larger(tmp_path, "example", changes))
    assert [*mirrors(more)] == ["website", "batch", MIRROR]
    assert {it.space for it in mirrors(more).values()} == {"example"}
    target = mirrors(more)[MIRROR].target
    assert isinstance(target, CreatedTargetSettings)
    assert target.description


def test_a_bridge_with_a_build_for_each_of_several_spaces_gets_a_mirror_of_one_of_them(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "prd.backlog.isolation": "space",
        "prd.backlog.cache": None,
        "prd.backlog.keep_logs_of": [],
    }
    before, after = (mirrors(backlog(it(tmp_path, "everything", changes))) for it in (deployment, larger))
    assert after.keys() - before.keys() == {MIRROR}
    assert after[MIRROR].space in {it.space for it in before.values()}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("example", {"prd.backlog.repositories.website.target": {"codecommit": "application"}}),
        ("example", {"prd.backlog.repositories": {"lib": NOBODY_AGREED}}),
        ("example", {"prd.backlog.repositories": {"lib": NOBODY_AGREED}, "prd.backlog.isolation": "repository"}),
    ],
)
def test_a_bridge_without_repositories_of_its_own_or_without_mirrors_gets_no_mirror(
    name: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    assert backlog(larger(tmp_path, name, changes)) == backlog(deployment(tmp_path, name, changes))


def test_names_that_are_taken_get_a_number(tmp_path: Path) -> None:
    changes = {
        f"prd.backlog.repositories.{MIRROR}": {**_MIRROR, "target": {"create": TARGET}},
        "prd.backlog.repositories.website.target": {"create": REPOSITORY},
        "prd.codecommit.rooms": {ROOM: ROOMS["night"]},
    }
    more = larger(tmp_path, "example", changes)
    added = mirrors(backlog(more))[f"{MIRROR}2"].target
    assert isinstance(added, CreatedTargetSettings)
    assert added.create == f"{TARGET}2"
    assert [*codecommit(more).repositories][-1] == f"{REPOSITORY}2"
    assert [*codecommit(more).rooms] == [ROOM, f"{ROOM}2", OTHER_ROOM]
    spaces = {"prd.backlog.spaces": {SPACE: _SPACE_SETTINGS}, "prd.backlog.repositories.website.space": SPACE}
    assert [*backlog(larger(tmp_path, "backlog-only", spaces)).spaces] == [SPACE, f"{SPACE}2"]


@pytest.mark.parametrize("name", ["minimal", "example", "everything"])
def test_a_repository_is_added_to_those_of_codecommit(name: str, tmp_path: Path) -> None:
    repositories = codecommit(larger(tmp_path, name)).repositories
    assert [*repositories][:-1] == [*codecommit(deployment(tmp_path, name)).repositories]
    added = repositories[REPOSITORY]
    assert added is not None
    assert added.description
    assert added.kms_key_arn is None


@pytest.mark.parametrize("first", ["night", "day"])
def test_a_room_works_like_the_first_but_from_elsewhere(first: str, tmp_path: Path) -> None:
    rooms = {first: ROOMS[first], **ROOMS}
    added = codecommit(larger(tmp_path, "minimal", {"prd.codecommit.rooms": rooms})).rooms[ROOM]
    if first == "day":
        assert added.from_cidrs is None
        assert len(added.from_vpc_endpoints or ()) == 2
        assert not {"vpce-0123456789abcdef0"} & {*(added.from_vpc_endpoints or ())}
    else:
        assert added.from_vpc_endpoints is None
        assert added.from_cidrs == (IPv4Network("192.0.2.0/32"),)


@pytest.mark.parametrize("first", ["night", "day"])
def test_where_all_rooms_are_of_one_kind_one_of_the_other_kind_may_pull_from_everything(
    first: str, tmp_path: Path
) -> None:
    more = codecommit(larger(tmp_path, "minimal", {"prd.codecommit.rooms": {first: ROOMS[first]}})).rooms
    assert [*more] == [first, ROOM, OTHER_ROOM]
    assert (more[OTHER_ROOM].from_cidrs is None) is (first == "night")
    assert (more[OTHER_ROOM].from_vpc_endpoints is None) is (first == "day")
    assert more[OTHER_ROOM].repositories is None


def test_where_there_are_rooms_of_both_kinds_one_comes_next(tmp_path: Path) -> None:
    assert [*codecommit(larger(tmp_path, "minimal", {"prd.codecommit.rooms": ROOMS})).rooms] == [*ROOMS, ROOM]


@pytest.mark.parametrize(
    ("repositories", "pulled", "wanted"),
    [
        ({"a": None, "b": None}, None, {"a"}),
        ({"a": {"kms_key_arn": KMS_KEY}, "b": None}, None, {"b"}),
        ({"a": None, "b": None}, ["a", "b"], {"a"}),
        ({"a": None, "b": None}, ["a"], {"a", "b"}),
        ({"a": {"kms_key_arn": KMS_KEY}}, ["a"], {"a", REPOSITORY}),
    ],
)
def test_a_room_pulls_from_another_number_of_repositories_without_keys_where_there_are_some(
    repositories: dict[str, Any], pulled: list[str] | None, wanted: set[str], tmp_path: Path
) -> None:
    room = {**ROOMS["night"], **({} if pulled is None else {"repositories": pulled})}
    changes = {"prd.codecommit.repositories": repositories, "prd.codecommit.rooms": {"night": room}}
    assert set(codecommit(larger(tmp_path, "minimal", changes)).rooms[ROOM].repositories or ()) == wanted


def test_a_room_has_no_network_of_others(tmp_path: Path) -> None:
    taken = {
        "prd.codecommit.push.from_cidrs": ["192.0.2.0/25"],
        "prd.codecommit.pull.from_cidrs": ["192.0.2.128/25"],
        "prd.codecommit.rooms": {"night": {"from_cidrs": ["198.51.100.0/32"]}},
    }
    room = codecommit(larger(tmp_path, "minimal", taken)).rooms[ROOM]
    assert room.from_cidrs == (IPv4Network("198.51.100.1/32"),)
    taken["prd.codecommit.rooms"] = {"night": {"from_cidrs": ["198.51.100.0/24", "203.0.113.0/24"]}}
    assert [*codecommit(larger(tmp_path, "minimal", taken)).rooms] == ["night"]


def test_without_a_room_none_is_added(tmp_path: Path) -> None:
    assert codecommit(larger(tmp_path, "minimal")).rooms == {}


def test_a_single_zone_gets_the_next_letter_and_subnets_as_large_as_its_own(tmp_path: Path) -> None:
    zones = {"a": {"public_cidr": "10.10.0.0/28", "private_cidr": "10.10.0.128/25"}}
    changes = {"dev.network.cidr": "10.10.0.0/16", "dev.network.zones": zones, "dev.proxy.squid.instances": 1}
    more = network(larger(tmp_path, "example", changes))
    assert {zone: (str(it.public_cidr), str(it.private_cidr)) for zone, it in more.subnets().items()} == {
        "a": ("10.10.0.0/28", "10.10.0.128/25"),
        "b": ("10.10.0.16/28", "10.10.1.0/25"),
    }


def test_a_zone_of_a_divided_network_takes_what_is_left(tmp_path: Path) -> None:
    ids = {"a": "eipalloc-0123456789abcdef0"}
    changes = {"dev.network.zones": ["a"], "dev.network.nat.eip_allocation_ids": ids, "dev.proxy.squid.instances": 1}
    more = network(larger(tmp_path, "example", changes))
    assert more.zones == ("a", "b")
    assert (more.nat.eip_allocation_ids or {}).keys() == {"a", "b"}


@pytest.mark.parametrize(
    "zones",
    [
        {"a": {"public_cidr": "10.10.0.0/17", "private_cidr": "10.10.128.0/24"}},
        {"a": {"public_cidr": "10.10.0.0/24", "private_cidr": "10.10.128.0/17"}},
        {
            "a": {"public_cidr": "10.10.0.0/24", "private_cidr": "10.10.1.0/24"},
            "c": {"public_cidr": "10.10.2.0/24", "private_cidr": "10.10.3.0/24"},
        },
    ],
)
def test_without_space_or_beside_a_second_zone_none_is_added(zones: dict[str, Any], tmp_path: Path) -> None:
    changes = {"dev.network.zones": zones, "dev.proxy.squid.instances": len(zones)}
    assert network(larger(tmp_path, "example", changes)) == network(deployment(tmp_path, "example", changes))


def test_where_nothing_can_be_added_there_is_no_larger_deployment(tmp_path: Path) -> None:
    before = deployment(tmp_path, "minimal")
    assert with_one_more(before.model_copy(update={"prd": None})) is None


@pytest.mark.parametrize("detection", [{}, {"prd.codecommit.detection": {"emails": ["security@example.com"]}}])
def test_a_room_with_networks_is_no_example_where_detection_expects_nobody_to_work_from_any(
    detection: dict[str, Any], tmp_path: Path
) -> None:
    nobody_else = {"prd.codecommit.push": None, "prd.codecommit.pull": None}
    changes = {**nobody_else, **detection, "prd.codecommit.rooms": {"day": ROOMS["day"]}}
    rooms = codecommit(larger(tmp_path, "minimal", changes)).rooms
    assert [*rooms] == ["day", ROOM, *([] if detection else [OTHER_ROOM])]


@pytest.mark.parametrize("keys", [[KMS_KEY], [KMS_KEY, f"{KMS_KEY[:-1]}c"]])
def test_where_repositories_have_different_keys_a_room_needs_one_of_them(keys: list[str], tmp_path: Path) -> None:
    repositories = {f"r{number}": {"kms_key_arn": key} for number, key in enumerate(keys)}
    changes = {"prd.codecommit.repositories": {**repositories, "web": {}}, "prd.codecommit.rooms": ROOMS}
    rooms = codecommit(larger(tmp_path, "minimal", changes)).rooms
    assert [*rooms] == [*ROOMS, ROOM, *([KEY_ROOM] if len(keys) > 1 else [])]
    if len(keys) > 1:
        assert rooms[KEY_ROOM].repositories == ("r0",)
        assert rooms[KEY_ROOM].from_cidrs == (IPv4Network("192.0.2.1/32"),)


def test_rooms_that_come_next_share_no_endpoint(tmp_path: Path) -> None:
    repositories = {"a": {"kms_key_arn": KMS_KEY}, "b": {"kms_key_arn": f"{KMS_KEY[:-1]}c"}}
    changes = {"prd.codecommit.repositories": repositories, "prd.codecommit.rooms": {"day": ROOMS["day"]}}
    rooms = codecommit(larger(tmp_path, "minimal", changes)).rooms
    assert [*rooms] == ["day", ROOM, OTHER_ROOM, KEY_ROOM]
    endpoints = [it for room in rooms.values() for it in room.from_vpc_endpoints or ()]
    assert len({*endpoints}) == len(endpoints)
