"""Stacks that are handed over several times while they change, and what Terraform then plans for their states."""

import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ops.handover import Converted, convert, shipped
from ops.handover.addresses import place
from ops.handover.given import Given
from ops.handover.merge import merged_moves
from tests.ops.handover.by_plan import OFFLINE
from tests.real.terraform import terraform

Document = dict[str, Any]

_ZONES = ("a", "c", "d")
_TOPIC = "arn:aws:sns:eu-central-1:111111111111:alerts"
_MIRRORS = ("app", "web", "api-2")
_EMAILS = ("on-call@example.com", "team@example.com", "other@example.com")
_SUBNETS = ("subnet-1", "subnet-2")
_SCHEMA_VERSIONS = {"aws_subnet": 1}
_ITEMS = {
    "aws_sns_topic_subscription": ("endpoint", "alert_emails"),
    "aws_efs_mount_target": ("subnet_id", "subnet_ids"),
}
# Without these in the state, the provider replaces the resource.
_DEFAULTS = {"aws_subnet": {"ipv6_native": False}, "aws_sns_topic": {"fifo_topic": False}}
_CHANGING = re.compile(r"(?<=\.)(repositories|network|mirrors)x*|_[0-9A-F]{8}$")
_REFERENCE = re.compile(r"\$\{(\w+\.[\w-]+)\.id\}")


@dataclass
class Succession:
    """The documents of one stack, in the order in which they were handed over.

    applied: the handovers after which operations applied the HCL and deleted moved.tf.
    """

    documents: list[Document]
    applied: set[int] = field(default_factory=set)


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


def succession(chance: random.Random, length: int) -> Succession:
    """A stack that changes at random `length - 1` times."""
    found = Succession([])
    stack = _Stack(chance)
    for number in range(length):
        if number:
            stack.change()
        found.documents.append(stack.document())
        if chance.random() < 0.2:
            found.applied.add(number)
    return found


