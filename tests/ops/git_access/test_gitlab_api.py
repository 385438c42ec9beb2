"""How a command treats each of GitLab's answers."""

import json
import socket
import threading
import time
from pathlib import Path

import pytest
from gitlab import Gitlab

from errors import RefusedError
from ops.git_access import gitlab_mirror
from ops.git_access.gitlab_api import connect, gitlab_errors_as_refusals
from ops.git_access.mirror_client import MirrorClient
from ops.git_access.mirror_records import MirrorRecords
from ops.git_access.mirrors import wanted_mirrors
from settings import load
from tests.ops.git_access.commands import INFRASTRUCTURE, WHERE, apply, issue, main, only, refusal
from tests.ops.gitlab_stand_in import TOKEN, GitlabFault
from tests.ops.production import PROJECTS, Production

pytestmark = pytest.mark.emulator

_AGAIN = "run the command again; it continues where it stopped"
_MEND = "mend what GitLab names, and run the command again"


def asked_for_projects(world: Production) -> list[GitlabFault]:
    """The answers to the first requests of a command, which ask for the ids of the projects."""
    return [GitlabFault(200, json.dumps({"id": world.gitlab.id_of(project)}).encode()) for project in PROJECTS.values()]


def list_of_mirrors(world: Production) -> GitlabFault:
    return GitlabFault(200, json.dumps(world.gitlab.projects[INFRASTRUCTURE]).encode())


@pytest.mark.parametrize(
    ("fault", "what", "hint"),
    [
        (
            GitlabFault(401, b'{"message": "401 Unauthorized"}'),
            "GitLab answered 401: 401 Unauthorized",
            "the token is wrong, revoked or expired: make one with the scope api",
        ),
        (
            GitlabFault(403, b'{"message": "403 Forbidden"}'),
            "GitLab answered 403: 403 Forbidden",
            "the token's user needs the role Maintainer in the project, and the token the scope api",
        ),
        (
            GitlabFault(404, b'{"message": "404 Project Not Found"}'),
            "GitLab answered 404: 404 Project Not Found",
            "check gitlab_project, and that the token's user is a member of the project",
        ),
        (GitlabFault(409, b'{"message": "409 Conflict"}'), "GitLab answered 409: 409 Conflict", _MEND),
        (
            GitlabFault(400, b'{"message": {"url": ["is blocked: https://u:s3cret@x/ is not allowed"]}}'),
            "GitLab answered 400: {'url': ['is blocked: https://…@x/ is not allowed']}",
            _MEND,
        ),
    ],
    ids=lambda value: str(value.status) if isinstance(value, GitlabFault) else "",
)
def test_prints_what_gitlab_refused_and_what_to_do(world: Production, fault: GitlabFault, what: str, hint: str) -> None:
    issue(world)
    # This is the answer to the fourth request; the third listed the first project's mirrors.
    world.gitlab.faults += [*asked_for_projects(world), list_of_mirrors(world), fault]
    where = "platform/application to application"
    assert refusal(lambda: apply(world)) == f"error: {where}: {what}\nhint: {hint}"
    assert all(call.startswith("GET") for call in world.gitlab.calls)


@pytest.mark.parametrize(
    "fault", [GitlabFault(502, b"{}", {}, True), GitlabFault(0, b"", {}, True)], ids=["5xx", "cut"]
)
def test_a_mirror_that_gitlab_did_not_confirm_pushes_nothing(world: Production, fault: GitlabFault) -> None:
    """Nothing shows that it is this deployment's: it is left alone, disabled, and the next run creates another."""
    issue(world)
    world.gitlab.faults += [*asked_for_projects(world), *[list_of_mirrors(world)] * 3, fault]
    assert refusal(lambda: apply(world)).startswith(f"error: {WHERE}: GitLab ")
    assert [call for call in world.gitlab.calls if call.startswith("POST")] == ["POST /projects/1/remote_mirrors"]
    apply(world)
    left, mirror = world.gitlab.projects[INFRASTRUCTURE]
    assert (left["enabled"], left["update_status"]) == (False, "none")
    assert world.working("infrastructure") == [mirror]
    assert world.working("application") == [only(world, "application")]


def test_waits_as_long_as_gitlab_asks_for(world: Production) -> None:
    issue(world)
    world.gitlab.faults += [GitlabFault(429, b"Retry later", {"Retry-After": "1"})]
    began = time.monotonic()
    apply(world)
    assert time.monotonic() - began >= 1
    assert world.gitlab.calls[0] == world.gitlab.calls[1]
    assert only(world, "infrastructure")["update_status"] == "finished"


