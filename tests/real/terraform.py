"""The real Terraform CLI, free of the caller's settings."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any


def terraform(folder: Path, *arguments: str, plugins: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`; of what steers Terraform, only where it finds providers comes from outside."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "TF_")) or key == "TF_CLI_CONFIG_FILE"
    }
    environment["CHECKPOINT_DISABLE"] = "1"
    if plugins is not None:
        environment["TF_PLUGIN_CACHE_DIR"] = str(plugins)
    command = ["terraform", f"-chdir={folder}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def read_by_terraform(
    texts: Sequence[str], folder: Path, values: Mapping[str, object] = MappingProxyType({})
) -> list[str]:
    """What Terraform makes of texts of a .tf.json file: the escapes are gone, and references are to local `values`."""
    (folder / "texts.tf.json").write_text(json.dumps({"locals": dict(values), "output": {"texts": {"value": texts}}}))
    planned = terraform(folder, "plan", "-no-color", "-input=false", "-lock=false", "-out=plan")
    assert planned.returncode == 0, planned.stderr
    plan: dict[str, Any] = json.loads(terraform(folder, "show", "-json", "plan").stdout)
    return [str(text) for text in plan["planned_values"]["outputs"]["texts"]["value"]]
