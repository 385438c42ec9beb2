"""Signatures are those of botocore and git-remote-codecommit, which AWS maintains."""

import datetime
import string
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import botocore.auth  # type: ignore[import-untyped]
import botocore.awsrequest  # type: ignore[import-untyped]
import botocore.credentials  # type: ignore[import-untyped]
import git_remote_codecommit  # type: ignore[import-untyped]
import hypothesis.strategies as st
from hypothesis import given

from buildspec.mirror.signing import Credentials, git_credentials, git_url, sign

REGIONS = st.sampled_from(["ap-northeast-1", "us-east-1", "cn-north-1"])
MOMENTS = st.datetimes(min_value=datetime.datetime(2020, 1, 1), max_value=datetime.datetime(2099, 12, 31))
NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=100)
CREDENTIALS = st.builds(
    Credentials,
    access_key=st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=20),
    secret_key=st.text(string.ascii_letters + string.digits + "+/", min_size=40, max_size=40),
    token=st.none() | st.text(string.ascii_letters + string.digits + "+/=", min_size=1, max_size=300),
)
# What botocore never signs, what it adds itself, and a date, in place of which it adds none of its own.
NOT_SIGNED = {*botocore.auth.SIGNED_HEADERS_BLACKLIST, "host", "authorization", "date"}
HEADERS = st.dictionaries(
    st.text(string.ascii_letters + string.digits + "-", min_size=1).filter(
        lambda name: name.lower() not in NOT_SIGNED and not name.lower().startswith("x-amz-")
    ),
    st.text(string.printable.replace("\r", "").replace("\n", "").replace("\x0b", "").replace("\x0c", "")),
    max_size=5,
).filter(lambda headers: len({name.lower() for name in headers}) == len(headers))


def _botocore(credentials: Credentials) -> botocore.credentials.Credentials:
    return botocore.credentials.Credentials(credentials.access_key, credentials.secret_key, credentials.token)


@given(CREDENTIALS, REGIONS, NAMES, MOMENTS)
def test_git_has_the_user_and_password_of_git_remote_codecommit(
    credentials: Credentials, region: str, repository: str, now: datetime.datetime
) -> None:
    with patch.object(git_remote_codecommit.datetime, "datetime") as clock:
        clock.utcnow.return_value = now
        theirs = git_remote_codecommit.git_url(repository, "v1", region, _botocore(credentials))
    parts = urlsplit(theirs)
    user, _, host = parts.netloc.rpartition("@")
    assert f"https://{host}{parts.path}" == git_url(region, repository)
    ours = git_credentials(credentials, region, repository, now)
    assert ours == tuple(unquote(part) for part in user.split(":"))


@given(
    CREDENTIALS,
    REGIONS,
    st.sampled_from(["sts", "ssm", "events", "codecommit"]),
    st.sampled_from(["https://sts.ap-northeast-1.amazonaws.com", "http://127.0.0.1:5000"]),
    HEADERS,
    st.binary(max_size=100),
    MOMENTS,
)
def test_calls_are_signed_as_by_botocore(
    credentials: Credentials,
    region: str,
    service: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    now: datetime.datetime,
) -> None:
    request = botocore.awsrequest.AWSRequest(method="POST", url=url + "/", headers=dict(headers), data=body)
    with patch("botocore.auth.get_current_datetime", return_value=now):
        botocore.auth.SigV4Auth(_botocore(credentials), service, region).add_auth(request)
    ours = sign(credentials, region=region, service=service, url=url, headers=headers, body=body, now=now)
    for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
        assert ours.get(name) == request.headers.get(name)


def test_a_secret_is_in_no_text_of_credentials() -> None:
    text = repr(Credentials("AKIAEXAMPLE", "the secret", "the token"))
    assert "AKIAEXAMPLE" in text
    assert "the secret" not in text
    assert "the token" not in text
