"""A credential is replaced, stopped after every request, and never shown."""

import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest

from errors import RefusedError
from ops.git_access import credentials
from tests.ops.git_access.commands import (
    NO_PROJECTS,
    PULL,
    PUSH,
    TARGET_HOST,
    apply,
    issue,
    main,
    nothing_leaked,
    only_enabled,
    refusal,
    rotate,
    with_mirrors_by_hand,
    with_rotated_mirrors,
)
from tests.ops.production import PROJECTS, TARGET, Production, stopped_everywhere

pytestmark = pytest.mark.emulator


def test_a_rotation_leaves_one_credential_that_every_mirror_has_succeeded_with(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    issue(world)
    first = world.secret()["credential_id"]
    rotate(world)
    second = world.secret()["credential_id"]
    nothing_leaked(world, capsys, caplog)
    assert second != first
    assert world.credentials() == [second]
    for repository, project in PROJECTS.items():
        (mirror,) = world.gitlab.projects[project]
        assert world.working(repository) == [mirror]
        assert mirror["update_status"] == "finished"
    rotate(world)
    (third,) = world.credentials()
    assert third not in (first, second)
    for repository, project in PROJECTS.items():
        assert world.working(repository) == world.gitlab.projects[project]
        assert len(world.gitlab.projects[project]) == 1


@pytest.mark.parametrize("prepare", [with_mirrors_by_hand, with_rotated_mirrors])
def test_a_rotation_can_be_stopped_after_every_request_and_never_leaves_a_mirror_without_a_password_that_works(
    world: Production,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    prepare: Callable[[Production], None],
) -> None:
    prepare(world)
    first = world.credentials()
    before = world.remembered()

    def holds() -> None:
        assert 1 <= len(world.credentials()) <= 2
        for repository in PROJECTS:
            assert world.working(repository), world.gitlab.calls

    def prepared() -> None:
        world.after_request = lambda: None
        world.put_back(before)
        world.after_request = holds

    stops = 0
    for stops in stopped_everywhere(world, prepared, lambda: rotate(world)):
        (second,) = world.credentials()
        # A run that was stopped after its last request was complete, so the second run was a new rotation.
        assert second not in first, stops
        assert world.secret()["credential_id"] == second
        described = world.client("secretsmanager").describe_secret(SecretId=f"{PUSH}-git-credential")
        assert "AWSPENDING" not in str(described["VersionIdsToStages"])
        for repository, project in PROJECTS.items():
            assert world.working(repository) == [only_enabled(world, repository)], stops
            others = [mirror for mirror in world.gitlab.projects[project] if TARGET_HOST not in mirror["url"]]
            assert len(others) == (1 if prepare is with_mirrors_by_hand else 0)
    assert stops >= 20
    world.after_request = lambda: None
    nothing_leaked(world, capsys, caplog)


def test_a_rotation_deletes_the_last_mirrors_and_keeps_the_first_credential_when_no_repository_names_a_project(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world)
    apply(world)
    world.say(NO_PROJECTS)
    first = world.credentials()
    rotate(world)
    assert not any(world.gitlab.projects.values())
    assert world.credentials() == [*first, world.secret()["credential_id"]]
    assert capsys.readouterr().err.endswith(
        "the first credential still works; when all who use it have the second: credentials revoke push --superseded\n"
    )


def test_keeps_the_first_credential_when_a_mirror_fails_with_the_second(
    world: Production, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with_rotated_mirrors(world)
    (first,) = world.credentials()
    known = world.secret()["username"]
    world.gitlab.accepts = lambda user, password: user == known and world.accepts(user, password)
    said = refusal(lambda: rotate(world))
    assert said == "\n".join(
        f"error: {project} to {repository}: the mirror failed: 13:push to mirror: fatal: unable to access "
        f"'https://…@{TARGET.replace('.com', '.com:443')}/{repository}': error: 403\n"
        "hint: mend what GitLab names, and run the command again"
        for repository, project in PROJECTS.items()
    )
    assert [password for password in world.passwords if password in said] == []
    assert world.credentials()[0] == first
    assert len(world.credentials()) == 2
    assert all(world.working(repository) for repository in PROJECTS)
    assert world.secret()["credential_id"] == first
    world.gitlab.accepts = world.accepts
    rotate(world)
    assert first not in world.credentials()
    assert len(world.credentials()) == 1
    nothing_leaked(world, capsys, caplog)


def test_the_first_credential_of_a_pull_user_stays_until_it_is_revoked(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(world, "pull")
    first = world.secret(PULL)["credential_id"]
    rotate(world, "pull")
    assert capsys.readouterr().err.endswith(
        "the first credential still works; when all who use it have the second: credentials revoke pull --superseded\n"
    )
    second = world.secret(PULL)["credential_id"]
    assert world.credentials(PULL) == [first, second]
    rotate(world, "pull")
    assert world.credentials(PULL) == [first, second]
    credentials.revoke(world.deployment, "pull", superseded=True, dry_run=False)
    assert world.credentials(PULL) == [second]
    assert world.gitlab.calls == []


def test_a_pull_users_rotation_can_be_stopped_after_every_request(world: Production) -> None:
    for stops in stopped_everywhere(world, lambda: issue(world, "pull"), lambda: rotate(world, "pull")):
        assert len(world.credentials(PULL)) == 2
        assert world.secret(PULL)["credential_id"] == world.credentials(PULL)[1], stops


def test_refuses_to_rotate_two_credentials_made_by_hand(world: Production) -> None:
    first, _, _ = world.made_by_hand(days_ago=300)
    second, _, _ = world.made_by_hand(days_ago=200)
    assert refusal(lambda: rotate(world)) == (
        f"error: {PUSH}: it has two credentials, and neither is in its secret: {first}, {second}\n"
        "hint: delete the one that nobody uses: credentials revoke push --id ID"
    )
    credentials.revoke(world.deployment, "push", credential_id=first, dry_run=False)
    rotate(world)
    assert second not in world.credentials()


def test_does_not_delete_a_later_credential_made_by_hand(world: Production) -> None:
    issue(world)
    stored = world.credentials()[0]
    world.shelf[stored]["CreateDate"] -= timedelta(days=10)
    other, _, _ = world.made_by_hand(days_ago=0)
    assert refusal(lambda: rotate(world)) == (
        f"error: {PUSH}: {other} was created after the one in its secret, and not by this command\n"
        f"hint: delete it if nobody uses it: credentials revoke push --id {other}"
    )
    assert world.credentials() == [stored, other]


def test_two_rotations_at_once_do_not_undo_each_other(world: Production) -> None:
    """The second run starts when the first has created its credential and not yet stored it."""
    issue(world)
    (first,) = world.credentials()
    refusals: list[str] = []

    def another() -> None:
        if len(world.credentials()) == 2 and not refusals:
            refusals.append("")
            try:
                rotate(world)
            except RefusedError as refused:
                refusals.append(str(refused))

    world.after_request = another
    try:
        rotate(world)
    except RefusedError as refused:
        refusals.append(str(refused))
    world.after_request = lambda: None
    rotate(world)
    assert first not in world.credentials()
    assert world.credentials() == [world.secret()["credential_id"]]
    assert all(world.working(repository) for repository in PROJECTS)


def test_the_next_run_finishes_a_rotation_that_was_killed(world: Production) -> None:
    issue(world)
    apply(world)
    (first,) = world.credentials()
    running: list[subprocess.Popen[str]] = []
    said = ""
    for last in ("POST /projects/1/remote_mirrors", "PUT /projects/2/", "sync", "DELETE"):
        world.gitlab.calls.clear()

        def kill_at(last: str = last) -> None:
            call = world.gitlab.calls[-1]
            if running and (call.startswith(last) or call.endswith(last)):
                running.pop().send_signal(signal.SIGKILL)

        world.gitlab.on_request = kill_at
        process = main(world, "credentials", "rotate", "push")
        running.append(process)
        out, err = process.communicate(timeout=60)
        said += out + err
        assert process.returncode == -signal.SIGKILL, (last, err)
        assert first in world.credentials()
        assert len(world.credentials()) == 2
        assert all(world.working(repository) for repository in PROJECTS)
    running.clear()
    process = main(world, "credentials", "rotate", "push")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (
        0,
        "the credential of kakehashi-prd-push is in the secret kakehashi-prd-push-git-credential\n",
    ), err
    (second,) = world.credentials()
    assert second not in (first, "")
    for repository in PROJECTS:
        assert world.working(repository) == [only_enabled(world, repository)]
    assert world.passwords
    assert [password for password in world.passwords if password in said + out + err] == []
