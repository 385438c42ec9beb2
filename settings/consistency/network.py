"""Rules inside the development network."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from settings.consistency.once import named_once
from settings.consistency.valid_values import ValidValues
from settings.network import SMALLEST_DIVIDED_PREFIX
from settings.problems import SettingProblem, dotted

_NETWORK = ("dev", "network")


def zone_letters(valid: ValidValues) -> list[str]:
    """The zones of the network in the order of the file; none when one of them is not valid."""
    zones = valid.keys(*_NETWORK, "zones") or [zone for _, zone in valid.items(*_NETWORK, "zones")]
    return zones if len(zones) == len(valid.value(*_NETWORK, "zones") or ()) else []


def _zones_once(valid: ValidValues) -> Iterator[SettingProblem]:
    yield from named_once(valid, (*_NETWORK, "zones"))


def _divisible(valid: ValidValues) -> Iterator[SettingProblem]:
    cidr = valid.network(*_NETWORK, "cidr")
    if cidr is not None and cidr.prefixlen > SMALLEST_DIVIDED_PREFIX and valid.items(*_NETWORK, "zones"):
        yield SettingProblem(
            path=(*_NETWORK, "cidr"),
            what=f"'{cidr}' is too small to divide into 16 subnets of /28 or larger",
            hint=f"use /{SMALLEST_DIVIDED_PREFIX} or wider, or give each zone its CIDRs",
        )


def _subnets(valid: ValidValues) -> Iterator[SettingProblem]:
    vpc = valid.network(*_NETWORK, "cidr")
    earlier: dict[str, IPv4Network] = {}
    for zone in valid.keys(*_NETWORK, "zones"):
        for key in ("public_cidr", "private_cidr"):
            path = (*_NETWORK, "zones", zone, key)
            subnet = valid.network(*path)
            if subnet is None:
                continue
            if vpc is not None and not subnet.subnet_of(vpc):
                what = f"'{subnet}' lies outside the VPC's '{vpc}'"
                yield SettingProblem(path=path, what=what, hint="choose a part of dev.network.cidr")
            for name, other in earlier.items():
                if subnet.overlaps(other):
                    what = f"'{subnet}' overlaps '{other}' of {name}"
                    yield SettingProblem(path=path, what=what, hint="give every subnet addresses of its own")
            earlier[dotted(path[2:])] = subnet


def _nat_addresses(valid: ValidValues) -> Iterator[SettingProblem]:
    path = (*_NETWORK, "nat", "eip_allocation_ids")
    given = valid.all_keys(*path)
    first: dict[str, str] = {}
    for zone in given:
        allocation = valid.value(*path, zone)
        if allocation in first:
            what = f"'{allocation}' is also the address of zone {first[allocation]}"
            yield SettingProblem(path=(*path, zone), what=what, hint="an Elastic IP serves one NAT gateway")
        elif allocation is not None:
            first[allocation] = zone
    zones = zone_letters(valid)
    if valid.value(*path) is None or not zones or valid.is_refused(*_NETWORK, "nat", "gateways"):
        return
    gateways = zones[:1] if valid.value(*_NETWORK, "nat", "gateways") == "one" else sorted(set(zones))
    if set(given) != set(gateways):
        has = ", ".join(sorted(given)) or "none"
        yield SettingProblem(
            path=path,
            what=f"NAT gateways are in zones {', '.join(gateways)}, addresses are given for {has}",
            hint="give one allocation id for every NAT gateway, by its zone",
        )


RULES = (_zones_once, _divisible, _subnets, _nat_addresses)
