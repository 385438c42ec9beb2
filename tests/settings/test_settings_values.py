"""Single values: what each may be, and the two lines that a wrong one is answered with."""

import pytest

from settings.gitlab import GitlabSettings
from settings.proxy import ProxySettings
from tests.settings.whole_file import ED25519, KMS_KEY, Loaded, Refusal, error, last_line_of_change, line_of, spoilt

Row = tuple[str, str, str, str, str]
"""What is changed in the whole file, into what, and the path, problem and hint that follow."""

_CIDR_HINT = "write four numbers of 0 to 255 and a prefix, for example 198.51.100.7/32"
_PREFIX_HINT = "write an address with a prefix of 0 to 32, for example 198.51.100.7/32"
_PUBLIC_HINT = "write the public address the traffic leaves from, for example that of a NAT gateway"

_PREFIX_PARTS = (
    "use up to 512 letters, digits and ! _ . * ' ( ) -, in parts between single slashes, for example kakehashi"
)
_PULL = "from_cidrs: [198.51.100.0/28]"
_PULL_PATH = "prd.codecommit.pull.from_cidrs[0]"


def _pull(cidr: str, what: str, hint: str) -> Row:
    return _PULL, f"from_cidrs: [{cidr}]", _PULL_PATH, what, hint


WRONG_TYPES: list[Row] = [
    ("owner: platform-team", "owner: 4711", "owner", "4711 is not text", "write it in quotes"),
    ("owner: platform-team", "owner: 1.50", "owner", "1.5 is not text", "write it in quotes"),
    ("owner: platform-team", "owner: true", "owner", "true is not text", "write it in quotes"),
    ("owner: platform-team", "owner:", "owner", "an empty value is not text", "give it a value"),
    ("owner: platform-team", "owner: [a, b]", "owner", "['a', 'b'] is not text", "write it in quotes"),
    ('cost-center: "4711"', "cost-center: 4711", "tags.cost-center", "4711 is not text", "write it in quotes"),
    (
        'tags:\n  cost-center: "4711"\n',
        "tags: [cost-center]\n",
        "tags",
        "['cost-center'] is a list, not a map",
        "write each name on a line of its own with a colon, for example cost-center:",
    ),
    (
        "root_volume_gib: 100",
        'root_volume_gib: "100"',
        "dev.gitlab.root_volume_gib",
        "'100' is not a whole number",
        "write digits without quotes, for example 30",
    ),
    (
        "root_volume_gib: 100",
        "root_volume_gib: 100.0",
        "dev.gitlab.root_volume_gib",
        "100.0 is not a whole number",
        "write digits without quotes, for example 30",
    ),
    (
        "root_volume_gib: 100",
        "root_volume_gib: 0100",
        "dev.gitlab.root_volume_gib",
        "'0100' is not a whole number",
        "write digits without quotes, for example 30",
    ),
    (
        "termination_protection: true",
        "termination_protection: yes",
        "dev.gitlab.termination_protection",
        "'yes' is neither true nor false",
        "write true or false, without quotes",
    ),
    (
        "termination_protection: true",
        "termination_protection: 1",
        "dev.gitlab.termination_protection",
        "1 is neither true nor false",
        "write true or false, without quotes",
    ),
    (
        "work_terminal_cidrs: [198.51.100.128/28]",
        "work_terminal_cidrs: 198.51.100.128/28",
        "dev.gitlab.work_terminal_cidrs",
        "'198.51.100.128/28' is not a list",
        "write a list, for example [a, b]",
    ),
    (
        "gateways: per_zone",
        "gateways: two",
        "dev.network.nat.gateways",
        "'two' is not known here",
        "use 'per_zone' or 'one'",
    ),
    ("mode: s3", "mode: local", "prd.backlog.cache.mode", "'local' is not known here", "use 's3', 'efs' or 'none'"),
    (
        "reconcile: rate(1 hour)",
        "reconcile: rate(2 hour)",
        "prd.backlog.reconcile",
        "'rate(2 hour)' needs a number from 1, and the plural from 2",
        "write it like rate(1 hour) or rate(30 minutes)",
    ),
    (
        "reconcile: rate(1 hour)",
        "reconcile: hourly",
        "prd.backlog.reconcile",
        "'hourly' is not written cron(...)",
        "write six fields, for example cron(0 9 ? * MON-FRI *)",
    ),
    (
        "emails: [platform-team@example.com]",
        "emails: [platform-team]",
        "prd.backlog.alerts.emails[0]",
        "'platform-team' is not an e-mail address",
        "write it like ops@example.com",
    ),
    ("silent_hours: 6", "silent_hours: 1", "prd.backlog.alerts.silent_hours", "1 is too small", "use at least 2"),
]

