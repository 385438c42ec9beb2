"""What a build of a unit mirrors, what it tells whom, and that nothing that it holds shows anywhere."""

import json

import pytest

from tests.real.mirror import codecommit, faults, services
from tests.real.mirror.conftest import Units
from tests.real.mirror.keys import SECRET_ACCESS_KEY
from tests.real.mirror.projects import NOTIFY_PARAMETER, STATE_PARAMETER
from tests.real.mirror.world import MirrorBuildRun

PROJECTS = {"website": "WEB", "docs": "WEB", "batch": "OPS"}


@pytest.fixture
def unit(mirrored: Units) -> MirrorBuildRun:
    """Three mirrors of two Backlog projects, of which everything is mirrored."""
    return mirrored(projects=PROJECTS, settings={"notify_parameter": NOTIFY_PARAMETER, "alert_hours": 0})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("", set(PROJECTS)), ("docs", {"docs"}), ("example.WEB", {"website", "docs"}), ("example.OPS", {"batch"})],
)
def test_a_build_mirrors_what_it_was_started_for(unit: MirrorBuildRun, asked: str, expected: set[str]) -> None:
    for pair in unit.case.pairs.values():
        pair.source.commit("refs/heads/main")
    assert unit.project.run(MIRROR=asked).succeeded
    assert {name for name, pair in unit.case.pairs.items() if pair.target.refs() == pair.wanted()} == expected


@pytest.mark.parametrize(
    "overrides",
    [{"MIRROR": "example.OTHER"}, {"MIRROR": "website", "ALLOW_DELETIONS": "1e9"}],
    ids=str,
)
def test_a_wrong_override_moves_nothing(unit: MirrorBuildRun, overrides: dict[str, str]) -> None:
    unit.source.commit("refs/heads/main")
    before = unit.target.refs()
    assert not unit.project.run(**overrides).succeeded
    assert unit.target.refs() == before


def _tags(first: int, end: int) -> list[str]:
    return [f"refs/tags/{number}" for number in range(first, end)]


def test_deleting_or_rewriting_much_needs_a_permission_for_one_build(unit: MirrorBuildRun) -> None:
    source = unit.source
    main = source.refs()["refs/heads/main"]
    branches = {f"refs/heads/b{number}": main for number in range(16)}
    source.update(dict.fromkeys(_tags(0, 24), main) | branches)
    unit.mirrors()
    source.update(dict.fromkeys(_tags(0, 24)))
    before = unit.target.refs()
    assert not unit.project.run(MIRROR="website", ALLOW_DELETIONS="23").succeeded
    assert unit.target.refs() == before
    assert unit.project.run(MIRROR="website", ALLOW_DELETIONS="24").succeeded
    for ref in branches:
        source.commit(ref, {"new": ref})
    assert unit.project.run(MIRROR="website").succeeded, "fast-forwards need no permission"
    first = source.refs()["refs/tags/v1"]
    for ref in branches:
        source.commit(ref, {"rewritten": ref}, parent=first)
    before = unit.target.refs()
    assert not unit.project.run(MIRROR="website", ALLOW_REWRITES="15").succeeded
    assert unit.target.refs() == before
    assert unit.project.run(MIRROR="website", ALLOW_REWRITES="16").succeeded
    unit.mirrors()


def test_people_learn_once_that_a_mirror_fails_and_that_it_is_well_again(unit: MirrorBuildRun) -> None:
    case, batch = unit.case, unit.case.pairs["batch"]
    case.taken(services.EVENTS), case.taken(services.MESSAGES)
    assert json.loads(case.parameter(STATE_PARAMETER)) == {}
    batch.source.commit("refs/heads/main")
    moved = batch.source.path.rename(batch.source.path.with_name("gone.git"))
    build = unit.fails()
    (record,) = (record for record in build.records if "OldestInequality" in record)
    assert (record["Unit"], record["Failed"]) == ("example", 1)
    assert record["OldestInequality"] >= 0
    each = {record["mirror"]: record["failed"] for record in build.records if "mirror" in record}
    assert each == {name: name == "batch" for name in PROJECTS}
    failing = json.loads(case.parameter(STATE_PARAMETER))
    assert list(failing) == ["batch"]
    (event,) = map(json.loads, case.taken(services.EVENTS))
    assert (event["Source"], event["DetailType"]) == ("kakehashi.backlog", "Mirrors differ")
    assert "batch" in event["Detail"]["mirrors"]
    assert "website" not in event["Detail"]["mirrors"]
    (message,) = case.taken(services.MESSAGES)
    assert "batch" in message

    unit.fails()
    assert json.loads(case.parameter(STATE_PARAMETER)) == failing, "it fails since the first time"
    assert (case.taken(services.EVENTS), case.taken(services.MESSAGES)) == ([], [])

    moved.rename(batch.source.path)
    unit.mirrors()
    assert json.loads(case.parameter(STATE_PARAMETER)) == {}
    (event,) = map(json.loads, case.taken(services.EVENTS))
    assert event["DetailType"] == "Mirrors equal again"
    (message,) = case.taken(services.MESSAGES)
    assert "batch" in message


def test_a_build_survives_apis_that_are_busy(unit: MirrorBuildRun) -> None:
    unit.source.commit("refs/heads/main")
    unit.source.set_default("feature/a")
    for service in ("sts", "ssm", "codecommit", "events"):
        unit.case.fault(f"{faults.UNAVAILABLE}.{service}", 1)
    unit.mirrors()


@pytest.mark.parametrize("mode", ["relay", "s3"])
def test_no_secret_shows_in_a_log_a_process_or_a_file_that_stays(mirrored: Units, mode: str) -> None:
    unit = mirrored(mode)
    case = unit.case
    key = next(iter(case.key().values())).splitlines()[1:-1]
    (case.folder / codecommit.SPY).touch()
    for hook in ("pre-receive", "post-receive"):
        file = unit.target.path / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            f"#!/bin/sh\ncat /proc/[0-9]*/environ /proc/[0-9]*/cmdline >>{case.folder / codecommit.SPIED}\ntrue\n"
        )
        file.chmod(0o755)
    unit.source.commit("refs/heads/main")
    logs = [unit.mirrors().log]
    outage = case.fault(faults.OUTAGE, 1)
    unit.source.commit("refs/heads/main")
    logs.append(unit.fails().log)
    outage.unlink()
    unit.source.path.rename(unit.source.path.with_name("gone.git"))
    logs.append(unit.fails().log)
    secrets = [line.encode() for line in key] + [SECRET_ACCESS_KEY.encode(), b"token/of+"]
    places = [log.encode() for log in logs] + [(case.folder / codecommit.SPIED).read_bytes()]
    kept = [file for folder in ("efs", "codebuild") for file in (case.folder / folder).rglob("*")]
    places += [file.read_bytes() for file in kept if file.is_file()]
    assert b"git-upload-pack" in places[3], "the child processes are to be seen"
    for secret in secrets:
        assert not any(secret in place for place in places), secret
