"""What must hold between GitLab, its network and its proxy."""

from collections.abc import Iterator

from settings.consistency.allow_lists import open_list
from settings.consistency.network import zone_letters
from settings.consistency.said import Said
from settings.problems import Problem

_GITLAB = ("dev", "gitlab")


def _one_place(said: Said) -> Iterator[Problem]:
    existing = said.names(*_GITLAB, "existing_network")
    if existing and said.names(*_GITLAB, "zone"):
        what = "zone chooses a subnet of dev.network, and existing_network names another"
        yield Problem(path=(*_GITLAB, "zone"), what=what, hint="keep one of the two")
    elif said.names(*_GITLAB) and not existing and not said.names("dev", "network"):
        yield Problem(
            path=_GITLAB,
            what="GitLab has no network to stand in",
            hint="add dev.network, or name a VPC and subnet in dev.gitlab.existing_network",
        )


def _known_zone(said: Said) -> Iterator[Problem]:
    zone = said.value(*_GITLAB, "zone")
    zones = zone_letters(said)
    if zone is not None and zones and zone not in zones and not said.names(*_GITLAB, "existing_network"):
        what = f"'{zone}' is not a zone of dev.network"
        yield Problem(path=(*_GITLAB, "zone"), what=what, hint=f"use one of {', '.join(sorted(set(zones)))}")


def _terminals(said: Said) -> Iterator[Problem]:
    yield from open_list(said, _GITLAB, "work_terminal_cidrs")


def _one_image(said: Said) -> Iterator[Problem]:
    others = [key for key in ("owner", "name_pattern") if said.names(*_GITLAB, "ami", key)]
    if said.names(*_GITLAB, "ami", "id") and others:
        what = f"id names one image, and {' and '.join(others)} would choose another"
        yield Problem(path=(*_GITLAB, "ami"), what=what, hint="keep the id, or what chooses the newest")


def _start_and_stop(said: Said) -> Iterator[Problem]:
    start, stop = (said.value(*_GITLAB, "schedule", key) for key in ("start", "stop"))
    if start is not None and start == stop:
        what = f"'{stop}' is also when the server is started"
        yield Problem(path=(*_GITLAB, "schedule", "stop"), what=what, hint="choose another time")


def _proxy(said: Said) -> Iterator[Problem]:
    if said.names("dev", "proxy") and not said.names(*_GITLAB):
        yield Problem(path=("dev", "proxy"), what="nothing uses the proxy", hint="remove it, or add dev.gitlab")
    yield from open_list(said, ("dev", "proxy"), "cidrs", excusable=False)


RULES = (_one_place, _known_zone, _terminals, _one_image, _start_and_stop, _proxy)