TOO_SMALL_OR_LARGE: list[Row] = [
    (
        "root_volume_gib: 100",
        "root_volume_gib: 19",
        "dev.gitlab.root_volume_gib",
        "19 is too small",
        "use at least 20",
    ),
    (
        "root_volume_gib: 100",
        "root_volume_gib: 16385",
        "dev.gitlab.root_volume_gib",
        "16385 is too large",
        "use at most 16384",
    ),
    ("keep: 7", "keep: 0", "dev.gitlab.images.keep", "0 is too small", "use at least 1"),
    (
        "build_timeout_minutes: 60",
        "build_timeout_minutes: 2161",
        "prd.backlog.build_timeout_minutes",
        "2161 is too large",
        "use at most 2160",
    ),
    (
        "expiration_days: 30",
        "expiration_days: 3651",
        "prd.backlog.cache.expiration_days",
        "3651 is too large",
        "use at most 3650",
    ),
    ("owner: platform-team", 'owner: ""', "owner", "'' is too short", "use at least 1 characters"),
    (_PULL, "from_cidrs: []", "prd.codecommit.pull.from_cidrs", "[] has too few entries", "give at least 1"),
    (
        "subnet_ids: [subnet-0123456789abcdef0]",
        f"subnet_ids: [{', '.join(f'subnet-{number:08x}' for number in range(17))}]",
        "prd.backlog.vpc.subnet_ids",
        "17 entries are too many",
        "give at most 16",
    ),
    (
        "flow_log_retention_days: 90",
        "flow_log_retention_days: 100",
        "dev.network.flow_log_retention_days",
        "100 days is not a retention CloudWatch Logs takes",
        "the nearest it takes is 90",
    ),
    (
        "\n    log_retention_days: 90",
        "\n    log_retention_days: 0",
        "prd.backlog.log_retention_days",
        "0 days is not a retention CloudWatch Logs takes",
        "the nearest it takes is 1",
    ),
]

UNKNOWN_KEYS: list[Row] = [
    (
        "owner: platform-team",
        "owner: platform-team\nregoin: x",
        "regoin",
        "'regoin' is not a setting",
        "did you mean region?",
    ),
    (
        "keep: 7",
        "keep: 7\n      kep: 3",
        "dev.gitlab.images.kep",
        "'kep' is not a setting",
        "did you mean keep?",
    ),
    (
        "deletion_protected: true",
        "deletion_protected: true\n    deletion_protection: true",
        "prd.codecommit.deletion_protection",
        "'deletion_protection' is not a setting",
        "did you mean deletion_protected?",
    ),
    (
        "      a: { public_cidr: 10.10.0.0/24,",
        "      a: { publik_cidr: x, public_cidr: 10.10.0.0/24,",
        "dev.network.zones.a.publik_cidr",
        "'publik_cidr' is not a setting",
        "did you mean public_cidr?",
    ),
    (
        "target: { create: website }",
        "target: { create: website, descripton: x }",
        "prd.backlog.repositories.website.target.descripton",
        "'descripton' is not a setting",
        "did you mean description?",
    ),
    (
        "target: { codecommit: batch }",
        "target: { codecommit: batch, create: x }",
        "prd.backlog.repositories.batch.target.codecommit",
        "'codecommit' belongs to another form than the rest here",
        "keep the settings of one form",
    ),
    (
        "application:",
        "application: { zzz: 1 }",
        "prd.codecommit.repositories.application.zzz",
        "'zzz' is not a setting",
        "known here: description, kms_key_arn, gitlab_project, only_protected_branches",
    ),
]

