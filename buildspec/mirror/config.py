"""What one unit of mirrors works with: its configuration, and what one build was started with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .report import first_of


class ConfigError(Exception):
    """The configuration, or a variable that the build was started with, is wrong; nothing was connected to."""


@dataclass(frozen=True)
class SourceConfig:
    """How the unit's repositories of Backlog are reached. `key_parameter` has the SSH key."""

    host: str
    user: str
    known_hosts: tuple[str, ...]
    key_parameter: str


@dataclass(frozen=True)
class MirrorConfig:
    """One mirror: the repository of a Backlog project, and the one of CodeCommit, with its KMS key if it has one."""

    project: str
    repository: str
    target: str
    key_arn: str | None

    @property
    def path(self) -> str:
        """The repository at the source."""
        return f"/{self.project}/{self.repository}.git"


@dataclass(frozen=True)
class Config:
    """A unit. `mirrors` are by their keys; `role_arn` is the role that may push, None where the build's own may."""

    unit: str
    region: str
    account_id: str
    source: SourceConfig
    role_arn: str | None
    transfer: str
    cache: str
    lfs: str
    max_lost_percent: int
    max_rewritten_percent: int
    alert_hours: int
    timeout_minutes: int
    state_parameter: str
    notify_parameter: str | None
    metric_of_each_mirror: bool
    mirrors: dict[str, MirrorConfig]


@dataclass(frozen=True)
class Started:
    """What a build was started for: these mirrors, and what one of them may do this once.

    `whole` says that they are all of the unit's.
    """

    mirrors: tuple[str, ...]
    whole: bool
    allow_deletions: int = 0
    allow_rewrites: int = 0


_NAMED = 20
_TEXT, _NUMBER, _SWITCH = "text", "a whole number that is not negative", "true or false"
_SOURCE: dict[str, Any] = {"host": _TEXT, "user": _TEXT, "known_hosts": [_TEXT], "key_parameter": _TEXT}
_MIRROR: dict[str, Any] = {"project": _TEXT, "repository": _TEXT, "target": _TEXT, "key_arn": (_TEXT, None)}
_UNIT: dict[str, Any] = {
    "unit": _TEXT,
    "region": _TEXT,
    "account_id": _TEXT,
    "source": _SOURCE,
    "role_arn": (_TEXT, None),
    "transfer": ("relay", "copy"),
    "cache": ("none", "s3", "efs"),
    "lfs": ("refuse", "warn"),
    "max_lost_percent": _NUMBER,
    "max_rewritten_percent": _NUMBER,
    "alert_hours": _NUMBER,
    "timeout_minutes": _NUMBER,
    "state_parameter": _TEXT,
    "notify_parameter": (_TEXT, None),
    "metric_of_each_mirror": _SWITCH,
}


def read_config(text: str) -> Config:
    """The configuration that is in JSON. Raises ConfigError with all problems."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"unit.json is no JSON: {error}. Apply Terraform again") from None
    mirrors: Any = content.pop("mirrors", None) if isinstance(content, dict) else None
    problems = list(_problems(content, _UNIT, ""))
    if isinstance(mirrors, dict) and mirrors:
        for key, mirror in mirrors.items():
            problems += _problems(mirror, _MIRROR, f"mirrors.{key}")
    else:
        problems.append("'mirrors' names no mirror")
    if problems:
        raise ConfigError(f"unit.json: {'; '.join(problems)}. Apply the deployment with the newest version")
    source = content.pop("source")
    return Config(
        **content,
        source=SourceConfig(**{**source, "known_hosts": tuple(source["known_hosts"])}),
        mirrors={key: MirrorConfig(**mirror) for key, mirror in mirrors.items()},
    )


def _problems(value: Any, wanted: Any, where: str) -> Iterator[str]:
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            yield f"{where or 'the document'!r} is no object"
            return
        prefix = f"{where}." if where else ""
        yield from (f"'{prefix}{name}' is not known" for name in value if name not in wanted)
        yield from (f"'{prefix}{name}' is missing" for name in wanted if name not in value)
        for name in wanted:
            if name in value:
                yield from _problems(value[name], wanted[name], prefix + name)
    elif isinstance(wanted, list):
        if not isinstance(value, list) or not value:
            yield f"'{where}' is no list with entries"
        else:
            for number, entry in enumerate(value):
                yield from _problems(entry, wanted[0], f"{where}[{number}]")
    elif not _fits(value, wanted):
        choices = wanted if isinstance(wanted, tuple) else (wanted,)
        said = " or ".join("null" if choice is None else str(choice) for choice in choices)
        yield f"'{where}' is {value!r} instead of {said}"


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        return any(_fits(value, choice) for choice in wanted)
    if wanted == _TEXT:
        return isinstance(value, str) and value != ""
    if wanted == _NUMBER:
        return type(value) is int and value >= 0
    if wanted == _SWITCH:
        return type(value) is bool
    return type(value) is type(wanted) and bool(value == wanted)


def read_started(environment: Mapping[str, str], config: Config) -> Started:
    """What the build's variables MIRROR, ALLOW_DELETIONS and ALLOW_REWRITES say. Raises ConfigError."""
    wanted, space = environment.get("MIRROR", ""), config.source.user  # Backlog's SSH user is the space
    deletions, rewrites = (_allowed(environment, name) for name in ("ALLOW_DELETIONS", "ALLOW_REWRITES"))
    if not wanted:
        keys = tuple(config.mirrors)
    elif wanted in config.mirrors:
        keys = (wanted,)
    else:
        keys = tuple(key for key, mirror in config.mirrors.items() if f"{space}.{mirror.project}" == wanted)
    if not keys:
        raise ConfigError(
            f"MIRROR is {wanted!r}, which is no mirror of the unit {config.unit}, and no Backlog project as "
            f"{space}.PROJECT. Its mirrors are: {_some(config.mirrors)}"
        )
    if (deletions or rewrites) and wanted not in config.mirrors:
        raise ConfigError(
            "ALLOW_DELETIONS and ALLOW_REWRITES are for one mirror. Start the build again with MIRROR, the mirror that "
            "the refusal was about"
        )
    return Started(keys, set(keys) == set(config.mirrors) and not wanted, deletions, rewrites)


def _some(keys: Iterable[str]) -> str:
    return first_of(sorted(keys), _NAMED)


def _allowed(environment: Mapping[str, str], name: str) -> int:
    value = environment.get(name, "0")
    if not re.fullmatch("[0-9]{1,9}", value):
        raise ConfigError(
            f"{name} is {value!r}, which is no whole number; nothing was pushed. Write digits alone, as 31"
        )
    return int(value)
