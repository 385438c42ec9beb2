"""Writes a deployment of many mirrors: `python -m benchmarks.many_mirrors FILE [MIRRORS [SPACES]]`."""

import json
import sys
from pathlib import Path
from typing import Any

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4P"


def deployment(mirrors: int = 1_000, spaces: int = 5) -> dict[str, Any]:
    """A deployment file's content: as many mirrors in as many spaces, ten in each Backlog project."""
    names = [f"space-{number}" for number in range(spaces)]
    repositories = {
        f"repository-{number:04}": {
            "space": names[number % spaces],
            "project": f"PROJECT_{number // (10 * spaces)}",
            "repository": f"repository-{number:04}",
            "target": {"create": f"repository-{number:04}"},
        }
        for number in range(mirrors)
    }
    return {
        "name": "many",
        "owner": "platform-team",
        "region": "ap-northeast-1",
        "prd": {
            "account": {"id": "222222222222"},
            "backlog": {
                "spaces": {
                    name: {
                        "domain": "backlog.jp",
                        "known_hosts": [f"{name}.git.backlog.jp {_KEY}"],
                        "ssh_key_parameter": f"/kakehashi/backlog/{name}/ssh-key",
                    }
                    for name in names
                },
                "repositories": repositories,
                "webhook": {"sender_cidrs": ["192.0.2.16/28", "192.0.2.64/28"]},
            },
        },
    }


if __name__ == "__main__":
    file, *counts = sys.argv[1:]
    Path(file).write_text(json.dumps(deployment(*map(int, counts))), encoding="utf-8")
