"""Calls of AWS against a server that misbehaves, and against the emulated AWS."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from buildspec.mirror.aws import Aws, AwsRefusedError, Renewed
from buildspec.mirror.calls import Connections, Patience
from buildspec.mirror.container import own_credentials
from buildspec.mirror.failures import UnreachableError
from buildspec.mirror.signing import Credentials
from ops.rehearse.emulator import Emulator
from tests.buildspec.mirror.scripted import CUT, SILENT, answer, scripted

KEY = Credentials("111111111111", "secret")
HASTY = Patience(attempts=3, connect=1, answer=0.2, first_pause=0.01, longest_pause=0.02)
VALUE = answer(200, {"Parameter": {"Value": "x"}})
THROTTLED = answer(400, {"__type": "com.amazonaws.ssm#ThrottlingException", "message": "Rate exceeded"})
DENIED = answer(400, {"__type": "AccessDeniedException", "Message": "not you"})


def _aws(url: str, patience: Patience = HASTY) -> Aws:
    return Aws("ap-northeast-1", lambda: KEY, Connections(patience), endpoint=url)


@pytest.mark.parametrize("trouble", [answer(503), answer(429), THROTTLED, CUT, SILENT, b"rubbish\r\n\r\n"])
def test_a_call_that_fails_for_a_moment_is_repeated(trouble: bytes) -> None:
    with scripted([trouble, trouble, VALUE]) as server:
        assert _aws(server.url).parameter("/x") == "x"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "trouble", [answer(500), THROTTLED, CUT, SILENT, b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_call_that_keeps_failing_ends_as_unreachable(trouble: bytes) -> None:
    began = time.monotonic()
    with scripted([trouble]) as server, pytest.raises(UnreachableError, match="GetParameter of ssm failed 3 times"):
        _aws(server.url).parameter("/x")
    assert time.monotonic() - began < 5
    assert len(server.requests) == 3


def test_nobody_listens() -> None:
    with scripted([CUT]) as server:
        url = server.url
    with pytest.raises(UnreachableError):
        _aws(url).parameter("/x")


def test_an_answer_that_trickles_does_not_hold_the_build() -> None:
    head = b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n"
    endless = head + b"1\r\nx\r\n" * 2_000_000
    with scripted([endless]) as server, pytest.raises(UnreachableError):
        _aws(server.url).parameter("/x")


def test_a_refusal_is_said_at_once() -> None:
    with (
        scripted([DENIED]) as server,
        pytest.raises(AwsRefusedError, match="GetParameter was refused: AccessDeniedException"),
    ):
        _aws(server.url).parameter("/x")
    assert len(server.requests) == 1


def test_a_refusal_of_sts_is_said_with_its_code() -> None:
    refusal = "<ErrorResponse xmlns='https://sts'><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    with scripted([answer(403, refusal)]) as server, pytest.raises(AwsRefusedError) as refused:
        _aws(server.url).assume_role("arn:aws:iam::111111111111:role/x", "website", {})
    assert refused.value.code == "AccessDenied"


def test_an_event_that_the_bus_does_not_take_is_refused() -> None:
    failed = answer(200, {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "no"}]})
    with scripted([failed]) as server, pytest.raises(AwsRefusedError, match="PutEvents was refused: MalformedDetail"):
        _aws(server.url).put_event("kakehashi.backlog", "Mirrors differ", {})


def test_a_thread_keeps_its_connection_and_shares_it_with_no_other() -> None:
    with scripted([VALUE]) as server:
        aws = _aws(server.url)
        for _ in range(5):
            aws.parameter("/x")
        assert server.connections == 1
        other = threading.Thread(target=aws.parameter, args=("/x",))
        other.start()
        other.join()
        assert server.connections == 2


def test_a_kept_connection_that_the_server_closed_costs_no_attempt() -> None:
    with scripted([VALUE, CUT, VALUE]) as server:
        aws = _aws(server.url, Patience(attempts=1, answer=1))
        assert [aws.parameter("/x"), aws.parameter("/x")] == ["x", "x"]
        assert server.connections == 2


def _given(minutes: float, key: str = "AKIA") -> bytes:
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    expiration = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    return answer(200, {"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": expiration})


def test_a_build_asks_its_container_again_before_its_credentials_end() -> None:
    with scripted([answer(500), _given(1, "first"), _given(60, "second")]) as server:
        relative = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials?x=1"}
        provider = own_credentials(relative, Connections(HASTY), container=server.url)
        assert [provider().access_key for _ in range(4)] == ["first", "second", "second", "second"]
    assert server.requests[0].startswith(b"GET /v2/credentials?x=1 HTTP/1.1\r\n")


def test_the_containers_address_gets_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    with scripted([_given(60)]) as server:
        full = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/c", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "given"}
        for more in ({}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}):
            own_credentials(full | more, Connections(HASTY))()
    assert b"Authorization: given\r\n" in server.requests[0]
    assert b"Authorization: from a file\r\n" in server.requests[1]


def test_credentials_of_the_environment_come_first() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}
    both = keys | {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/nowhere"}
    assert own_credentials(both, Connections())() == Credentials("a", "b", "c")


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x", "http://169.254.169.254/latest", ""])
def test_credentials_come_from_no_other_machine_in_clear(url: str) -> None:
    with pytest.raises(AwsRefusedError):
        own_credentials({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}, Connections())


def test_credentials_that_are_valid_are_used_when_no_new_ones_come() -> None:
    given = [Credentials("first", "s", None, time.time() + 60)]

    def ask() -> Credentials:
        if given:
            return given.pop()
        raise UnreachableError("no answer")

    provider = Renewed(ask)
    assert [provider().access_key, provider().access_key] == ["first", "first"]


def test_credentials_that_ended_are_not_used() -> None:
    given = [Credentials("first", "s", None, time.time() + 0.1)]

    def ask() -> Credentials:
        if given:
            return given.pop()
        raise UnreachableError("no answer")

    provider = Renewed(ask)
    provider()
    time.sleep(0.15)
    with pytest.raises(UnreachableError):
        provider()


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Emulator(log=tmp_path_factory.mktemp("emulator") / "aws.log") as emulator:
        yield emulator.url


def _boto(service: str, url: str) -> Any:
    return boto3.client(
        service,
        region_name="ap-northeast-1",
        endpoint_url=url,
        aws_access_key_id=KEY.access_key,
        aws_secret_access_key=KEY.secret_key,
    )


@pytest.mark.emulator
def test_the_calls_are_those_of_aws(emulated: str) -> None:
    ssm = _boto("ssm", emulated)
    ssm.put_parameter(Name="/key", Value="the key", Type="SecureString")
    ssm.put_parameter(Name="/state", Value="{}", Type="String")
    aws = _aws(emulated, Patience())
    assert aws.parameter("/key") == "the key"
    aws.put_parameter("/state", '{"website": 1}')
    assert json.loads(aws.parameter("/state")) == {"website": 1}
    with pytest.raises(AwsRefusedError) as refused:
        aws.parameter("/missing")
    assert refused.value.code == "ParameterNotFound"

    code = _boto("codecommit", emulated)
    code.create_repository(repositoryName="website")
    assert aws.default_branch("website") is None
    with pytest.raises(AwsRefusedError) as refused:
        aws.default_branch("missing")
    assert refused.value.code == "RepositoryDoesNotExistException"

    session = aws.assume_role("arn:aws:iam::111111111111:role/mirror", "website", {"Version": "2012-10-17"})
    assert session.expires is not None
    assert 3000 < session.expires - time.time() <= 3601
    role = aws.as_role("arn:aws:iam::111111111111:role/mirror", "website", {"Version": "2012-10-17"})
    assert role.provider().token
    role.put_event("kakehashi.backlog", "Mirrors differ", {"unit": "example"})
