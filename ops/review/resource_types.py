"""What each resource type means to a review; the types are in `resource_types.toml`."""

import tomllib
from pathlib import Path

from ops.review.translatable import said

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

LOSSES: dict[str, dict[str, str]] = _DATA["losses"]
"""By rule and type: what is lost when an object of the type is destroyed or replaced."""

SAFEGUARDS: dict[str, dict[str, str]] = _DATA["safeguards"]
"""By rule and type: what is no longer recorded, reported, run or restorable without an object of the type."""

ACCESS: dict[str, str] = _DATA["access"]
"""What an object of the type decides about access."""

IRRELEVANT: dict[str, str] = _DATA["irrelevant"]
"""Types that mean nothing to a review, and why."""

HARMLESS: dict[str, str] = _DATA["harmless"]
"""Arguments whose changes mean nothing to a review, as `type.argument` or, for every type, `*.argument`, and why."""

ASSIGNED: dict[str, str] = _DATA["assigned"]
"""Attributes that AWS alone decides, as `type.attribute`, and why they may be open where a plan is read."""

BELONGS: dict[str, dict[str, str]] = _DATA["belongs"]
"""By type: the arguments that say what an object belongs to, each with the type that it names."""

PLAIN: dict[str, list[str]] = _DATA["plain"]
"""By type: the other arguments of what belongs to something, which name nothing that exists."""

_CLASSIFIED = {*ACCESS, *IRRELEVANT}.union(*LOSSES.values(), *SAFEGUARDS.values())


def decided_by(resource_type: str) -> str | None:
    """What an object of this type decides or does, if that matters to a review."""
    safeguards = (kinds[resource_type] for kinds in SAFEGUARDS.values() if resource_type in kinds)
    if resource_type in ACCESS:
        return said(ACCESS[resource_type])
    return next((said("whether {what}", what=said(lost)) for lost in safeguards), None)


def harmless(resource_type: str, argument: str) -> bool:
    """Whether a change of this argument means nothing to a review."""
    return f"{resource_type}.{argument}" in HARMLESS or f"*.{argument}" in HARMLESS


def is_classified(resource_type: str) -> bool:
    """Whether it is known what objects of this type mean to a review."""
    return resource_type in _CLASSIFIED
