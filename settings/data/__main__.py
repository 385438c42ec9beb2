"""Renews the lists that are generated: `python -m settings.data`."""

import datetime
import zoneinfo
from collections.abc import Iterable
from importlib import resources
from importlib.metadata import version
from typing import Any

from botocore.loaders import Loader  # type: ignore[import-untyped]  # it has no types
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

from settings.data import FOLDER, parents

_NOT_ZONES = ("localtime", "posixrules", "Factory")


def instance_types() -> Iterable[str]:
    names: list[str] = Loader().load_service_model("ec2", "service-2")["shapes"]["InstanceType"]["enum"]
    return names


def regions() -> Iterable[str]:
    partitions = {partition["id"]: partition for partition in Loader().load_data("partitions")["partitions"]}
    return (name for name in partitions["aws"]["regions"] if name != "aws-global")


def zones() -> Iterable[str]:
    backend: Any = RegionsAndZonesBackend
    return (zone.name for zones in backend.zones.values() for zone in zones)


def time_zones() -> Iterable[str]:
    return (name for name in zoneinfo.available_timezones() if name not in _NOT_ZONES)


def private_suffixes(published: str) -> Iterable[str]:
    """The private section of the Public Suffix List, as ASCII, without a suffix below another one.

    A rule with a wildcard counts as the domain below which it stands, and so does an exception from it.
    """
    section = published.partition("===BEGIN PRIVATE DOMAINS===")[2].partition("===END PRIVATE DOMAINS===")[0]
    rules = (line.strip() for line in section.splitlines())
    suffixes = {
        rule.lstrip("!*.").lower().encode("idna").decode() for rule in rules if rule and not rule.startswith("//")
    }
    return (name for name in suffixes if not any(parent in suffixes for parent in parents(name)))


def _write(kind: str, what: str, source: str, names: Iterable[str]) -> None:
    date = datetime.datetime.now(datetime.UTC).date()
    header = f"# {what}.\n# Source: {source}\n# Date: {date}. Renewed by: python -m settings.data\n"
    (FOLDER / f"{kind}.txt").write_text(header + "".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")


if __name__ == "__main__":
    botocore = f"botocore {version('botocore')}"
    _write("instance_types", "EC2 instance types", f"{botocore}, ec2's InstanceType", instance_types())
    _write("regions", "Regions of the commercial AWS partition", f"{botocore}, partitions.json", regions())
    # AWS publishes ids of zones, and no list of the letters that accounts have for them.
    _write("zones", "Availability zones that accounts have", f"moto {version('moto')}, RegionsAndZonesBackend", zones())
    package = "publicsuffixlist"
    _write(
        "private_suffixes",
        "Domains below which their owners give others names, and could let them receive data",
        f"the private section of https://publicsuffix.org/list/ (MPL-2.0), from {package} {version(package)}",
        private_suffixes(resources.files(package).joinpath("public_suffix_list.dat").read_text(encoding="utf-8")),
    )
    _write("time_zones", "Time zones", "the tz database of the machine that wrote this file", time_zones())
