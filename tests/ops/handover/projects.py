"""Random stacks as other people's cdktf programs write them: constructs by key that refer to, and list, one another."""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.similar import Body, label, stack
from tests.ops.handover.random_expressions import LOCALS, Expressions

_KEYS = (
    ("a", "c", "d"),
    ("app", "web", "api-2"),
    ("eu-west-1a", "eu-west-1b"),
    ("orders", "order-items", "users.v2"),
    ("0", "1", "2"),
    ("only",),
    ("key", "name", "value"),
    ("for", "in", "each"),
    ("true", "null"),
    ("team a", "team b"),
)
_PARENTS = ("main", "mirrors", "services", "network", "shop-web", "each", "locals", "ifs", "names")
_PATHS = ("{parent}/{key}/{what}", "{parent}/{what}/{key}", "{parent}/{what}-{key}", "{parent}{key}/{what}")
_ARN = "arn:aws:sqs:eu-central-1:111111111111:"
_RULE = {
    "from_port": 443,
    "to_port": 443,
    "protocol": "tcp",
    "cidr_blocks": ["10.0.0.0/8"],
    "description": "d",
    "ipv6_cidr_blocks": [],
    "prefix_list_ids": [],
    "security_groups": [],
    "self": False,
}
_REQUIRED = {
    "required_version": ">= 1.9",
    "required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}},
}


def project(seed: int) -> Document:
    """The stack of this seed, which Terraform can plan without AWS."""
    return _Project(seed).document()


class _Project:
    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._expressions = Expressions(seed)
        self._members: list[tuple[str, str, Body]] = []
        self._data: list[tuple[str, str, Body]] = []
        self._with_arns: list[Mapping[str, str]] = []
        self._outputs: dict[str, Any] = {}
        self._locals = dict(LOCALS)

    def document(self) -> Document:
        for parent in self._chance.sample(_PARENTS, self._chance.randint(1, 3)):
            keys = self._chance.choice(_KEYS)
            for what in self._chance.sample(sorted(_BODIES), self._chance.randint(1, 4)):
                self._add_family(parent, keys, what)
        if self._with_arns:
            self._add_lists(self._chance.choice(self._with_arns))
        self._add_own_map(self._chance.choice(_KEYS))
        found = stack("resource", self._members, locals=self._locals, output=self._outputs, terraform=_REQUIRED)
        return found | (stack("data", self._data) if self._data else {})

    def _add_family(self, parent: str, keys: Sequence[str], what: str) -> None:
        """A resource for each key. Most are drawn alike."""
        path, state, type_ = self._chance.choice(_PATHS), self._chance.getstate(), _BODIES[what][0]
        addresses = {}
        for key in keys:
            if self._chance.random() < 0.8:
                self._chance.setstate(state)
            place = path.format(parent=parent, key=key, what=what)
            name = label(place)
            if any((type_, name) == (other, label(it)) for other, it, _ in self._members):
                return
            self._members.append((type_, place, _BODIES[what][1](self, key)))
            addresses[key] = f"{type_}.{name}"
        self._chance.random()
        if type_ in ("aws_sqs_queue", "aws_sns_topic"):
            self._with_arns.append(addresses)

    def _add_lists(self, addresses: Mapping[str, str]) -> None:
        """Policies, outputs and others that list a family's members, all or some, in this order or another one."""
        arns = [f"${{{it}.arn}}" for it in addresses.values()]
        pairs = [it for arn in arns for it in (arn, f"{arn}/*")]
        listed = self._chance.choice([arns, arns[::-1], pairs, [*arns, "*"], arns[1:] or arns, [*arns, arns[0]]])
        own = {key: f"${{{it}.arn}}" for key, it in addresses.items()}
        code = ", ".join(f"{it}.arn" for it in addresses.values())
        by_key = ", ".join(f"{json.dumps(key)} = {{ arn = {it}.arn }}" for key, it in addresses.items())
        value = self._chance.choice([listed, own, f"${{[{code}]}}", f"${{{{ {by_key} }}}}"])
        statement = {"sid": "It", "actions": ["sqs:SendMessage"], "resources": listed}
        self._data.append(("aws_iam_policy_document", "lists/document", {"statement": [statement]}))
        self._members.append(("terraform_data", "lists/it", {"input": value}))
        self._outputs |= {"listed": {"value": listed}, "by_key": {"value": own}}
        self._outputs["urls"] = {"value": {key: f"https://example.com/{key}" for key in addresses}}

    def _add_own_map(self, keys: Sequence[str]) -> None:
        """A local value that a resource iterates over, and a map and a set with values that it has, too."""
        members = {key: {"cidrs": self._chance.choice([[key], ["a", "b"]]), "n": n} for n, key in enumerate(keys)}
        self._locals |= {"own": members, "cidrs": {key: it["cidrs"] for key, it in members.items()}}
        value = self._chance.choice(["${each.value}", "${each.value.cidrs}", "${each.key}-${each.value.n}"])
        roles = self._chance.choice([[*keys], [f"r-{key}" for key in keys], [*keys, "other"]])
        attachment = {"name": "x", "policy_arn": "arn:aws:iam::111111111111:policy/x", "roles": roles}
        self._members.append(("terraform_data", "own", {"for_each": "${local.own}", "input": value}))
        self._members.append(("aws_iam_policy_attachment", "own", attachment))
        self._outputs["own"] = {"value": "${jsonencode([local.own, local.cidrs])}"}

    def some_text(self, key: str) -> str:
        """A text that has the key, or is the same for every key."""
        references = [f"${{{it}.arn}}" for addresses in self._with_arns for it in addresses.values()]
        own = [f"${{{addresses[key]}.arn}}" for addresses in self._with_arns if key in addresses]
        return self._chance.choice(
            [
                *own * 3,
                *references[:2],
                key,
                f"name-{key}",
                f"{_ARN}{key}",
                "the same",
                f"multi\nline {key}\n",
                f"  indented\n    {key}\n  end\n",
                f"$${{literal}} %%{{if}} {key}",
                f'say "{key}" \\ \t',
                f"${{local.name}}-{key}",
                f'${{local.yes ? "{key}" : "no"}}',
                f"%{{ if local.yes }}{key}%{{ else }}no%{{ endif }}",
                f"x\n%{{ for it in local.list ~}}\n  ${{it}} {key}\n%{{ endfor ~}}\ny\n",
                "#!/bin/sh\n" + f"echo {key} $${{HOME}}\n" * 20,
                json.dumps({"b": key, "a": [1, True, None]}, separators=(",", ":")),
                f"${{{self._expressions.string(2)}}}",
            ]
        )

    def some_value(self, key: str, depth: int = 0) -> Any:
        """Any value that JSON can have."""
        kind = self._chance.random()
        if kind < 0.2 and depth < 3:
            return [self.some_value(key, depth + 1) for _ in range(self._chance.randint(0, 3))]
        if kind < 0.4 and depth < 3:
            names = self._chance.sample(["a", "b", "c-d", "k k", key], self._chance.randint(0, 3))
            return {name: self.some_value(key, depth + 1) for name in names}
        if kind < 0.5:
            return self._chance.choice([1, 2.5, 0, -3, 1e21, True, False, None, 10**20])
        return self.some_text(key)

    def policy(self, key: str) -> str:
        """A policy as `JSON.stringify` or another program writes it."""
        resource = self._chance.choice(["*", f"{_ARN}{_plain(key)}"])
        condition = {"StringEquals": {"aws:username": "$${aws:username}"}}
        principal = {"Service": "example.amazonaws.com"}
        statement = {"Effect": "Allow", "Action": ["sqs:*"], "Resource": resource, "Principal": principal}
        document = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
        return json.dumps(document, separators=self._chance.choice([(",", ":"), (", ", ": ")]))

    def one_of(self, *values: Any) -> Any:
        return self._chance.choice(values)


