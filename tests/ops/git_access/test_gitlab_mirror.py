"""GitLab's push mirrors: created, corrected, proved, shown, and everything that GitLab may answer."""

import copy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.git_access import credentials, gitlab_mirror
from ops.git_access.gitlab_api import connect
from ops.git_access.mirror_client import MirrorClient
from ops.git_access.mirrors import WantedMirror, wanted_mirrors
from ops.git_access.rotation import rotate
from tests.ops.gitlab_stand_in import TOKEN, Fault, Mirror
from tests.ops.production import PROJECTS, TARGET, Production, environment, stopped_everywhere

pytestmark = pytest.mark.emulator

INFRASTRUCTURE = PROJECTS["infrastructure"]
WHERE = f"{INFRASTRUCTURE} to infrastructure"
WANTED = WantedMirror(repository="app", project="a/b", target=f"https://{TARGET}/app", only_protected_branches=False)


def _apply(world: Production, *, dry_run: bool = False) -> None:
    gitlab_mirror.apply(world.deployment, world.mirrors(), dry_run=dry_run)


def _issued(world: Production) -> None:
    credentials.issue(world.deployment, "push", dry_run=False)


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


def _only(world: Production, repository: str) -> Mirror:
    (mirror,) = world.gitlab.projects[PROJECTS[repository]]
    return mirror


