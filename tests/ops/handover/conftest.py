"""Output folders of cdktf for the tests of the handover."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ops.handover.folders import TOPIC


@pytest.fixture
def out(tmp_path: Path) -> Callable[..., Path]:
    """Writes an output folder of cdktf with one stack called `web`, or with the given stacks."""

    def write(document: Any = TOPIC, **stacks: Any) -> Path:
        folder = tmp_path / "cdktf.out"
        stacks = stacks or {"web": document}
        for stack, content in stacks.items():
            (folder / "stacks" / stack).mkdir(parents=True, exist_ok=True)
            (folder / "stacks" / stack / "cdk.tf.json").write_text(json.dumps(content))
        entries = {
            stack: {
                "synthesizedStackPath": f"stacks/{stack}/cdk.tf.json",
                "workingDirectory": f"stacks/{stack}",
                "dependencies": [],
            }
            for stack in stacks
        }
        (folder / "manifest.json").write_text(json.dumps({"stacks": entries}))
        return folder

    return write
