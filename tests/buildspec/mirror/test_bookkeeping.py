"""What a build leaves behind: state, notices and records."""

import dataclasses
import io
import ipaddress
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks import price
from buildspec.mirror.aws import Aws
from buildspec.mirror.calls import Connections
from buildspec.mirror.config import Started
from buildspec.mirror.failures import UnreachableError
from buildspec.mirror.mirror import Outcome
from buildspec.mirror.notices import Notices, log_link
from buildspec.mirror.report import Log
from buildspec.mirror.signing import Credentials
from buildspec.mirror.unit import Bookkeeping
from tests.buildspec.mirror.cloud import PATIENCE, Cloud
from tests.buildspec.mirror.scripted import CUT, answer, scripted
from tests.buildspec.mirror.test_config import CONFIG
from tests.buildspec.mirror.test_unit import AWAY, EQUAL, STOPPED

NOW = datetime(2026, 11, 29, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEYS = ("website", "shop", "api")
STATE = CONFIG.state_parameter


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        cloud.parameters[STATE] = "{}"
        yield cloud


def _close(
    cloud: Cloud, outcomes: dict[str, Outcome], now: datetime = NOW, *, whole: bool = True, **changed: Any
) -> tuple[bool, list[str], list[dict[str, Any]]]:
    """Close a build; whether that went well, the lines of its log, and its records."""
    config = dataclasses.replace(CONFIG, **changed)
    stream = io.StringIO()
    notices = Notices(cloud.aws(), cloud.connections, config.unit, "https://log", config.notify_parameter)
    started = Started(tuple(outcomes), whole)
    well = Bookkeeping(config, started, cloud.aws(), notices, Log(stream)).close(outcomes, now)
    lines = stream.getvalue().splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return well, [line for line in lines if not line.startswith("{")], records


def test_a_build_whose_mirrors_are_equal_writes_nothing(cloud: Cloud) -> None:
    well, lines, _ = _close(cloud, dict.fromkeys(KEYS, EQUAL))
    assert well
    assert lines == []
    assert cloud.calls == ["GetParameter"]


def test_people_are_told_of_a_mirror_from_when_it_differs_until_it_is_equal(cloud: Cloud) -> None:
    for hour in range(8):
        well, _, _ = _close(cloud, {"website": AWAY, "shop": EQUAL}, NOW + hour * HOUR)
        assert well
    text = "website (since 2026-11-29 05:00 UTC: no answer). In all, 1 mirror differs"
    assert cloud.events == [("Mirrors differ", {"unit": CONFIG.unit, "mirrors": text, "log": "https://log"})]
    _close(cloud, {"website": EQUAL, "shop": EQUAL}, NOW + 9 * HOUR)
    assert cloud.events[1:] == [
        ("Mirrors equal again", {"unit": CONFIG.unit, "mirrors": "website", "log": "https://log"})
    ]
    assert cloud.parameters[STATE] == "{}"


def test_a_reason_stands_in_a_template_as_it_is(cloud: Cloud) -> None:
    _close(cloud, {"website": STOPPED})
    text = cloud.events[0][1]["mirrors"]
    assert "the target refuses refs/heads/x: ″no″ never" in text
    assert not set(text) & set('"\\\n')


def test_many_mirrors_are_counted(cloud: Cloud) -> None:
    _close(cloud, {f"mirror-{number:04}": STOPPED for number in range(1000)})
    [(_, detail)] = cloud.events
    assert detail["mirrors"].endswith(", and 980 others. In all, 1000 mirrors differ")
    assert len(json.dumps(detail).encode()) < 200_000
    assert '"+":9' in cloud.parameters[STATE]


def test_a_build_for_one_mirror_changes_its_entry_alone(cloud: Cloud) -> None:
    _close(cloud, {"website": AWAY, "shop": AWAY})
    _close(cloud, {"website": EQUAL}, whole=False)
    assert json.loads(cloud.parameters[STATE]) == {"shop": "2026-11-29T05:00Z"}


def test_what_another_build_wrote_while_people_were_told_stays(cloud: Cloud) -> None:
    def before(call: str) -> None:
        if call == "PutEvents":
            cloud.parameters[STATE] = '{"shop":"2026-11-29T04:00Z"}'

    cloud.before = before
    _close(cloud, {"website": STOPPED}, whole=False)
    assert json.loads(cloud.parameters[STATE]).keys() == {"website", "shop"}


def test_what_another_build_wrote_since_the_first_look_stays(cloud: Cloud) -> None:
    def before(_: str) -> None:
        if cloud.calls == ["GetParameter"] * 2:
            cloud.parameters[STATE] = '{"shop":"2026-11-29T04:00Z"}'

    cloud.before = before
    _close(cloud, {"website": AWAY}, whole=False)
    assert json.loads(cloud.parameters[STATE]).keys() == {"website", "shop"}


@pytest.mark.parametrize("call", ["GetParameter", "PutParameter"])
def test_a_state_that_cannot_be_used_is_not_taken_for_an_empty_one(cloud: Cloud, call: str) -> None:
    before = cloud.parameters[STATE] = '{"shop":"2026-11-28T05:00Z"}'
    cloud.failing = {call}
    well, lines, records = _close(cloud, {"website": AWAY, "shop": AWAY})
    assert not well
    assert lines == [
        f"mirror: failed: it is not known since when mirrors differ, as {STATE} cannot be used: "
        f"{call} was refused: AccessDeniedException: no"
    ]
    assert cloud.parameters[STATE] == before
    assert "OldestInequality" not in records[-1]
    assert records[-1]["Failed"] == 2


def test_a_state_that_somebody_broke_is_reported_and_kept_anew(cloud: Cloud) -> None:
    cloud.parameters[STATE] = "none"
    well, lines, _ = _close(cloud, {"website": AWAY, "shop": EQUAL})
    assert not well
    assert "it held something else; from now on it is kept anew" in lines[0]
    assert json.loads(cloud.parameters[STATE]) == {"website": "2026-11-29T05:00Z"}
    assert _close(cloud, {"website": AWAY, "shop": EQUAL})[0]


def test_a_broken_state_is_replaced_also_where_no_mirror_differs(cloud: Cloud) -> None:
    cloud.parameters[STATE] = "none"
    assert not _close(cloud, dict.fromkeys(KEYS, EQUAL))[0]
    assert cloud.parameters[STATE] == "{}"


def test_a_notice_that_failed_makes_the_build_fail_and_is_repeated(cloud: Cloud) -> None:
    cloud.failing = {"PutEvents"}
    well, lines, _ = _close(cloud, {"website": STOPPED})
    assert not well
    assert lines[0].startswith("mirror: failed: people were not told that mirrors differ or are equal again: PutEvents")
    assert json.loads(cloud.parameters[STATE])["website"].startswith("2026-11-29T05:00Z - ")
    cloud.failing = set()
    assert _close(cloud, {"website": STOPPED}, NOW + HOUR)[0]
    assert len(cloud.events) == 1
    assert "2026-11-29 05:00 UTC" in cloud.events[0][1]["mirrors"]
    assert _close(cloud, {"website": STOPPED}, NOW + 2 * HOUR)[0]
    assert len(cloud.events) == 1


def test_cloudwatch_gets_the_metrics_of_the_unit_and_an_event_for_each_mirror(cloud: Cloud) -> None:
    cloud.parameters[STATE] = '{"shop":"2026-11-29T03:00Z"}'
    moved = dataclasses.replace(EQUAL, bytes_in=10, bytes_out=20)
    _, _, [website, shop, unit] = _close(cloud, {"website": moved, "shop": AWAY})
    assert website == {
        "unit": CONFIG.unit,
        "mirror": "website",
        "equal_since": "2026-11-29 05:00 UTC",
        "differs_since": None,
        "refs": 5,
        "bytes": 30,
        "failed": False,
    }
    assert (shop["equal_since"], shop["differs_since"], shop["failed"]) == (None, "2026-11-29 03:00 UTC", True)
    [described] = unit["_aws"]["CloudWatchMetrics"]
    assert (described["Namespace"], described["Dimensions"]) == ("Kakehashi/Backlog", [["Unit"]])
    assert {metric["Name"]: (metric["Unit"], unit[metric["Name"]]) for metric in described["Metrics"]} == {
        "OldestInequality": ("Seconds", 7200),
        "Reconciled": ("Count", 1),
    }
    assert (unit["Unit"], unit["Failed"], unit["BytesMoved"]) == (CONFIG.unit, 1, 30)
    assert len(described["Metrics"]) == price.METRICS_OF_UNIT


def test_a_build_for_one_mirror_is_no_reconcile(cloud: Cloud) -> None:
    _, _, records = _close(cloud, {"website": EQUAL}, whole=False)
    assert "Reconciled" not in records[-1]


def test_each_mirror_has_a_metric_where_that_is_wanted(cloud: Cloud) -> None:
    _, _, records = _close(cloud, {"website": EQUAL}, metric_of_each_mirror=True)
    assert records[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Unit", "Mirror"]]
    assert (records[0]["Unit"], records[0]["Mirror"], records[0]["Inequality"]) == (CONFIG.unit, "website", 0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A webhook")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - HOUR).not_valid_after(now + HOUR)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path_factory.mktemp("webhook") / "server.pem"
    file.write_bytes(made.public_bytes(encoding) + private)
    return file


WEBHOOK: dict[str, Any] = {"notify_parameter": "/notify", "alert_hours": 0}
PATH = "/services/T0/B0/verysecret?token=alsosecret"


def test_slack_or_teams_is_told_the_same(cloud: Cloud, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    cloud.connections = Connections(PATIENCE)
    with scripted([answer(503), answer(200, "ok")], certificate=certificate) as webhook:
        cloud.parameters["/notify"] = f"{webhook.url}{PATH}\n"
        assert _close(cloud, {"website": AWAY}, **WEBHOOK)[0]
    head, _, body = webhook.requests[1].partition(b"\r\n\r\n")
    assert head.startswith(f"POST {PATH} HTTP/1.1\r\n".encode())
    assert json.loads(body) == {
        "text": f"Mirrors differ: {cloud.events[0][1]['mirrors']}\nUnit {CONFIG.unit}, log: https://log"
    }


@pytest.mark.parametrize(
    "trouble", [answer(404, "no_team"), answer(503), answer(302, more="Location: https://x\r\n"), CUT]
)
def test_a_webhook_that_fails_makes_the_build_fail_and_its_address_stays_secret(
    cloud: Cloud, certificate: Path, monkeypatch: pytest.MonkeyPatch, trouble: bytes
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    cloud.connections = Connections(PATIENCE)
    with scripted([trouble], certificate=certificate) as webhook:
        cloud.parameters["/notify"] = webhook.url + PATH
        well, lines, _ = _close(cloud, {"website": AWAY}, **WEBHOOK)
    assert not well
    assert "the webhook of /notify: " in lines[0]
    assert "secret" not in lines[0]
    assert len(cloud.events) == 1


@pytest.mark.parametrize(
    "host", ["prod-01.japaneast.logic.azure.com", "x.environment.api.powerplatform.com", "example.webhook.office.com"]
)
def test_teams_gets_an_adaptive_card(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    posted: list[bytes] = []

    def request(_method: str, _url: str, _headers: Any, body: bytes, _path: str, *, once: bool) -> tuple[int, bytes]:
        posted.append(body)
        return (202, b"") if once else (500, b"")

    connections = Connections(PATIENCE)
    monkeypatch.setattr(connections, "request", request)
    cloud.parameters["/notify"] = f"https://{host}/workflows/x?sig=secret"
    assert Notices(cloud.aws(), connections, "unit", "https://log", "/notify").tell("Mirrors differ", "website") == ""
    [attachment] = json.loads(posted[0])["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    assert attachment["content"]["body"][0]["text"] == "Mirrors differ: website\nUnit unit, log: https://log"


def test_a_chat_that_fails_makes_no_mail_come_again_and_one_build_fail(cloud: Cloud) -> None:
    cloud.parameters["/notify"] = "http://no-tls.example.com/"
    well = [_close(cloud, {"website": STOPPED}, NOW + hour * HOUR, notify_parameter="/notify")[0] for hour in range(24)]
    assert len(cloud.events) == 1
    assert well == [False] + [True] * 23


def test_a_chat_that_takes_a_notice_without_an_answer_gets_it_once(
    cloud: Cloud, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    cloud.connections = Connections(PATIENCE)
    with scripted([CUT, CUT, CUT], certificate=certificate) as webhook:
        cloud.parameters["/notify"] = webhook.url + PATH
        assert not _close(cloud, {"website": AWAY}, **WEBHOOK)[0]
    assert len(webhook.requests) == 1


def test_an_event_that_may_have_arrived_is_not_sent_again() -> None:
    with scripted([CUT, CUT, CUT]) as events:
        credentials = Credentials("AKIAEXAMPLE", "the secret key", "the token")
        aws = Aws("ap-northeast-1", lambda: credentials, Connections(PATIENCE), endpoint=events.url)
        with pytest.raises(UnreachableError, match="may have arrived"):
            aws.put_event("kakehashi.backlog", "Mirrors differ", {})
    assert len(events.requests) == 1


def test_a_webhook_that_shows_an_unknown_certificate_gets_nothing(cloud: Cloud, certificate: Path) -> None:
    with scripted([answer(200)], certificate=certificate) as webhook:
        cloud.parameters["/notify"] = webhook.url + PATH
        assert not _close(cloud, {"website": AWAY}, **WEBHOOK)[0]
    assert webhook.requests == []


@pytest.mark.parametrize("address", ["http://hooks.example.com/secret", "secret", "", "https://a:secret@example.com/"])
def test_a_webhook_without_https_gets_nothing(cloud: Cloud, address: str) -> None:
    cloud.parameters["/notify"] = address
    well, lines, _ = _close(cloud, {"website": AWAY}, **WEBHOOK)
    assert not well
    assert "no address that begins with https://" in lines[0]
    assert "secret" not in lines[0]


def test_the_link_leads_to_the_builds_log() -> None:
    build = {"CODEBUILD_BUILD_ID": "kakehashi-backlog-example:0a-1b"}
    assert log_link(build, "ap-northeast-1", "222222222222") == (
        "https://ap-northeast-1.console.aws.amazon.com/codesuite/codebuild/222222222222/projects/"
        "kakehashi-backlog-example/build/kakehashi-backlog-example%3A0a-1b/?region=ap-northeast-1"
    )
