"""What must hold between settings: each rule by its full text, also beside another fault in the same part."""

import pytest

from settings import Deployment
from settings.network import NetworkSettings
from tests.settings.whole_file import (
    ED25519,
    KMS_KEY,
    Loaded,
    Refusal,
    error,
    last_line_of_change,
    line_of,
    spoilt,
)

Change = tuple[str, str]
Row = tuple[Change, str, str, str]
"""What is changed in the whole file, and the path, problem and hint that follow on the last line of the change."""

_CLOSED = "list the addresses, or give a reason in open_to_the_world_because"
_OTHER_KEY = "1234abcd-12ab-34cd-86ef-1234567890ab"
_MIRRORS = "prd.backlog.repositories"
_ZONE_C = "c: { public_cidr: 10.10.1.0/24, private_cidr: 10.10.11.0/24 }"

ACCOUNTS: list[Row] = [
    (
        ("iam::111111111111:role/kakehashi-deploy", "iam::222222222222:role/kakehashi-deploy"),
        "dev.account.assume_role_arn",
        "'arn:aws:iam::222222222222:role/kakehashi-deploy' is a role of another account than '111111111111'",
        "name a role of this account: Terraform refuses to work with any other's credentials",
    ),
    (
        ("ap-northeast-1:333333333333:key", "eu-west-1:333333333333:key"),
        "state.s3.kms_key_arn",
        f"'arn:aws:kms:eu-west-1:333333333333:key/{_OTHER_KEY}' is a key of eu-west-1, "
        "the state's bucket is in ap-northeast-1",
        "name a key of ap-northeast-1",
    ),
]

TAGS: list[Row] = [
    (('cost-center: "4711"', f"{tag}: x"), f"tags.{tag}", f"'{tag}' is a tag that the labels set", "choose another key")
    for tag in ("project", "environment", "owner", "managed-by", "Owner", "Name")
] + [
    (
        ('cost-center: "4711"', 'cost-center: "4711"\n  Cost-Center: x'),
        "tags.Cost-Center",
        "'Cost-Center' differs from 'cost-center' in upper and lower case only",
        "IAM ignores case in tag keys: rename or remove one",
    )
]

NETWORK: list[Row] = [
    (
        (_ZONE_C, "c: { public_cidr: 10.11.1.0/24, private_cidr: 10.10.11.0/24 }"),
        "dev.network.zones.c.public_cidr",
        "'10.11.1.0/24' lies outside the VPC's '10.10.0.0/16'",
        "choose a part of dev.network.cidr",
    ),
    (
        (_ZONE_C, "c: { public_cidr: 10.10.0.128/25, private_cidr: 10.10.11.0/24 }"),
        "dev.network.zones.c.public_cidr",
        "'10.10.0.128/25' overlaps '10.10.0.0/24' of zones.a.public_cidr",
        "give every subnet addresses of its own",
    ),
    (
        (_ZONE_C, "c: { public_cidr: 10.10.1.0/24, private_cidr: 10.10.1.0/24 }"),
        "dev.network.zones.c.private_cidr",
        "'10.10.1.0/24' overlaps '10.10.1.0/24' of zones.c.public_cidr",
        "give every subnet addresses of its own",
    ),
    (
        ("c: eipalloc-0fedcba9876543210", "c: eipalloc-0123456789abcdef0"),
        "dev.network.nat.eip_allocation_ids.c",
        "'eipalloc-0123456789abcdef0' is also the address of zone a",
        "an Elastic IP serves one NAT gateway",
    ),
]


def _certified(place: str) -> Change:
    """A load balancer with a certificate of a place, `region:account`."""
    arn = f"arn:aws:acm:{place}:certificate/{_OTHER_KEY}"
    return "    root_volume_gib: 100\n", f"    root_volume_gib: 100\n    load_balancer:\n      certificate_arn: {arn}\n"


