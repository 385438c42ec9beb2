"""What CodeCommit says and does not say about a push."""

import itertools
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from buildspec.mirror import retries
from buildspec.mirror.connection import BusyError, Server, secure
from buildspec.mirror.failures import RelayRefusedError, UnreachableError
from buildspec.mirror.model import Change
from buildspec.mirror.packets import FLUSH, packet
from buildspec.mirror.retries import Timeouts
from buildspec.mirror.target import Target
from tests.buildspec.mirror.ends import TOKEN, Ends, Passing, add, commits, empty, git, refs
from tests.buildspec.mirror.narrow_target import OFFERED, PASSWORD, narrow_target
from tests.buildspec.mirror.scripted import CUT, SILENT, answer, scripted

pytestmark = pytest.mark.tool("git")

IMPATIENT = Timeouts(connect=30, silence=0.2, answer=0.2)
LONG = 10  # seconds, on a machine with much to do
NOISE = ssl.RAND_bytes(1_200_000)
CREATION = [Change(b"refs/heads/main", None, b"1" * 40)]
ENDLESS = itertools.repeat(bytes(65536))


def commit(ends: Ends, content: bytes = b"1") -> None:
    add(ends.source, commits("refs/heads/main", [("a", content)]))


def test_waits_while_the_target_is_busy(ends: Ends) -> None:
    commit(ends)
    ends.server.busy = 2
    assert ends.mirror() == {b"refs/heads/main": None}
    assert ends.server.requests == ["GET", "GET", "GET", "POST"]


def test_repeats_a_push_that_the_target_was_too_busy_for(ends: Ends) -> None:
    commit(ends)
    target = ends.connect_target()
    listing = target.list()
    ends.server.busy = 1
    with ends.connect_source().open() as session:
        (new,) = session.listing.refs.values()
        pack = b"".join(session.fetch([new], [], listing.capabilities))
    assert target.push([Change(b"refs/heads/main", None, new)], [pack]) == {b"refs/heads/main": None}
    assert ends.server.requests == ["GET", "POST", "GET", "POST"]
    assert target.pack_bytes == len(pack)


def test_gives_up_on_a_target_that_stays_busy(ends: Ends) -> None:
    ends.server.busy = 99
    with pytest.raises(UnreachableError, match=r"cannot answer now \(HTTP 503\)"):
        ends.connect_target().list()
    assert len(ends.server.requests) == 5


def test_does_not_repeat_a_large_push_whose_pack_is_gone(ends: Ends) -> None:
    commit(ends, NOISE)
    target = ends.connect_target()
    target.list()
    ends.server.busy = 1
    with pytest.raises(UnreachableError, match="503"):
        target.push(CREATION, iter([NOISE]))
    assert ends.server.requests == ["GET", "POST"]


@pytest.mark.parametrize("content", [b"1", NOISE])
def test_says_that_a_push_was_cut(ends: Ends, content: bytes) -> None:
    commit(ends, content)
    ends.server.cut_pushes = 1
    with pytest.raises(UnreachableError, match="the target broke off"):
        ends.mirror()
    assert refs(ends.target) == {}
    assert ends.mirror() == {b"refs/heads/main": None}
    assert ends.whole()


@pytest.mark.parametrize("sent", [0, 20])
def test_does_not_repeat_a_push_whose_answer_was_cut(ends: Ends, sent: int) -> None:
    commit(ends)
    ends.server.cut_answers = sent
    with pytest.raises(UnreachableError, match="the target broke off"):
        ends.mirror()
    assert ends.server.requests == ["GET", "POST"]
    assert ends.whole()


def test_does_not_repeat_a_push_that_was_applied_all_the_same(ends: Ends) -> None:
    commit(ends)
    ends.server.busy_answers = True
    with pytest.raises(UnreachableError, match="503"):
        ends.mirror()
    assert ends.server.requests == ["GET", "POST", "GET"]
    assert ends.whole()


@pytest.mark.parametrize("content", [b"1", NOISE])
def test_waits_only_so_long_for_the_answer(ends: Ends, content: bytes) -> None:
    commit(ends, content)
    ends.target_timeouts = Timeouts(connect=30, silence=30, answer=0.2)
    ends.server.silent = True
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="the target broke off: timed out"):
        ends.mirror()
    assert time.monotonic() - started < LONG


def test_waits_only_so_long_until_the_target_reads(ends: Ends) -> None:
    ends.target_timeouts = IMPATIENT
    ends.server.stops_reading = True
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="the target stopped reading"):
        ends.connect_target().push(CREATION, ENDLESS)
    assert time.monotonic() - started < LONG


