"""The files with the names of providers' arguments and blocks, and the command that writes them."""

import os
import re
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


def _shipped() -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in schema.RELEASES.rglob("*.xz")}


@pytest.mark.slow
@pytest.mark.terraform
def test_the_files_that_terraform_is_asked_for_are_up_to_date() -> None:
    done = _run("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.tool("terraform")
@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_says_in_two_lines_that_terraform_cannot_download_the_provider(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    config = tmp_path / "terraformrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}"\n  }}\n}}\n')
    before = _shipped()
    done = _run(*arguments, config=config)
    error, hint = done.stderr.splitlines()
    assert error.startswith(
        "error: terraform: `terraform init` failed: Could not retrieve the list of available versions "
    )
    assert hint == (
        "hint: see that this machine can reach the registry or the mirror that Terraform downloads providers from"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert _shipped() == before


@pytest.mark.slow
def test_says_in_two_lines_that_pip_cannot_download_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    before = _shipped()
    done = _run("--packages")
    *_, error, hint = done.stderr.splitlines()
    assert error.startswith("error: pip: cannot download cdktf-cdktf-provider-cloudflare==")
    assert hint == "hint: see that this machine can reach the index that pip downloads packages from"
    assert (done.returncode, done.stdout) == (1, "")
    assert _shipped() == before


def test_explains_the_command_and_writes_nothing() -> None:
    before = _shipped()
    done = _run("--help")
    assert done.stdout.startswith("usage: python -m ops.handover.schema [--packages] [--check]\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert _shipped() == before


def test_refuses_arguments_that_it_does_not_know() -> None:
    before = _shipped()
    done = _run("--chekc")
    assert done.stderr == (
        "error: python -m ops.handover.schema: '--chekc' is not known\nhint: see python -m ops.handover.schema --help\n"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert _shipped() == before


def test_every_package_is_pinned_and_every_file_is_of_a_package_or_of_terraform() -> None:
    lines = (schema.RELEASES.parent / "packages.txt").read_text().splitlines()[1:]
    wanted = {
        re.fullmatch(r"cdkt[fn](?:-cdktf)?-provider-([a-z-]+)==[0-9.]+ --hash=sha256:[0-9a-f]{64}", it) for it in lines
    }
    assert None not in wanted
    files = [file.name.removesuffix(".json.xz") for file in _shipped()]
    assert sorted([*(f"{it[1]}" for it in wanted if it), "aws", "terraform"]) == sorted(
        name.rpartition("-")[0] or name for name in files
    )


def test_every_file_names_its_release() -> None:
    for file in schema.RELEASES.glob("*/*.xz"):
        source, _, major = f"{file.parent.name}/{file.name.removesuffix('.json.xz')}".rpartition("-")
        provider = schema.shipped().provider(source, f"~> {major}.0")
        assert provider is not None
        assert provider.name.startswith(f"registry.terraform.io/{source} {major}.")
