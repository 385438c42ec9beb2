"""Single values: what each may be, and the error for a wrong one."""

import pytest

from settings.gitlab import GitlabSettings
from settings.proxy import ProxySettings
from tests.settings.almost_right import ALMOST_RIGHT
from tests.settings.whole_file import (
    ED25519,
    KMS_KEY,
    Loaded,
    Refusal,
    WrongValue,
    error,
    in_different_places,
    last_line_of_change,
    line_of,
    spoilt,
    spoilt_with_lines,
)
from tests.settings.wrong_names import BAD_NAMES, OTHER_VALUES
from tests.settings.wrong_values import (
    BAD_NETWORKS,
    MISSING,
    PULL,
    PULL_PATH,
    TOO_SMALL_OR_LARGE,
    UNKNOWN_KEYS,
    WRONG_TYPES,
)

_PUBLIC_HINT = "write the public address the traffic leaves from, for example that of a NAT gateway"


HOSTLESS = ["0.1.0.0/16", "127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16", "255.255.0.0/16"]


PRIVATE = [
    "10.0.0.0/8",
    "10.1.2.3/32",
    "100.64.0.0/10",
    "127.0.0.1/32",
    "169.254.1.1/32",
    "172.16.0.0/12",
    "172.31.255.255/32",
    "192.168.1.0/24",
    "198.18.0.0/15",
    "224.0.0.1/32",
    "255.255.255.255/32",
    "0.0.0.0/32",
]


_KNOWN_HOST = f"example.git.backlog.jp ssh-ed25519 {ED25519}"


_HOST_KEYS = "prd.backlog.spaces.example.known_hosts[0]"


_LINE_HINT = "paste the line of known_hosts, not hashed: host, key type, key, with one space between them"


_KEY_HINT = "paste the whole line of known_hosts: host, key type, key"


HOST_KEYS: list[WrongValue] = [
    (_KNOWN_HOST, line, _HOST_KEYS, f"'{line}' is not a line of known_hosts", _LINE_HINT)
    for line in (
        f"ssh-ed25519 {ED25519}",
        f"example.git.backlog.jp  ssh-ed25519 {ED25519}",
        f"example.git.backlog.jp ssh-dss {ED25519}",
        f"example.git.backlog.jp ssh-ed25519 {ED25519} comment",
        "example.git.backlog.jp SHA256:0123456789abcdef",
    )
] + [
    (_KNOWN_HOST, line, _HOST_KEYS, f"the key in '{line}' is damaged", _KEY_HINT)
    for line in (
        f"example.git.backlog.jp ssh-ed25519 {ED25519[:-4]}",
        f"example.git.backlog.jp ssh-ed25519 {ED25519[:-1]}",
        f"example.git.backlog.jp ssh-rsa {ED25519}",
    )
]


_EXTERNAL_HINT = "write it as https://gitlab.example.com"


_PROXY_HINT = "write it as http://proxy.example.com:3128"


URLS: list[WrongValue] = (
    [
        (
            "external_url: https://gitlab.dev.example.com",
            f"external_url: '{url}'",
            "dev.gitlab.external_url",
            f"'{url}' is not a URL of this kind",
            _EXTERNAL_HINT,
        )
        for url in (
            "gitlab.dev.example.com",
            "ssh://gitlab.dev.example.com",
            "https://",
            "https://gitlab.dev.example.com/path",
            "https://gitlab.dev.example.com?query",
            "https://gitlab.dev.example.com#part",
            "https://git lab",
            " https://gitlab.dev.example.com",
            "https://-gitlab.example.com",
            "https://gitlab..example.com",
            "https://[2001:db8::1]",
            "https://10.0.0.256",
            "https://gitlab:port",
            f"https://{'a' * 64}.example.com",
        )
    ]
    + [
        (
            "external_url: https://gitlab.dev.example.com",
            f"external_url: {url}",
            "dev.gitlab.external_url",
            f"'{url}' has a port that people cannot reach: only 22, 80 and 443 are open",
            _EXTERNAL_HINT,
        )
        for url in ("https://gitlab.example.com:8443", "https://gitlab.example.com:80", "https://gitlab.example.com:0")
    ]
    + [
        (
            "external_url: https://gitlab.dev.example.com",
            f"external_url: {url}",
            "dev.gitlab.external_url",
            f"'{url}' would carry passwords and tokens in the clear",
            f"{_EXTERNAL_HINT}: without dev.gitlab.load_balancer, GitLab makes its own certificate",
        )
        for url in ("http://gitlab.dev.example.com", "http://10.10.0.5:80/", "http://gitlab.example.com:443")
    ]
    + [
        (
            "external_url: https://gitlab.dev.example.com",
            f"external_url: {url}",
            "dev.gitlab.external_url",
            f"'{url}' is no address of a server that others reach",
            _EXTERNAL_HINT,
        )
        for url in ("https://localhost", "https://127.0.0.1", "https://0.0.0.0", "https://169.254.169.254")
    ]
    + [
        ("url: http://proxy.dev.example.com:3128", f"url: {url}", "dev.proxy.url", f"'{url}' {what}", _PROXY_HINT)
        for url, what in (
            ("https://proxy.example.com:3128", "is not a URL of this kind"),
            ("proxy.example.com:3128", "is not a URL of this kind"),
            ("http://proxy.example.com", "has no port"),
            ("http://proxy.example.com:0", "has no port of 1 to 65535"),
            ("http://proxy.example.com:65536", "has no port of 1 to 65535"),
            ("http://proxy.example.com:3128/pac", "is not a URL of this kind"),
        )
    ]
)


