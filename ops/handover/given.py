"""The addresses that a handover gives to resources, kept beside its files for the next handover."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errors import refused

FILE = ".handed-over/addresses.json"
"""Where a handover keeps them: `{"version": 1, "stacks": {stack: {address in the JSON: address in the HCL}}}`."""

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Given:
    """What earlier handovers gave to one stack. addresses: in the HCL, by address in the JSON."""

    addresses: Mapping[str, str] = field(default_factory=dict)


def read(destination: Path) -> dict[str, Given]:
    """What the last handover to this folder gave, by stack. Raises RefusedError if its file cannot be understood."""
    path = destination / FILE
    try:
        content: Any = json.loads(path.read_bytes())
        stacks = {name: Given(addresses=_texts(it)) for name, it in content["stacks"].items()}
        version = content["version"]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise refused(str(path), "is not what a handover wrote", "restore it from version control") from None
    if version != _VERSION:
        raise refused(str(path), f"has version {version}", "hand over with a newer release of this program")
    return stacks


def written(stacks: Mapping[str, Given]) -> str:
    """The content of the file."""
    content = {"version": _VERSION, "stacks": {name: dict(it.addresses) for name, it in stacks.items()}}
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _texts(value: Any) -> dict[str, str]:
    if not all(isinstance(it, str) for it in value.values()):
        raise TypeError
    return dict(value)
