"""The client of Backlog's API: what it asks, repeats and refuses, and that the key goes nowhere else."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from errors import RefusedError
from ops.backlog import backlog_api
from ops.backlog.backlog_api import BacklogApi
from tests.ops.backlog.backlog_stand_in import API_KEY, HOST, BacklogFault, BacklogStandIn, reached, serving

REPOSITORIES = "GET /api/v2/projects/WEB/git/repositories"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def _api(key: str = API_KEY, *, host: str = HOST) -> BacklogApi:
    return BacklogApi(host=host, key=SecretStr(key))


def _names() -> list[str]:
    return [found.name for found in _api().git_repositories("WEB")]


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


def test_lists_the_repositories_of_a_project_at_the_spaces_own_address(backlog: BacklogStandIn) -> None:
    assert _names() == ["app", "site"]
    assert (backlog.connected_to, backlog.calls) == ({f"{HOST}:443"}, [REPOSITORIES])


def test_the_key_is_in_no_log_and_no_error(
    backlog: BacklogStandIn, caplog: pytest.LogCaptureFixture, pauses: list[float]
) -> None:
    with caplog.at_level(logging.DEBUG):
        _api().git_repositories("WEB")
        body = f'{{"errors": [{{"message": "no {API_KEY}", "code": 1, "moreInfo": ""}}]}}'.encode()
        backlog.faults += [BacklogFault(500, body)] * 3
        said = _refusal(lambda: _api().git_repositories("WEB"))
    assert "no …" in said
    assert caplog.text
    assert API_KEY not in caplog.text + said + repr(_api())
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            BacklogFault(200, b'{"repositories": []}'),
            "/api/v2/projects/WEB/git/repositories has another form than Backlog documents (list_type)\n"
            "hint: nothing was changed; look for a newer version of this program",
        ),
        (
            BacklogFault(200, b'[{"name": 7}]'),
            "/api/v2/projects/WEB/git/repositories has another form than Backlog documents (string_type)\n"
            "hint: nothing was changed; look for a newer version of this program",
        ),
        (
            BacklogFault(200, b"<html>"),
            "/api/v2/projects/WEB/git/repositories has another form than Backlog documents (json_invalid)\n"
            "hint: nothing was changed; look for a newer version of this program",
        ),
        (
            BacklogFault(302, headers={"Location": "https://evil.example/"}),
            "Backlog answered 302, a redirect, which is not followed\n"
            "hint: check the space's id and domain: the API is at the space's own address",
        ),
        (
            BacklogFault(403, b'{"errors": [{"message": "No permission.", "code": 5, "moreInfo": ""}]}'),
            "Backlog answered 403 to /api/v2/projects/WEB/git/repositories: No permission.\n"
            "hint: make the key's user a member of the project, and for webhooks one of its administrators",
        ),
        (
            BacklogFault(403, b'{"errors": [{"message": "Not allowed.", "code": 4, "moreInfo": ""}]}'),
            "Backlog answered 403 to /api/v2/projects/WEB/git/repositories: Not allowed.\n"
            "hint: run it from an address that the space admits, or admit this one in Backlog's space settings",
        ),
        (
            BacklogFault(400, b'{"errors": []}'),
            "Backlog answered 400 to /api/v2/projects/WEB/git/repositories: no explanation\n"
            "hint: mend what Backlog names, and run the command again",
        ),
    ],
)
def test_refuses_what_it_cannot_read_and_what_backlog_refuses(
    backlog: BacklogStandIn, fault: BacklogFault, said: str
) -> None:
    backlog.faults.append(fault)
    assert _refusal(lambda: _api().git_repositories("WEB")) == f"error: {HOST}: {said}"
    assert (backlog.connected_to, backlog.calls) == ({f"{HOST}:443"}, [REPOSITORIES])


def test_refuses_a_wrong_key_and_a_missing_project(backlog: BacklogStandIn) -> None:
    assert _refusal(lambda: _api("wrong").git_repositories("WEB")) == (
        f"error: {HOST}: Backlog answered 401 to /api/v2/projects/WEB/git/repositories: Authentication failure.\n"
        "hint: issue a key in Backlog (personal settings, API), of a user of this space, and store it in the parameter "
        "again"
    )
    assert _refusal(lambda: _api().git_repositories("NONE")) == (
        f"error: {HOST}: Backlog answered 404 to /api/v2/projects/NONE/git/repositories: No project.\n"
        "hint: check the project's key, and that the key's user is a member of the project"
    )
    assert len(backlog.calls) == 2


def test_waits_until_backlog_takes_requests_again(backlog: BacklogStandIn, pauses: list[float]) -> None:
    reset = str(int(time.time()) + 30)
    backlog.faults += [
        BacklogFault(
            429, headers={"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        ),
        BacklogFault(429),
    ]
    assert _names() == ["app", "site"]
    assert 28 < pauses[0] <= 31
    assert pauses[1:] == [61.0]


def test_waits_for_no_longer_than_a_limit_lasts_and_gives_up(backlog: BacklogStandIn, pauses: list[float]) -> None:
    body = b'{"errors": [{"message": "Too many requests.", "code": 13, "moreInfo": ""}]}'
    backlog.faults += [BacklogFault(429, body, {"X-RateLimit-Reset": "99999999999"})] * 3
    assert _refusal(lambda: _api().git_repositories("WEB")) == (
        f"error: {HOST}: Backlog answered 429 to /api/v2/projects/WEB/git/repositories: Too many requests.\n"
        "hint: Backlog asks to wait: run the command again in some minutes"
    )
    assert pauses == [61.0, 61.0]


def test_repeats_a_read_and_no_change(backlog: BacklogStandIn, pauses: list[float]) -> None:
    backlog.faults += [BacklogFault(0), BacklogFault(503)]
    assert _names() == ["app", "site"]
    for fault, said in (
        (BacklogFault(0), "Backlog gave no complete answer (RemoteProtocolError)"),
        (BacklogFault(503), "Backlog answered 503 to /api/v2/projects/WEB/webhooks: no explanation"),
    ):
        backlog.calls.clear()
        backlog.faults.append(fault)
        assert said in _refusal(lambda: _api().add_hook("WEB", {"name": "x"}))
        assert backlog.calls == ["POST /api/v2/projects/WEB/webhooks"]
    assert len(pauses) == 2


def test_waits_for_no_answer_longer_than_a_timeout(backlog: BacklogStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_api, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(backlog_api, "MOST_ATTEMPTS", 1)
    backlog.faults.append(BacklogFault(200, pause_seconds=1.5))
    assert _refusal(lambda: _api().git_repositories("WEB")) == (
        f"error: {HOST}: Backlog gave no complete answer (ReadTimeout)\n"
        "hint: see that Backlog can be reached, and run the command again"
    )


def test_sends_the_key_to_no_server_whose_certificate_is_not_of_the_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    untrusted = (
        "the server shows a certificate that is not trusted\n"
        "hint: somebody may be in between; if a proxy of yours opens TLS, name its CA's file in SSL_CERT_FILE"
    )
    with serving(BacklogStandIn(repositories={"WEB": []}), tmp_path, host="other.backlog.jp") as other:
        reached(other, monkeypatch)
        assert _refusal(lambda: _api().git_repositories("WEB")) == f"error: {HOST}: {untrusted}"
        assert _api(host="other.backlog.jp").git_repositories("WEB") == []
        monkeypatch.delenv("SSL_CERT_FILE")
        said = _refusal(lambda: _api(host="other.backlog.jp").git_repositories("WEB"))
        assert said == f"error: other.backlog.jp: {untrusted}"
        assert len(other.calls) == 1
    assert pauses == []


def test_says_that_backlog_cannot_be_reached(backlog: BacklogStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert _refusal(lambda: _api().git_repositories("WEB")) == (
        f"error: {HOST}: Backlog cannot be reached\n"
        "hint: check the space's id and domain, the network and the proxy, and run the command again"
    )
    assert backlog.calls == []
