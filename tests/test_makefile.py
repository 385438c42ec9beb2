"""What make installs before there is a lock file to check it by."""

import re
from pathlib import Path


def test_pipenv_and_all_that_it_needs_are_installed_by_hash(project: Path) -> None:
    makefile = (project / "Makefile").read_text()
    installed = re.findall(r"/pip install (.+(?:\\\n.+)*)", makefile)
    assert len(installed) == 1
    assert "--require-hashes --only-binary :all:" in installed[0]
    [block] = re.findall(
        r"^define PIPENV_HASHES\n(.*?)^endef\nexport PIPENV_HASHES$", makefile, re.DOTALL | re.MULTILINE
    )
    lines = block.splitlines()
    assert lines[0].startswith("pipenv==$(PIPENV_VERSION) ")
    assert {line.partition("==")[0] for line in lines} >= {"certifi", "packaging", "setuptools", "virtualenv"}
    for line in lines:
        assert re.fullmatch(r"[a-z-]+==\S+ --hash=sha256:[0-9a-f]{64}", line), line


def test_what_builds_a_package_from_its_source_is_checked_by_its_hash(project: Path) -> None:
    makefile = (project / "Makefile").read_text()
    [recipe] = re.findall(r"(?m)^\.venv/\.synth:.*\n((?:\t.*\n)+)", makefile)
    assert "grep '^setuptools==' >.venv-pipenv/build.txt" in recipe
    assert "export PIP_BUILD_CONSTRAINT=$(CURDIR)/.venv-pipenv/build.txt; $(call COUNTED)" in recipe
