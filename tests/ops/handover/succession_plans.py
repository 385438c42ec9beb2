"""What Terraform plans for the states of a stack that was handed over several times."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ops.handover import Converted, convert, shipped
from ops.handover.addresses import place
from ops.handover.given import Given
from ops.handover.merge import merged_moves
from tests.ops.handover.by_plan import OFFLINE
from tests.ops.handover.successions import Document, Succession, addresses
from tests.real.terraform import terraform

_SCHEMA_VERSIONS = {"aws_subnet": 1}
# Without these in the state, the provider replaces the resource.
_DEFAULTS = {"aws_subnet": {"ipv6_native": False}, "aws_sns_topic": {"fifo_topic": False}}
_REFERENCE = re.compile(r"\$\{(\w+\.[\w-]+)\.id\}")


@dataclass(frozen=True)
class State:
    """A state: the addresses of its resources, by their identifiers, which are the same wherever a resource is."""

    name: str
    document: Document
    addresses: Mapping[str, str]


@dataclass(frozen=True)
class Planned:
    """What a plan does: the actions by identifier, and the addresses in the JSON of what it creates."""

    actions: Mapping[str, str]
    created: frozenset[str]

    @property
    def lost(self) -> set[str]:
        return {it for it, action in self.actions.items() if "delete" in action}


def handed_over(one: Succession) -> tuple[Converted, list[State]]:
    """The last of the documents as HCL, and all states that it may be applied to. Raises RefusedError."""
    given = Given()
    states: list[State] = []
    moves = kept_moves = ""
    for number, document in enumerate(one.documents):
        # Terraform reads no terraform.tfvars of a module.
        converted = convert(document, name="web", schemas=shipped(), given=given, keep_defaults=True)
        given = converted.given
        base, moves = moves, converted.files.get("moved.tf", "")
        kept_moves = moved = merged_moves(base=base, theirs=kept_moves, ours=moves) or ""
        as_json = addresses(document)
        as_hcl = {it: f"{converted.addresses[it]}{own.removeprefix(it)}" for it, own in as_json.items()}
        if number in one.applied:
            kept_moves = ""
            states = []
        elif not one.applied & {*range(number)}:
            states.append(State(f"json{number}", document, as_json))
        states.append(State(f"hcl{number}", document, as_hcl))
    return replace(converted, files={**converted.files, "moved.tf": moved}), states


def planned(cases: Mapping[str, tuple[Succession, Converted, Sequence[State]]], folder: Path) -> Any:
    """For each case and state, what the plans of the last document do: as JSON, and as HCL."""
    forms = ("json", "hcl")
    modules: dict[tuple[str, str, str], str] = {}
    for form in forms:
        (folder / form).mkdir()
        resources: list[Document] = []
        calls: dict[str, Any] = {}
        for case, (one, converted, states) in cases.items():
            inner = folder / form / case
            inner.mkdir()
            if form == "json":
                (inner / "cdk.tf.json").write_text(json.dumps(one.documents[-1]))
            for path, text in converted.files.items() if form == "hcl" else ():
                (inner / path).parent.mkdir(parents=True, exist_ok=True)
                (inner / path).write_text(text, newline="")
            for state in states:
                if (key := _key(form, case, state)) not in modules:
                    modules[key] = f"module.{case}_{state.name}"
                    calls[f"{case}_{state.name}"] = {"source": f"./{case}"}
                    resources += _resources(modules[key], state, _at(form, state))
        state_file = {"version": 4, "terraform_version": "1.10.0", "serial": 1, "lineage": "x", "outputs": {}}
        (folder / form / "terraform.tfstate").write_text(json.dumps({**state_file, "resources": resources}))
        settings = {"required_providers": {"aws": {"source": "hashicorp/aws"}}}
        main = {"provider": {"aws": OFFLINE}, "terraform": settings, "module": calls}
        (folder / form / "main.tf.json").write_text(json.dumps(main))
    with ThreadPoolExecutor(max_workers=2) as pool:
        from_json, from_hcl = pool.map(lambda form: _plan(folder / form), forms)
    found = {}
    for case, (_, converted, states) in cases.items():
        back = {new: old for old, new in converted.addresses.items()}
        for state in states:
            as_json, as_hcl = (modules[_key(form, case, state)] for form in forms)
            found[case, state.name] = (_of(as_json, from_json, {}), _of(as_hcl, from_hcl, back))
    return found


def _at(form: str, state: State) -> Mapping[str, str]:
    return addresses(state.document) if form == "json" else state.addresses


def _key(form: str, case: str, state: State) -> tuple[str, str, str]:
    """What states have in common that are planned in one module, because they are equal in this form."""
    return form, case, json.dumps([state.document, _at(form, state)])


def _resources(module: str, state: State, at: Mapping[str, str]) -> Iterator[Document]:
    """The resources of a state file."""
    for kind, named in state.document.get("resource", {}).items():
        for name, arguments in named.items():
            own = at[f"{kind}.{name}"]
            own, counted, _ = own.partition("[0]")
            block, key = place(own)
            attributes = {
                argument: _REFERENCE.sub(r"\1", it) if isinstance(it, str) else it
                for argument, it in arguments.items()
                if argument not in ("//", "lifecycle", "count")
            }
            yield {
                "module": module,
                "mode": "managed",
                "type": kind,
                "name": block.split(".")[1],
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [
                    {
                        **({"index_key": 0} if counted else {"index_key": key} if key is not None else {}),
                        "schema_version": _SCHEMA_VERSIONS.get(kind, 0),
                        "attributes": {"id": f"{kind}.{name}", **_DEFAULTS.get(kind, {}), **attributes},
                    }
                ],
            }


def _plan(folder: Path) -> list[Any]:
    for command in (("init", "-input=false"), ("plan", "-input=false", "-lock=false", "-refresh=false", "-out=plan")):
        done = terraform(folder, *command, "-no-color")
        assert done.returncode == 0, done.stderr[-4000:]
    changes: list[Any] = json.loads(terraform(folder, "show", "-json", "plan").stdout)["resource_changes"]
    return changes


def _of(module: str, changes: Sequence[Any], back: Mapping[str, str]) -> Planned:
    actions: dict[str, str] = {}
    created = set()
    for change in changes:
        if change.get("module_address") != module:
            continue
        action = "+".join(change["change"]["actions"])
        if action == "create":
            own = change["address"].removeprefix(f"{module}.").removesuffix("[0]")
            created.add(back.get(own, own))
        else:
            actions[change["change"]["before"]["id"]] = action
    return Planned(actions, frozenset(created))