GITLAB: list[Row] = [
    (
        ("      type: io2\n      iops: 8000\n", "      type: io2\n"),
        "dev.gitlab.data_volume.type",
        "an io2 volume has no default for iops",
        "add iops, for example 8000",
    ),
    (
        ("      type: io2\n      iops: 8000\n", "      iops: 2999\n"),
        "dev.gitlab.data_volume.iops",
        "2999 is not what a gp3 volume of 200 GiB takes",
        "write 3000 to 16000",
    ),
    (
        ("      size_gib: 200\n      type: io2\n      iops: 8000\n", "      size_gib: 20\n      iops: 10001\n"),
        "dev.gitlab.data_volume.iops",
        "10001 is not what a gp3 volume of 20 GiB takes",
        "write 3000 to 10000",
    ),
    (
        _certified("us-east-1:111111111111"),
        "dev.gitlab.load_balancer.certificate_arn",
        "the certificate is in us-east-1, and the deployment is in ap-northeast-1",
        "request or import it in the deployment's region",
    ),
    (
        _certified("ap-northeast-1:222222222222"),
        "dev.gitlab.load_balancer.certificate_arn",
        "the certificate belongs to account 222222222222, and GitLab to 111111111111",
        "request or import it in the development account",
    ),
    (
        ("    zone: a\n", "    zone: b\n"),
        "dev.gitlab.zone",
        "'b' is not a zone of dev.network",
        "use one of a, c",
    ),
    (
        ("stop: cron(0 22 ? * MON-FRI *)", "stop: cron(0 8 ? * MON-FRI *)"),
        "dev.gitlab.schedule.stop",
        "'cron(0 8 ? * MON-FRI *)' is also when the server is started",
        "choose another time",
    ),
    (
        ("cidrs: [10.99.0.0/28]", "cidrs: [0.0.0.0/0]"),
        "dev.proxy.cidrs[0]",
        "'0.0.0.0/0' allows every address",
        "list the addresses",
    ),
]

PUSH_AND_PULL: list[Row] = [
    (
        ("from_cidrs: [203.0.113.10/32]", "from_cidrs: [203.0.113.10/32, 198.51.100.5/32]"),
        "prd.codecommit.push.from_cidrs[1]",
        "'198.51.100.5/32' overlaps '198.51.100.0/28', which may pull",
        "the isolated room must not be able to push: keep the two lists apart",
    ),
    (
        ("from_cidrs: [203.0.113.10/32]", "from_cidrs: [203.0.113.33/32]"),
        "prd.codecommit.push.from_cidrs[0]",
        "'203.0.113.33/32' overlaps '203.0.113.32/29', which may pull",
        "the isolated room must not be able to push: keep the two lists apart",
    ),
    (
        ("from_cidrs: [203.0.113.32/29]", "from_cidrs: [203.0.113.32/29, 198.51.100.0/30]"),
        "prd.codecommit.rooms.batch_operators.from_cidrs[1]",
        "'198.51.100.0/30' overlaps '198.51.100.0/28' of prd.codecommit.pull",
        "give every room addresses of its own, or make the two one room",
    ),
    (
        ("vpce-0fedcba9876543210]", "vpce-0123456789abcdef0]"),
        "prd.codecommit.rooms.vault.from_vpc_endpoints[1]",
        "'vpce-0123456789abcdef0' is also named by prd.codecommit.rooms.vault",
        "give every room endpoints of its own, and name each once",
    ),
    (
        ("repositories: [batch]", "repositories: [batch, bach]"),
        "prd.codecommit.rooms.batch_operators.repositories[1]",
        "'bach' is not one of prd.codecommit.repositories, and no Backlog mirror creates it",
        "add it there, or correct its spelling",
    ),
    (
        ("repositories: [batch]", "repositories: [batch, batch]"),
        "prd.codecommit.rooms.batch_operators.repositories[1]",
        "'batch' is named twice",
        "remove one",
    ),
    (
        ("own_prefixes: [bat]", "own_prefixes: [bat, web-]"),
        "prd.codecommit.own_prefixes[1]",
        "no repository's name starts with 'web-'",
        "remove it, or correct its spelling",
    ),
    (
        (
            f"kms_key_arn: {KMS_KEY}\n      app",
            f"kms_key_arn: {KMS_KEY.replace('ap-northeast-1', 'us-east-1')}\n      app",
        ),
        "prd.codecommit.repositories.infrastructure.kms_key_arn",
        f"'{KMS_KEY.replace('ap-northeast-1', 'us-east-1')}' is a key of us-east-1, "
        "the repository is in ap-northeast-1",
        "name a key of ap-northeast-1",
    ),
    (
        (
            f"kms_key_arn: {KMS_KEY}\n      app",
            f"kms_key_arn: {KMS_KEY.replace('222222222222', '111111111111')}\n      app",
        ),
        "prd.codecommit.repositories.infrastructure.kms_key_arn",
        f"'{KMS_KEY.replace('222222222222', '111111111111')}' is a key of account 111111111111, "
        "the repository is in 222222222222",
        "name a key of account 222222222222",
    ),
]

