"""The real Terraform CLI, without the caller's settings."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copytree
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


def diagnostics(stacks: Mapping[str, Path], folder: Path) -> dict[str, list[str]]:
    """Terraform's errors and warnings about each stack's folder, from one run in which each is a module.

    A run for each would start the AWS provider and read its schema each time. Of backends, which a module cannot have,
    Terraform says so and nothing else; the rehearsals use them. The values of a stack's terraform.tfvars, which
    Terraform reads in a root module only, are the module's arguments.
    """
    places = {name: f"stack_{number}" for number, name in enumerate(stacks)}
    for name, stack in stacks.items():
        place = places[name]
        copytree(stack, folder / place)
        values = stack / "terraform.tfvars"
        arguments = values.read_text() if values.exists() else ""
        (folder / f"{place}.tf").write_text(f'module "{place}" {{\n  source = "./{place}"\n{arguments}}}\n')
    done = terraform(folder, "init", "-backend=false", "-input=false", "-no-color")
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = {name: [] for name in stacks}
    names = {place: name for name, place in places.items()}
    for one in json.loads(terraform(folder, "validate", "-json").stdout)["diagnostics"]:
        if one["summary"] != "Backend configuration ignored":
            place = one.get("range", {}).get("filename", "").partition("/")[0]
            said = f"{one['severity']}: {one['summary']}: {one['detail']}"
            found.setdefault(names.get(place, "all of them"), []).append(said)
    return found
