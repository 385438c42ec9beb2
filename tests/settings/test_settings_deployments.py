"""The deployment files that people start from, and the lists of AWS's names in settings/data."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from settings import Deployment, data, document, load, schema
from tests.deployments import DEPLOYMENTS, deployment_file

PROJECT = Path(__file__).parents[2]
FILES = [deployment_file(name) for name in DEPLOYMENTS]

_for_each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def _deployment(name: str) -> Deployment:
    return load(deployment_file(name))


def test_the_readme_lists_every_deployment() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert sorted(re.findall(r"\(deployments/(\S+)\.yaml\)", readme)) == list(DEPLOYMENTS)


@_for_each_file
def test_a_deployment_loads(file: Path) -> None:
    assert load(file).name == "kakehashi"


@_for_each_file
def test_a_deployment_points_editors_to_the_schema_and_starts_with_a_comment(file: Path) -> None:
    text = file.read_text()
    schema_line = re.search(r"^# yaml-language-server: \$schema=(.+)$", text, re.MULTILINE)
    assert schema_line is not None
    assert (file.parent / schema_line[1]).resolve() == schema.FILE
    assert text.startswith("# ")


def test_the_minimal_deployment_is_short() -> None:
    lines = [line for line in deployment_file("minimal").read_text().splitlines() if line[:1] not in ("", "#")]
    assert len(lines) <= 15
    deployment = _deployment("minimal")
    assert deployment.dev is None
    assert deployment.prd is not None
    assert deployment.prd.backlog is None


def test_the_bridge_can_be_deployed_alone_in_an_existing_vpc() -> None:
    deployment = _deployment("backlog-only")
    assert deployment.dev is None
    assert deployment.prd is not None
    assert deployment.prd.codecommit is None
    assert deployment.prd.backlog is not None
    assert deployment.prd.backlog.vpc is not None
    assert (deployment.prd.backlog.isolation, deployment.prd.backlog.cache.mode) == ("repository", "s3")


def test_gitlab_can_be_deployed_in_an_existing_vpc() -> None:
    deployment = _deployment("gitlab-existing-vpc")
    assert deployment.dev is not None
    assert deployment.dev.network is None
    assert deployment.dev.proxy is None
    assert deployment.dev.gitlab is not None
    assert deployment.dev.gitlab.existing_network is not None
    assert deployment.prd is not None
    assert deployment.prd.codecommit is not None
    assert deployment.prd.codecommit.push is not None
    assert deployment.prd.codecommit.push.from_stack == "dev-gitlab"


_NOT_FOR_EXAMPLES = {"open_to_the_world_because"}


def test_every_setting_is_shown_in_some_deployment() -> None:
    shown = {key for file in FILES for key in _keys(document.read(file).data)}
    commented = set(re.findall(r"#.*?\b([a-z0-9_]+):", "".join(file.read_text() for file in FILES)))
    known = {
        key
        for part in [schema.generated(), *schema.generated()["$defs"].values()]
        for key in part.get("properties", {})
    }
    assert known - shown - commented == set()
    assert known - _keys(document.read(deployment_file("everything")).data) == {
        *_NOT_FOR_EXAMPLES,
        *("existing_network", "vpc_id", "vpc_cidr", "subnet_id"),
        *("public_cidr", "private_cidr", "from_stack", "url", "cidrs"),
    }


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_keys(item) for item in value.values()))
    return set().union(*(_keys(item) for item in value)) if isinstance(value, list) else set()


def test_the_examples_commented_settings_are_valid(tmp_path: Path) -> None:
    text = deployment_file("example").read_text()
    keys = "state|s3|bucket|key_prefix|region|kms_key_arn|assume_role_arn|profile|eip_allocation_ids|ami|vpc"
    uncommented, count = re.subn(rf"^( *)# ( *(?:{keys}):)", r"\1\2", text, flags=re.MULTILINE)
    assert count == 11
    file = tmp_path / "x.yaml"
    file.write_text(uncommented)
    assert load(file).state.s3 is not None


@pytest.mark.parametrize(
    ("kind", "form", "member"),
    [
        ("instance_types", r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "c7i.2xlarge"),
        ("regions", r"[a-z]{2}-[a-z]+-[1-9]", "ap-northeast-1"),
        ("private_suffixes", r"([a-z0-9_-]+\.)+[a-z0-9-]+", "github.io"),
        ("zones", r"[a-z]{2}(-[a-z]+)+-[1-9][a-f]", "ap-northeast-1c"),
        ("time_zones", r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", "Asia/Tokyo"),
    ],
)
def test_a_list_of_names_is_sorted_and_well_formed(kind: str, form: str, member: str) -> None:
    names = data.names(kind)
    assert list(names) == sorted(set(names))
    assert member in names
    assert [name for name in names if not re.fullmatch(form, name)] == []
    assert all(len(name) <= 70 for name in names)


@pytest.mark.parametrize("file", sorted(data.FOLDER.glob("*.txt")), ids=lambda file: file.stem)
def test_a_list_starts_with_its_source_its_date_and_how_it_is_renewed(file: Path) -> None:
    header = "".join(line for line in file.read_text().splitlines(keepends=True) if line.startswith("#"))
    assert file.read_text().startswith(header)
    assert re.search(r"^# Sources?: .+(\n#.*)*\n# Date: \d{4}-\d\d-\d\d\. Renewed by", header, re.MULTILINE)


@pytest.mark.slow
def test_the_lists_have_only_names_that_botocore_knows() -> None:
    from settings.data import __main__ as regeneration

    assert set(data.names("instance_types")) <= set(regeneration.instance_types())
    assert set(data.names("regions")) <= set(regeneration.regions())


def test_the_list_of_private_suffixes_is_whole() -> None:
    suffixes = set(data.names("private_suffixes"))
    assert len(suffixes) > 2500
    assert suffixes >= {"ngrok-free.app", "run.app", "trycloudflare.com", "web.app"}
    assert suffixes.isdisjoint({"com", "co.jp", "example.com", "amazonaws.com"})
    ours = data.names("shared_hosting_domains")
    assert [name for name in ours if not suffixes.isdisjoint((name, *data.parents(name)))] == []


def test_a_renewal_takes_only_the_private_suffixes_that_lie_in_no_other() -> None:
    from settings.data import __main__ as regeneration

    published = """\
// ===BEGIN ICANN DOMAINS===
com
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
// Example : https://www.example.com
Example.com
a.example.com
*.run.example.net
!www.city.example.org
\u00e9.example.jp
// ===END PRIVATE DOMAINS===
example.edu
"""
    assert sorted(regeneration.private_suffixes(published)) == [
        "example.com",
        "run.example.net",
        "www.city.example.org",
        "xn--9ca.example.jp",
    ]


@pytest.mark.slow
def test_loading_imports_no_slow_and_no_development_packages() -> None:
    program = (
        "import sys; from pathlib import Path; import settings\n"
        "settings.load(Path('deployments/everything.yaml'))\n"
        "import json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True, capture_output=True, text=True)
    imported = set(json.loads(ran.stdout))
    assert not imported & {
        "botocore",
        "boto3",
        "cdktf",
        "jsii",
        "jinja2",
        "typer",
        "rich",
        "jsonschema",
        "zoneinfo_data",
    }
    assert {"pydantic", "ruamel"} <= imported
