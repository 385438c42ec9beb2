# ruff: noqa: RUF001 - ambiguous characters are what some of these are about
"""Values that look right and are not: reserved names, addresses of nothing, spaces and dots too many."""

from tests.settings.contradictions import Contradiction
from tests.settings.whole_file import WrongValue

_TAG_ENDS = "digits, spaces and _ . : / = + - @, not starting with aws:, no space at either end"


ALMOST_RIGHT: list[WrongValue] = (
    [
        (
            "name: kakehashi",
            f"name: {reserved}bridge",
            "name",
            f"'{reserved}bridge' starts with '{reserved}', which AWS keeps for names of its own",
            "choose another name: documents of SSM and buckets start with it",
        )
        for reserved in ("aws", "amazon", "amzn", "xn--", "sthree-")
    ]
    + [
        (
            "\nregion: ap-northeast-1",
            "\nregion: AP-NorthEast-1",
            "region",
            "'AP-NorthEast-1' is not a region of the commercial AWS partition",
            "did you mean ap-northeast-1?",
        )
    ]
    + [
        (
            old,
            f'{key}: "{text}"',
            path,
            f"'{text}' has characters that are not ASCII: {named}",
            f"write '{meant}'",
        )
        for old, path, text, named, meant in (
            ("\nregion: ap-northeast-1", "region", "ap-northeast-１", "full-width digit (全角数字)", "ap-northeast-1"),
            (
                'id: "222222222222"',
                "prd.account.id",
                "２" * 12,
                "full-width digit (全角数字)",
                "2" * 12,
            ),
            (
                "domain: backlog.jp",
                "prd.backlog.spaces.example.domain",
                "backlog．jp",
                "full-width full stop (全角ピリオド)",
                "backlog.jp",
            ),
            (
                "type: io2",
                "dev.gitlab.data_volume.type",
                "ｇｐ‐3",
                "full-width letter (全角英字), typographic hyphen (ハイフン)",
                "gp-3",
            ),
        )
        for key in [old.partition(":")[0]]
    ]
    + [
        (
            "owner: platform-team",
            f"owner: '{owner}'",
            "owner",
            f"'{owner}' is not a tag value",
            f"use up to 256 letters, {_TAG_ENDS}",
        )
        for owner in (" ", "Ａ！", "platform-team ", " platform-team", "aws:team", "AWS:team")
    ]
    + [
        (
            'cost-center: "4711"',
            f"'{key}': x",
            f"tags['{key}']",
            f"'{key}' is not a tag key",
            f"use 1-128 letters, {_TAG_ENDS}",
        )
        for key in (" ", "cost-center ")
    ]
    + [
        (
            "emails: [platform-team@example.com]",
            f"emails: ['{email}']",
            "prd.backlog.alerts.emails[0]",
            f"'{email}' is not an e-mail address",
            "write it like ops@example.com",
        )
        for email in (
            "Ops <ops@example.com>",
            "ops@example.com.",
            ".ops@example.com",
            "o..ps@example.com",
            "ops@-example.com",
            "ops@example.123",
            f"{'o' * 65}@example.com",
        )
    ]
    + [
        (
            "work_terminal_cidrs: [198.51.100.128/28]",
            f"work_terminal_cidrs: [{network}]",
            "dev.gitlab.work_terminal_cidrs[0]",
            f"'{network}' includes addresses that no machine can have",
            "write the addresses that connections come from",
        )
        for network in ("127.0.0.1/32", "0.0.0.0/32", "224.0.0.0/24", "169.254.0.0/16")
    ]
    + [
        (
            "no_proxy: [.dev.example.com]",
            f"no_proxy: ['{host}']",
            "dev.proxy.no_proxy[0]",
            f"'{host}' is not a host to reach directly",
            "write a host, an address, or a domain with a leading dot, for example .example.com",
        )
        for host in ("example.com.", "a..example.com", "registry.example.com:65536", "10.0.0.0/33", "example.com/24")
    ]
    + [
        (
            "name_pattern: GitLab CE *",
            "name_pattern: 'GitLab CE * '",
            "dev.gitlab.ami.name_pattern",
            "'GitLab CE * ' is not a pattern of image names",
            "use 1-128 plain characters, no space at either end, as in GitLab CE *",
        )
    ]
    + [
        (
            "url: http://proxy.dev.example.com:3128",
            f"url: {url}",
            "dev.proxy.url",
            f"'{url}' is no address of a server that others reach",
            "write it as http://proxy.example.com:3128",
        )
        for url in ("http://localhost:3128", "http://127.0.0.1:3128")
    ]
)


TWICE: list[Contradiction] = [
    (
        (f"emails: [{email}]", f"emails: [{email}, {email.title()}]"),
        f"{path}[1]",
        f"'{email.title()}' is named twice",
        "remove one",
    )
    for email, path in (
        ("security@example.com", "prd.codecommit.detection.emails"),
        ("platform-team@example.com", "prd.backlog.alerts.emails"),
    )
] + [
    (
        ("no_proxy: [.dev.example.com]", "no_proxy: [.dev.example.com, .DEV.example.com]"),
        "dev.proxy.no_proxy[1]",
        "'.DEV.example.com' is named twice",
        "remove one",
    ),
    (
        ("own_prefixes: [bat]", "own_prefixes: [bat, bat]"),
        "prd.codecommit.own_prefixes[1]",
        "'bat' is named twice",
        "remove one",
    ),
]


PAST_THE_PROXY: list[Contradiction] = [
    (
        ("no_proxy: [.dev.example.com]", f"no_proxy: ['{entry}']"),
        "dev.proxy.no_proxy[0]",
        f"'{entry}' has production's repositories, which mirrors reach through the proxy alone",
        "name the hosts that need no proxy, or remove it",
    )
    for entry in (
        "git-codecommit.ap-northeast-1.amazonaws.com",
        "git-codecommit.ap-northeast-1.amazonaws.com:443",
        ".amazonaws.com",
        "AmazonAWS.com",
        ".com",
    )
]
