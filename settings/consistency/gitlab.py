"""Rules for GitLab, its network, its volume and its host."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from settings import cron
from settings.consistency.allow_lists import allow_list
from settings.consistency.network import zone_letters
from settings.consistency.valid_values import ValidValues
from settings.data import names
from settings.gitlab import GITLABS_OWN_ACCOUNT
from settings.problems import SettingProblem

_GITLAB = ("dev", "gitlab")
_DATA = (*_GITLAB, "data_volume")


def _one_place(valid: ValidValues) -> Iterator[SettingProblem]:
    existing = valid.names(*_GITLAB, "existing_network")
    if existing and valid.names(*_GITLAB, "zone"):
        what = "zone chooses a subnet of dev.network, and existing_network names another"
        yield SettingProblem(path=(*_GITLAB, "zone"), what=what, hint="keep one of the two")
    elif valid.names(*_GITLAB) and not existing and not valid.names("dev", "network"):
        yield SettingProblem(
            path=_GITLAB,
            what="GitLab has no network",
            hint="add dev.network, or name a VPC and subnet in dev.gitlab.existing_network",
        )


def _known_zone(valid: ValidValues) -> Iterator[SettingProblem]:
    zone = valid.value(*_GITLAB, "zone")
    zones = zone_letters(valid)
    if zone is not None and zones and zone not in zones and not valid.names(*_GITLAB, "existing_network"):
        what = f"'{zone}' is not a zone of dev.network"
        yield SettingProblem(path=(*_GITLAB, "zone"), what=what, hint=f"use one of {', '.join(sorted(set(zones)))}")


def _terminals(valid: ValidValues) -> Iterator[SettingProblem]:
    yield from allow_list(valid, _GITLAB, "work_terminal_cidrs")


def _one_image(valid: ValidValues) -> Iterator[SettingProblem]:
    others = [key for key in ("owner", "name_pattern") if valid.names(*_GITLAB, "ami", key)]
    if valid.names(*_GITLAB, "ami", "id") and others:
        what = f"id selects one image, and {' and '.join(others)} another"
        yield SettingProblem(path=(*_GITLAB, "ami"), what=what, hint="keep the id, or what chooses the newest")


def _published_image(valid: ValidValues) -> Iterator[SettingProblem]:
    region, owner = valid.value("region"), valid.value(*_GITLAB, "ami", "owner")
    if not valid.names(*_GITLAB) or valid.names(*_GITLAB, "ami", "id") or region is None:
        return
    if owner in (None, GITLABS_OWN_ACCOUNT) and region not in names("gitlab_image_regions"):
        what = f"GitLab publishes no image in {region}"
        hint = "copy one to that region and name it in dev.gitlab.ami.id, or choose another region"
        yield SettingProblem(path=("region",), what=what, hint=hint)


def _start_and_stop(valid: ValidValues) -> Iterator[SettingProblem]:
    start, stop = (valid.value(*_GITLAB, "schedule", key) for key in ("start", "stop"))
    if start is not None and stop is not None and cron.meet(start, stop):
        what = f"'{stop}' is also when the server is started"
        yield SettingProblem(path=(*_GITLAB, "schedule", "stop"), what=what, hint="choose another time")


def _volume_iops(valid: ValidValues) -> Iterator[SettingProblem]:
    # https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
    kind = valid.value(*_DATA, "type") or "gp3"
    size, iops = valid.value(*_DATA, "size_gib") or 100, valid.value(*_DATA, "iops")
    path = (*_DATA, "iops")
    if kind == "io2" and iops is None and not valid.names(*path):
        what = "an io2 volume has no default for iops"
        yield SettingProblem(path=(*_DATA, "type"), what=what, hint="add iops, for example 8000")
    if iops is None:
        return
    low, high, each = (3_000, 16_000, 500) if kind == "gp3" else (100, 256_000, 1_000)
    most = min(high, each * size)
    if not low <= iops <= max(low, most):
        what = f"{iops} is not what a {kind} volume of {size} GiB takes"
        yield SettingProblem(path=path, what=what, hint=f"write {low} to {max(low, most)}")


def _certificate(valid: ValidValues) -> Iterator[SettingProblem]:
    path = (*_GITLAB, "load_balancer", "certificate_arn")
    arn = valid.value(*path)
    if arn is None:
        return
    _, _, _, region, account, _ = arn.split(":", 5)
    if valid.value("region") not in (None, region):
        what = f"the certificate is in {region}, and the deployment is in {valid.value('region')}"
        yield SettingProblem(path=path, what=what, hint="request or import it in the deployment's region")
    own = valid.value("dev", "account", "id")
    if own is not None and str(own) != account:
        what = f"the certificate belongs to account {account}, and GitLab to {own}"
        yield SettingProblem(path=path, what=what, hint="request or import it in the development account")


def _record(valid: ValidValues) -> Iterator[SettingProblem]:
    url, path = valid.value(*_GITLAB, "external_url"), (*_GITLAB, "route53_zone_id")
    host = (urlsplit(url).hostname or "") if isinstance(url, str) else ""
    if valid.value(*path) is not None and host.rpartition(".")[2].isdigit():
        what = f"'{host}' is an address, and a hosted zone has records of names only"
        yield SettingProblem(path=path, what=what, hint="write a host name in external_url, or remove route53_zone_id")


RULES = (
    _one_place,
    _known_zone,
    _terminals,
    _one_image,
    _published_image,
    _start_and_stop,
    _volume_iops,
    _certificate,
    _record,
)
