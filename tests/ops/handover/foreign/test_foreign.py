"""Converts what other cdktf projects synthesise: their shapes are those of real projects, their content is made up.

A stack that Terraform can plan here, because it has only AWS provider 5 and Terraform's own resources, must plan the
same. Of the others, the structure is compared.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest

from ops.handover import hand_over, shipped
from ops.handover.given import FILE
from ops.handover.providers import local_name, required_providers
from ops.handover.schema import Shape
from terraform.output import objects as items
from tests.ops.handover.foreign.structure import differences, objects
from tests.real.terraform import terraform

pytestmark = pytest.mark.tool("terraform")

PROJECTS = {folder.name: folder for folder in sorted((Path(__file__).parent / "projects").iterdir())}
_OFFLINE = {
    "access_key": "none",
    "secret_key": "none",
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": True,
}
_STATE = {
    "version": 4,
    "terraform_version": "1.11.4",
    "outputs": {"cross-stack-output-aws_kms_keykeyarn": {"value": "arn:aws:kms:key", "type": "string"}},
}


def stacks(project: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(PROJECTS[project].glob("stacks/*/cdk.tf.json")):
        yield file.parent.name, json.loads(file.read_text(encoding="utf-8"))


def is_planned(project: str) -> bool:
    required = [it for _, document in stacks(project) for it in required_providers(document).values()]
    return all(it["source"] in ("aws", "hashicorp/aws") and not it["version"].startswith("~> 6") for it in required)


def addresses(out: Path, stack: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((out / FILE).read_text(encoding="utf-8"))["stacks"][stack]
    return found


def test_there_are_projects_with_each_provider() -> None:
    assert len(PROJECTS) >= 16
    sources = {
        (it["source"].rpartition("/")[2].lower(), it.get("version", "").lstrip("~> ").partition(".")[0])
        for project in PROJECTS
        for _, document in stacks(project)
        for it in required_providers(document).values()
    }
    assert sources >= {
        *(("aws", major) for major in "56"),
        *(("helm", major) for major in "23"),
        ("archive", "2"),
        ("azuread", "3"),
        ("azurerm", "4"),
        ("cloudflare", "5"),
        ("datadog", "3"),
        ("docker", "3"),
        ("external", "2"),
        ("github", "6"),
        ("google", "6"),
        ("google-beta", "6"),
        ("http", "3"),
        ("kubernetes", "2"),
        ("local", "2"),
        ("null", "3"),
        ("random", "3"),
        ("time", "0"),
        ("tls", "4"),
    }
    assert sum(map(is_planned, PROJECTS)) >= 7


@pytest.mark.parametrize("project", PROJECTS)
def test_converts_with_the_same_structure(project: str, tmp_path: Path) -> None:
    hand_over(PROJECTS[project], tmp_path / "hcl")
    formatted = terraform(tmp_path, "fmt", "-recursive", "-check", "hcl")
    assert (formatted.returncode, formatted.stdout) == (0, "")
    compared = 0
    for stack, document in stacks(project):
        for file in (tmp_path / "hcl" / stack).rglob("*.tf"):
            hcl2.loads(file.read_text(encoding="utf-8"))
        bodies, now = objects(tmp_path / "hcl" / stack), addresses(tmp_path / "hcl", stack)
        required = required_providers(document)
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for type_, named in document.get(kind, {}).items():
                for name, body in named.items():
                    entry = required.get(local_name(type_, body), {"source": "terraform.io/builtin/terraform"})
                    provider = shipped().provider(entry["source"], entry.get("version", ""))
                    assert provider is not None
                    shape = provider.find(kind, type_)
                    assert shape is not None
                    address = f"{prefix}{type_}.{name}"
                    found = bodies[now[address].partition("[")[0]]
                    if "[" in now[address]:
                        found = {key: it for key, it in found.items() if key != "for_each"}
                    assert list(differences(body, found, shape, address)) == []
                    compared += 1
    assert compared


@pytest.mark.parametrize(
    ("hcl", "found"),
    [
        ('name = "n"\npart {\n  x = 1\n}\n', []),
        ('name = "n"\npart = [{ x = 1 }]\n', ["it.part: 1 blocks, not 1"]),
        ('name = "m"\npart {\n  x = 1\n}\n', ['it.name: "m", not n']),
        ('name = "n"\npart {\n  x = 1\n}\npart {\n  x = 1\n}\n', ["it.part: 2 blocks, not 1"]),
        ("part {\n}\n", ["it.name: missing", "it.part[0].x: missing"]),
        ('name = "n"\nmore = 1\npart {\n  x = 1\n}\n', ["it.more: not in the JSON"]),
    ],
)
def test_the_comparison_finds_differences(hcl: str, found: list[str]) -> None:
    body = hcl2.loads(f'resource "a" "b" {{\n{hcl}}}\n')["resource"][0]['"a"']['"b"']
    shape = Shape(frozenset({"name", "more"}), blocks={"part": Shape(frozenset({"x"}))})
    assert list(differences({"name": "n", "part": [{"x": 1}]}, body, shape, "it")) == found


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the plan of every stack that can be planned, in which each is a module: as JSON, and as HCL."""
    folder = tmp_path_factory.mktemp("foreign") / "all"
    for project in filter(is_planned, PROJECTS):
        hand_over(PROJECTS[project], folder / "hcl" / project)
        shutil.copytree(PROJECTS[project] / "stacks", folder / "json" / project)
        for stack, document in stacks(project):
            for form in ("json", "hcl"):
                _add_module(folder, f"{form}/{project}/{stack}", document)
            assets = folder / "hcl" / project / stack / "assets"
            if assets.exists():  # Terraform looks for them where it runs
                shutil.copytree(assets, folder / "assets", dirs_exist_ok=True)
    for command in (("init", "-input=false"), ("plan", "-input=false", "-lock=false", "-out=plan")):
        done = terraform(folder, *command, "-no-color")
        assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(terraform(folder, "show", "-json", "plan").stdout)
    return folder, found