BAD_NETWORKS: list[Row] = [
    _pull("198.51.100.7", "'198.51.100.7' has no prefix", "write 198.51.100.7/32 for one address"),
    _pull("198.51.100.7/33", "'198.51.100.7/33' is not an IPv4 network", _PREFIX_HINT),
    _pull("198.51.100.7/-1", "'198.51.100.7/-1' is not an IPv4 network", _PREFIX_HINT),
    _pull("198.51.100.7/", "'198.51.100.7/' is not an IPv4 network", _PREFIX_HINT),
    _pull("198.51.100.7/032", "'198.51.100.7/032' is not an IPv4 network", _PREFIX_HINT),
    _pull("198.51.100.0/255.255.255.0", "'198.51.100.0/255.255.255.0' is not an IPv4 network", _PREFIX_HINT),
    _pull("198.51.100.7/32/32", "'198.51.100.7/32/32' is not an IPv4 network", _PREFIX_HINT),
    _pull("198.51.100.256/32", "'198.51.100.256/32' is not an IPv4 network", _CIDR_HINT),
    _pull("198.51.100/24", "'198.51.100/24' is not an IPv4 network", _CIDR_HINT),
    _pull("198.51.100.07/32", "'198.51.100.07/32' is not an IPv4 network", _CIDR_HINT),
    _pull("gitlab.example.com", "'gitlab.example.com' is not an IPv4 network", _CIDR_HINT),
    _pull("' 198.51.100.7/32'", "' 198.51.100.7/32' is not an IPv4 network", _CIDR_HINT),
    _pull("'198.51.100.7/32 '", "'198.51.100.7/32 ' is not an IPv4 network", _PREFIX_HINT),
    _pull("'\uff1198.51.100.7/32'", "'\uff1198.51.100.7/32' is not an IPv4 network", _CIDR_HINT),
    _pull("''", "'' is not an IPv4 network", _CIDR_HINT),
    _pull(
        "'2001:db8::/32'",
        "'2001:db8::/32' is not an IPv4 network",
        "write an IPv4 network: IPv6 is not supported",
    ),
    _pull(
        "7",
        "7 is not an IPv4 network",
        "write an address with a prefix, for example 198.51.100.7/32",
    ),
    _pull(
        "198.51.100.7/28",
        "'198.51.100.7/28' has bits set behind its prefix",
        "write 198.51.100.0/28 for the network",
    ),
    (
        "cidr: 10.10.0.0/16\n",
        "cidr: 10.10.0.1/16\n",
        "dev.network.cidr",
        "'10.10.0.1/16' has bits set behind its prefix",
        "write 10.10.0.0/16 for the network",
    ),
    (
        "public_cidr: 10.10.0.0/24",
        "public_cidr: 10.10.0.0/29",
        "dev.network.zones.a.public_cidr",
        "'10.10.0.0/29' has a prefix of 29",
        "AWS takes networks of /16 to /28",
    ),
    (
        "cidr: 10.10.0.0/16\n",
        "cidr: 10.0.0.0/8\n",
        "dev.network.cidr",
        "'10.0.0.0/8' has a prefix of 8",
        "AWS takes networks of /16 to /28",
    ),
]

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