_WRONG_VALUES = [
    *WRONG_TYPES,
    *TOO_SMALL_OR_LARGE,
    *UNKNOWN_KEYS,
    *BAD_NETWORKS,
    *BAD_NAMES,
    *OTHER_VALUES,
    *HOST_KEYS,
    *URLS,
    *ALMOST_RIGHT,
]


@pytest.mark.parametrize("rows", in_different_places(_WRONG_VALUES), ids=lambda rows: f"{len(rows)} wrong values")
def test_wrong_values_are_the_only_errors_each_with_its_line_path_value_and_hint(
    refusal: Refusal, rows: list[WrongValue]
) -> None:
    text, lines = spoilt_with_lines([(old, new) for old, new, *_ in rows])
    expected = [(line, error(line, *row[2:])) for line, row in zip(lines, rows, strict=True)]
    assert refusal(text) == "\n".join(shown for _, shown in sorted(expected))


@pytest.mark.parametrize("name", ["/a b", "/" + "a" * 100])
def test_does_not_repeat_a_value_that_may_be_a_key(refusal: Refusal, name: str) -> None:
    old, new = "ssh_key_parameter: /kakehashi/backlog/ssh-key", f"ssh_key_parameter: {name}b/"
    assert refusal(spoilt((old, new))) == error(
        last_line_of_change(old, new),
        "prd.backlog.spaces.example.ssh_key_parameter",
        "this is not the name of an SSM parameter",
        "write the parameter's name with its path, not under /aws or /ssm, for example /kakehashi/backlog/ssh-key",
    )


def test_refuses_more_tags_than_aws_allows(refusal: Refusal) -> None:
    text = spoilt(('  cost-center: "4711"', "\n".join(f"  tag-{number}: x" for number in range(46))))
    assert refusal(text) == error(line_of(text, "tags:"), "tags", "46 entries are too many", "give at most 45")


@pytest.mark.parametrize(("old", "new", "path", "what", "hint"), MISSING)
def test_a_missing_setting_is_named_at_the_line_of_what_it_belongs_to(
    refusal: Refusal, old: str, new: str, path: str, what: str, hint: str
) -> None:
    text = spoilt((old, new))
    owner = {"name": "owner: platform"}.get(path, "a: { public_cidr: 10.10.0.0/24")
    assert refusal(text) == error(line_of(text, owner), path, what, hint)


@pytest.mark.parametrize("cidr", ["8.8.0.0/16", "133.10.0.0/20", "198.20.0.0/16"])
def test_refuses_a_vpc_of_public_addresses(refusal: Refusal, cidr: str) -> None:
    text = spoilt(("cidr: 10.10.0.0/16\n", f"cidr: {cidr}\n"))
    hint = "use private addresses for a VPC, for example 10.0.0.0/16"
    assert error(line_of(text, f"cidr: {cidr}\n"), "dev.network.cidr", f"'{cidr}' is public", hint) in refusal(text)


@pytest.mark.parametrize("cidr", HOSTLESS)
def test_refuses_a_vpc_of_addresses_that_no_machine_can_have(refusal: Refusal, cidr: str) -> None:
    text = spoilt(("cidr: 10.10.0.0/16\n", f"cidr: {cidr}\n"))
    assert refusal(text) == error(
        line_of(text, f"cidr: {cidr}\n"),
        "dev.network.cidr",
        f"'{cidr}' includes addresses that no machine can have",
        "use private ones, for example 10.0.0.0/16",
    )