BACKLOG: list[Row] = [
    (
        ("space: example\n        project: WEB", "space: exampel\n        project: WEB"),
        f"{_MIRRORS}.website.space",
        "'exampel' is not one of prd.backlog.spaces",
        "use one of example, or add it there",
    ),
    (
        (f"- example.git.backlog.jp ssh-ed25519 {ED25519}", f"- other.git.backlog.jp ssh-ed25519 {ED25519}"),
        "prd.backlog.spaces.example.known_hosts[0]",
        "'other.git.backlog.jp' is not the Git server of this space",
        "pin the key of example.git.backlog.jp",
    ),
    (
        ("target: { codecommit: batch }", "target: { codecommit: bach }"),
        f"{_MIRRORS}.batch.target.codecommit",
        "'bach' is not one of prd.codecommit.repositories",
        "add it there, or write create: to have the bridge create it",
    ),
    (
        ("target: { create: website }", "target: { create: application }"),
        f"{_MIRRORS}.website.target.create",
        "'application' is also one of prd.codecommit.repositories",
        "write codecommit: to mirror into that one, or choose another name",
    ),
    (
        ("[subnet-0123456789abcdef0]", "[subnet-0123456789abcdef0, subnet-0123456789abcdef0]"),
        "prd.backlog.vpc.subnet_ids[1]",
        "'subnet-0123456789abcdef0' is named twice",
        "remove one",
    ),
    (
        ("key/12345678-", "alias/12345678-"),
        "prd.backlog.spaces.example.ssh_key_kms_key_arn",
        f"'{KMS_KEY.replace('key/1234abcd-', 'alias/12345678-')}' is not the ARN of a KMS key",
        f"for example {KMS_KEY}",
    ),
]

_NO_PUSH = ("    push:\n      from_cidrs: [203.0.113.10/32]\n", "")

LISTS = [
    ("work_terminal_cidrs", "[198.51.100.128/28]", "dev.gitlab"),
    ("from_cidrs", "[203.0.113.10/32]", "prd.codecommit.push"),
    ("from_cidrs", "[198.51.100.0/28]", "prd.codecommit.pull"),
    ("from_cidrs", "[203.0.113.32/29]", "prd.codecommit.rooms.batch_operators"),
    ("sender_cidrs", "[192.0.2.16/28, 192.0.2.64/28]", "prd.backlog.webhook"),
]

_ROOMS = ("prd.codecommit.pull", "prd.codecommit.rooms.batch_operators")

_ALL = [*ACCOUNTS, *TAGS, *NETWORK, *GITLAB, *PUSH_AND_PULL, *BACKLOG]
_rows = pytest.mark.parametrize(
    ("change", "path", "what", "hint"), _ALL, ids=[f"{row[1]}-{row[0][1][-30:]}" for row in _ALL]
)


@_rows
def test_a_contradiction_between_settings_is_the_only_error(
    refusal: Refusal, change: Change, path: str, what: str, hint: str
) -> None:
    assert refusal(spoilt(change)) == error(_line(change), path, what, hint)


@_rows
def test_contradictions_are_reported_together_with_wrong_values(
    refusal: Refusal, change: Change, path: str, what: str, hint: str
) -> None:
    text = spoilt(
        change,
        ("owner: platform-team", "owner:"),
        ("flow_log_retention_days: 90", "flow_log_retention_days: 91"),
        ("root_volume_gib: 100", "root_volume_gib: 1"),
        ("no_proxy: [.dev.example.com]", "no_proxy: ['*']"),
        ("deletion_protected: true", "deletion_protected: yes"),
        ("build_timeout_minutes: 60", "build_timeout_minutes: 1"),
        ("profile: dev", "profile: '*'"),
    )
    answer = refusal(text)
    assert answer.count("error: ") == 8
    assert error(_line(change), path, what, hint) in answer


def _line(change: Change) -> int:
    context = ("\n      app", "\n        project: WEB")
    return last_line_of_change(change[0], change[1].removesuffix(context[0]).removesuffix(context[1]))


