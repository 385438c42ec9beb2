"""Rules for the development network, and for GitLab in it."""

import pytest

from settings import Deployment
from settings.network import NetworkSettings
from tests.settings.whole_file import (
    Loaded,
    Refusal,
    error,
    line_of,
    line_of_change,
    spoilt,
    without,
)

DIVIDED = (
    "    zones:\n"
    "      a: { public_cidr: 10.10.0.0/24, private_cidr: 10.10.10.0/24 }\n"
    "      c: { public_cidr: 10.10.1.0/24, private_cidr: 10.10.11.0/24 }\n"
)


def test_refuses_a_zone_named_twice(refusal: Refusal) -> None:
    change = (DIVIDED, "    zones: [a, c, a]\n")
    assert refusal(spoilt(change)) == error(
        line_of_change(change), "dev.network.zones[2]", "'a' is named twice", "remove one"
    )


def test_refuses_a_network_without_zones(refusal: Refusal) -> None:
    change = (DIVIDED, "    zones: []\n")
    assert refusal(spoilt(change)) == error(
        line_of_change(change), "dev.network.zones", "[] has too few entries", "give at least 1"
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


def test_refuses_gitlab_without_a_network(refusal: Refusal) -> None:
    text = without("  network:", "  gitlab:")
    assert refusal(text) == error(
        line_of(text, "  gitlab:\n"),
        "dev.gitlab",
        "GitLab has no network",
        "add dev.network, or name a VPC and subnet in dev.gitlab.existing_network",
    )


@pytest.mark.parametrize("network", ["1", "{ cidr: x }", "[]"])
def test_a_network_with_errors_counts_as_gitlabs_network(refusal: Refusal, network: str) -> None:
    text = without("  network:", "  gitlab:").replace("  gitlab:", f"  network: {network}\n  gitlab:")
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


NO_IMAGE = "GitLab publishes no image in me-south-1"


def test_refuses_a_region_without_gitlabs_image(refusal: Refusal) -> None:
    change = ("\nregion: ap-northeast-1", "\nregion: me-south-1")
    assert refusal(spoilt(change)).startswith(
        error(
            line_of_change(change),
            "region",
            NO_IMAGE,
            "copy one to that region and name it in dev.gitlab.ami.id, or choose another region",
        )
    )


@pytest.mark.parametrize(
    "image", ["      id: ami-0123456789abcdef0\n", '      owner: "333333333333"\n      name_pattern: GitLab CE *\n']
)
def test_accepts_another_image_where_gitlab_publishes_none(refusal: Refusal, image: str) -> None:
    given = '      owner: "782774275127"\n      name_pattern: GitLab CE *\n'
    text = spoilt(("\nregion: ap-northeast-1", "\nregion: me-south-1"), (given, image))
    assert NO_IMAGE not in refusal(text)