def test_ends_a_push_that_the_target_refuses_while_it_comes(ends: Ends) -> None:
    ends.server.full = True
    with pytest.raises((RelayRefusedError, UnreachableError), match=r"413|broke off"):
        ends.connect_target().push(CREATION, ENDLESS)


def test_says_that_the_target_takes_no_such_request(ends: Ends) -> None:
    ends.server.full = True
    with pytest.raises(RelayRefusedError, match=r"the target refuses the request \(HTTP 413\)"):
        ends.connect_target().push(CREATION, [b"PACK"])


@pytest.mark.parametrize("status", [401, 403])
def test_names_the_access_key_that_is_refused_and_no_secret(ends: Ends, status: int) -> None:
    ends.server.status = status
    with pytest.raises(UnreachableError) as error:
        ends.connect_target().list()
    assert "access key AKIAEXAMPLE" in str(error.value)
    assert TOKEN.partition("%")[2] not in str(error.value)
    assert PASSWORD not in str(error.value)
    assert ends.server.requests == ["GET"]


@pytest.mark.parametrize(
    ("status", "says"),
    [(404, "the target does not exist: /v1/repos/website"), (302, "not Git's protocol"), (400, "refuses the request")],
)
def test_does_not_ask_again_what_was_answered(ends: Ends, status: int, says: str) -> None:
    ends.server.status = status
    with pytest.raises(UnreachableError, match=says):
        ends.connect_target().list()
    assert ends.server.requests == ["GET"]


def test_says_that_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buildspec.mirror.retries._FIRST_PAUSE", 0)
    target = Target(
        "x", "website", lambda: (TOKEN, PASSWORD), connect=lambda timeout: HTTPConnection("127.0.0.1", 1, timeout)
    )
    with pytest.raises(UnreachableError, match="the target cannot be connected to"):
        target.list()


@pytest.mark.parametrize("unoffered", [b"side-band-64k", b"report-status"])
def test_reads_results_also_of_a_target_that_offers_less(ends: Ends, unoffered: bytes) -> None:
    hooks = ends.target / "hooks"
    hooks.mkdir()
    (hooks / "update").write_text('#!/bin/sh\n[ "$1" != refs/heads/no ]\n')
    (hooks / "update").chmod(0o755)
    ends.server.offered = OFFERED - {unoffered}
    commit(ends)
    git(ends.source, "branch", "no", "main")
    results = ends.mirror()
    assert results.pop(b"refs/heads/no") in ("hook declined", "the target did not change it")
    assert results == {b"refs/heads/main": None}


def test_asks_for_no_deletion_that_the_target_does_not_offer(ends: Ends) -> None:
    commit(ends)
    git(ends.source, "branch", "gone", "main")
    ends.mirror()
    git(ends.source, "branch", "-m", "gone", "new")
    ends.server.offered = OFFERED - {b"delete-refs"}
    assert ends.mirror() == {b"refs/heads/gone": "the target takes no deletions", b"refs/heads/new": None}


@pytest.mark.parametrize("content", [b"1", NOISE])
def test_sends_in_chunks_only_what_is_large(ends: Ends, content: bytes) -> None:
    commit(ends, content)
    ends.mirror(seen := Passing())
    assert ends.whole()
    assert ends.server.chunked == (len(content) > 1)
    assert ends.server.users == {TOKEN}
    assert len(seen.pack) >= len(content)


def test_a_push_without_objects_is_refused_as_a_whole(ends: Ends) -> None:
    with pytest.raises(RelayRefusedError, match="refuses the pack"):
        ends.connect_target().push(CREATION, [b"PACK is not a pack"])


LISTED = b"".join(map(packet, (b"# service=git-receive-pack\n",))) + FLUSH
LISTED += packet(b"%b refs/heads/main\0report-status" % (b"1" * 40)) + FLUSH


def _shared(url: str) -> Server:
    return Server(lambda timeout: HTTPConnection(url.removeprefix("http://"), timeout=timeout))


def _list(server: Server, name: str) -> None:
    target = Target("x", name, lambda: (TOKEN, PASSWORD), server=server, timeouts=IMPATIENT)
    assert target.list().refs == {b"refs/heads/main": b"1" * 40}


