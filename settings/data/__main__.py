"""Writes the lists anew: `python -m settings.data`."""

import zoneinfo
from collections.abc import Iterable

from botocore.loaders import Loader  # type: ignore[import-untyped]

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


if __name__ == "__main__":
    for kind, names in (("instance_types", instance_types()), ("regions", regions()), ("time_zones", time_zones())):
        (FOLDER / f"{kind}.txt").write_text("".join(f"{name}\n" for name in sorted(names)))
