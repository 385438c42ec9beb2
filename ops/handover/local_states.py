"""Finds the settings of local states in a stack's Terraform."""

from collections.abc import Iterator, Mapping
from typing import Any

from terraform.output import objects


def local_settings(document: Mapping[str, Any]) -> Iterator[Any]:
    """The settings of local states: the stack's own, and those that it reads."""
    for settings in objects(document.get("terraform")):
        for backends in objects(settings.get("backend")):
            yield from objects(backends.get("local"))
    for settings in _read(document):
        yield from objects(settings)


def computed_settings(document: Mapping[str, Any]) -> Iterator[str]:
    """The settings of local states that the stack reads and that are one expression: it is not known what they are."""
    return (it for it in _read(document) if isinstance(it, str))


def _read(document: Mapping[str, Any]) -> Iterator[Any]:
    for kinds in objects(document.get("data")):
        for named in objects(kinds.get("terraform_remote_state")):
            for block in (it for blocks in named.values() for it in objects(blocks)):
                if block.get("backend") == "local":
                    yield block.get("config")