@pytest.mark.parametrize("without_quotes", [True, False])
def test_refuses_one_account_for_both_environments(refusal: Refusal, without_quotes: bool) -> None:
    written = "222222222222" if without_quotes else '"222222222222"'
    text = _without("dev:", "prd:").replace("prd:\n", f"dev:\n  account: {{ id: {written} }}\nprd:\n")
    assert refusal(text) == error(
        line_of(text, '    id: "222222222222"'),
        "prd.account.id",
        "'222222222222' is also the development account",
        "an administrator of one account controls everything in it: use two accounts",
    )


@pytest.mark.parametrize(("key", "old", "part"), LISTS)
@pytest.mark.parametrize(
    ("cidrs", "place", "what"),
    [
        ("0.0.0.0/0", "[0]", "'0.0.0.0/0' allows every address"),
        ("8.0.0.0/7", "[0]", "'8.0.0.0/7' allows 33,554,432 addresses, more than an allow-list may"),
        (
            "11.0.0.0/8, 12.0.0.0/30",
            "",
            "these networks add up to 16,777,220 public addresses, more than an allow-list may allow",
        ),
    ],
)
def test_refuses_an_allow_list_that_is_open_to_the_world(
    refusal: Refusal, key: str, old: str, part: str, cidrs: str, place: str, what: str
) -> None:
    change = (f"{key}: {old}", f"{key}: [{cidrs}]")
    text = spoilt(change)
    assert error(line_of(text, f"{key}: [{cidrs}]"), f"{part}.{key}{place}", what, _CLOSED) in refusal(text)


def test_refuses_each_half_of_the_address_space(refusal: Refusal) -> None:
    change = ("[198.51.100.128/28]", "[0.0.0.0/1, 128.0.0.0/1]")
    what = "allows 2,147,483,648 addresses, more than an allow-list may"
    assert refusal(spoilt(change)) == "\n".join(
        error(_line(change), f"dev.gitlab.work_terminal_cidrs[{index}]", f"'{half}' {what}", _CLOSED)
        for index, half in enumerate(("0.0.0.0/1", "128.0.0.0/1"))
    )


def test_refuses_many_small_networks_that_cover_the_world(refusal: Refusal) -> None:
    change = ("[198.51.100.128/28]", f"[{', '.join(f'{number}.0.0.0/8' for number in range(0, 256, 2))}]")
    assert refusal(spoilt(change)) == error(
        _line(change),
        "dev.gitlab.work_terminal_cidrs",
        "these networks add up to 1,845,493,760 public addresses, more than an allow-list may allow",
        _CLOSED,
    )


def test_counts_a_repeated_address_once(loaded: Loaded) -> None:
    assert loaded(spoilt(("[198.51.100.128/28]", "[11.0.0.0/8, 11.0.0.0/8, 11.1.0.0/16]")))


@pytest.mark.parametrize(("key", "old", "part"), [row for row in LISTS if row[2] != "prd.codecommit.push"])
def test_an_allow_list_may_be_open_to_the_world_with_a_reason(loaded: Loaded, key: str, old: str, part: str) -> None:
    indent = "  " * len(part.split(".")) if part != "dev.gitlab" else "    "
    reason = f"\n{indent}open_to_the_world_because: People work from everywhere, through single sign-on."
    # Whoever else pulls comes another way: rooms share no address.
    private = "from_vpc_endpoints: [vpce-0123456789abcdef1]"
    others = [(f"from_cidrs: {row[1]}", private) for row in LISTS if row[2] in _ROOMS and row[2] != part in _ROOMS]
    assert loaded(spoilt(_NO_PUSH, (f"{key}: {old}", f"{key}: [0.0.0.0/0]{reason}"), *others))


@pytest.mark.parametrize("reason", ["yes", '"because\\nof us"', "''"])
def test_refuses_a_reason_that_is_too_short_or_not_one_line(refusal: Refusal, reason: str) -> None:
    change = ("[198.51.100.128/28]", f"[0.0.0.0/0]\n    open_to_the_world_because: {reason}")
    shown = {"yes": "'yes'", "''": "''"}.get(reason, "'because\\nof us'")
    assert refusal(spoilt(change)) == error(
        _line(change),
        "dev.gitlab.open_to_the_world_because",
        f"{shown} is not a reason",
        "give the reason in one line of 10-500 characters",
    )


_PULL = "    pull:\n      from_cidrs: [198.51.100.0/28]\n"


