"""Plans many small stacks in one run of Terraform, as JSON and as the HCL converted from it."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ops.handover import Converted, convert, shipped
from ops.handover.json_strings import compared_by_meaning
from terraform import output
from terraform.cli import FinishedRun
from terraform.output import objects
from tests.real.terraform import terraform

# With these settings, a plan of these stacks sends no request to AWS.
OFFLINE = {
    "region": "eu-central-1",
    "access_key": "none",
    "secret_key": "none",
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": True,
}
_INNER = 'variable "text" {}\nvariable "list" {}\noutput "both" { value = [var.text, var.list] }\n'


def plans(cases: Mapping[str, Mapping[str, Any]], folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan of each case from JSON, and from HCL."""
    return plans_of(cases, {name: converted(it, name, folder) for name, it in cases.items()}, folder)


def converted(
    document: Mapping[str, Any], name: str, folder: Path, larger: Mapping[str, Any] | None = None
) -> Converted:
    """The HCL of a document as its file is read, which is written into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(document))
    return convert(output.load(file, exact_numbers=True), name=name, schemas=shipped(), larger=larger)


def plans_of(
    cases: Mapping[str, Mapping[str, Any]], as_hcl: Mapping[str, Converted], folder: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan of each case from JSON, and from its HCL. Each case is a module of one configuration.

    Where a provider's settings would ask AWS, these and Terraform's are not planned: the module takes those of the
    configuration.
    """
    for name, document in cases.items():
        for form in ("json", "hcl"):
            (folder / form / name / "inner").mkdir(parents=True)
            (folder / form / name / "inner" / "inner.tf").write_text(_INNER)
        left_out = () if _is_offline(document) else ("provider", "terraform")
        kept = {key: it for key, it in document.items() if key not in left_out}
        (folder / "json" / name / "cdk.tf.json").write_text(json.dumps(kept, indent=1))
        put(as_hcl[name].files, folder / "hcl" / name, with_providers=not left_out)
    with ThreadPoolExecutor(max_workers=2) as pool:
        from_json, from_hcl = pool.map(lambda form: _plan(folder / form, cases), ("json", "hcl"))
    return from_json, from_hcl


def plans_from_json(cases: Mapping[str, Mapping[str, Any]], folder: Path) -> dict[str, Any]:
    """The plan of each case from JSON, with the settings of providers left out."""
    for name, document in cases.items():
        planned = {key: it for key, it in document.items() if key not in ("provider", "terraform")}
        (folder / name).mkdir(parents=True)
        (folder / name / "cdk.tf.json").write_text(json.dumps(planned))
    return _plan(folder, cases)


def plans_of_files(cases: Mapping[str, tuple[Mapping[str, Any], Mapping[str, str]]], folder: Path) -> dict[str, Any]:
    """The plan of each case from files of HCL by path, beside the JSON that they are meant to be equal to.

    The settings of providers are left out.
    """
    for name, (_, files) in cases.items():
        put(files, folder / name)
    return _plan(folder, {name: document for name, (document, _) in cases.items()})


def put(files: Mapping[str, str], folder: Path, *, with_providers: bool = False) -> None:
    """Write files of HCL by path for a module, which takes the settings of providers from its configuration."""
    for path, text in files.items():
        if with_providers or path not in ("providers.tf", "versions.tf", "backend.tf"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, newline="")


def _is_offline(document: Mapping[str, Any]) -> bool:
    configurations = [it for named in output.objects(document.get("provider")) for it in named.values()]
    return all(one.get("skip_credentials_validation") for it in configurations for one in output.objects(it))


def _plan(folder: Path, cases: Mapping[str, Any]) -> dict[str, Any]:
    done = planned(folder, cases)
    assert done.returncode == 0, done.stderr[-4000:]
    shown = json.loads(terraform(folder, "show", "-json", "plan").stdout)
    return {name: _of(name, shown, document) for name, document in cases.items()}


