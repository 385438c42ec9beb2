"""The real Terraform CLI, without the caller's settings."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from terraform.cli import FinishedRun, TerraformCli, own_environment


def terraform(folder: Path, *arguments: str, plugins: Path | None = None) -> FinishedRun:
    """Run a command in `folder`. Of the caller's Terraform settings, only the source of providers is used."""
    env = own_environment(os.environ) | ({} if plugins is None else {"TF_PLUGIN_CACHE_DIR": str(plugins)})
    return TerraformCli().run(*arguments, folder=folder, env=env)


def read_by_terraform(
    texts: Sequence[str], folder: Path, values: Mapping[str, object] = MappingProxyType({})
) -> list[str]:
    """Texts of a .tf.json file as Terraform reads them: without escapes, and with references to `values` resolved."""
    (folder / "texts.tf.json").write_text(json.dumps({"locals": dict(values), "output": {"texts": {"value": texts}}}))
    planned = terraform(folder, "plan", "-no-color", "-input=false", "-lock=false", "-out=plan")
    assert planned.returncode == 0, planned.stderr
    plan: dict[str, Any] = json.loads(terraform(folder, "show", "-json", "plan").stdout)
    return [str(text) for text in plan["planned_values"]["outputs"]["texts"]["value"]]
