"""Which requests Squid allows and refuses with the configuration that is deployed."""

import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.mirror.certificates import certificates
from tests.real.mirror.services import GIT_HOST
from tests.real.mirror.world import Repository
from tests.real.proxy.conftest import PUSH_USER, Proxy
from tests.real.proxy.namespace import CODECOMMIT, IN_THE_VPC, LEADS_TO_METADATA, OUTSIDE_THE_VPC, PROXY, PROXY_HOST
from tests.terraform import Stacks


@pytest.mark.parametrize("deployment", ["example", "everything"])
def test_squid_accepts_the_configuration_without_a_warning(
    synthesised: Callable[[str], Stacks], deployment: str, tmp_path: Path
) -> None:
    certificates(tmp_path)
    squid_conf = tmp_path / "squid.conf"
    deployed = (synthesised(deployment).out / "stacks" / "dev-proxy" / "squid.conf").read_text()
    squid_conf.write_text(deployed.replace("/etc/squid/unused.pem", f"{tmp_path}/server.pem"))
    parsed = subprocess.run(["squid", "-k", "parse", "-f", squid_conf], capture_output=True, text=True, timeout=30)
    assert parsed.returncode == 0, parsed.stderr
    assert "Processing: http_access deny all" in parsed.stderr
    assert "Processing: ssl_bump terminate all" in parsed.stderr
    assert [line for line in parsed.stderr.splitlines() if "WARNING" in line or "ERROR" in line] == []


def test_squid_runs_without_a_warning(proxy: Proxy) -> None:
    said = (proxy.folder / "squid.stderr").read_text()
    assert "Accepting HTTP Socket connections" in said
    assert [line for line in said.splitlines() if "WARNING" in line or "ERROR" in line] == []


def test_every_allowed_host_gets_a_tunnel(proxy: Proxy) -> None:
    hosts = (GIT_HOST, "awscli.amazonaws.com", "packages.gitlab.com", "example.org", "a.b.example.org")
    assert {host: proxy.tunnel(f"{host}:443") for host in hosts} == dict.fromkeys(hosts, 200)


def test_another_spelling_of_a_host_counts_as_that_host(proxy: Proxy) -> None:
    allowed = (GIT_HOST.upper(), f"{GIT_HOST}.", "A.Example.ORG.")
    assert {host: proxy.tunnel(f"{host}:443") for host in allowed} == dict.fromkeys(allowed, 200)
    others = ("EVIL.EXAMPLE.COM", "evil.example.com.", "S3.Amazonaws.Com.")
    assert {host: proxy.tunnel(f"{host}:443") for host in others} == dict.fromkeys(others, 403)


