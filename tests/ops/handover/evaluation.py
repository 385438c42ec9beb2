"""Compares Terraform's plans of random deployments as JSON and as HCL, value by value."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import RefusedError
from ops.handover import Converted
from settings import Deployment
from settings import load as load_settings
from stacks.one_more import with_one_more
from stacks.synthesis import synthesise
from terraform.output import FILE
from terraform.output import load as load_stack
from tests.ops.handover import deployments
from tests.ops.handover.by_plan import converted, plans_of
from tests.ops.handover.projects import project

# A plan asks AWS for every other data source.
_READ_WITHOUT_AWS = {"aws_iam_policy_document", "terraform_remote_state"}

# Values for outputs that other stacks read, by a word in the output's name.
_OUTPUTS = {"cidr": "10.10.0.0/16", "ips": "192.0.2.200", "ids": "id-0123456789abcdef0", "": "something"}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How much was compared, and which resources or outputs were different."""

    deployments: int
    stacks: int
    resources: int
    values: int
    different: list[str]


def compare(seeds: range, folder: Path) -> Compared:
    """Plan the deployments of these seeds, in one run of Terraform for JSON and one for HCL.

    Deployments that cannot be synthesised are skipped.
    """
    documents: dict[str, dict[str, Any]] = {}
    as_hcl: dict[str, Converted] = {}
    drawn = set()
    for seed, stack, file, with_more in _stacks(seeds, folder):
        drawn.add(seed)
        name = f"s{seed}_{stack}"
        documents[name] = json.loads(file.read_text())
        larger = None if with_more is None else load_stack(with_more / "stacks" / stack / FILE, exact_numbers=True)
        as_hcl[name] = converted(documents[name], name, folder / "documents", larger)
    # Stacks read states by relative paths, from a folder as deep as `cdktf.out/stacks/<stack>`.
    return _compared(documents, as_hcl, folder / "out" / "plans", drawn=len(drawn))


def compare_projects(seeds: range, folder: Path) -> Compared:
    """The same for stacks as other people's cdktf programs write them."""
    documents = {f"s{seed}": project(seed) for seed in seeds}
    as_hcl = {name: converted(it, name, folder / "documents") for name, it in documents.items()}
    return _compared(documents, as_hcl, folder, drawn=len(documents))


def larger_than(deployment: Deployment, out: Path) -> Path | None:
    """The output folder of the deployment with one more of each, as the command `handover` makes it."""
    more = with_one_more(deployment)
    if more is None:
        return None
    try:
        synthesise(more, out)
    except RefusedError:
        return None
    return out


def _compared(
    documents: Mapping[str, dict[str, Any]], as_hcl: Mapping[str, Converted], folder: Path, *, drawn: int
) -> Compared:
    from_json, from_hcl = plans_of(documents, as_hcl, folder)
    different: list[str] = []
    resources = values = 0
    for name in documents:
        one = with_old_addresses(from_json[name], name, {})
        other = with_old_addresses(from_hcl[name], name, as_hcl[name].moved)
        resources += len(one)
        values += sum(_leaves(it) for it in one.values())
        different += [f"{name}: {place}" for place in one.keys() | other.keys() if one.get(place) != other.get(place)]
    return Compared(
        deployments=drawn, stacks=len(documents), resources=resources, values=values, different=sorted(different)
    )


def _stacks(seeds: range, folder: Path) -> Iterator[tuple[int, str, Path, Path | None]]:
    """Each deployment's seed, stacks, their files, and the output folder of the deployment with one more of each."""
    for seed in seeds:
        file = folder / f"d{seed}.yaml"
        file.write_text(json.dumps(deployments.deployment(random.Random(seed), f"d{seed}"), ensure_ascii=False))
        try:
            settings = load_settings(file)
            written = synthesise(settings, folder / f"out{seed}")
        except RefusedError:
            continue  # inconsistent settings, which other tests cover
        larger = larger_than(settings, folder / f"larger{seed}")
        for stack in written:
            path = stack.folder / "cdk.tf.json"
            content = json.loads(path.read_text())
            _pretend_state(content, stack.name, folder / "terraform-state" / f"d{seed}")
            if set(content.get("data", {})) <= _READ_WITHOUT_AWS:
                yield seed, stack.name, path, larger


def _pretend_state(content: Mapping[str, Any], name: str, folder: Path) -> None:
    """Write a state as if the stack had been applied, for stacks that read its outputs."""
    folder.mkdir(parents=True, exist_ok=True)
    outputs = {}
    for output, it in content.get("output", {}).items():
        value = next(value for word, value in _OUTPUTS.items() if word in output)
        shape = it["value"]
        outputs[output] = dict.fromkeys(shape, value) if isinstance(shape, dict) else value
    state = {
        "version": 4,
        "terraform_version": "1.10.0",
        "serial": 1,
        "lineage": name,
        "resources": [],
        "outputs": {
            output: {"value": value, "type": ["map", "string"] if isinstance(value, dict) else "string"}
            for output, value in outputs.items()
        },
    }
    (folder / f"{name}.tfstate").write_text(json.dumps(state))


def with_old_addresses(plan: Mapping[str, Any], name: str, moved: Mapping[str, str]) -> dict[str, Any]:
    """The planned changes by the JSON's addresses; `moved` has the new ones by these.

    Data sources are listed once for each content: no `moved` lists them, and one may stand for several.
    """
    back = {new: old for old, new in moved.items()}
    found: dict[str, Any] = {}
    data: list[str] = []
    for change in plan["changes"]:
        address = change["address"].removeprefix(f"module.{name}.")
        if change["mode"] == "data":
            data.append(json.dumps([change["type"], change["change"]], sort_keys=True))
        else:
            block, bracket, key = address.partition("[")  # a block with for_each may be renamed as a whole
            found[back.get(address) or f"{back.get(block, block)}{bracket}{key}"] = change["change"]
    data += [json.dumps([resource["type"], resource["values"]], sort_keys=True) for resource in plan["prior"]]
    return {**found, "data": sorted(set(data)), "outputs": plan["outputs"], "described": plan["described"]}


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return sum(map(_leaves, value)) if isinstance(value, list) else 1
