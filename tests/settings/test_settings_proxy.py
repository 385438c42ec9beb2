"""GitLab's outbound traffic: an existing proxy, one that we build, or none; and the push addresses that follow."""

import pytest

from settings.proxy import allow_list
from tests.settings.whole_file import Loaded, Refusal, error, line_of, spoilt

_EXISTING = """\
    url: http://proxy.dev.example.com:3128
    cidrs: [10.99.0.0/28]
"""
_BUILT = ("push:\n      from_cidrs: [203.0.113.10/32]", "push: {}")
_GITLAB = "  gitlab:\n"
CODECOMMIT = "git-codecommit.ap-northeast-1.amazonaws.com"


def _proxy(settings: str, *changes: tuple[str, str]) -> str:
    """The whole file with a proxy of these settings."""
    return spoilt((_EXISTING, "".join(f"    {line}\n" for line in settings.splitlines())), *changes)


def _without_proxy(*changes: tuple[str, str]) -> str:
    return spoilt(("  proxy:\n" + _EXISTING + "    no_proxy: [.dev.example.com]\n", ""), *changes)


def _allowing(*hosts: str) -> str:
    return _proxy("squid:\n  allowed_hosts:\n" + "\n".join(f"    - '{host}'" for host in hosts))


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ("url: http://proxy.dev.example.com:3128\nsquid: {}", "both url and squid are given"),
        ("cidrs: [10.99.0.0/28]", "no proxy is given"),
    ],
)
def test_refuses_a_proxy_with_both_url_and_squid_or_neither(refusal: Refusal, settings: str, what: str) -> None:
    text = _proxy(settings)
    assert refusal(text) == error(
        line_of(text, "  proxy:"),
        "dev.proxy",
        what,
        "give the url of an existing proxy, or squid: {} to build one",
    )


def test_refuses_networks_of_a_proxy_that_we_build(refusal: Refusal) -> None:
    text = _proxy("squid: {}\ncidrs: [10.99.0.0/28]")
    assert refusal(text) == error(
        line_of(text, "    cidrs: [10.99"),
        "dev.proxy.cidrs",
        "the proxy is built in dev.network, and cidrs places it elsewhere",
        "remove cidrs",
    )


def test_refuses_an_address_that_is_notified_twice(refusal: Refusal) -> None:
    text = _proxy("squid:\n  alerts: { emails: [a@example.com, A@example.com] }", _BUILT)
    assert refusal(text) == error(
        line_of(text, "      alerts:"),
        "dev.proxy.squid.alerts.emails[1]",
        "'A@example.com' is named twice",
        "remove one",
    )


_EXISTING_NETWORK = (
    "    zone: a\n",
    "    existing_network: { vpc_id: vpc-0123456789abcdef0, vpc_cidr: 10.20.0.0/16, "
    "subnet_id: subnet-0123456789abcdef0 }\n",
)


def test_refuses_to_build_a_proxy_for_gitlab_in_another_vpc(refusal: Refusal) -> None:
    text = _proxy("squid: {}", _EXISTING_NETWORK)
    assert refusal(text) == error(
        line_of(text, "    squid: {}"),
        "dev.proxy.squid",
        "the proxy would be in dev.network, and GitLab is in existing_network",
        "name a proxy that GitLab's network can reach in dev.proxy.url",
    )


