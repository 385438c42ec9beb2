"""What a build, which has credentials, installs: with the real pip and the real package index."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real.mirror import world


def test_every_package_is_installed_by_its_hash() -> None:
    for command in world.install_commands():
        assert "--require-hashes --no-deps" in command
        # An isolated build would fetch its build requirements by name, without hashes.
        assert ("--only-binary :all:" in command) != ("--no-build-isolation" in command)
    listed = re.findall(
        r"^([a-z0-9-]+)==([0-9.a-z]+) --hash=sha256:[0-9a-f]{64}$", "\n".join(world.install_commands()), re.M
    )
    installed = subprocess.run(
        [world.tools() / "bin/python", "-c", _VERSIONS, *(name for name, _ in listed)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert installed.stdout.split() == [version for _, version in listed]


_VERSIONS = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


def test_the_installed_packages_can_sign_for_codecommit() -> None:
    run = subprocess.run([world.tools() / "bin/git-remote-codecommit"], capture_output=True, text=True, check=False)
    assert "Too few arguments" in run.stderr
    needed = [str(world.tools() / "bin/python"), "-m", "pip", "check", "--disable-pip-version-check"]
    checked = subprocess.run(needed, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("package", ["six", "git-remote-codecommit"])
def test_a_package_with_another_hash_is_refused(tmp_path: Path, package: str) -> None:
    (command,) = (command for command in world.install_commands() if f"{package}==" in command)
    tampered = re.sub(rf"({package}==\S+ --hash=sha256:)[0-9a-f]{{8}}", r"\g<1>00000000", command)
    assert tampered != command
    # Only this package: pip would fetch the others first.
    alone = re.sub(rf"(?m)^(?!{package}==)[a-z0-9-]+==.*\n", "", tampered)
    environment = tmp_path / "environment"
    shutil.copytree(world.tools(), environment, symlinks=True)
    remove = [str(environment / "bin/python"), "-m", "pip", "uninstall", "--quiet", "--yes", package]
    subprocess.run(remove, check=True)
    refused = world.install([alone], environment)
    assert refused.returncode != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in refused.stderr
