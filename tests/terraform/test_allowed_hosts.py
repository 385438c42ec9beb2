"""Which hosts a forward proxy allows, read from the user data that is written for it and from others."""

import base64
import gzip

import pytest

from terraform.allowed_hosts import AllowedHosts, NotReadError, allowed_hosts
from terraform.encoded_texts import decoded
from tests.terraform.proxies import user_data

ALLOW = "http_access allow allowed"


def proxy(text: str) -> AllowedHosts:
    found = allowed_hosts(text)
    assert found is not None
    return found


def with_line(before: str, line: str) -> str:
    """User data in which Squid's configuration has one more line."""
    text = user_data("a.example.com")
    assert before in text
    return text.replace(before, f"{line}\n      {before}")


def test_reads_the_hosts_that_the_written_user_data_allows() -> None:
    assert proxy(user_data("A.example.com", ".example.org")).hosts == {"a.example.com", ".example.org"}


def test_reads_user_data_in_base64_compressed_or_not() -> None:
    text = user_data("a.example.com")
    for content in (text.encode(), gzip.compress(text.encode())):
        assert allowed_hosts(base64.b64encode(content).decode()) == proxy(text)


def test_only_the_hosts_differ_between_two_lists() -> None:
    one, other = proxy(user_data("a.example.com")), proxy(user_data(".example.org"))
    assert one.hosts != other.hosts
    assert one.rest == other.rest


@pytest.mark.parametrize(
    "changed",
    [
        user_data("a.example.com").replace("http_access deny inside", "# nothing"),
        user_data("a.example.com").replace("acl tls port 443", "acl tls port 1-65535"),
        user_data("a.example.com").replace("squid -k parse", "echo http_access allow all >/x; squid -k parse"),
        user_data("a.example.com").replace("http_access deny addresses", "http_access deny !addresses"),
    ],
)
def test_everything_else_that_decides_about_access_differs(changed: str) -> None:
    text = user_data("a.example.com")
    assert changed != text
    assert proxy(changed).hosts == proxy(text).hosts
    assert proxy(changed).rest != proxy(text).rest


def test_a_list_of_several_lines_is_read_whole() -> None:
    text = with_line("acl inside dst 0", "acl ALLOWED dstdomain -n .example.net")
    assert proxy(text).hosts == {"a.example.com", ".example.net"}


@pytest.mark.parametrize(
    "text",
    [
        with_line(ALLOW, "http_access allow all"),
        with_line(ALLOW, "http_access allow tunnel"),
        with_line(ALLOW, "http_access Allow tunnel"),
        with_line(ALLOW, "include /etc/squid/more.conf"),
        with_line(ALLOW, "cache_peer other.example.com parent 3128 0"),
        with_line(ALLOW, 'acl allowed dstdomain -n "/etc/squid/hosts"'),
        with_line(ALLOW, "acl allowed dstdomain .example.net"),
        with_line(ALLOW, "acl all dst 192.0.2.1"),
        with_line("http_access deny inside", "# nothing \\"),
        user_data("a.example.com").replace("http_access deny all", "http_access deny addresses"),
        user_data("a.example.com").replace(
            "/etc/kakehashi/squid.conf\n    content", "/etc/kakehashi/other\n    content"
        ),
        user_data("a.example.com").replace("#cloud-config", "#!/bin/sh"),
        user_data("a.example.com").replace("write_files:", "write_files: ["),
        user_data("a.example.com", "\x85http_access"),
        user_data("a.example.com") + "itself: &itself [*itself]\n",
        user_data("a.example.com") + "day: 2026-99-99\n",
    ],
)
def test_refuses_to_say_which_hosts_are_allowed_where_it_cannot_tell(text: str) -> None:
    with pytest.raises(NotReadError):
        allowed_hosts(text)


def test_user_data_without_squid_sets_up_no_proxy() -> None:
    assert allowed_hosts("#cloud-config\npackages: [git]\n") is None
    assert allowed_hosts("") is None


def test_decodes_only_texts_in_base64() -> None:
    assert decoded(base64.b64encode(b"one\ntwo").decode()) == "one\ntwo"
    assert decoded("one two") is None
    assert decoded(base64.b64encode(b"\xff\xfe").decode()) is None
    assert decoded(base64.b64encode(gzip.compress(b"\0" * 2_000_000)).decode()) is None
    assert decoded(base64.b64encode(gzip.compress(b"cut off")[:-4]).decode()) is None


def test_a_tunnel_that_is_opened_for_another_name_in_tls_is_a_change_of_the_rest() -> None:
    text = user_data("a.example.com", ".example.org")
    other = text.replace("--client-requested a.example.com", "--client-requested b.example.com")
    assert other != text
    was, now = allowed_hosts(text), allowed_hosts(other)
    assert isinstance(was, AllowedHosts)
    assert isinstance(now, AllowedHosts)
    assert (was.hosts == now.hosts, was.rest == now.rest) == (True, False)


def test_a_host_more_changes_nothing_of_the_rest() -> None:
    was, now = allowed_hosts(user_data("a.example.com")), allowed_hosts(user_data("a.example.com", "b.example.com"))
    assert isinstance(was, AllowedHosts)
    assert isinstance(now, AllowedHosts)
    assert was.rest == now.rest


@pytest.mark.parametrize("host", ["x.example.org", "y.example.org"])
def test_the_hosts_of_a_list_that_is_denied_are_a_part_of_the_rest(host: str) -> None:
    def with_blocked(blocked: str) -> AllowedHosts:
        lines = f"acl blocked dstdomain -n {blocked}\n      http_access deny blocked"
        return proxy(with_line("http_access deny addresses", lines))

    was, now = with_blocked("evil.example.org"), with_blocked(host)
    assert was.hosts == now.hosts
    assert was.rest != now.rest


def test_a_host_that_moves_to_another_allowed_list_is_a_change_of_the_rest() -> None:
    def with_lists(narrow: str, wide: str) -> AllowedHosts:
        lines = (
            f"acl narrow dstdomain -n {narrow}\n      acl wide dstdomain -n {wide}\n"
            "      http_access allow narrow tunnel\n      http_access allow wide"
        )
        return proxy(with_line(ALLOW, lines))

    was, now = with_lists("evil.example.org", "ok.example.org"), with_lists("ok.example.org", "evil.example.org")
    assert was.hosts == now.hosts
    assert was.rest != now.rest


def test_user_data_that_cannot_be_unpacked_is_not_taken_for_one_without_squid() -> None:
    packed = gzip.compress((user_data("a.example.com") + "#" * (2 << 20)).encode())
    with pytest.raises(NotReadError):
        allowed_hosts(base64.b64encode(packed).decode())
