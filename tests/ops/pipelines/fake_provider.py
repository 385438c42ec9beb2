"""A provider that Terraform installs and starts, and that does nothing but note which version was started."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SOURCE = "example.com/acme/fake"
REQUIRED: Mapping[str, Any] = {"required_providers": {"fake": {"source": SOURCE, "version": ">= 1.0.0"}}}
_MACHINE = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]


def install(folder: Path, *versions: str) -> dict[str, str]:
    """Put these versions where Terraform finds them; gives the environment for that."""
    for version in versions:
        program = folder / "mirror" / SOURCE / version / f"{platform.system().lower()}_{_MACHINE}"
        program.mkdir(parents=True, exist_ok=True)
        file = program / f"terraform-provider-fake_v{version}"
        file.write_text(f"#!/bin/sh\necho {version} >>{folder}/started\nexit 1\n")
        file.chmod(0o755)
    settings = folder / "terraformrc"
    settings.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{folder}/mirror" }} }}\n')
    return {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"}


def started(folder: Path) -> list[str]:
    """The versions that were started since the last call."""
    file = folder / "started"
    found = sorted(set(file.read_text().split())) if file.exists() else []
    file.unlink(missing_ok=True)
    return found


def lock(folder: Path, version: str) -> str:
    """The lock file that Terraform writes for a version."""
    scratch = folder / "locked" / version
    scratch.mkdir(parents=True)
    required = {"required_providers": {"fake": {"source": SOURCE, "version": version}}}
    (scratch / "main.tf.json").write_text(json.dumps({"terraform": required}))
    env = {**os.environ, "TF_CLI_CONFIG_FILE": str(folder / "terraformrc"), "CHECKPOINT_DISABLE": "1"}
    subprocess.run(["terraform", "init"], cwd=scratch, env=env, check=True, capture_output=True)
    return (scratch / ".terraform.lock.hcl").read_text()