def _module(path: str) -> str:
    return path.replace("/", "_")


def _add_module(folder: Path, path: str, document: dict[str, Any]) -> None:
    """Call a stack's folder as a module, which plans offline and whose outputs are those of the configuration too."""
    configurations = [it for level in items(document.get("provider")) for it in items(level.get("aws"))]
    if configurations:
        offline = [_OFFLINE | {name: it[name] for name in ("alias",) if name in it} for it in configurations]
        (folder / path / "offline_override.tf.json").write_text(json.dumps({"provider": {"aws": offline}}))
    (folder / path).with_name("platform.tfstate").write_text(json.dumps(_STATE))
    values = folder / path / "terraform.tfvars"  # Terraform reads it in a root module only
    arguments = values.read_text() if values.exists() else ""
    name = _module(path)
    outputs = "".join(
        f'output "{name}_{output}" {{\n  value = module.{name}.{output}\n  sensitive = true\n}}\n'
        for output in document.get("output", {})
    )
    (folder / f"{name}.tf").write_text(f'module "{name}" {{\n  source = "./{path}"\n{arguments}}}\n{outputs}')


def _address(address: str, now: dict[str, str]) -> str:
    """An address in the HCL, by that in the JSON; the key of an instance stays."""
    block, bracket, key = address.partition("[")
    return now.get(address) or f"{now.get(block, block)}{bracket}{key}"


def _compared(plan: dict[str, Any], form: str, path: str, now: dict[str, str]) -> dict[str, Any]:
    """What the plan does in a stack's module, with the addresses of the HCL."""
    name = _module(f"{form}/{path}")
    own = f"module.{name}."
    modules = plan.get("prior_state", {}).get("values", {}).get("root_module", {}).get("child_modules", [])
    configuration = plan["configuration"]
    outputs = configuration["root_module"]["module_calls"][name]["module"].get("outputs", {})
    return {
        "changes": {
            _address(it["address"].removeprefix(own), now): (it["type"], it["provider_name"], it["change"])
            for it in plan["resource_changes"]
            if it["address"].startswith(own)
        },
        "outputs": {output: plan["output_changes"][f"{name}_{output}"] for output in outputs},
        "sensitive": sorted(output for output, it in outputs.items() if it.get("sensitive")),
        "checks": sorted(
            (_address(it["address"]["to_display"].removeprefix(own), now), it["status"])
            for it in plan.get("checks", [])
            if it["address"]["to_display"].startswith(own)
        ),
        "data": sorted(
            (it["type"], json.dumps(it["values"], sort_keys=True).replace(f"{form}/{path}/", f"{path}/"))
            for module in modules
            if module["address"] == own[:-1]
            for it in module.get("resources", [])
        ),
        "providers": {
            key.removeprefix(own[:-1]): it.get("version_constraint")
            for key, it in configuration.get("provider_config", {}).items()
            if key.startswith((f"{own[:-1]}:", own))
        },
    }


@pytest.mark.terraform
@pytest.mark.parametrize("project", [it for it in PROJECTS if is_planned(it)])
def test_plans_the_same(project: str, planned: tuple[Path, dict[str, Any]]) -> None:
    folder, plan = planned
    for stack, _ in stacks(project):
        path = f"{project}/{stack}"
        from_json = _compared(plan, "json", path, addresses(folder / "hcl" / project, stack))
        assert from_json["changes"]
        assert _compared(plan, "hcl", path, {}) == from_json