def test_refuses_repositories_that_no_user_may_pull(refusal: Refusal) -> None:
    text = _without("    rooms:\n", "  backlog:\n", (_PULL, ""))
    assert refusal(text) == error(
        line_of(text, "  codecommit:\n"),
        "prd.codecommit",
        "nobody may pull from these repositories",
        "add pull with the isolated room's addresses, or rooms with those of each",
    )


def test_refuses_an_empty_map_of_rooms(refusal: Refusal) -> None:
    text = _without("      batch_operators:\n", "  backlog:\n", (_PULL, ""), ("    rooms:\n", "    rooms: {}\n"))
    assert refusal(text) == error(
        line_of(text, "rooms: {}"), "prd.codecommit.rooms", "there are no rooms", "add one, or add pull"
    )


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("repositories: [batch]", "no source is given"),
        (
            "from_cidrs: [203.0.113.48/29]\n        from_vpc_endpoints: [vpce-0123456789abcdef1]",
            "both from_cidrs and from_vpc_endpoints are given",
        ),
    ],
)
def test_refuses_a_room_with_no_source_or_with_two(refusal: Refusal, given: str, what: str) -> None:
    text = spoilt(("from_vpc_endpoints: [vpce-0123456789abcdef0, vpce-0fedcba9876543210]", given))
    hint = "give from_cidrs, the public addresses the room leaves from, or from_vpc_endpoints"
    assert refusal(text) == error(line_of(text, "      vault:\n"), "prd.codecommit.rooms.vault", what, hint)


def test_refuses_a_reason_to_open_an_endpoint_to_the_world(refusal: Refusal) -> None:
    change = (
        "vpce-0fedcba9876543210]",
        "vpce-0fedcba9876543210]\n        open_to_the_world_because: The room is everywhere.",
    )
    assert refusal(spoilt(change)) == error(
        _line(change),
        "prd.codecommit.rooms.vault.open_to_the_world_because",
        "a VPC endpoint is not open to the world",
        "leave it out",
    )


def test_refuses_a_file_with_nothing_to_build(refusal: Refusal) -> None:
    assert refusal("name: kakehashi\nowner: me\nregion: ap-northeast-1\n") == (
        "error: x.yaml:1: there is nothing to build\n"
        "hint: add at least one of dev.network, dev.gitlab, prd.codecommit, prd.backlog"
    )


def test_a_part_with_errors_counts_as_something_to_build(refusal: Refusal) -> None:
    assert refusal("name: kakehashi\nowner: me\nregion: ap-northeast-1\nprd: 1\n") == error(
        4, "prd", "1 is not a map of settings", "indent the settings below it: account, codecommit, backlog"
    )


DIVIDED = (
    "    zones:\n"
    "      a: { public_cidr: 10.10.0.0/24, private_cidr: 10.10.10.0/24 }\n"
    "      c: { public_cidr: 10.10.1.0/24, private_cidr: 10.10.11.0/24 }\n"
)


def test_refuses_a_zone_named_twice(refusal: Refusal) -> None:
    change = (DIVIDED, "    zones: [a, c, a]\n")
    assert refusal(spoilt(change)) == error(_line(change), "dev.network.zones[2]", "'a' is named twice", "remove one")


def test_refuses_a_network_without_zones(refusal: Refusal) -> None:
    change = (DIVIDED, "    zones: []\n")
    assert refusal(spoilt(change)) == error(
        _line(change), "dev.network.zones", "[] has too few entries", "give at least 1"
    )


def test_refuses_to_divide_a_vpc_that_is_too_small(refusal: Refusal) -> None:
    text = spoilt((DIVIDED, "    zones: [a, c]\n"), ("cidr: 10.10.0.0/16\n", "cidr: 10.10.0.0/25\n"))
    assert refusal(text) == error(
        line_of(text, "10.10.0.0/25"),
        "dev.network.cidr",
        "'10.10.0.0/25' is too small to divide into 16 subnets of /28 or larger",
        "use /24 or wider, or give each zone its CIDRs",
    )


