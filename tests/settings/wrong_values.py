"""Wrong values by kind, with their errors: types, sizes, unknown keys, networks, missing settings."""

from tests.settings.whole_file import OF_TARGETS, WrongValue

_CIDR_HINT = "write four numbers of 0 to 255 and a prefix, for example 198.51.100.7/32"


_PREFIX_HINT = "write an address with a prefix of 0 to 32, for example 198.51.100.7/32"


PULL = "from_cidrs: [198.51.100.0/28]"


PULL_PATH = "prd.codecommit.pull.from_cidrs[0]"


def _pull(cidr: str, what: str, hint: str) -> WrongValue:
    return PULL, f"from_cidrs: [{cidr}]", PULL_PATH, what, hint


WRONG_TYPES: list[WrongValue] = [
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
        "write a list, for example [198.51.100.128/28]",
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


TOO_SMALL_OR_LARGE: list[WrongValue] = [
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
    (PULL, "from_cidrs: []", "prd.codecommit.pull.from_cidrs", "[] has too few entries", "give at least 1"),
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


UNKNOWN_KEYS: list[WrongValue] = [
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
        OF_TARGETS,
    ),
    (
        "application:",
        "application: { zzz: 1 }",
        "prd.codecommit.repositories.application.zzz",
        "'zzz' is not a setting",
        "known here: description, kms_key_arn, gitlab_project, only_protected_branches",
    ),
]


BAD_NETWORKS: list[WrongValue] = [
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
    _pull(
        "'\uff1198.51.100.7/32'",
        "'\uff1198.51.100.7/32' has characters that are not ASCII: full-width digit (全角数字)",
        "write '198.51.100.7/32'",
    ),
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


MISSING: list[WrongValue] = [
    ("name: kakehashi\n", "", "name", "this setting is missing", "add it: Starts every name and tag."),
    (
        ", private_cidr: 10.10.10.0/24",
        "",
        "dev.network.zones.a.private_cidr",
        "this setting is missing",
        "add it: Subnet that leaves through a NAT gateway.",
    ),
]