def test_refuses_to_build_a_proxy_without_a_network(refusal: Refusal) -> None:
    text = _proxy("squid: {}", _EXISTING_NETWORK)
    start, end = text.index("  network:\n"), text.index(_GITLAB)
    text = text[:start] + text[end:]
    without_gitlab = text[: text.index(_GITLAB)] + text[text.index("  proxy:") :]
    assert refusal(without_gitlab) == "\n".join(
        (
            error(
                line_of(without_gitlab, "  proxy:"),
                "dev.proxy",
                "nothing uses the proxy",
                "remove it, or add dev.gitlab",
            ),
            error(
                line_of(without_gitlab, "    squid: {}"),
                "dev.proxy.squid",
                "the proxy has no network",
                "add dev.network, or name a proxy that GitLab's network can reach in dev.proxy.url",
            ),
        )
    )


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("https://example.com", "is not a host"),
        ("*.example.com", "is not a host"),
        ("example.com:443", "is not a host"),
        ("example..com", "is not a host"),
        ("example.com.", "is not a host"),
        ("all acl", "is not a host"),
        ("", "is not a host"),
        ("a" * 64 + ".com", "is not a host"),
    ],
)
def test_refuses_an_allowed_host_that_is_not_a_name(refusal: Refusal, host: str, what: str) -> None:
    text = _allowing(host)
    assert refusal(text) == error(
        line_of(text, f"- '{host}'"),
        "dev.proxy.squid.allowed_hosts[0]",
        f"'{host}' {what}",
        "write a host, or a domain with a leading dot, for example .example.com",
    )


@pytest.mark.parametrize("host", [".invalid", "refused.Invalid", ".refused.invalid", "invalid"])
def test_refuses_hosts_that_a_new_proxy_must_refuse(refusal: Refusal, host: str) -> None:
    text = _allowing(host)
    assert refusal(text) == error(
        line_of(text, f"- '{host}'"),
        "dev.proxy.squid.allowed_hosts[0]",
        f"'{host}' is in .invalid, in which no host can be",
        "write a host, or a domain with a leading dot, for example .example.com",
    )


@pytest.mark.parametrize("host", ["203.0.113.10", "1", "0x7f.1", "0X7F000001", "host.10"])
def test_refuses_an_address_as_allowed_host(refusal: Refusal, host: str) -> None:
    text = _allowing(host)
    assert refusal(text) == error(
        line_of(text, f"- '{host}'"),
        "dev.proxy.squid.allowed_hosts[0]",
        f"'{host}' is an address, which the proxy never allows",
        "write a host, or a domain with a leading dot, for example .example.com",
    )


@pytest.mark.parametrize(
    ("first", "second", "refused", "what", "hint"),
    [
        (".example.com", "a.example.com", 1, "'a.example.com' is allowed by '.example.com' already", None),
        (".a.example.com", ".Example.com", 0, "'.a.example.com' is allowed by '.example.com' already", None),
        ("example.com", ".example.com", 0, "'example.com' is allowed by '.example.com' already", None),
        ("example.com", "EXAMPLE.com", 1, "'example.com' is allowed by 'example.com' already", None),
        ("example.com", CODECOMMIT, 1, f"'{CODECOMMIT}' is allowed by default", "remove it"),
    ],
)
def test_refuses_a_host_that_is_already_allowed(
    refusal: Refusal, first: str, second: str, refused: int, what: str, hint: str | None
) -> None:
    text = _allowing(first, second)
    assert refusal(text) == error(
        line_of(text, f"- '{(first, second)[refused]}'"),
        f"dev.proxy.squid.allowed_hosts[{refused}]",
        what,
        hint or "remove one of the two",
    )


_WIDE = (
    *(".amazonaws.com", ".com", ".co.jp", ".s3.amazonaws.com", ".s3.ap-northeast-1.amazonaws.com"),
    *("s3.amazonaws.com", "s3.ap-northeast-1.amazonaws.com", "s3-ap-northeast-1.amazonaws.com"),
    *("s3.dualstack.ap-northeast-1.amazonaws.com", "archive.s3.ap-northeast-1.amazonaws.com"),
    *("git-codecommit.us-east-1.amazonaws.com", "sts.amazonaws.com", "EXAMPLE.execute-api.us-east-1.amazonaws.com"),
    *(".cloudfront.net", ".github.io", "example.github.io", ".run.app", "x-1.a.run.app", ".ngrok-free.app"),
    *(".trycloudflare.com", "github.com", ".github.com", "api.github.com", "storage.googleapis.com", ".net", ".net.pl"),
    *(".blob.core.windows.net", "windows.net", ".salesforce.com"),
)