@pytest.mark.parametrize("cidr", ["10.10.0.0/16", "10.10.0.0/24"])
def test_subnets_of_a_divided_vpc_do_not_overlap_and_stay_when_zones_are_added(loaded: Loaded, cidr: str) -> None:
    def subnets(zones: str) -> dict[str, tuple[str, str]]:
        eips = "".join(f"        {zone}: eipalloc-0000000{place}\n" for place, zone in enumerate(zones))
        deployment = loaded(
            spoilt(
                (DIVIDED, f"    zones: [{', '.join(zones)}]\n"),
                ("cidr: 10.10.0.0/16\n", f"cidr: {cidr}\n"),
                ("        a: eipalloc-0123456789abcdef0\n        c: eipalloc-0fedcba9876543210\n", eips),
                ("    zone: a\n", ""),
            )
        )
        network = _network(deployment)
        found = network.subnets()
        both = [subnet for pair in found.values() for subnet in (pair.public_cidr, pair.private_cidr)]
        assert all(subnet.subnet_of(network.cidr) for subnet in both)
        assert not any(one.overlaps(other) for one in both for other in both if one is not other)
        return {zone: (str(pair.public_cidr), str(pair.private_cidr)) for zone, pair in found.items()}

    some, all_eight = subnets("ac"), subnets("abcdefgh")
    assert list(some) == ["a", "c"]
    assert some.items() <= all_eight.items()


def test_zones_with_cidrs_get_the_given_subnets(loaded: Loaded) -> None:
    subnets = _network(loaded(spoilt())).subnets()
    assert {zone: (str(pair.public_cidr), str(pair.private_cidr)) for zone, pair in subnets.items()} == {
        "a": ("10.10.0.0/24", "10.10.10.0/24"),
        "c": ("10.10.1.0/24", "10.10.11.0/24"),
    }


def _network(deployment: Deployment) -> NetworkSettings:
    assert deployment.dev is not None
    assert deployment.dev.network is not None
    return deployment.dev.network


@pytest.mark.parametrize(
    ("gateways", "addresses", "problem"),
    [
        ("per_zone", "a: eipalloc-0123456789abcdef0", "NAT gateways are in zones a, c, addresses are given for a"),
        ("one", "c: eipalloc-0123456789abcdef0", "NAT gateways are in zones a, addresses are given for c"),
        (
            "one",
            "a: eipalloc-0123456789abcdef0, c: eipalloc-0fedcba9876543210",
            "NAT gateways are in zones a, addresses are given for a, c",
        ),
        ("per_zone", "", "NAT gateways are in zones a, c, addresses are given for none"),
    ],
)
def test_refuses_elastic_ips_that_do_not_match_the_nat_gateways_zones(
    refusal: Refusal, gateways: str, addresses: str, problem: str
) -> None:
    text = _with_addresses(gateways, addresses)
    assert refusal(text) == error(
        line_of(text, "eip_allocation_ids:"),
        "dev.network.nat.eip_allocation_ids",
        problem,
        "give one allocation id for every NAT gateway, by its zone",
    )


def test_a_single_nat_gateway_is_in_the_first_zone(loaded: Loaded) -> None:
    deployment = loaded(_with_addresses("one", "a: eipalloc-0123456789abcdef0"))
    assert _network(deployment).nat_zones() == ("a",)


def _with_addresses(gateways: str, addresses: str) -> str:
    return spoilt(
        ("gateways: per_zone", f"gateways: {gateways}"),
        (
            "eip_allocation_ids:\n        a: eipalloc-0123456789abcdef0\n        c: eipalloc-0fedcba9876543210",
            f"eip_allocation_ids: {{ {addresses} }}",
        ),
    )


EXISTING = (
    "    existing_network:\n"
    "      vpc_id: vpc-0123456789abcdef0\n"
    "      vpc_cidr: 10.20.0.0/16\n"
    "      subnet_id: subnet-0123456789abcdef0\n"
)


def test_refuses_a_zone_together_with_an_existing_network(refusal: Refusal) -> None:
    text = spoilt(("    zone: a\n", "    zone: a\n" + EXISTING))
    assert refusal(text) == error(
        line_of(text, "    zone: a\n"),
        "dev.gitlab.zone",
        "zone chooses a subnet of dev.network, and existing_network names another",
        "keep one of the two",
    )


def test_refuses_a_dns_record_for_an_address(refusal: Refusal) -> None:
    zone = "    route53_zone_id: Z0123456789ABCDEFGHIJ\n"
    text = spoilt(("https://gitlab.dev.example.com", "https://192.0.2.1"), ("    zone: a\n", "    zone: a\n" + zone))
    assert refusal(text) == error(
        line_of(text, zone),
        "dev.gitlab.route53_zone_id",
        "'192.0.2.1' is an address, and a hosted zone has records of names only",
        "write a host name in external_url, or remove route53_zone_id",
    )