class _Stack:
    """A stack that is drawn at random: lists of zones, mirrors, repositories and topics."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.zones = self._some(_ZONES)
        self.mirrors = self._some(_MIRRORS)
        self.repositories = self._some(_MIRRORS)
        self.topics = {name: self._hash() for name in self._some(("news", "mail"))}
        self.emails = self._some(_EMAILS)
        self.subnets = self._some(_SUBNETS)
        self.marked = chance.random() < 0.8
        self.odd: set[str] = set()
        self.renamed: dict[str, str] = {}
        self.moved: list[tuple[str, str]] = []
        self.values = 0

    def _some(self, names: Sequence[str]) -> list[str]:
        return sorted(self._chance.sample(names, self._chance.randint(0, len(names))))

    def _hash(self) -> str:
        return f"{self._chance.randrange(16**8):08X}"

    def change(self) -> None:
        """Change one to three things."""
        changes = (
            self._change_zones,
            self._change_mirrors,
            self._change_repositories,
            self._change_topics,
            self._change_items,
            self._change_fit,
            self._move,
            self._exchange,
        )
        if self._chance.random() < 0.5:
            self.moved = []
        for change in self._chance.sample(changes, self._chance.randint(1, 3)):
            change()

    def _change_zones(self) -> None:
        self.zones = self._some(_ZONES)

    def _change_mirrors(self) -> None:
        self.mirrors = self._some(_MIRRORS)

    def _change_repositories(self) -> None:
        self.repositories = self._some(_MIRRORS)

    def _change_items(self) -> None:
        """Others are told, builds run in other subnets, or the project marks the lists now."""
        self.emails = self._some(_EMAILS)
        self.subnets = self._some(_SUBNETS)
        self.marked = self.marked or self._chance.random() < 0.8

    def _change_topics(self) -> None:
        """New topics, or ones that cdktf names anew, or one with the name that another gets without its hash."""
        self.topics = {
            name: self.topics[name] if name in self.topics and self._chance.random() < 0.5 else self._hash()
            for name in self._some(("news", "mail"))
        }
        if self._chance.random() < 0.2:
            self.topics["news"] = ""

    def _change_fit(self) -> None:
        """Some members of a list no longer fit the others, or fit again."""
        self.odd = set(self._some([*_ZONES, *_MIRRORS]))

    def _exchange(self) -> None:
        """Exchange what belongs to the zones."""
        self.values += 1

    def _move(self) -> None:
        """Rename the construct of a repository, of mirrors or of zones, with a `moved` block."""
        before = {*addresses(self.document())}
        what = self._chance.choice(["repositories", "network", "mirrors", "news"])
        if what != "news":
            self.renamed[what] = f"{self.renamed.get(what, what)}x"
        elif self.topics.get("news"):
            self.topics["news"] = self._hash()
        after = {_CHANGING.sub("", it): it for it in sorted({*addresses(self.document())} - before)}
        for old in sorted(before - {*addresses(self.document())}):
            if _CHANGING.sub("", old) in after:
                self.moved.append((old, after[_CHANGING.sub("", old)]))

    def document(self) -> Document:
        resources: dict[str, dict[str, Any]] = {}
        for kind, path, name, arguments in self._resources():
            comment: Document = {"metadata": {"path": f"web/{path}", "uniqueId": name}}
            if self.marked and kind in _ITEMS:
                argument, variable = _ITEMS[kind]
                comment["inputs"] = {argument: {"variable": variable, "item": True}}
            resources.setdefault(kind, {})[name] = {"//": comment, **arguments}
        declared = {f"{kind}.{name}" for kind, named in resources.items() for name in named}
        moved = [{"from": old, "to": new} for old, new in self.moved if old not in declared]
        return {**({"resource": resources} if resources else {}), **({"moved": moved} if moved else {})}

    def _resources(self) -> Iterator[tuple[str, str, str, Document]]:
        network = self.renamed.get("network", "network")
        for zone in self.zones:
            number = (_ZONES.index(zone) + self.values) % 3
            subnet: Document = {"cidr_block": f"10.0.{number}.0/24", "vpc_id": "vpc-1", "tags": {"Name": f"p-{zone}"}}
            if zone in self.odd:
                subnet["lifecycle"] = {"create_before_destroy": True}
            yield "aws_subnet", f"{network}/private_{zone}", f"{network}_private_{zone}", subnet
            table = {"vpc_id": "vpc-1", "tags": {"Name": zone}}
            yield "aws_route_table", f"{network}/private_{zone}_routes", f"{network}_private_{zone}_routes", table
            both = {
                "subnet_id": f"${{aws_subnet.{network}_private_{zone}.id}}",
                "route_table_id": f"${{aws_route_table.{network}_private_{zone}_routes.id}}",
            }
            path = f"{network}/private_{zone}_association"
            yield "aws_route_table_association", path, path.replace("/", "_"), both
        mirrors = self.renamed.get("mirrors", "mirrors")
        for mirror in self.mirrors:
            logs: Document = {"name": f"/mirrors/{mirror}", "retention_in_days": 30 if mirror in self.odd else 7}
            if mirror in self.odd:
                logs["skip_destroy"] = True
            yield "aws_cloudwatch_log_group", f"{mirrors}/{mirror}/logs", f"{mirrors}_{mirror}_logs", logs
        repositories = self.renamed.get("repositories", "repositories")
        for name in self.repositories:
            more = {"count": 1} if name in self.odd else {}
            repository = {"repository_name": name, "description": f"The code of {name}", **more}
            path = f"{repositories}/{name}"
            yield "aws_codecommit_repository", path, path.replace("/", "_"), repository
        for email in self.emails:
            path = f"alerts/subscriptions/{email}"
            subscription: Document = {"topic_arn": _TOPIC, "protocol": "email", "endpoint": email}
            if email.split("@")[0] == "other" and "a" in self.odd:
                subscription["lifecycle"] = {"create_before_destroy": True}
            yield "aws_sns_topic_subscription", path, re.sub(r"[^\w-]", "_", path), subscription
        for mirror, subnet_id in itertools.product(self.mirrors, self.subnets):
            path = f"caches/{mirror}/mount_target_{subnet_id}"
            target = {"file_system_id": f"fs-{mirror}", "subnet_id": subnet_id}
            yield "aws_efs_mount_target", path, path.replace("/", "_"), target
        for name, hashed in self.topics.items():
            yield "aws_sns_topic", name, f"{name}_{hashed}" if hashed else name, {"name": f"{name}-{self.values}"}


def subnets(*zones: str, path: str = "network", **more: Document) -> Document:
    """A stack with a subnet for each zone, and more arguments for those of some zones."""
    named = {
        f"{path}_private_{zone}": {
            "//": {"metadata": {"path": f"web/{path}/private_{zone}", "uniqueId": f"{path}_private_{zone}"}},
            "cidr_block": f"10.0.{number}.0/24",
            "vpc_id": "vpc-1",
            **more.get(zone, {}),
        }
        for number, zone in enumerate(zones)
    }
    return {"resource": {"aws_subnet": named}}


def addresses(document: Document) -> dict[str, str]:
    """The addresses of a document's instances in a state, by their blocks' addresses."""
    return {
        f"{kind}.{name}": f"{kind}.{name}{'[0]' if 'count' in arguments else ''}"
        for kind, named in document.get("resource", {}).items()
        for name, arguments in named.items()
    }


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
                calls[f"{case}_{state.name}"] = {"source": f"./{case}"}
                at = addresses(state.document) if form == "json" else state.addresses
                resources += _resources(f"module.{case}_{state.name}", state, at)
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
            module = f"module.{case}_{state.name}"
            found[case, state.name] = (_of(module, from_json, {}), _of(module, from_hcl, back))
    return found


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