@pytest.mark.slow
@pytest.mark.parametrize("host", _WIDE)
def test_a_domain_in_which_anyone_can_get_a_host_needs_a_reason(refusal: Refusal, loaded: Loaded, host: str) -> None:
    text = _allowing(host)
    assert refusal(text) == error(
        line_of(text, f"- '{host}'"),
        "dev.proxy.squid.allowed_hosts[0]",
        f"'{host}' is where anybody can get a host or an account, so data can leave to anybody",
        "allow another host, or give a reason in dev.proxy.squid.open_to_the_world_because",
    )
    reason = "      open_to_the_world_because: one month, to move the old buckets"
    assert loaded(text.replace("    squid:\n", f"    squid:\n{reason}\n"))


def test_narrow_hosts_need_no_reason(loaded: Loaded) -> None:
    assert loaded(
        _allowing(
            *(".example.com", "a.example.net", ".example.co.jp", "intra", "rubygems.org"),
            # These only end like a shared domain, or have one below them that they do not allow.
            *("evil-amazonaws.com", "notgithub.com", "salesforce.com"),
        )
    )


def test_the_allow_list_has_no_entry_that_another_covers() -> None:
    assert allow_list("eu-west-1", []) == (
        "git-codecommit.eu-west-1.amazonaws.com",
        "awscli.amazonaws.com",
        "packages.gitlab.com",
    )
    assert allow_list("eu-west-1", [".amazonaws.com", "evil-amazonaws.com"]) == (
        "packages.gitlab.com",
        ".amazonaws.com",
        "evil-amazonaws.com",
    )


def test_the_default_push_source_depends_on_the_proxy(loaded: Loaded) -> None:
    assert loaded(_proxy("squid: {}", _BUILT)).push_stack == "dev-network"
    assert loaded(_without_proxy(_BUILT)).push_stack == "dev-gitlab"
    assert loaded(_proxy("squid: {}")).push_stack is None


@pytest.mark.parametrize("settings", [_EXISTING, "url: http://proxy.dev.example.com:3128"])
def test_refuses_an_existing_proxy_without_push_addresses(refusal: Refusal, settings: str) -> None:
    text = _proxy(settings.replace("    ", ""), _BUILT)
    assert refusal(text) == error(
        line_of(text, "    push: {}"),
        "prd.codecommit.push",
        "no source is given, and the public addresses of dev.proxy.url are not known",
        "give them in from_cidrs",
    )


def test_refuses_a_push_user_without_gitlab_and_without_addresses(refusal: Refusal) -> None:
    text = _without_proxy(_BUILT)
    start, end = text.index(_GITLAB), text.index("prd:")
    text = text[:start] + text[end:]
    assert refusal(text) == error(
        line_of(text, "    push: {}"),
        "prd.codecommit.push",
        "no source is given, and there is no dev.gitlab to push",
        "give the addresses that may push in from_cidrs, or leave push out",
    )


@pytest.mark.parametrize(
    ("stack", "settings", "what", "hint"),
    [
        (
            "dev-gitlab",
            "squid: {}",
            "with a proxy GitLab's mirrors do not leave from its own address",
            "use from_stack: dev-network, or give the proxy's addresses in from_cidrs",
        ),
        (
            "dev-network",
            None,
            "without a proxy GitLab does not leave through the NAT gateways",
            "use from_stack: dev-gitlab, or add dev.proxy",
        ),
    ],
)
def test_refuses_a_push_source_that_contradicts_the_proxy(
    refusal: Refusal, stack: str, settings: str | None, what: str, hint: str
) -> None:
    source = ("from_cidrs: [203.0.113.10/32]", f"from_stack: {stack}")
    text = _without_proxy(source) if settings is None else _proxy(settings, source)
    assert refusal(text) == error(line_of(text, "from_stack"), "prd.codecommit.push.from_stack", what, hint)