def test_refuses_a_certificate_for_plain_http(refusal: Refusal) -> None:
    url = "external_url: http://gitlab.dev.example.com"
    text = spoilt((url.replace("http", "https"), url), _certified("ap-northeast-1:111111111111"))
    assert refusal(text) == error(
        line_of(text, url),
        "dev.gitlab.external_url",
        "'http://gitlab.dev.example.com' needs no certificate",
        "write it with https, or remove load_balancer",
    )


def test_refuses_gitlab_without_a_network(refusal: Refusal) -> None:
    text = _without("  network:", "  gitlab:")
    assert refusal(text) == error(
        line_of(text, "  gitlab:\n"),
        "dev.gitlab",
        "GitLab has no network",
        "add dev.network, or name a VPC and subnet in dev.gitlab.existing_network",
    )


@pytest.mark.parametrize("network", ["1", "{ cidr: x }", "[]"])
def test_a_network_with_errors_counts_as_gitlabs_network(refusal: Refusal, network: str) -> None:
    text = _without("  network:", "  gitlab:").replace("  gitlab:", f"  network: {network}\n  gitlab:")
    assert "dev.network" in refusal(text)
    assert "dev.gitlab" not in refusal(text)


def test_refuses_an_image_id_together_with_a_name_pattern(refusal: Refusal) -> None:
    text = spoilt(('owner: "782774275127"', 'owner: "782774275127"\n      id: ami-0123456789abcdef0'))
    assert refusal(text) == error(
        line_of(text, "    ami:"),
        "dev.gitlab.ami",
        "id selects one image, and owner and name_pattern another",
        "keep the id, or what chooses the newest",
    )


def test_refuses_a_proxy_without_gitlab(refusal: Refusal) -> None:
    text = _without("  gitlab:", "  proxy:")
    assert refusal(text) == error(
        line_of(text, "  proxy:"), "dev.proxy", "nothing uses the proxy", "remove it, or add dev.gitlab"
    )


def test_refuses_two_sources_for_the_push_user(refusal: Refusal) -> None:
    push = "push: { from_cidrs: [203.0.113.10/32], from_stack: dev-network }"
    text = spoilt(("push:\n      from_cidrs: [203.0.113.10/32]", push), _PROXY_IN_THE_VPC)
    assert refusal(text) == error(
        line_of(text, "    push:"),
        "prd.codecommit.push",
        "both from_cidrs and from_stack are given",
        "give from_cidrs, or from_stack to take them from its outputs",
    )


_PROXY_IN_THE_VPC = ("    cidrs: [10.99.0.0/28]\n", "")
_FROM_NETWORK = ("from_cidrs: [203.0.113.10/32]", "from_stack: dev-network")
_FROM_GITLAB = ("from_cidrs: [203.0.113.10/32]", "from_stack: dev-gitlab")


def test_refuses_a_push_source_that_is_not_part_of_the_deployment(refusal: Refusal) -> None:
    text = _without("dev:", "prd:", _FROM_NETWORK)
    assert refusal(text) == error(
        line_of(text, "from_stack"),
        "prd.codecommit.push.from_stack",
        "'dev-network' is not part of this deployment",
        "add dev.network, or give the addresses in from_cidrs",
    )


def test_refuses_nat_addresses_as_push_source_without_a_proxy(refusal: Refusal) -> None:
    text = _without("  proxy:", "prd:", _FROM_NETWORK)
    assert refusal(text) == error(
        line_of(text, "from_stack"),
        "prd.codecommit.push.from_stack",
        "without a proxy GitLab does not leave through the NAT gateways",
        "use from_stack: dev-gitlab, or add dev.proxy",
    )


def test_refuses_gitlabs_address_as_push_source_with_a_proxy(refusal: Refusal) -> None:
    text = spoilt(_FROM_GITLAB)
    assert refusal(text) == error(
        line_of(text, "from_stack"),
        "prd.codecommit.push.from_stack",
        "with a proxy GitLab's mirrors do not leave from its own address",
        "use from_stack: dev-network, or give the proxy's addresses in from_cidrs",
    )


def test_refuses_nat_addresses_as_push_source_for_a_proxy_in_another_network(refusal: Refusal) -> None:
    text = spoilt(_FROM_NETWORK)
    assert refusal(text) == error(
        line_of(text, "from_stack: dev-network"),
        "prd.codecommit.push.from_stack",
        "a proxy in another network does not leave through the NAT gateways",
        "give the addresses that proxy leaves from in from_cidrs",
    )