BAD_NAMES: list[Row] = (
    [
        (
            "name: kakehashi",
            f"name: {name}",
            "name",
            f"'{name}' is not a deployment name",
            "use 2-20 of a-z, 0-9 and '-', starting with a letter",
        )
        for name in ("k", "Kakehashi", "1kakehashi", "kakehashi-", "kake_hashi", "k" * 21, "kake hashi")
    ]
    + [
        (
            "\nregion: ap-northeast-1",
            f"\nregion: {region}",
            "region",
            f"'{region}' is not a region of the commercial AWS partition",
            hint,
        )
        for region, hint in (
            ("ap-northest-1", "did you mean ap-northeast-1?"),
            ("cn-north-1", "did you mean eu-north-1?"),
            ("us-gov-west-1", "did you mean us-west-1?"),
            ("Tokyo", "for example ap-northeast-1"),
        )
    ]
    + [
        (
            'id: "222222222222"',
            f"id: {written}",
            "prd.account.id",
            f"{said} is not an account id",
            "write the 12 digits, in quotes",
        )
        for written, said in (
            ("22222222222", "22222222222"),
            ("2222222222222", "2222222222222"),
            ("'2222-2222-2222'", "'2222-2222-2222'"),
            ("0x33BD5B0F38", "'0x33BD5B0F38'"),
            ("true", "true"),
            ("", "an empty value"),
            ("9" * 50, f"'{'9' * 50}'"),
        )
    ]
    + [
        (
            "bucket: example-terraform-state",
            f"bucket: '{bucket}'",
            "state.s3.bucket",
            f"'{bucket}' is not a bucket name",
            "S3 takes 3-63 of a-z, 0-9, '.' and '-', starting and ending with a letter or digit, and no IP address",
        )
        for bucket in (
            "ab",
            "a" * 64,
            "Bucket",
            "my_bucket",
            "-bucket",
            "bucket-",
            ".bucket",
            "bucket.",
            "a..b",
            "192.168.5.4",
        )
    ]
    + [
        (
            "bucket: example-terraform-state",
            f"bucket: {bucket}",
            "state.s3.bucket",
            f"'{bucket}' is reserved: S3 keeps '{part}' for itself",
            "choose another name",
        )
        for bucket, part in (
            ("xn--bucket", "xn--"),
            ("sthree-bucket", "sthree-"),
            ("sthree-configurator-b", "sthree-"),
            ("amzn-s3-demo-bucket", "amzn-s3-demo-"),
            ("bucket-s3alias", "-s3alias"),
            ("bucket--ol-s3", "--ol-s3"),
            ("bucket.mrap", ".mrap"),
            ("bucket--x-s3", "--x-s3"),
            ("bucket--table-s3", "--table-s3"),
        )
    ]
    + [
        (
            "      application:",
            f"      {written}:",
            f"prd.codecommit.repositories{place}",
            f"'{name}' is not a repository name",
            "CodeCommit takes 1-100 of letters, digits, '.', '_' and '-', not ending in .git",
        )
        for name, written, place in (
            ("app.git", "app.git", ".app.git"),
            ("my app", "my app", "['my app']"),
            ("group/app", "group/app", "['group/app']"),
            ("a" * 101, "a" * 101, f"['{'a' * 101}']"),
            ("アプリ", "アプリ", ".アプリ"),
            ("", "''", "['']"),
        )
    ]
    + [
        (
            "key_prefix: kakehashi",
            f"key_prefix: '{prefix}'",
            "state.s3.key_prefix",
            f"'{prefix}' is not a prefix of S3 keys",
            _PREFIX_PARTS,
        )
        for prefix in ("", "/kakehashi", "kakehashi/", "a//b", "a/../b", "..", "a/./b", "kake hashi")
    ]
)

