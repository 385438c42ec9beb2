"""Renews the lists that are generated: `python -m settings.data`."""

import datetime
import zoneinfo
from collections.abc import Iterable
from importlib.metadata import version

from botocore.loaders import Loader  # type: ignore[import-untyped]  # it has no types

from settings.data import FOLDER

_NOT_ZONES = ("localtime", "posixrules", "Factory")


def instance_types() -> Iterable[str]:
    names: list[str] = Loader().load_service_model("ec2", "service-2")["shapes"]["InstanceType"]["enum"]
    return names


def regions() -> Iterable[str]:
    partitions = {partition["id"]: partition for partition in Loader().load_data("partitions")["partitions"]}
    return (name for name in partitions["aws"]["regions"] if name != "aws-global")


def time_zones() -> Iterable[str]:
    return (name for name in zoneinfo.available_timezones() if name not in _NOT_ZONES)


def _write(kind: str, what: str, source: str, names: Iterable[str]) -> None:
    date = datetime.datetime.now(datetime.UTC).date()
    header = f"# {what}.\n# Source: {source}\n# Date: {date}. Renewed by: python -m settings.data\n"
    (FOLDER / f"{kind}.txt").write_text(header + "".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")


if __name__ == "__main__":
    botocore = f"botocore {version('botocore')}"
    _write("instance_types", "EC2 instance types", f"{botocore}, ec2's InstanceType", instance_types())
    _write("regions", "Regions of the commercial AWS partition", f"{botocore}, partitions.json", regions())
    _write("time_zones", "Time zones", "the tz database of the machine that wrote this file", time_zones())