def planned(folder: Path, cases: Mapping[str, Mapping[str, Any]], *options: str) -> FinishedRun:
    """The run of `terraform plan` for modules that are in `folder` already. The cases' JSON says what they need."""
    aliases = sorted({alias for document in cases.values() for alias in _aliases(document)})
    providers = [OFFLINE, *({**OFFLINE, "alias": it} for it in aliases)]
    (folder / "provider.tf.json").write_text(json.dumps({"provider": {"aws": providers}}))
    (folder / "versions.tf.json").write_text(
        json.dumps({"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}}})
    )
    for name, document in cases.items():
        values = folder / name / "terraform.tfvars"  # Terraform reads it in a root module only
        arguments = values.read_bytes().decode() if values.exists() else ""
        outputs = "".join(
            f'output "{name}_{output}" {{\n  value = module.{name}.{output}\n  sensitive = true\n}}\n'
            for output in document.get("output", {})
        )
        taken = [f"aws.{it}" for it in _aliases(document)]
        passed = "".join(f"    {it} = {it}\n" for it in ("aws", *taken))
        arguments += f"  providers = {{\n{passed}  }}\n" if taken else ""
        call = f'module "{name}" {{\n  source = "./{name}"\n{arguments}}}\n{outputs}'
        (folder / f"{name}.tf").write_text(call, newline="")
        if taken:
            needed = {"aws": {"source": "hashicorp/aws", "configuration_aliases": taken}}
            (folder / name / "aliases.tf.json").write_text(json.dumps({"terraform": {"required_providers": needed}}))
    started = terraform(folder, "init", "-input=false", "-no-color")
    assert started.returncode == 0, started.stderr[-4000:]
    return terraform(folder, "plan", "-input=false", "-lock=false", "-out=plan", "-no-color", *options)


def _aliases(document: Mapping[str, Any]) -> list[str]:
    """The aliases of the AWS provider in a stack's JSON, if its settings are left out."""
    if "provider" in document and _is_offline(document):
        return []
    named = [it for level in objects(document.get("provider")) for it in objects(level.get("aws"))]
    return [it["alias"] for it in named if "alias" in it]


def _of(name: str, plan: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a plan that concern one case: values, unknown and sensitive ones, checks, descriptions.

    Variables are those of the JSON: inputs are variables in the HCL alone.
    """
    own = f"module.{name}."
    variables = {label for level in objects(document.get("variable")) for label in level}
    configuration = plan["configuration"]["root_module"]["module_calls"][name]["module"]
    described = {
        kind: {
            key: [it.get("description"), it.get("sensitive")]
            for key, it in configuration.get(kind, {}).items()
            if kind == "outputs" or key in variables
        }
        for kind in ("variables", "outputs")
    }
    return {
        "changes": [
            by_meaning(change) for change in plan.get("resource_changes", []) if change["address"].startswith(own)
        ],
        "prior": [
            it
            for module in plan.get("prior_state", {}).get("values", {}).get("root_module", {}).get("child_modules", [])
            if module["address"] == own[:-1]
            for it in module.get("resources", [])
        ],
        "outputs": {key: it for key, it in plan.get("output_changes", {}).items() if key.startswith(f"{name}_")},
        "checks": [
            check
            for check in plan.get("checks", [])
            if check["address"].get("to_display", "").startswith(own)
            and (check["address"]["kind"] != "var" or check["address"]["name"] in variables)
        ],
        "described": described,
        "dependencies": [
            [it["address"], it.get("provider_config_key"), it.get("depends_on")]
            for it in configuration.get("resources", [])
        ],
        "providers": {
            key: it.get("version_constraint")
            for key, it in plan["configuration"].get("provider_config", {}).items()
            if key.startswith(f"{own[:-1]}:")
        },
        "provider_of": sorted({(it["type"], it["provider_config_key"]) for it in configuration.get("resources", [])}),
        "provisioners": [
            [it["type"], {name: value.get("references") for name, value in it.get("expressions", {}).items()}]
            for resource in configuration.get("resources", [])
            for it in resource.get("provisioners", [])
        ],
    }


def by_meaning(change: dict[str, Any]) -> dict[str, Any]:
    """A resource's change with the JSON that the provider compares by its meaning in one form."""
    after = change["change"].get("after") or {}
    for name in compared_by_meaning().get(change["type"], ()):
        if str(after.get(name)).startswith(("{", "[")):
            after[name] = json.dumps(json.loads(after[name]), sort_keys=True)
    return change
