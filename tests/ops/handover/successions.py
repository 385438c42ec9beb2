"""Stacks that are handed over several times while they change."""

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

_ZONES = ("a", "c", "d")
_TOPIC = "arn:aws:sns:eu-central-1:111111111111:alerts"
_MIRRORS = ("app", "web", "api-2")
_EMAILS = ("on-call@example.com", "team@example.com", "other@example.com")
_SUBNETS = ("subnet-1", "subnet-2")
_ITEMS = {
    "aws_sns_topic_subscription": ("endpoint", "alert_emails"),
    "aws_efs_mount_target": ("subnet_id", "subnet_ids"),
}
_CHANGING = re.compile(r"(?<=\.)(repositories|network|mirrors)x*|_[0-9A-F]{8}$")


@dataclass
class Succession:
    """The documents of one stack, in the order in which they were handed over.

    applied: the handovers after which operations applied the HCL and deleted moved.tf.
    """

    documents: list[Document]
    applied: set[int] = field(default_factory=set)


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