def test_refuses_a_schedule_that_is_not_shorter_than_the_alarms_period(refusal: Refusal, loaded: Loaded) -> None:
    change = ("reconcile: rate(1 hour)", "reconcile: rate(6 hours)")
    assert refusal(spoilt(change)) == error(
        _line(change),
        "prd.backlog.reconcile",
        "'rate(6 hours)' is not shorter than the 6 hours after which a mirror counts as silent",
        "run mirrors more often, or raise prd.backlog.alerts.silent_hours",
    )
    assert loaded(spoilt(("reconcile: rate(1 hour)", "reconcile: rate(5 hours)")))


def test_accepts_a_push_source_that_matches_the_proxy(loaded: Loaded) -> None:
    assert loaded(spoilt(_FROM_NETWORK, _PROXY_IN_THE_VPC))
    assert loaded(_without("  proxy:", "prd:", _FROM_GITLAB))


def test_refuses_a_push_user_without_a_repository_to_push(refusal: Refusal) -> None:
    text = _without("      infrastructure:", "      batch:\n    del")
    assert refusal(text) == error(
        line_of(text, "    push:"),
        "prd.codecommit.push",
        "every repository is the target of a Backlog mirror, so there is nothing to push",
        "leave push out",
    )


def test_refuses_two_mirrors_of_one_backlog_repository(refusal: Refusal) -> None:
    change = ("project: OPS\n        repository: batch", "project: WEB\n        repository: website")
    text = spoilt(change)
    assert refusal(text) == error(
        line_of(text, "      batch:\n        space"),
        "prd.backlog.repositories.batch",
        "'example/WEB/website' is already the source of 'website'",
        "a repository has one mirror, because Backlog calls one webhook for it: remove one",
    )


def test_refuses_two_mirrors_into_one_target(refusal: Refusal) -> None:
    change = ("target: { codecommit: batch }", "target: { create: website }")
    assert refusal(spoilt(change)) == error(
        _line(change),
        "prd.backlog.repositories.batch.target",
        "'website' is already the target of 'website'",
        "give each mirror its own target: two mirrors would undo each other's pushes",
    )


def test_an_efs_cache_needs_a_vpc(refusal: Refusal) -> None:
    text = _without("    vpc:", "    build_timeout", ("mode: s3", "mode: efs"))
    assert refusal(text) == error(
        line_of(text, "mode: efs"),
        "prd.backlog.cache.mode",
        "'efs' needs a VPC",
        "give prd.backlog.vpc, or use mode: s3",
    )


def test_a_list_instead_of_a_map_of_repositories_is_the_only_error(refusal: Refusal) -> None:
    listed = ("  codecommit:\n    repositories:\n", "  codecommit:\n    repositories: [app, batch]\n")
    text = _without("      infrastructure:\n", "    deletion_protected: true\n", listed)
    assert refusal(text) == error(
        line_of(text, "[app, batch]"),
        "prd.codecommit.repositories",
        "['app', 'batch'] is a list, not a map",
        "write each name on a line of its own with a colon, for example app:",
    )


def test_a_repository_with_errors_still_counts_as_a_target(refusal: Refusal) -> None:
    change = ("      batch:\n    del", "      batch: 1\n    del")
    assert refusal(spoilt(change)) == error(
        line_of(spoilt(change), "      batch: 1"),
        "prd.codecommit.repositories.batch",
        "1 is not a map of settings",
        "indent the settings below it: description, kms_key_arn, gitlab_project, only_protected_branches",
    )


def test_checks_a_deployment_that_is_built_without_a_file() -> None:
    account = {"id": "222222222222"}
    codecommit = {"repositories": {"a": None}, "pull": {"from_cidrs": ["0.0.0.0/0"]}}
    with pytest.raises(ValueError, match="allows every address"):
        Deployment.model_validate(
            {
                "name": "kakehashi",
                "owner": "me",
                "region": "ap-northeast-1",
                "prd": {"account": account, "codecommit": codecommit},
            }
        )


def _without(start: str, end: str, *changes: Change) -> str:
    """The whole file without what stands from `start` up to `end`, and with changes."""
    text = spoilt(*changes)
    first = text.index(start)
    return text[:first] + text[text.index(end, first) :]
