"""The schema file matches the release of the AWS provider that it names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.handover import schema


def _run(*arguments: str, config: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command, with Terraform's configuration in a file."""
    return subprocess.run(
        [sys.executable, "-m", "ops.handover.schema", *arguments],
        env=os.environ if config is None else {**os.environ, "TF_CLI_CONFIG_FILE": str(config)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.terraform
def test_the_schema_file_is_up_to_date() -> None:
    done = _run("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.tool("terraform")
@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_says_in_two_lines_that_terraform_cannot_download_the_provider(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    config = tmp_path / "terraformrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}"\n  }}\n}}\n')
    before = schema.FILE.read_bytes()
    done = _run(*arguments, config=config)
    error, hint = done.stderr.splitlines()
    assert error.startswith(
        "error: terraform: `terraform init` failed: Could not retrieve the list of available versions "
    )
    assert hint == (
        "hint: see that this machine can reach the registry or the mirror that Terraform downloads providers from"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert schema.FILE.read_bytes() == before


def test_explains_the_command_and_writes_nothing() -> None:
    before = schema.FILE.stat().st_mtime_ns
    done = _run("--help")
    assert done.stdout.startswith("usage: python -m ops.handover.schema [--check]\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert schema.FILE.stat().st_mtime_ns == before


def test_refuses_arguments_that_it_does_not_know() -> None:
    before = schema.FILE.stat().st_mtime_ns
    done = _run("--chekc")
    assert done.stderr == (
        "error: python -m ops.handover.schema: '--chekc' is not known\nhint: see python -m ops.handover.schema --help\n"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert schema.FILE.stat().st_mtime_ns == before
