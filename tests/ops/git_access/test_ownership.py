"""Only mirrors that are recorded as the deployment's are changed or deleted, whoever else uses the same GitLab."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from errors import RefusedError
from errors.shown import shortened
from ops.git_access.mirror_records import MirrorRecord, MirrorRecords
from ops.git_access.mirror_status import status
from tests.ops.git_access.commands import (
    INFRASTRUCTURE,
    WHERE,
    adopt_all,
    apply,
    issue,
    only,
    printed,
    refusal,
    rotate,
)
from tests.ops.production import PROJECTS, TARGET, Production

pytestmark = pytest.mark.emulator

PATH = "/kakehashi/kakehashi/prd/gitlab-mirrors"


def unknown(mirror: int, repository: str) -> str:
    return (
        f"error: {PROJECTS[repository]} to {repository}: nothing records whose mirror {mirror} to "
        f"https://{TARGET}/{repository} is\n"
        f"hint: if it is this deployment's: gitlab-mirror apply --adopt {mirror}; if it is another's: "
        f"--not-ours {mirror}; for every such mirror write all for the number"
    )


@contextmanager
def second_deployment(world: Production) -> Iterator[None]:
    """Another deployment, whose repositories have the same names in the same region, uses the same GitLab."""
    world.say({"name": "second"})
    iam = world.client("iam")
    if "second-prd-push" not in [user["UserName"] for user in iam.list_users()["Users"]]:
        iam.create_user(UserName="second-prd-push")
        issue(world)
    yield
    world.say({"name": "kakehashi"})


def ids(world: Production, repository: str = "infrastructure") -> list[int]:
    return [mirror["id"] for mirror in world.gitlab.projects[PROJECTS[repository]]]


def records(world: Production) -> list[MirrorRecord]:
    return MirrorRecords(world.deployment).read()


def only_reads(world: Production) -> bool:
    return all(call.startswith("GET") for call in world.gitlab.calls)


def test_two_deployments_that_share_projects_leave_each_others_mirrors_alone(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world)
    apply(world)
    firsts = copy.deepcopy([only(world, repository) for repository in PROJECTS])
    with second_deployment(world):
        world.gitlab.calls.clear()
        assert refusal(lambda: apply(world)) == f"{unknown(101, 'infrastructure')}\n{unknown(102, 'application')}"
        assert only_reads(world)
        apply(world, not_ours=["all"])
        assert status(world.mirrors()) is True
    assert [world.gitlab.projects[project][0] for project in PROJECTS.values()] == firsts
    apply(world, not_ours=["all"])
    rotate(world)
    with second_deployment(world):
        # The first one's mirrors are new.
        assert refusal(lambda: rotate(world)).startswith("error: platform/infrastructure to infrastructure: nothing")
        apply(world, not_ours=["all"])
        rotate(world)
        apply(world)
    assert [len(world.working(repository)) for repository in PROJECTS] == [2, 2]
    assert [len(found) for found in world.gitlab.projects.values()] == [2, 2]
    printed(world, capsys)


def test_the_first_run_after_an_upgrade_changes_nothing_until_the_mirrors_are_adopted(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world)
    for repository, project in PROJECTS.items():
        world.gitlab.add(project, f"https://u:p@{TARGET}/{repository}", enabled=True)
    before = copy.deepcopy(world.gitlab.projects)
    said = f"{unknown(101, 'infrastructure')}\n{unknown(102, 'application')}"
    assert refusal(lambda: apply(world)) == said
    assert refusal(lambda: rotate(world)) == said
    assert len(world.credentials()) == 1
    capsys.readouterr()
    apply(world, adopt=["all"], dry_run=True)
    assert capsys.readouterr().err == (
        f"would record the mirror 101 of {WHERE} as this deployment's\n"
        "would record the mirror 102 of platform/application to application as this deployment's\n"
        f"would replace the mirror of {WHERE}\nwould replace the mirror of platform/application to application\n"
        f"would delete the mirror 101 of {WHERE}, which nothing needs any more\n"
        "would delete the mirror 102 of platform/application to application, which nothing needs any more\n"
    )
    assert (world.gitlab.projects, records(world)) == (before, [])
    apply(world, adopt=["all"])
    for repository in PROJECTS:
        assert world.working(repository) == [only(world, repository)]


@pytest.mark.parametrize("choice", ["101", INFRASTRUCTURE])
def test_mirrors_are_adopted_one_by_one_or_by_project(world: Production, choice: str) -> None:
    issue(world)
    for repository, project in PROJECTS.items():
        world.gitlab.add(project, f"https://u:p@{TARGET}/{repository}", enabled=True)
    assert refusal(lambda: apply(world, adopt=[choice])) == unknown(102, "application")
    (adopted,) = records(world)
    assert adopted == MirrorRecord(
        gitlab=world.gitlab.url,
        project_id=1,
        mirror_id=101,
        project=INFRASTRUCTURE,
        target=f"https://{TARGET}/infrastructure",
        credential_id=None,
        is_ours=True,
    )


def test_a_decision_about_a_mirror_can_be_changed_unless_a_command_created_it(world: Production) -> None:
    issue(world)
    world.gitlab.add(INFRASTRUCTURE, f"https://u:p@{TARGET}/infrastructure", enabled=True)
    apply(world, not_ours=["101"])
    assert ids(world) == [101, 102]
    assert refusal(lambda: apply(world, not_ours=["102"])) == (
        "error: --not-ours: a command of this deployment created the mirror 102\nhint: choose another"
    )
    apply(world, adopt=["101"])
    assert ids(world) == [102]


def test_a_choice_that_names_no_mirror_is_wrong_usage(world: Production) -> None:
    issue(world)
    with pytest.raises(RefusedError) as caught:
        apply(world, adopt=["999"])
    assert caught.value.status == 2
    assert str(caught.value) == (
        "error: --adopt: '999' is not a mirror that pushes to this deployment's repositories, nor its project\n"
        "hint: write all, or a project or a number that gitlab-mirror status shows"
    )


def test_a_mirror_is_not_adopted_and_disowned_at_once(world: Production) -> None:
    issue(world)
    world.gitlab.add(INFRASTRUCTURE, f"https://u:p@{TARGET}/infrastructure", enabled=True)
    assert refusal(lambda: apply(world, adopt=["all"], not_ours=["101"])) == (
        "error: --not-ours: it chooses the mirror 101, as --adopt does\nhint: choose each mirror once"
    )
    assert records(world) == []


def test_two_people_who_apply_at_once_lose_no_mirror(world: Production) -> None:
    issue(world)
    applied: list[str] = []

    def another() -> None:
        if world.gitlab.calls[-1].startswith("POST") and not applied:
            applied.append("once")
            apply(world)

    world.gitlab.on_request = another
    apply(world)
    assert {record.mirror_id for record in records(world)} == {*ids(world), *ids(world, "application")}
    apply(world)
    for repository in PROJECTS:
        assert world.working(repository) == [only(world, repository)]


def test_a_record_is_written_once(world: Production) -> None:
    kept = MirrorRecords(world.deployment)
    record = MirrorRecord(
        gitlab="https://gitlab.example.com:8443/git",
        project_id=7,
        mirror_id=8,
        project="a/b",
        target=f"https://{TARGET}/b",
        credential_id="ACCA1",
        is_ours=True,
    )
    kept.add(record)
    kept.add(record)
    assert kept.read() == [record]
    name = f"{PATH}/gitlab.example.com_8443_git/7/8"
    assert refusal(lambda: kept.add(record.model_copy(update={"is_ours": False}))) == (
        f"error: {name}: somebody recorded the mirror meanwhile\nhint: run the command again"
    )
    # More than a page of them.
    for mirror_id in range(100, 112):
        kept.add(record.model_copy(update={"mirror_id": mirror_id}))
    kept.remove(record)
    kept.remove(record)
    assert sorted(record.mirror_id for record in kept.read()) == list(range(100, 112))


_OF_MIRROR_7 = (
    '{"gitlab":"https://x","project_id":1,"mirror_id":7,"project":"a/b","target":"https://x/y","credential_id":null,'
    '"is_ours":true}'
)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "{}",
        '{"gitlab": "x", "project_id": "1"}',
        _OF_MIRROR_7,
        _OF_MIRROR_7.replace(":7,", ":2,").replace('"is_ours"', '"is_ours":false,"is_ours"'),
    ],
    ids=["no JSON", "empty", "wrong type", "another mirror", "says both"],
)
def test_refuses_a_parameter_that_is_no_record(world: Production, text: str) -> None:
    issue(world)
    world.client("ssm").put_parameter(Name=f"{PATH}/x/1/2", Value=text, Type="String")
    assert refusal(lambda: apply(world)) == (
        f"error: {PATH}/x/1/2: {shortened(f'{text!r} is not the record of this mirror')}\n"
        "hint: delete the parameter, and see with gitlab-mirror status which mirror it recorded"
    )
    assert world.gitlab.calls == []


def with_mirrors_elsewhere(world: Production, count: int) -> None:
    for number in range(count):
        world.gitlab.add(INFRASTRUCTURE, f"https://u:p@backup.example.com/{number}.git", enabled=True)
    world.gitlab.add(INFRASTRUCTURE, "https://u:p@backup.example.com/off.git", enabled=False)


@pytest.mark.parametrize("version", ["18.9.0", "19.3.1-ee", "unknown"])
def test_an_eleventh_mirror_is_refused_before_anything_changes(world: Production, version: str) -> None:
    """RemoteMirror::MAX_MIRRORS_PER_PROJECT, merge request 221965. What the version does not say counts as limited."""
    issue(world)
    with_mirrors_elsewhere(world, 10)
    world.gitlab.version = version
    assert refusal(lambda: apply(world)) == (
        f"error: {WHERE}: the project has 10 enabled mirrors and needs 1 more, GitLab allows 10\n"
        "hint: delete some that nobody needs, in the project's Settings > Repository > Mirroring repositories"
    )
    assert only_reads(world)


def test_a_disabled_mirror_of_ours_that_would_be_the_eleventh_is_refused(world: Production) -> None:
    issue(world)
    apply(world)
    (mirror,) = world.gitlab.projects[INFRASTRUCTURE]
    mirror["enabled"] = False
    with_mirrors_elsewhere(world, 10)
    world.gitlab.calls.clear()
    assert "the project has 10 enabled mirrors and needs 1 more" in refusal(lambda: apply(world))
    assert only_reads(world)


def test_a_rotation_that_needs_an_eleventh_mirror_is_refused_before_anything_changes(world: Production) -> None:
    issue(world)
    with_mirrors_elsewhere(world, 9)
    apply(world)
    world.gitlab.calls.clear()
    assert "the project has 10 enabled mirrors and needs 1 more" in refusal(lambda: rotate(world))
    assert only_reads(world)
    assert len(world.credentials()) == 1


def test_older_gitlabs_have_no_limit(world: Production) -> None:
    issue(world)
    with_mirrors_elsewhere(world, 12)
    world.gitlab.version = "18.8.9"
    apply(world)
    assert len(world.working("infrastructure")) == 1


def test_refuses_where_gitlab_takes_no_further_address_of_the_repository(world: Production) -> None:
    """RemoteMirror takes an address once in a project: spec/models/remote_mirror_spec.rb, "url uniqueness"."""
    issue(world)
    host, _, path = TARGET.partition("/")
    for address in (TARGET, f"{host}:443/{path}"):
        for end in ("", "/"):
            world.gitlab.add(INFRASTRUCTURE, f"https://u:p@{address}/infrastructure{end}", enabled=False)
    assert refusal(lambda: apply(world)) == (
        f"error: {WHERE}: the project has 4 mirrors to https://{TARGET}/infrastructure already\n"
        "hint: delete those that gitlab-mirror status shows as not recorded, in the project's settings"
    )
    assert only_reads(world)


def test_a_mirror_that_the_deployment_no_longer_wants_is_deleted(world: Production) -> None:
    issue(world)
    apply(world)
    world.say({"prd.codecommit.repositories.application": None})
    assert status(world.mirrors()) is False
    apply(world)
    assert (ids(world), ids(world, "application")) == ([101], [])
    assert [record.mirror_id for record in records(world)] == [101]


def test_a_mirror_in_a_project_that_the_token_does_not_see_stays_recorded(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world)
    apply(world)
    world.say({"prd.codecommit.repositories.application": None})
    del world.gitlab.projects[PROJECTS["application"]]
    server = world.gitlab.url.removeprefix("http://").replace(":", "_")
    said = (
        f"platform/application to application: the mirror 102 is recorded in project 2 of {world.gitlab.url}\n"
        f"hint: use a token that sees it; if it is gone, delete the SSM parameter {PATH}/{server}/2/102\n"
    )
    capsys.readouterr()
    apply(world)
    assert capsys.readouterr().err == f"warning: {said}"
    assert len(records(world)) == 2
    assert status(world.mirrors()) is False
    assert capsys.readouterr().err == f"error: {said}"


def test_the_record_of_a_mirror_that_gitlab_lost_is_deleted_and_the_mirror_made_again(world: Production) -> None:
    issue(world)
    apply(world)
    world.gitlab.projects[INFRASTRUCTURE].clear()
    assert status(world.mirrors()) is False
    apply(world)
    assert [record.mirror_id for record in records(world) if record.project_id == 1] == ids(world) == [103]


def test_a_mirror_that_got_the_id_of_a_recorded_one_is_left_alone(world: Production) -> None:
    """A GitLab that was restored from a backup gives ids again that were given since the backup."""
    issue(world)
    apply(world)
    world.gitlab.projects[INFRASTRUCTURE].clear()
    world.gitlab.next_id = 101
    other = world.gitlab.add(INFRASTRUCTURE, "https://u:p@backup.example.com/infrastructure", enabled=True)
    world.gitlab.next_id = 103
    apply(world)
    assert world.gitlab.projects[INFRASTRUCTURE][0] == other
    assert ids(world) == [101, 103]


def test_records_of_a_gitlab_at_another_address_own_nothing_here(world: Production) -> None:
    issue(world)
    apply(world)
    ssm = world.client("ssm")
    for parameter in ssm.get_parameters_by_path(Path=PATH, Recursive=True)["Parameters"]:
        value: dict[str, Any] = json.loads(parameter["Value"]) | {"gitlab": "https://old.example.com"}
        ssm.delete_parameter(Name=parameter["Name"])
        name = f"{PATH}/old.example.com/{value['project_id']}/{value['mirror_id']}"
        ssm.put_parameter(Name=name, Value=json.dumps(value), Type="String")
    assert refusal(lambda: apply(world)).startswith(unknown(101, "infrastructure"))


def test_the_status_says_whose_each_mirror_is(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    issue(world)
    apply(world)
    world.gitlab.add(INFRASTRUCTURE, f"https://u:p@{TARGET}/infrastructure/", enabled=True)
    adopt_all(world)
    host, _, path = TARGET.partition("/")
    world.gitlab.add(INFRASTRUCTURE, f"https://u:p@{host}:443/{path}/infrastructure", enabled=True)
    world.gitlab.add(INFRASTRUCTURE, f"https://u:p@{host}:443/{path}/infrastructure/", enabled=False)
    capsys.readouterr()
    assert status(world.mirrors()) is False
    out, err = capsys.readouterr()
    states = [line.split("  ")[-1].strip() for line in out.splitlines()]
    assert states == ["status", "superseded", "none", "not recorded", "not recorded, disabled", "finished"]
    assert err.splitlines()[0] == unknown(104, "infrastructure").splitlines()[0]