@pytest.mark.parametrize(
    ("old", "key", "path"),
    [
        ("from_cidrs: [198.51.100.0/28]", "from_cidrs", "prd.codecommit.pull.from_cidrs"),
        ("from_cidrs: [203.0.113.10/32]", "from_cidrs", "prd.codecommit.push.from_cidrs"),
        ("sender_cidrs: [192.0.2.16/28, 192.0.2.64/28]", "sender_cidrs", "prd.backlog.webhook.sender_cidrs"),
    ],
    ids=["pull", "push", "webhook"],
)
def test_refuses_private_addresses_as_public_sources(refusal: Refusal, old: str, key: str, path: str) -> None:
    new = f"{key}: [{', '.join(PRIVATE)}]"
    assert refusal(spoilt((old, new))) == "\n".join(
        error(
            last_line_of_change(old, new),
            f"{path}[{index}]",
            f"'{cidr}' is private: AWS only ever sees public source addresses",
            _PUBLIC_HINT,
        )
        for index, cidr in enumerate(PRIVATE)
    )


def test_a_public_network_with_a_private_part_is_refused_with_that_part(refusal: Refusal) -> None:
    text = spoilt((PULL, "from_cidrs: [192.168.0.0/15]"))
    assert refusal(text) == error(
        last_line_of_change(PULL, "from_cidrs: [192.168.0.0/15]"),
        PULL_PATH,
        "'192.168.0.0/15' includes the private '192.168.0.0/16': AWS only ever sees public source addresses",
        _PUBLIC_HINT,
    )


def test_people_may_reach_gitlab_from_private_addresses(loaded: Loaded) -> None:
    assert loaded(spoilt(("[198.51.100.128/28]", "[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]")))


def test_an_account_id_without_quotes_keeps_its_zero(loaded: Loaded) -> None:
    deployment = loaded(spoilt(('id: "222222222222"', "id: 012345678901"), *_WITHOUT_PRD_KEYS))
    assert deployment.prd is not None
    assert deployment.prd.account.id == "012345678901"


def test_an_account_id_without_quotes_is_read_as_text(loaded: Loaded) -> None:
    deployment = loaded(spoilt(('id: "111111111111"', "id: 111111111111")))
    assert deployment.dev is not None
    assert deployment.dev.account.id == "111111111111"


_WITHOUT_PRD_KEYS = (
    (f"        kms_key_arn: {KMS_KEY}\n", ""),
    (f"        ssh_key_kms_key_arn: {KMS_KEY.replace('1234abcd-', '12345678-')}\n", ""),
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner: platform-team", "owner: 基盤チーム"),
        ("owner: platform-team", "owner: 2026-01-31"),
        ("owner: platform-team", "owner: no"),
        ("bucket: example-terraform-state", "bucket: a.b-3"),
        ("      application:", "      -app_1.x:"),
        ("      application:", "      'null':"),
        ("      application:", "      0123:"),
        ("external_url: https://gitlab.dev.example.com", "external_url: https://10.10.0.5:443/"),
        ("external_url: https://gitlab.dev.example.com", "external_url: https://GitLab.example.com:443"),
        ("url: http://proxy.dev.example.com:3128", "url: http://10.99.0.4:65535/"),
        ("no_proxy: [.dev.example.com]", "no_proxy: [10.0.0.0/8, 'registry.example.com:5000', localhost]"),
        ("timezone: Asia/Tokyo", "timezone: UTC"),
        ('at_utc: "17:00"', "at_utc: 17:00"),
        ("key_prefix: kakehashi", "key_prefix: a/b.c/..d"),
        (PULL, "from_cidrs: [172.15.0.0/16, 172.32.0.0/16, 11.0.0.0/9]"),
        ("role/kakehashi-deploy", "role/teams/platform/kakehashi-deploy"),
        ("key/1234abcd-12ab-34cd-86ef-1234567890ab\ndev:", f"key/mrk-{'0' * 32}\ndev:"),
        ("name_pattern: GitLab CE *", "name_pattern: GitLab EE 18.*"),
    ],
)
def test_accepts_what_aws_accepts(loaded: Loaded, old: str, new: str) -> None:
    assert loaded(spoilt((old, new)))


def _gitlab(external_url: str) -> GitlabSettings:
    return GitlabSettings.model_validate({"external_url": external_url, "work_terminal_cidrs": ["198.51.100.128/28"]})


@pytest.mark.parametrize("written", ["https://gitlab.example.com", "https://gitlab.example.com/"])
def test_a_url_ends_without_a_slash(written: str) -> None:
    assert _gitlab(written).external_url == "https://gitlab.example.com"


def test_the_host_of_a_url_is_in_lower_case_and_without_its_port() -> None:
    assert _gitlab("https://GitLab.example.com:443").host == "gitlab.example.com"


def test_the_port_is_that_of_the_proxy_url() -> None:
    assert ProxySettings.model_validate({"url": "http://proxy.example.com:3128/"}).port == 3128