@pytest.mark.parametrize(
    "answered",
    [
        answer(200, LISTED.decode()),
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(LISTED), LISTED),
    ],
)
def test_the_listings_of_a_thread_share_a_connection(answered: bytes) -> None:
    with scripted([answered]) as server:
        shared = _shared(server.url)
        for name in ("a", "b", "a"):
            _list(shared, name)
        thread = threading.Thread(target=_list, args=(shared, "c"))
        thread.start()
        thread.join()
        assert [request.split()[1].split(b"/")[3] for request in server.requests] == [b"a", b"b", b"a", b"c"]
        assert server.connections == 2


@pytest.mark.parametrize("ending", [answer(200, LISTED.decode(), more="Connection: close\r\n"), CUT])
def test_a_listing_connects_again_where_the_server_closed_what_was_kept(ending: bytes) -> None:
    with scripted([answer(200, LISTED.decode()), ending, answer(200, LISTED.decode())]) as server:
        shared = _shared(server.url)
        for name in ("a", "b", "c"):
            _list(shared, name)
        assert server.connections == 2


def test_a_listing_waits_only_so_long_on_a_kept_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buildspec.mirror.retries._FIRST_PAUSE", 0)
    with scripted([answer(200, LISTED.decode()), SILENT]) as server:
        shared = _shared(server.url)
        _list(shared, "a")
        with pytest.raises(UnreachableError, match="the target broke off: timed out"):
            _list(shared, "b")
        assert len(server.requests) == 6


def test_a_push_has_a_connection_of_its_own() -> None:
    report = packet(b"unpack ok\n") + packet(b"ok refs/heads/main\n") + FLUSH
    listed = answer(200, LISTED.decode())
    with scripted([listed, answer(200, report.decode()), listed]) as server:
        target = Target("x", "a", lambda: (TOKEN, PASSWORD), server=_shared(server.url))
        target.list()
        assert target.push([Change(b"refs/heads/main", None, b"2" * 40)], [b"PACK"]) == {b"refs/heads/main": None}
        target.list()
        assert server.connections == 2


REFUSALS = {
    b"": "the target broke off",
    FLUSH: "refuses the pack: nothing",
    packet(b"unpack ok\n"): "the target broke off",
    packet(b"unpack index-pack abnormal exit\n") + FLUSH: "refuses the pack: unpack index-pack abnormal exit",
    packet(b"\x03pack exceeds the largest size") + FLUSH: "the target aborted: pack exceeds the largest size",
    packet(b"\x02progress") + FLUSH: "the target broke off",
    packet(b"ERR no"): "the target answers: no",
    b"<html>": "not Git's protocol",
}


@pytest.mark.parametrize("answer", REFUSALS)
def test_takes_nothing_but_a_whole_report_for_a_success(ends: Ends, answer: bytes) -> None:
    ends.server.answers = answer
    with pytest.raises(RelayRefusedError, match=REFUSALS[answer]):
        ends.connect_target().push(CREATION, [b"PACK"])


def test_a_ref_that_the_report_leaves_out_was_not_changed(ends: Ends) -> None:
    ends.server.answers = packet(b"unpack ok\n") + packet(b"ok refs/heads/other\n") + FLUSH
    assert ends.connect_target().push(CREATION, [b"PACK"]) == {b"refs/heads/main": "the target says nothing about it"}


@pytest.mark.parametrize("verdict", [b"okay", b"", b"maybe"])
def test_nothing_but_ok_says_that_a_ref_was_changed(ends: Ends, verdict: bytes) -> None:
    ends.server.answers = packet(b"unpack ok\n") + packet(verdict + b" refs/heads/main\n") + FLUSH
    assert ends.connect_target().push(CREATION, [b"PACK"]) == {b"refs/heads/main": "without a reason"}


def test_a_target_with_too_many_requests_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST_PAUSE", 0.01)
    with scripted([answer(429)]) as server:
        port = int(server.url.rpartition(":")[2])
        target = Target(
            "x", "y", lambda: ("u", "p"), connect=lambda wait: HTTPConnection("127.0.0.1", port, timeout=wait)
        )
        with pytest.raises(BusyError, match="HTTP 429"):
            target.list()
    assert len(server.requests) == 5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "SSL_CERT_FILE", None])
def test_trusts_only_known_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificate: Path, variable: str | None
) -> None:
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(certificate))
    monkeypatch.setattr("buildspec.mirror.retries._FIRST_PAUSE", 0.01)
    empty(tmp_path / "website")
    with narrow_target(tmp_path, certificate) as server:
        target = Target("x", "website", lambda: (TOKEN, PASSWORD), connect=secure(f"127.0.0.1:{server.port}"))
        if variable:
            assert target.list().refs == {}
        else:
            with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
                target.list()
