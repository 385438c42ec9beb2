"""GitLab's push mirrors are created, corrected, run until they succeed, and shown."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import main
from errors import RefusedError
from ops.git_access import credentials, gitlab_mirror
from ops.git_access.mirror_status import status
from tests.ops.git_access.commands import (
    INFRASTRUCTURE,
    NO_PROJECTS,
    WHERE,
    adopt_all,
    apply,
    encoded,
    issue,
    only,
    only_enabled,
    printed,
    refusal,
    rotate,
)
from tests.ops.gitlab_stand_in import TOKEN
from tests.ops.production import PROJECTS, TARGET, Production, stopped_everywhere

pytestmark = pytest.mark.emulator


@pytest.mark.parametrize("command", ["apply", "status", "sync", "remove-branches"])
def test_asks_for_no_token_where_there_is_nothing_to_mirror(
    world: Production, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("GITLAB_TOKEN", raising=False)
    world.say(NO_PROJECTS)
    assert main.main(["gitlab-mirror", command, str(world.file)]) == 0
    assert capsys.readouterr() == (
        "",
        "nothing to mirror: no repository names gitlab_project, and no mirror is recorded\n",
    )


def test_the_last_mirrors_are_deleted_when_no_repository_names_a_project(
    world: Production, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
    issue(world)
    apply(world)
    world.say(NO_PROJECTS)
    command = ["gitlab-mirror", "apply", str(world.file)]
    capsys.readouterr()
    assert main.main(["gitlab-mirror", "status", str(world.file)]) == 1
    assert capsys.readouterr().err == "".join(
        f"error: {project} to {repository}: the deployment no longer wants the mirror {number}\n"
        "hint: run gitlab-mirror apply\n"
        for number, (repository, project) in enumerate(PROJECTS.items(), start=101)
    )
    assert main.main([*command, "--dry-run"]) == 0
    assert all(world.working(repository) for repository in PROJECTS)
    credentials.revoke(world.deployment, "push", dry_run=False)
    assert main.main(command) == 0
    assert not any(world.gitlab.projects.values())
    capsys.readouterr()
    assert main.main(command) == 0
    assert capsys.readouterr().err.startswith("nothing to mirror: ")


def test_creates_mirrors_with_the_right_attributes_and_runs_them(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world)
    password = world.secret()["password"]
    capsys.readouterr()
    apply(world)
    for repository in PROJECTS:
        mirror = only(world, repository)
        assert (mirror["enabled"], mirror["keep_divergent_refs"], mirror["only_protected_branches"]) == (
            True,
            False,
            False,
        )
        assert mirror["update_status"] == "finished"
        assert {"/", "+", "="} <= set(password)
        assert world.gitlab.secrets[mirror["id"]] == (
            f"https://kakehashi-prd-push-at-222222222222:{encoded(password)}@{TARGET}/{repository}"
        )
    assert printed(world, capsys) == (
        f"{INFRASTRUCTURE} is mirrored to https://{TARGET}/infrastructure\n"
        f"platform/application is mirrored to https://{TARGET}/application\n"
        f"create the mirror of {WHERE}\n"
        "create the mirror of platform/application to application\n"
        "have 2 mirrors run, and wait until GitLab says that it succeeded\n"
    )


def test_applying_again_only_lists_mirrors(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    issue(world)
    apply(world)
    before = copy.deepcopy(world.gitlab.projects)
    world.gitlab.calls.clear()
    capsys.readouterr()
    apply(world)
    assert {call.split("?")[0].split(" ")[0] for call in world.gitlab.calls} == {"GET"}
    assert world.gitlab.projects == before
    assert capsys.readouterr().err == ""


def test_other_mirrors_are_left_alone(world: Production) -> None:
    issue(world)
    for url in (
        "https://u:p@backup.example.com/v1/repos/infrastructure",
        f"https://u:p@{TARGET}/infrastructure-old",
        f"https://u:p@{TARGET.replace('ap-northeast-1', 'us-east-1')}/infrastructure",
        "ssh://git@backup.example.com/infrastructure.git",
    ):
        world.gitlab.add(INFRASTRUCTURE, url, enabled=False, keep_divergent_refs=True)
    others = copy.deepcopy(world.gitlab.projects[INFRASTRUCTURE])
    apply(world)
    assert world.gitlab.projects[INFRASTRUCTURE][:-1] == others
    assert world.working("infrastructure") == world.gitlab.projects[INFRASTRUCTURE][-1:]


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"keep_divergent_refs": True},
        {"only_protected_branches": True},
        {"mirror_branch_regex": "release/.*"},
    ],
    ids=str,
)
def test_corrects_a_changed_attribute(
    world: Production, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    issue(world)
    apply(world)
    mirror = only(world, "infrastructure")
    before = dict(mirror)
    mirror.update(change)
    capsys.readouterr()
    apply(world)
    assert only(world, "infrastructure") == before
    ((name, _),) = change.items()
    value = {True: "true", False: "false", None: "null"}[before[name]]
    assert capsys.readouterr().err == f"change the mirror of {WHERE}: {name}={value}\n"


def test_mirrors_only_protected_branches_where_the_deployment_says_so(world: Production) -> None:
    world.say({"prd.codecommit.repositories.application.only_protected_branches": True})
    issue(world)
    apply(world)
    assert only(world, "application")["only_protected_branches"] is True
    assert only(world, "infrastructure")["only_protected_branches"] is False


def test_applying_can_be_stopped_after_every_request(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    issue(world)
    user, password = world.secret()["username"], world.secret()["password"]
    for repository, project in PROJECTS.items():
        url = f"https://{user}:{encoded(password)}@{TARGET}/{repository}"
        world.gitlab.run(world.gitlab.add(project, url, enabled=True))
    adopt_all(world)
    before = world.remembered()

    def holds() -> None:
        assert all(world.working(repository) for repository in PROJECTS)

    stops = 0
    for stops in stopped_everywhere(world, lambda: world.put_back(before), lambda: apply(world)):
        for repository in PROJECTS:
            assert world.working(repository) == [only_enabled(world, repository)], stops
        world.after_request = holds
    assert stops >= 15
    printed(world, capsys)


def test_refuses_to_apply_without_a_credential(world: Production) -> None:
    assert refusal(lambda: apply(world)) == (
        "error: kakehashi-prd-push: it has no credential in its secret\nhint: give it one: credentials issue push"
    )
    assert all(call.startswith("GET") for call in world.gitlab.calls)


def test_refuses_to_apply_during_a_rotation(world: Production) -> None:
    issue(world)
    apply(world)
    world.gitlab.accepts = lambda *_: False
    with pytest.raises(RefusedError):
        rotate(world)
    assert len(world.credentials()) == 2
    assert refusal(lambda: apply(world)) == (
        "error: kakehashi-prd-push: its credential is being rotated\nhint: finish it: credentials rotate push"
    )


def test_a_dry_run_only_lists_mirrors(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    issue(world)
    capsys.readouterr()
    apply(world, dry_run=True)
    assert capsys.readouterr() == (
        "",
        f"would create the mirror of {WHERE}\nwould create the mirror of platform/application to application\n",
    )
    assert all(call.startswith("GET") for call in world.gitlab.calls)


def test_accepts_that_a_replaced_mirror_was_deleted_meanwhile(world: Production) -> None:
    issue(world)
    for project, repository in ((project, name) for name, project in PROJECTS.items()):
        world.gitlab.add(project, f"https://u:p@{TARGET}/{repository}", enabled=True)
    adopt_all(world)
    obsolete = [mirror["id"] for mirrors in world.gitlab.projects.values() for mirror in mirrors]

    def delete_first() -> None:
        if world.gitlab.calls[-1].startswith("POST") and world.gitlab.calls[-1].endswith("sync"):
            for mirrors in world.gitlab.projects.values():
                mirrors[:] = [mirror for mirror in mirrors if mirror["id"] not in obsolete]

    world.gitlab.on_request = delete_first
    apply(world)
    assert any(call.startswith("DELETE") for call in world.gitlab.calls)
    assert all(world.working(repository) for repository in PROJECTS)


def test_reports_all_mirrors_that_did_not_succeed_in_time(world: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(world)
    monkeypatch.setattr(type(world.gitlab), "run", lambda _, mirror: mirror.update(update_status="started"))
    mirrors = world.mirrors()
    mirrors._patience_seconds = 0.05
    assert refusal(lambda: gitlab_mirror.apply(world.deployment, mirrors, dry_run=False)) == "\n".join(
        f"error: {project} to {name}: the mirror has not succeeded within 0 seconds\n"
        "hint: GitLab goes on by itself: run the command again later, or with a longer --wait-seconds"
        for name, project in PROJECTS.items()
    )


def test_the_status_shows_every_mirror_and_succeeds_when_all_are_in_order(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world)
    apply(world)
    for mirrors in world.gitlab.projects.values():
        mirrors[0]["last_successful_update_at"] = "2026-01-06T17:32:02.823Z"
    world.gitlab.pushed_at[INFRASTRUCTURE] = datetime(2026, 1, 6, 17, 30, tzinfo=UTC)
    capsys.readouterr()
    assert status(world.mirrors()) is True
    assert capsys.readouterr() == (
        "repository      project                  mirror  last success          status\n"
        "infrastructure  platform/infrastructure  101     2026-01-06 17:32 UTC  finished\n"
        "application     platform/application     102     2026-01-06 17:32 UTC  finished\n",
        "",
    )


@pytest.mark.parametrize(
    ("change", "what", "hint"),
    [
        ({"enabled": False}, "it is disabled", "run gitlab-mirror apply"),
        (
            {"update_status": "failed", "last_error": "2:fetch: https://u:s3cret@x/ 403"},
            "it failed: 2:fetch: https://…@x/ 403",
            "mend what it says, and run gitlab-mirror sync",
        ),
        (
            {"last_successful_update_at": None},
            "it has never succeeded",
            "mend what it says, and run gitlab-mirror sync",
        ),
        (
            {"keep_divergent_refs": True},
            "keep_divergent_refs differs from the deployment",
            "run gitlab-mirror apply",
        ),
        (
            {"last_successful_update_at": "2026-01-06T17:32:02.823Z"},
            "it has not run since the push of {pushed}",
            "mend what it says, and run gitlab-mirror sync",
        ),
    ],
    ids=["disabled", "failed", "never-succeeded", "differs", "not-run"],
)
def test_a_stale_mirror_is_reported(
    world: Production, capsys: pytest.CaptureFixture[str], change: dict[str, Any], what: str, hint: str
) -> None:
    issue(world)
    apply(world)
    pushed = datetime.now(UTC) - timedelta(hours=2)
    world.gitlab.pushed_at[INFRASTRUCTURE] = pushed
    only(world, "infrastructure").update(change)
    what = what.format(pushed=f"{pushed:%Y-%m-%d %H:%M} UTC")
    capsys.readouterr()
    assert status(world.mirrors()) is False
    assert capsys.readouterr().err == f"error: {WHERE}: {what}\nhint: {hint}\n"


def test_the_status_fails_for_a_project_without_a_mirror(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(world.mirrors()) is False
    out, err = capsys.readouterr()
    assert out.count("no mirror") == 2
    assert err.startswith(f"error: {WHERE}: there is no mirror\nhint: run gitlab-mirror apply\n")
    assert refusal(lambda: gitlab_mirror.sync(world.mirrors(), dry_run=False)) + "\n" == err


def test_a_dry_run_of_a_sync_runs_no_mirror(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    issue(world)
    apply(world)
    before = copy.deepcopy(world.gitlab.projects)
    capsys.readouterr()
    gitlab_mirror.sync(world.mirrors(), dry_run=True)
    assert capsys.readouterr() == ("", "would have 2 mirrors run, and wait until GitLab says that it succeeded\n")
    assert world.gitlab.projects == before


def test_a_sync_waits_until_every_mirror_has_succeeded_again(world: Production) -> None:
    issue(world)
    apply(world)
    before = only(world, "application")["last_successful_update_at"]
    gitlab_mirror.sync(world.mirrors(), dry_run=False)
    assert only(world, "application")["last_successful_update_at"] > before