def _said(world: Production, capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    everything = said.out + said.err + world.kept_in_the_open()
    assert [password for password in world.passwords if password in everything] == []
    return said.out + said.err


def test_mirrors_are_created_as_they_have_to_be_and_succeed(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    _issued(world)
    password = world.secret()["password"]
    capsys.readouterr()
    _apply(world)
    for repository in PROJECTS:
        mirror = _only(world, repository)
        assert (mirror["enabled"], mirror["keep_divergent_refs"], mirror["only_protected_branches"]) == (
            True,
            False,
            False,
        )
        assert mirror["update_status"] == "finished"
        assert {"/", "+", "="} <= set(password)
        assert world.gitlab.secrets[mirror["id"]] == (
            f"https://kakehashi-prd-push-at-222222222222:{_encoded(password)}@{TARGET}/{repository}"
        )
    assert _said(world, capsys) == (
        f"{INFRASTRUCTURE} is mirrored to https://{TARGET}/infrastructure\n"
        f"platform/application is mirrored to https://{TARGET}/application\n"
        f"create the mirror of {WHERE}\n"
        "create the mirror of platform/application to application\n"
        "have 2 mirrors run, and wait until GitLab says that it succeeded\n"
    )


def _encoded(password: str) -> str:
    return password.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")


def test_applying_again_asks_for_nothing_but_the_list(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    _issued(world)
    _apply(world)
    before = copy.deepcopy(world.gitlab.projects)
    world.gitlab.calls.clear()
    capsys.readouterr()
    _apply(world)
    assert {call.split("?")[0].split(" ")[0] for call in world.gitlab.calls} == {"GET"}
    assert world.gitlab.projects == before
    assert capsys.readouterr().err == ""


def test_other_mirrors_are_left_alone(world: Production) -> None:
    _issued(world)
    for url in (
        "https://u:p@backup.example.com/v1/repos/infrastructure",
        f"https://u:p@{TARGET}/infrastructure-old",
        f"https://u:p@{TARGET.replace('ap-northeast-1', 'us-east-1')}/infrastructure",
        "ssh://git@backup.example.com/infrastructure.git",
    ):
        world.gitlab.add(INFRASTRUCTURE, url, enabled=False, keep_divergent_refs=True)
    others = copy.deepcopy(world.gitlab.projects[INFRASTRUCTURE])
    _apply(world)
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
def test_what_somebody_changed_is_changed_back(
    world: Production, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    _issued(world)
    _apply(world)
    mirror = _only(world, "infrastructure")
    before = dict(mirror)
    mirror.update(change)
    capsys.readouterr()
    _apply(world)
    assert _only(world, "infrastructure") == before
    ((name, _),) = change.items()
    value = {True: "true", False: "false", None: "null"}[before[name]]
    assert capsys.readouterr().err == f"change the mirror of {WHERE}: {name}={value}\n"


def test_a_mirror_is_kept_to_protected_branches_where_the_deployment_says_so(world: Production) -> None:
    world.say({"prd.codecommit.repositories.application.only_protected_branches": True})
    _issued(world)
    _apply(world)
    assert _only(world, "application")["only_protected_branches"] is True
    assert _only(world, "infrastructure")["only_protected_branches"] is False


def test_applying_can_be_stopped_after_every_request(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    def prepare() -> None:
        _issued(world)
        user, password = world.secret()["username"], world.secret()["password"]
        for repository, project in PROJECTS.items():
            url = f"https://{user}:{_encoded(password)}@{TARGET}/{repository}"
            world.gitlab.run(world.gitlab.add(project, url, enabled=True))

    prepare()
    before = world.remembered()

    def holds() -> None:
        assert all(world.working(repository) for repository in PROJECTS)

    stops = 0
    for stops in stopped_everywhere(world, lambda: world.put_back(before), lambda: _apply(world)):
        for repository in PROJECTS:
            assert world.working(repository) == [_only(world, repository)], stops
        world.after_request = holds
    assert stops >= 15
    _said(world, capsys)


def test_without_a_credential_there_is_nothing_to_apply(world: Production) -> None:
    assert _refusal(lambda: _apply(world)) == (
        "error: kakehashi-prd-push: it has no credential in its secret\nhint: give it one: credentials issue push"
    )
    assert all(call.startswith("GET") for call in world.gitlab.calls)


def test_a_rotation_that_was_stopped_is_finished_before_anything_is_applied(world: Production) -> None:
    _issued(world)
    _apply(world)
    world.gitlab.faults += [Fault(403, b'{"message": "403 Forbidden"}')]
    with pytest.raises(RefusedError):
        rotate(world.deployment, "push", connect_mirrors=world.mirrors, dry_run=False)
    assert len(world.credentials()) == 2
    assert _refusal(lambda: _apply(world)) == (
        "error: kakehashi-prd-push: its credential is being rotated\nhint: finish it: credentials rotate push"
    )


def test_a_dry_run_asks_gitlab_for_lists_alone(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    _issued(world)
    capsys.readouterr()
    _apply(world, dry_run=True)
    assert capsys.readouterr() == (
        "",
        f"would create the mirror of {WHERE}\nwould create the mirror of platform/application to application\n",
    )
    assert all(call.startswith("GET") for call in world.gitlab.calls)


_AGAIN = "run the command again; it continues where it stopped"
_MEND = "mend what GitLab names, and run the command again"


@pytest.mark.parametrize(
    ("fault", "what", "hint"),
    [
        (
            Fault(401, b'{"message": "401 Unauthorized"}'),
            "GitLab answered 401: 401 Unauthorized",
            "the token is wrong, revoked or expired: make one with the scope api",
        ),
        (
            Fault(403, b'{"message": "403 Forbidden"}'),
            "GitLab answered 403: 403 Forbidden",
            "the token's user needs the role Maintainer in the project, and the token the scope api",
        ),
        (
            Fault(404, b'{"message": "404 Project Not Found"}'),
            "GitLab answered 404: 404 Project Not Found",
            "check gitlab_project, and that the token's user is a member of the project",
        ),
        (Fault(409, b'{"message": "409 Conflict"}'), "GitLab answered 409: 409 Conflict", _MEND),
        (
            Fault(400, b'{"message": {"url": ["is blocked: https://u:s3cret@x/ is not allowed"]}}'),
            "GitLab answered 400: {'url': ['is blocked: https://…@x/ is not allowed']}",
            _MEND,
        ),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Fault) else "",
)
def test_what_gitlab_refuses_is_told_with_what_to_do(world: Production, fault: Fault, what: str, hint: str) -> None:
    _issued(world)
    # The second request's answer: the first project's list was given.
    world.gitlab.faults += [_fine(world), fault]
    where = "platform/application to application"
    assert _refusal(lambda: _apply(world)) == f"error: {where}: {what}\nhint: {hint}"
    assert all(call.startswith("GET") for call in world.gitlab.calls)


def _fine(world: Production) -> Fault:
    return Fault(200, json.dumps(world.gitlab.projects[INFRASTRUCTURE]).encode())


def test_gitlab_is_asked_again_after_the_time_it_names(world: Production) -> None:
    _issued(world)
    world.gitlab.faults += [Fault(429, b"Retry later", {"Retry-After": "1"})]
    began = time.monotonic()
    _apply(world)
    assert time.monotonic() - began >= 1
    assert world.gitlab.calls[0] == world.gitlab.calls[1]
    assert _only(world, "infrastructure")["update_status"] == "finished"


def test_a_limit_that_does_not_end_is_told(world: Production) -> None:
    _issued(world)
    world.gitlab.faults += [Fault(429, b'{"message": "Retry later"}', {"Retry-After": "0"})] * 5
    assert _refusal(lambda: _apply(world)) == (
        f"error: {WHERE}: GitLab answered 429: Retry later\n"
        "hint: GitLab asks to wait: run the command again in some minutes"
    )


@pytest.mark.parametrize("fault", [Fault(502), Fault(503), Fault(0)], ids=lambda fault: str(fault.status))
def test_what_passes_is_waited_out(world: Production, fault: Fault) -> None:
    _issued(world)
    world.gitlab.faults += [fault, fault]
    _apply(world)
    assert _only(world, "infrastructure")["update_status"] == "finished"


def test_a_server_that_stays_broken_is_told(world: Production) -> None:
    _issued(world)
    world.gitlab.faults += [Fault(500, b"<html>whoops</html>")] * 5
    assert _refusal(lambda: _apply(world)) == (
        f"error: {WHERE}: GitLab answered 500: <html>whoops</html>\nhint: {_AGAIN}"
    )


def test_a_slow_gitlab_is_not_waited_for_without_end(world: Production) -> None:
    from gitlab import Gitlab

    _issued(world)
    released = threading.Event()

    def wait() -> None:
        released.wait(5)

    world.gitlab.on_request = wait
    api = Gitlab(world.gitlab.url, private_token=TOKEN, timeout=0.05)
    try:
        said = _refusal(
            lambda: gitlab_mirror.apply(
                world.deployment, MirrorClient(api, wanted_mirrors(world.deployment)), dry_run=False
            )
        )
    finally:
        released.set()
    assert said == (
        f"error: {WHERE}: GitLab gave no complete answer (ReadTimeout)\n"
        "hint: see that GitLab can be reached, and run the command again; it continues where it stopped"
    )


@pytest.mark.parametrize("fault", [Fault(502, b"{}", {}, True), Fault(0, b"", {}, True)], ids=["5xx", "cut"])
def test_a_mirror_whose_creation_was_not_confirmed_is_found_by_the_next_run_and_not_made_twice(
    world: Production, fault: Fault
) -> None:
    _issued(world)
    world.gitlab.faults += [_fine(world), _fine(world), fault]
    assert _refusal(lambda: _apply(world)).startswith(f"error: {WHERE}: GitLab ")
    assert [call for call in world.gitlab.calls if call.startswith("POST")] == [
        "POST /projects/platform%2Finfrastructure/remote_mirrors"
    ]
    _apply(world)
    for repository in PROJECTS:
        assert world.working(repository) == [_only(world, repository)]


def test_a_mirror_that_somebody_deleted_meanwhile_is_no_error(world: Production) -> None:
    _issued(world)
    for project, repository in ((project, name) for name, project in PROJECTS.items()):
        world.gitlab.add(project, f"https://u:p@{TARGET}/{repository}", enabled=True)
    obsolete = [mirror["id"] for mirrors in world.gitlab.projects.values() for mirror in mirrors]

    def delete_first() -> None:
        if world.gitlab.calls[-1].startswith("POST") and world.gitlab.calls[-1].endswith("sync"):
            for mirrors in world.gitlab.projects.values():
                mirrors[:] = [mirror for mirror in mirrors if mirror["id"] not in obsolete]

    world.gitlab.on_request = delete_first
    _apply(world)
    assert any(call.startswith("DELETE") for call in world.gitlab.calls)
    assert all(world.working(repository) for repository in PROJECTS)


def test_mirrors_that_run_for_longer_than_people_wait_are_told_all_at_once(
    world: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    _issued(world)
    monkeypatch.setattr(type(world.gitlab), "run", lambda _, mirror: mirror.update(update_status="started"))
    mirrors = world.mirrors()
    mirrors._patience_seconds = 0.05
    assert _refusal(lambda: gitlab_mirror.apply(world.deployment, mirrors, dry_run=False)) == "\n".join(
        f"error: {project} to {name}: the mirror has not succeeded within 0 seconds\n"
        "hint: GitLab goes on by itself: run the command again later, or with a longer --wait-seconds"
        for name, project in PROJECTS.items()
    )


def test_the_status_shows_every_mirror_and_is_good_when_all_are(
    world: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    _issued(world)
    _apply(world)
    for mirrors in world.gitlab.projects.values():
        mirrors[0]["last_successful_update_at"] = "2026-01-06T17:32:02.823Z"
    world.gitlab.pushed_at[INFRASTRUCTURE] = datetime(2026, 1, 6, 17, 30, tzinfo=UTC)
    capsys.readouterr()
    assert gitlab_mirror.status(world.mirrors()) is True
    assert capsys.readouterr() == (
        "repository      project                  last success          status\n"
        "infrastructure  platform/infrastructure  2026-01-06 17:32 UTC  finished\n"
        "application     platform/application     2026-01-06 17:32 UTC  finished\n",
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
    _issued(world)
    _apply(world)
    pushed = datetime.now(UTC) - timedelta(hours=2)
    world.gitlab.pushed_at[INFRASTRUCTURE] = pushed
    _only(world, "infrastructure").update(change)
    what = what.format(pushed=f"{pushed:%Y-%m-%d %H:%M} UTC")
    capsys.readouterr()
    assert gitlab_mirror.status(world.mirrors()) is False
    assert capsys.readouterr().err == f"error: {WHERE}: {what}\nhint: {hint}\n"


def test_a_project_without_a_mirror_is_told(world: Production, capsys: pytest.CaptureFixture[str]) -> None:
    assert gitlab_mirror.status(world.mirrors()) is False
    out, err = capsys.readouterr()
    assert out.count("no mirror") == 2
    assert err.startswith(f"error: {WHERE}: there is no mirror\nhint: run gitlab-mirror apply\n")
    assert _refusal(lambda: gitlab_mirror.sync(world.mirrors())) + "\n" == err


def test_a_sync_waits_until_every_mirror_has_succeeded_anew(world: Production) -> None:
    _issued(world)
    _apply(world)
    before = _only(world, "application")["last_successful_update_at"]
    gitlab_mirror.sync(world.mirrors())
    assert _only(world, "application")["last_successful_update_at"] > before


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        (f"https://*****:*****@{TARGET}/app", True),
        (f"https://*****:*****@{TARGET}/app/", True),
        (f"https://{TARGET.replace('.com', '.com:443')}/app", True),
        (f"https://*****:*****@{TARGET}/App", False),
        (f"https://*****:*****@{TARGET}/app2", False),
        (f"http://*****:*****@{TARGET}/app", False),
        (f"https://*****:*****@{TARGET.replace('amazonaws.com', 'amazonaws.com.evil.example')}/app", False),
        (f"https://{TARGET.replace('.com', '.com:8443')}/app", False),
        (f"https://evil.example/{TARGET}/app", False),
        ("https://[/", False),
        ("ssh://git@x:abc/app", False),
    ],
)
def test_a_mirror_is_ours_by_where_it_pushes_to(url: str, ours: bool) -> None:
    assert WANTED.is_target_of(url) is ours


def test_the_token_comes_from_the_environment_or_a_file(
    world: Production, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = world.deployment
    monkeypatch.setenv("GITLAB_TOKEN", f"{TOKEN}\n")
    assert connect(deployment, None).private_token == TOKEN
    file = tmp_path / "token"
    file.write_text("another\n")
    assert connect(deployment, file).private_token == "another"
    monkeypatch.delenv("GITLAB_TOKEN")
    assert _refusal(lambda: connect(deployment, None)) == (
        "error: GITLAB_TOKEN: there is no token for GitLab\n"
        "hint: set it to a token with the scope api, or name a file with --token-file"
    )
    file.write_text("two words\n")
    assert _refusal(lambda: connect(deployment, file)) == (
        f"error: {file}: this is not a token: it has spaces or line ends\n"
        "hint: write the token into it, and nothing else"
    )
    assert _refusal(lambda: connect(deployment, tmp_path / "none")) == (
        f"error: {tmp_path / 'none'}: No such file or directory\nhint: name a file with nothing but the token in it"
    )


def _main(world: Production, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "main.py", *arguments, str(world.file)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, **environment(world.url), "GITLAB_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_rotation_whose_process_is_killed_is_ended_by_the_next(world: Production) -> None:
    _issued(world)
    _apply(world)
    (first,) = world.credentials()
    running: list[subprocess.Popen[str]] = []
    said = ""
    for last in ("GET", "POST /projects/platform%2Fapplication/remote_mirrors", "sync", "DELETE"):
        world.gitlab.calls.clear()

        def kill_at(last: str = last) -> None:
            call = world.gitlab.calls[-1]
            if running and (call.startswith(last) or call.endswith(last)):
                running.pop().send_signal(signal.SIGKILL)

        world.gitlab.on_request = kill_at
        process = _main(world, "credentials", "rotate", "push")
        running.append(process)
        out, err = process.communicate(timeout=60)
        said += out + err
        assert process.returncode == -signal.SIGKILL, (last, err)
        assert first in world.credentials()
        assert len(world.credentials()) == 2
        assert all(world.working(repository) for repository in PROJECTS)
    running.clear()
    process = _main(world, "credentials", "rotate", "push")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (
        0,
        "the credential of kakehashi-prd-push is in the secret kakehashi-prd-push-git-credential\n",
    ), err
    (second,) = world.credentials()
    assert second not in (first, "")
    for repository in PROJECTS:
        assert world.working(repository) == [_only(world, repository)]
    assert world.passwords
    assert [password for password in world.passwords if password in said + out + err] == []


def test_what_is_refused_leaves_with_1_and_what_is_not_known_with_2(world: Production) -> None:
    refused, unknown = _main(world, "gitlab-mirror", "apply"), _main(world, "credentials", "issue", "root")
    assert (refused.communicate(timeout=60)[1], refused.returncode) == (
        "error: kakehashi-prd-push: it has no credential in its secret\nhint: give it one: credentials issue push\n",
        1,
    )
    assert (unknown.communicate(timeout=60)[1], unknown.returncode) == (
        "error: USER: 'root' is no Git user of this deployment\nhint: use one of push, pull, pull-vault\n",
        2,
    )