def _plain(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", key)


_BODIES: dict[str, tuple[str, Callable[[_Project, str], Body]]] = {
    "queue": (
        "aws_sqs_queue",
        lambda it, key: {
            "name": f"q-{_plain(key)}",
            "delay_seconds": it.one_of(0, 5, None, "${local.three}"),
            "tags": it.one_of({}, {"Name": key}, {"Name": it.some_text(key), "b-c": "x"}, {"${local.name}": key}),
        },
    ),
    "topic": (
        "aws_sns_topic",
        lambda it, key: {"name": f"t-{_plain(key)}", "display_name": it.one_of("x", key, "${local.name}")},
    ),
    "log": (
        "aws_cloudwatch_log_group",
        lambda it, key: {
            "name": f"/x/{_plain(key)}",
            "retention_in_days": it.one_of(7, 30),
            "lifecycle": it.one_of({}, {"prevent_destroy": True}),
        },
    ),
    "role": ("aws_iam_role", lambda it, key: {"name": f"r-{_plain(key)}", "assume_role_policy": it.policy(key)}),
    "object": (
        "aws_s3_object",
        lambda it, key: {"bucket": "b", "key": f"k/{key}", "content": it.some_text(key), "content_type": "text/plain"},
    ),
    "group": (
        "aws_security_group",
        lambda it, key: {"name": f"g-{_plain(key)}", "vpc_id": "vpc-1", "ingress": it.one_of([], [_RULE])},
    ),
    "data": ("terraform_data", lambda it, key: {"input": it.some_value(key), "triggers_replace": [it.some_text(key)]}),
}