def _hello(name: str | None) -> bytes:
    """What a TLS client sends first to a server of this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name).do_handshake()
    return sent.read()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        *((host, host) for host in (GIT_HOST, "awscli.amazonaws.com", "packages.gitlab.com", "a.b.example.org")),
        (GIT_HOST.upper(), GIT_HOST),
        (GIT_HOST, GIT_HOST.upper()),
    ],
)
def test_tls_to_the_host_that_was_asked_for_reaches_it(proxy: Proxy, host: str, name: str) -> None:
    reached, came = proxy.through(host, _hello(name))
    assert reached == 1
    assert came.startswith(b"\x16\x03")  # the server's part of the handshake


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (GIT_HOST, "evil.example.com"),
        (GIT_HOST, f"evil.{GIT_HOST}"),
        (GIT_HOST, f"{GIT_HOST}.evil.example.com"),
        (GIT_HOST, "git-codecommit.us-east-1.amazonaws.com"),
        ("a.example.org", "example.org.evil.example.com"),
        # Allowed, but not what was asked for.
        (GIT_HOST, "packages.gitlab.com"),
        ("packages.gitlab.com", GIT_HOST),
        ("a.example.org", GIT_HOST),
        (GIT_HOST, "-"),
    ],
)
def test_tls_to_another_name_than_the_host_that_was_asked_for_reaches_nobody(
    proxy: Proxy, host: str, name: str
) -> None:
    assert proxy.through(host, _hello(name)) == (0, b"")


@pytest.mark.parametrize("host", [GIT_HOST, "a.example.org"])
def test_tls_without_a_name_reaches_nobody(proxy: Proxy, host: str) -> None:
    assert proxy.through(host, _hello(None)) == (0, b"")


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        f"POST / HTTP/1.1\r\nHost: {GIT_HOST}\r\nContent-Length: 6\r\n\r\nsecret".encode(),
        f"CONNECT {GIT_HOST}:443 HTTP/1.1\r\nHost: {GIT_HOST}\r\n\r\n".encode(),
        b"\x16\x03\x01\xff\xffsecret",
        bytes(range(256)) * 40,
    ],
)
def test_what_is_not_tls_reaches_nobody(proxy: Proxy, sent: bytes) -> None:
    reached, _ = proxy.through(GIT_HOST, sent)
    assert reached == 0


def test_every_other_host_is_refused(proxy: Proxy) -> None:
    hosts = (
        *("evil.example.com", "amazonaws.com", "s3.amazonaws.com", "git-codecommit.us-east-1.amazonaws.com"),
        # These only begin or end like an allowed host.
        *("evil-amazonaws.com", f"evil-{GIT_HOST}", f"evil.{GIT_HOST}", f"{GIT_HOST}.evil.example.com"),
        *("evilexample.org", "example.org.evil.example.com", "localhost"),
    )
    assert {host: proxy.tunnel(f"{host}:443") for host in hosts} == dict.fromkeys(hosts, 403)


def test_every_other_port_is_refused(proxy: Proxy) -> None:
    assert {port: proxy.tunnel(f"{GIT_HOST}:{port}") for port in (22, 80, 8443)} == {22: 403, 80: 403, 8443: 403}


def test_an_address_is_refused_however_it_is_written(proxy: Proxy) -> None:
    addresses = (CODECOMMIT, f"{CODECOMMIT}.", "3325256714", "0xc633640a", "198.51.25610", "[2001:db8::1]", "[::1]")
    assert {address: proxy.tunnel(f"{address}:443") for address in addresses} == dict.fromkeys(addresses, 403)


def test_a_tunnel_is_judged_by_its_target_and_not_by_the_host_header(proxy: Proxy) -> None:
    assert proxy.status(f"CONNECT evil.example.com:443 HTTP/1.1\r\nHost: {GIT_HOST}:443\r\n\r\n") == 403


def test_an_allowed_host_that_resolves_to_an_internal_address_is_refused(proxy: Proxy) -> None:
    assert proxy.tunnel(f"{LEADS_TO_METADATA}:443") == 403


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "TRACE"])
def test_plain_http_is_refused(proxy: Proxy, method: str) -> None:
    request = "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n"
    assert proxy.status(request.format(method, f"http://{GIT_HOST}/", GIT_HOST)) == 403
    assert proxy.status(request.format(method, f"http://{GIT_HOST}:443/", GIT_HOST)) == 403


def test_squids_own_pages_are_refused(proxy: Proxy) -> None:
    assert proxy.status(f"GET http://{PROXY_HOST}:3128/squid-internal-mgr/menu HTTP/1.0\r\n\r\n") == 403


def test_a_client_outside_the_vpc_is_refused(proxy: Proxy) -> None:
    assert proxy.tunnel(f"{GIT_HOST}:443", source=OUTSIDE_THE_VPC) == 403
    request = "CONNECT {0}:443 HTTP/1.1\r\nHost: {0}:443\r\nX-Forwarded-For: {1}\r\n\r\n"
    for pretended in (IN_THE_VPC, "127.0.0.1"):
        assert proxy.status(request.format(GIT_HOST, pretended), source=OUTSIDE_THE_VPC) == 403


def test_a_client_cannot_reach_the_port_that_the_proxy_calls_itself(proxy: Proxy) -> None:
    assert "http_port 127.0.0.1:3129" in (proxy.folder / "squid.conf").read_text()
    connect = f"import socket; socket.create_connection(({PROXY!r}, 3129))"
    assert "ConnectionRefusedError" in proxy.run(sys.executable, "-c", connect, environment={}).stderr


def test_every_request_is_logged_with_its_client_host_result_and_name_in_tls(proxy: Proxy) -> None:
    before = len(proxy.logged())
    proxy.through(GIT_HOST, _hello(GIT_HOST))
    proxy.through(GIT_HOST, _hello("evil.example.com"))
    proxy.tunnel("evil.example.com:443", source=OUTSIDE_THE_VPC)
    # A tunnel is logged when it ends.
    ended = [[*line[1:6], line[8]] for line in _eventually(lambda: proxy.logged()[before:], 6)]
    asked = ["CONNECT", f"{GIT_HOST}:443"]
    assert sorted(ended) == sorted(
        [
            [IN_THE_VPC, "TCP_TUNNEL/200", *asked, "127.0.0.1", "-"],
            [IN_THE_VPC, "NONE_NONE/200", *asked, "-", GIT_HOST],
            ["127.0.0.1", "TCP_TUNNEL/200", *asked, CODECOMMIT, GIT_HOST],
            [IN_THE_VPC, "TCP_TUNNEL/200", *asked, "127.0.0.1", "-"],
            [IN_THE_VPC, "NONE_NONE/200", *asked, "-", "evil.example.com"],
            [OUTSIDE_THE_VPC, "TCP_DENIED/403", "CONNECT", "evil.example.com:443", "-", "-"],
        ]
    )


def _eventually(read: Callable[[], list[list[str]]], count: int) -> list[list[str]]:
    for _ in range(100):
        if len(found := read()) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{len(found)} of {count} lines")


def test_a_push_through_the_proxy_reaches_this_regions_codecommit_only(proxy: Proxy, tmp_path: Path) -> None:
    source = Repository.create(tmp_path / "source.git")
    commit = source.commit("refs/heads/main")
    push = (
        *("git", "-C", str(source.path), "push", "--quiet"),
        *(f"https://{PUSH_USER}:secret@{GIT_HOST}/v1/repos/infrastructure", "refs/heads/main"),
    )
    # GitLab gives Gitaly the same variables.
    url = f"http://{PROXY_HOST}:3128"
    environment = {
        "http_proxy": url,
        "https_proxy": url,
        "no_proxy": "localhost,127.0.0.1,169.254.169.254",
        "GIT_SSL_CAINFO": str(proxy.folder / "ca.pem"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(tmp_path),
    }
    pushed = proxy.run(*push, environment=environment)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert proxy.repository.refs() == {"refs/heads/main": commit}

    elsewhere = [word.replace(GIT_HOST, "git-codecommit.us-east-1.amazonaws.com") for word in push]
    refused = proxy.run(*elsewhere, environment=environment)
    assert refused.returncode != 0
    assert "CONNECT tunnel failed, response 403" in refused.stderr