def test_refuses_when_the_rate_limit_stays(world: Production) -> None:
    issue(world)
    world.gitlab.faults += [GitlabFault(429, b'{"message": "Retry later"}', {"Retry-After": "0"})] * 5
    assert refusal(lambda: apply(world)) == (
        f"error: {WHERE}: GitLab answered 429: Retry later\n"
        "hint: GitLab asks to wait: run the command again in some minutes"
    )


@pytest.mark.parametrize(
    "fault", [GitlabFault(502), GitlabFault(503), GitlabFault(0)], ids=lambda fault: str(fault.status)
)
def test_retries_after_a_passing_failure(world: Production, fault: GitlabFault) -> None:
    issue(world)
    world.gitlab.faults += [fault, fault]
    apply(world)
    assert only(world, "infrastructure")["update_status"] == "finished"


def test_refuses_when_the_server_keeps_failing(world: Production) -> None:
    issue(world)
    world.gitlab.faults += [GitlabFault(500, b"<html>whoops</html>")] * 5
    assert refusal(lambda: apply(world)) == (
        f"error: {WHERE}: GitLab answered 500: <html>whoops</html>\nhint: {_AGAIN}"
    )


def test_refuses_when_gitlab_is_too_slow(world: Production) -> None:
    from gitlab import Gitlab

    issue(world)
    released = threading.Event()

    def wait() -> None:
        released.wait(5)

    world.gitlab.on_request = wait
    api = Gitlab(world.gitlab.url, private_token=TOKEN, timeout=0.05)
    try:
        said = refusal(
            lambda: gitlab_mirror.apply(
                world.deployment,
                MirrorClient(api, wanted_mirrors(world.deployment), MirrorRecords(world.deployment)),
                dry_run=False,
            )
        )
    finally:
        released.set()
    assert said == (
        f"error: {WHERE}: GitLab gave no complete answer (ReadTimeout)\n"
        "hint: see that GitLab can be reached, and run the command again; it continues where it stopped"
    )


def test_names_the_setting_with_gitlabs_address_where_it_is_missing(project: Path) -> None:
    assert refusal(lambda: connect(load(project / "deployments" / "minimal.yaml"), None)) == (
        "error: prd.codecommit.push.gitlab_url: GitLab's address is not known\n"
        "hint: set prd.codecommit.push.gitlab_url in the deployment file, for example to https://gitlab.example.com"
    )


def test_reads_the_token_from_the_environment_or_a_file(
    world: Production, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = world.deployment
    monkeypatch.setenv("GITLAB_TOKEN", f"{TOKEN}\n")
    assert connect(deployment, None).private_token == TOKEN
    file = tmp_path / "token"
    file.write_text("another\n")
    assert connect(deployment, file).private_token == "another"
    monkeypatch.delenv("GITLAB_TOKEN")
    assert refusal(lambda: connect(deployment, None)) == (
        "error: GITLAB_TOKEN: there is no token for GitLab\n"
        "hint: set it to a token with the scope api, or name a file with --token-file"
    )
    file.write_text("two words\n")
    assert refusal(lambda: connect(deployment, file)) == (
        f"error: {file}: this is not a token: it has spaces or line ends\n"
        "hint: write the token into it, and nothing else"
    )
    assert refusal(lambda: connect(deployment, tmp_path / "none")) == (
        f"error: {tmp_path / 'none'}: No such file or directory\nhint: name a file with nothing but the token in it"
    )


def test_a_refusal_exits_with_1_and_wrong_usage_with_2(world: Production) -> None:
    refused, unknown = main(world, "gitlab-mirror", "apply"), main(world, "credentials", "issue", "root")
    assert (refused.communicate(timeout=60)[1], refused.returncode) == (
        "error: kakehashi-prd-push: it has no credential in its secret\nhint: give it one: credentials issue push\n",
        1,
    )
    assert (unknown.communicate(timeout=60)[1], unknown.returncode) == (
        "error: USER: 'root' is not a Git user of this deployment\nhint: use one of push, pull, pull-vault\n",
        2,
    )


def test_a_gitlab_that_does_not_listen_cannot_be_reached() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    gitlab = Gitlab(f"http://127.0.0.1:{port}", private_token="glpat-none")
    with pytest.raises(RefusedError) as refused, gitlab_errors_as_refusals("group/project"):
        gitlab.http_get("/version")
    assert str(refused.value) == (
        "error: group/project: GitLab cannot be reached\n"
        "hint: check the network and the proxy, and run the command again"
    )