OTHER_VALUES: list[Row] = [
    (
        "profile: dev",
        "profile: de v",
        "dev.account.profile",
        "'de v' is not the name of a profile",
        "write a name from ~/.aws/config, for example production",
    ),
    (
        "assume_role_arn: arn:aws:iam::111111111111:role/kakehashi-deploy",
        "assume_role_arn: arn:aws:iam::111111111111:user/kakehashi",
        "dev.account.assume_role_arn",
        "'arn:aws:iam::111111111111:user/kakehashi' is not a role ARN",
        "for example arn:aws:iam::111111111111:role/deploy",
    ),
    (
        f"kms_key_arn: {KMS_KEY}",
        "kms_key_arn: arn:aws:kms:ap-northeast-1:222222222222:alias/codecommit",
        "prd.codecommit.repositories.infrastructure.kms_key_arn",
        "'arn:aws:kms:ap-northeast-1:222222222222:alias/codecommit' is not the ARN of a KMS key",
        f"for example {KMS_KEY}",
    ),
    (
        "a: eipalloc-0123456789abcdef0",
        "a: eip-0123456789abcdef0",
        "dev.network.nat.eip_allocation_ids.a",
        "'eip-0123456789abcdef0' is not the allocation id of an Elastic IP",
        "for example eipalloc-0123456789abcdef0",
    ),
    (
        "id: vpc-0123456789abcdef0",
        "id: vpc-0123456789abcde",
        "prd.backlog.vpc.id",
        "'vpc-0123456789abcde' is not a VPC id",
        "for example vpc-0123456789abcdef0",
    ),
    (
        "[subnet-0123456789abcdef0]",
        "[subnet-0123456789ABCDEF0]",
        "prd.backlog.vpc.subnet_ids[0]",
        "'subnet-0123456789ABCDEF0' is not a subnet id",
        "for example subnet-0123456789abcdef0",
    ),
    (
        "instance_type: c7i.2xlarge",
        "instance_type: c7i.2xlrge",
        "dev.gitlab.instance_type",
        "'c7i.2xlrge' is not an EC2 instance type",
        "did you mean c7i.2xlarge?",
    ),
    (
        "instance_type: c7i.2xlarge",
        "instance_type: wombat",
        "dev.gitlab.instance_type",
        "'wombat' is not an EC2 instance type",
        "for example c7i.2xlarge",
    ),
    (
        "name_pattern: GitLab CE *",
        "name_pattern: ギットラボ",
        "dev.gitlab.ami.name_pattern",
        "'ギットラボ' is not a pattern of image names",
        "use 1-128 plain characters, as in GitLab CE *",
    ),
    (
        "key_pair: break-glass",
        "key_pair: break-glass\n    route53_zone_id: example.com",
        "dev.gitlab.route53_zone_id",
        "'example.com' is not the id of a hosted zone",
        "write it like Z0123456789ABCDEFGHIJ",
    ),
    (
        "key_pair: break-glass",
        "key_pair: break-glass\n    load_balancer: { certificate_arn: gitlab.example.com }",
        "dev.gitlab.load_balancer.certificate_arn",
        "'gitlab.example.com' is not the ARN of a certificate of ACM",
        "for example arn:aws:acm:ap-northeast-1:111111111111:certificate/1234abcd-12ab-34cd-86ef-1234567890ab",
    ),
    (
        "type: io2",
        "type: gp2",
        "dev.gitlab.data_volume.type",
        "'gp2' is not known here",
        "use 'gp3' or 'io2'",
    ),
    (
        "key_pair: break-glass",
        "key_pair: ' break-glass'",
        "dev.gitlab.key_pair",
        "' break-glass' is not the name of a key pair",
        "use 1-255 plain characters, no space at either end",
    ),
    (
        'at_utc: "17:00"',
        'at_utc: "24:00"',
        "dev.gitlab.images.at_utc",
        "'24:00' is not a time of day",
        "write hours and minutes in quotes, for example '17:00'",
    ),
    (
        "timezone: Asia/Tokyo",
        "timezone: Asia/Tokio",
        "dev.gitlab.schedule.timezone",
        "'Asia/Tokio' is not a time zone of the IANA database",
        "did you mean Asia/Tokyo?",
    ),
    (
        "timezone: Asia/Tokyo",
        "timezone: JST",
        "dev.gitlab.schedule.timezone",
        "'JST' is not a time zone of the IANA database",
        "name a place instead of an abbreviation, for example Asia/Tokyo",
    ),
    (
        "no_proxy: [.dev.example.com]",
        "no_proxy: ['*.dev.example.com']",
        "dev.proxy.no_proxy[0]",
        "'*.dev.example.com' is not a host to reach directly",
        "write a host, an address, or a domain with a leading dot, for example .example.com",
    ),
    (
        "domain: backlog.jp",
        "domain: backlog.example",
        "prd.backlog.spaces.example.domain",
        "'backlog.example' is not a domain of Backlog",
        "use backlog.jp or backlog.com",
    ),
    (
        "project: WEB",
        "project: web",
        "prd.backlog.repositories.website.project",
        "'web' is not the key of a Backlog project",
        "write 1-25 of A-Z, 0-9 and '_', for example WEB",
    ),
    (
        "repository: website",
        "repository: web site",
        "prd.backlog.repositories.website.repository",
        "'web site' is not the name of a Backlog repository",
        "write its name without .git, for example website",
    ),
    (
        "      website:\n",
        "      Website:\n",
        "prd.backlog.repositories.Website",
        "'Website' is not a key",
        "use 1-40 of a-z, 0-9, '_' and '-', starting with a letter",
    ),
    (
        "      a: { public_cidr",
        "      x: { public_cidr",
        "dev.network.zones.x",
        "'x' is not the letter of an availability zone",
        "write a to h, for example a for ap-northeast-1a",
    ),
    (
        "description: Terraform of the production systems",
        f"description: {'x' * 1001}",
        "prd.codecommit.repositories.infrastructure.description",
        f"'{'x' * 99}…{'x' * 39}' is not a description",
        "write one line of at most 1,000 characters",
    ),
    (
        'cost-center: "4711"',
        '"aws:cost": "4711"',
        "tags['aws:cost']",
        "'aws:cost' is not a tag key",
        "AWS takes 1-128 letters, digits, spaces and _ . : / = + - @, not starting with aws:",
    ),
    (
        'cost-center: "4711"',
        f'{"k" * 129}: "4711"',
        f"tags['{'k' * 129}']",
        f"'{'k' * 129}' is not a tag key",
        "AWS takes 1-128 letters, digits, spaces and _ . : / = + - @, not starting with aws:",
    ),
    (
        'cost-center: "4711"',
        'cost-center: "a;b"',
        "tags.cost-center",
        "'a;b' is not a tag value",
        "AWS takes up to 256 letters, digits, spaces and _ . : / = + - @",
    ),
] + [
    (
        "ssh_key_parameter: /kakehashi/backlog/ssh-key",
        f"ssh_key_parameter: {name}",
        "prd.backlog.spaces.example.ssh_key_parameter",
        f"'{name}' is not the name of an SSM parameter",
        "write it with its path, not under /aws or /ssm, for example /kakehashi/backlog/ssh-key",
    )
    for name in ("ssh-key", "/", "/a//b", "/a/", "/aws/ssh-key", "/AWSkey", "/ssm-key", "/Ssm/key", "/a" * 16)
]

