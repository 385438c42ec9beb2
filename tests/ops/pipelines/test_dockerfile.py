import re
from pathlib import Path

from ops.pipelines import TERRAFORM


def test_the_image_of_gitlabs_pipelines_has_checked_parts_and_the_pipelines_terraform(project: Path) -> None:
    dockerfile = (project / "ops" / "pipelines" / "Dockerfile").read_text()
    assert re.findall(r"^FROM (.*)$", dockerfile, re.MULTILINE) == [
        "debian:13.6-slim@sha256:020c0d20b9880058cbe785a9db107156c3c75c2ac944a6aa7ab59f2add76a7bd"
    ]
    assert f"ARG TERRAFORM={TERRAFORM}\n" in dockerfile
    assert len(re.findall(r"^ARG TERRAFORM_(?:AMD64|ARM64)=[0-9a-f]{64}$", dockerfile, re.MULTILINE)) == 2
    downloaded, checked, used = (dockerfile.index(word) for word in ("curl --silent", "sha256sum --check", 'unzip "'))
    assert downloaded < checked < used
