"""A server that is smaller than GitLab recommends causes a warning and is not refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import load, sizes, warnings
from tests.settings.whole_file import line_of, spoilt


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("c7i.2xlarge", (8, 16)),
        ("m7g.4xlarge", (16, 64)),
        ("r6i.large", (2, 16)),
        ("t3.2xlarge", (8, 32)),
        ("t4g.medium", (2, None)),
        ("m7g.medium", (1, None)),
        ("i4i.xlarge", (4, None)),
        ("c5n.large", (2, None)),
        ("m5.metal", (None, None)),
    ],
)
def test_reads_an_instance_types_size_from_its_name(
    instance_type: str, expected: tuple[int | None, int | None]
) -> None:
    assert sizes.size(instance_type) == expected


_ASKED = "GitLab asks for 8 vCPU and 16 GB for up to 1,000 users"
_LARGER = "choose a larger one, for example c7i.2xlarge, or leave it for few users"
_BURSTABLE = "is burstable, and GitLab advises against it"
_STEADY = "choose a type with steady performance, for example c7i.2xlarge"


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("c7i.xlarge", [(f"'c7i.xlarge' has 4 vCPU and 8 GiB; {_ASKED}", _LARGER)]),
        ("i4i.large", [(f"'i4i.large' has 2 vCPU; {_ASKED}", _LARGER)]),
        ("t3.2xlarge", [(f"'t3.2xlarge' {_BURSTABLE}", _STEADY)]),
        (
            "t3.medium",
            [(f"'t3.medium' has 2 vCPU; {_ASKED}", _LARGER), (f"'t3.medium' {_BURSTABLE}", _STEADY)],
        ),
        ("trn1.2xlarge", []),
        ("m5.metal", []),
        ("c7i.2xlarge", []),
    ],
)
def test_warns_about_a_small_server_with_its_line(
    tmp_path: Path, instance_type: str, expected: list[tuple[str, str]]
) -> None:
    file = tmp_path / "x.yaml"
    text = spoilt(("instance_type: c7i.2xlarge", f"instance_type: {instance_type}"), ("    profile: dev\n", ""))
    file.write_text(text)
    where = f"{file}:{line_of(text, 'instance_type:')}: dev.gitlab.instance_type"
    assert [one.printed.as_warning() for one in warnings(load(file), file)] == [
        f"warning: {where}: {what}\nhint: {hint}" for what, hint in expected
    ]


@pytest.mark.slow
def test_a_warning_goes_to_standard_error_and_the_terraform_is_written(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    text = (project / "deployments" / "gitlab-existing-vpc.yaml").read_text()
    place = "    external_url: https://gitlab.dev.example.com\n"
    file.write_text(text.replace(place, f"{place}    instance_type: m7i.xlarge\n"))
    environment = {**os.environ, "DEPLOYMENT": str(file), "CDKTF_OUTDIR": str(tmp_path / "cdktf.out")}
    command = [sys.executable, "main.py"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: {file}:")
    assert len(done.stderr.splitlines()) == 2
    assert (tmp_path / "cdktf.out/stacks/dev-gitlab/cdk.tf.json").exists()