_KNOWN_HOST = f"example.git.backlog.jp ssh-ed25519 {ED25519}"
_HOST_KEYS = "prd.backlog.spaces.example.known_hosts[0]"
_LINE_HINT = "paste the line of known_hosts, not hashed: host, key type, key, with one space between them"
_KEY_HINT = "paste the whole line of known_hosts: host, key type, key"

HOST_KEYS: list[Row] = [
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

URLS: list[Row] = (
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
        for url in ("https://gitlab.example.com:8443", "https://gitlab.example.com:80", "http://gitlab.example.com:0")
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

MISSING: list[Row] = [
    ("name: kakehashi\n", "", "name", "this setting is missing", "add it: Starts every name and tag."),
    (
        ", private_cidr: 10.10.10.0/24",
        "",
        "dev.network.zones.a.private_cidr",
        "this setting is missing",
        "add it: Subnet that leaves through a NAT gateway.",
    ),
]


def _cases(*tables: list[Row]) -> pytest.MarkDecorator:
    rows = [row for table in tables for row in table]
    return pytest.mark.parametrize(("old", "new", "path", "what", "hint"), rows, ids=[row[1][:60] for row in rows])


@_cases(
    WRONG_TYPES,
    TOO_SMALL_OR_LARGE,
    UNKNOWN_KEYS,
    BAD_NETWORKS,
    BAD_NAMES,
    OTHER_VALUES,
    HOST_KEYS,
    URLS,
)
def test_a_wrong_value_is_the_only_error_with_its_line_path_value_and_hint(
    refusal: Refusal, old: str, new: str, path: str, what: str, hint: str
) -> None:
    text = spoilt((old, new))
    assert refusal(text) == error(last_line_of_change(old, new), path, what, hint)


@pytest.mark.parametrize("name", ["/a b", "/" + "a" * 100])
def test_does_not_repeat_a_value_that_may_be_a_key(refusal: Refusal, name: str) -> None:
    old, new = "ssh_key_parameter: /kakehashi/backlog/ssh-key", f"ssh_key_parameter: {name}b/"
    assert refusal(spoilt((old, new))) == error(
        last_line_of_change(old, new),
        "prd.backlog.spaces.example.ssh_key_parameter",
        "this is not the name of an SSM parameter",
        "write it with its path, not under /aws or /ssm, for example /kakehashi/backlog/ssh-key",
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


@pytest.mark.parametrize("cidr", HOSTLESS)
def test_refuses_a_vpc_of_addresses_that_no_machine_can_have(refusal: Refusal, cidr: str) -> None:
    text = spoilt(("cidr: 10.10.0.0/16\n", f"cidr: {cidr}\n"))
    assert refusal(text) == error(
        line_of(text, f"cidr: {cidr}\n"),
        "dev.network.cidr",
        f"'{cidr}' includes addresses that no machine can have",
        "use private ones, for example 10.0.0.0/16",
    )


@pytest.mark.parametrize("cidr", PRIVATE)
@pytest.mark.parametrize(
    ("old", "key", "path"),
    [
        ("from_cidrs: [198.51.100.0/28]", "from_cidrs", "prd.codecommit.pull.from_cidrs[0]"),
        ("from_cidrs: [203.0.113.10/32]", "from_cidrs", "prd.codecommit.push.from_cidrs[0]"),
        ("sender_cidrs: [192.0.2.16/28, 192.0.2.64/28]", "sender_cidrs", "prd.backlog.webhook.sender_cidrs[0]"),
    ],
    ids=["pull", "push", "webhook"],
)
def test_refuses_a_private_address_as_public_source(refusal: Refusal, old: str, key: str, path: str, cidr: str) -> None:
    text = spoilt((old, f"{key}: [{cidr}]"))
    assert refusal(text) == error(
        last_line_of_change(old, f"{key}: [{cidr}]"),
        path,
        f"'{cidr}' is private: AWS only ever sees public source addresses",
        _PUBLIC_HINT,
    )


def test_a_public_network_with_a_private_part_is_refused_with_that_part(refusal: Refusal) -> None:
    text = spoilt((_PULL, "from_cidrs: [192.168.0.0/15]"))
    assert refusal(text) == error(
        last_line_of_change(_PULL, "from_cidrs: [192.168.0.0/15]"),
        _PULL_PATH,
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
        ("external_url: https://gitlab.dev.example.com", "external_url: http://10.10.0.5:80/"),
        ("external_url: https://gitlab.dev.example.com", "external_url: https://GitLab.example.com:443"),
        ("url: http://proxy.dev.example.com:3128", "url: http://10.99.0.4:65535/"),
        ("no_proxy: [.dev.example.com]", "no_proxy: [10.0.0.0/8, 'registry.example.com:5000', localhost]"),
        ("timezone: Asia/Tokyo", "timezone: UTC"),
        ('at_utc: "17:00"', "at_utc: 17:00"),
        ("key_prefix: kakehashi", "key_prefix: a/b.c/..d"),
        (_PULL, "from_cidrs: [172.15.0.0/16, 172.32.0.0/16, 11.0.0.0/9]"),
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
