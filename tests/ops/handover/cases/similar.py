"""Stacks with similar resources, as the constructs of real projects make them, and random ones."""

import hashlib
import json
import random
from collections.abc import Callable, Iterable
from typing import Any

from tests.ops.handover.cases.documents import Document

Body = dict[str, Any]

_LONG = "".join(f"echo step {number}\n" for number in range(20))
_KEYS = (
    "app",
    "batch",
    "partner-api",
    "server.java",
    "on-call@example.com",
    "x",
    "a b",
    'say "hi"',
    "$x",
    "${y}",
    "架",
)


def stack(kind: str, members: Iterable[tuple[str, str, Body]], **others: Any) -> Document:
    """A document of blocks by type and construct path, as cdktf names them."""
    types: dict[str, dict[str, Body]] = {}
    for type_, path, body in members:
        name = label(path)
        metadata = {"metadata": {"path": f"web/{path}", "uniqueId": name}}
        types.setdefault(type_, {})[name] = {"//": metadata, **body}
    return {kind: types, **others}


def label(path: str) -> str:
    """A name for the construct path that Terraform accepts."""
    return "".join(it if it.isascii() and (it.isalnum() or it == "-") else "_" for it in path)


def each(paths: str, keys: Iterable[str], type_: str, body: Callable[[str], Body]) -> list[tuple[str, str, Body]]:
    """A block for each key, whose path has the key in place of `*`."""
    return [(type_, paths.replace("*", key), body(key)) for key in keys]


def _mirrors() -> Document:
    keys = ("website", "batch", "partner-api")

    def hash_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    units = {key: json.dumps({"name": key, "steps": [hash_of(key)] * 20}) for key in keys}
    content = [
        *each(
            "program/units/*",
            keys,
            "aws_s3_object",
            lambda key: {
                "bucket": "b",
                "key": f"units/{key}.json",
                "content": units[key],
                "etag": hashlib.md5(units[key].encode(), usedforsecurity=False).hexdigest(),
            },
        ),
        *each("mirrors/*/log_group", keys, "aws_cloudwatch_log_group", lambda key: {"name": f"/mirrors/{key}"}),
        *each(
            "mirrors/*/state",
            keys,
            "aws_ssm_parameter",
            lambda key: {
                "name": f"/state/{key}",
                "type": "String",
                "value": f"{hash_of(units[key])} of {key}\n" + _LONG,
                "description": f"Mirrors {key.upper()} into {key}",
                "depends_on": [f"aws_s3_object.{label(f'program/units/{key}')}"],
                "tags": {"log": f"${{aws_cloudwatch_log_group.{label(f'mirrors/{key}/log_group')}.name}}"},
            },
        ),
    ]
    arn = "arn:aws:codecommit:eu-central-1:111111111111:"
    statements = {"website": ["Pull", "Keys"], "batch": ["Pull"], "partner-api": ["Unlock", "Pull"]}
    documents = each(
        "mirrors/*/permissions",
        keys,
        "aws_iam_policy_document",
        lambda key: {"statement": [{"sid": sid, "resources": [arn + key.title()]} for sid in statements[key]]},
    )
    return stack("resource", content) | stack("data", documents)


def _zones(zones: tuple[str, ...]) -> Document:
    def subnet(side: str) -> list[tuple[str, str, Body]]:
        return each(
            f"network/{side}_*",
            zones,
            "aws_subnet",
            lambda key: {
                "vpc_id": "vpc-1",
                "availability_zone": f"eu-central-1{key}",
                "cidr_block": f"10.{len(side)}.{ord(key)}.0/24",
            },
        )

    routes = each(
        "network/private_*_route_table",
        zones,
        "aws_route_table",
        lambda key: {"vpc_id": "vpc-1", "tags": {"Name": f"private-{key}", "a": "${var.owner}"}},
    )
    associations = each(
        "network/private_*_routes",
        zones,
        "aws_route_table_association",
        lambda key: {
            "subnet_id": f"${{aws_subnet.network_private_{key}.id}}",
            "route_table_id": f"${{aws_route_table.network_private_{key}_route_table.id}}",
            "lifecycle": {"replace_triggered_by": [f"aws_subnet.network_private_{key}"]},
        },
    )
    return stack(
        "resource",
        [*subnet("private"), *subnet("public"), *routes, *associations],
        variable={"owner": {"default": "me", "sensitive": True}},
        output={"cidrs": {"value": {key: f"${{aws_subnet.network_public_{key}.cidr_block}}" for key in zones}}},
    )


def _rules() -> Document:
    ports = {"ssh": 22, "https": 443}
    rules = [
        (
            "aws_vpc_security_group_ingress_rule",
            f"load_balancer/from_{name}",
            {
                "security_group_id": "sg-1",
                "ip_protocol": "tcp",
                "from_port": port,
                "to_port": port,
                "cidr_ipv4": "10.0.0.0/8",
                "description": f"{name.upper()} for those who need it",
            },
        )
        for name, port in ports.items()
    ]
    users = each("*_user", ("push", "pull"), "aws_iam_user", lambda key: {"name": f"git-{key}"})
    return stack("resource", [*rules, *users])


def _blocks_of_some() -> Document:
    """Rules, environment variables and logs that only some members have."""
    rule = dict.fromkeys(("ipv6_cidr_blocks", "prefix_list_ids", "security_groups", "self"))
    rules = [
        {**rule, "from_port": 1, "to_port": 2, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"], "description": "x"}
    ]
    environment = {"compute_type": "BUILD_GENERAL1_SMALL", "image": "i", "type": "LINUX_CONTAINER"}
    variables = [{"name": "A", "value": "1"}, {"name": "B", "value": "app"}]
    more: dict[str, Body] = {
        "app": {"environment": {**environment, "environment_variable": variables}},
        "b-x": {"logs_config": {"s3_logs": {"status": "DISABLED"}}},
        "web": {},
    }

    def group(key: str) -> Body:
        return {"name": f"room-{key}", "vpc_id": "vpc-1"} | ({} if key == "b-x" else {"ingress": rules})

    def project(key: str) -> Body:
        source = {"type": "NO_SOURCE", "buildspec": "x"}
        own = {"name": key, "service_role": "arn:aws:iam::111111111111:role/x", "source": source}
        return {**own, "artifacts": {"type": "NO_ARTIFACTS"}, "environment": environment, **more[key]}

    groups = each("rooms/*/security_group", more, "aws_security_group", group)
    return stack("resource", [*groups, *each("rooms/*/project", more, "aws_codebuild_project", project)])


def _empty_blocks_of_one() -> Document:
    """Security groups with rules, and one whose rules are an empty list."""
    rule = {"ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [], "self": False, "description": "x"}
    rules = [{**rule, "from_port": 1, "to_port": 2, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}]
    groups = each(
        "rooms/*/group",
        ("app", "batch", "web"),
        "aws_security_group",
        lambda key: {"name": key, "vpc_id": "vpc-1", "ingress": rules[: key != "web"]},
    )
    release = {"aws": {"source": "hashicorp/aws", "version": "~> 5.0"}}
    return stack("resource", groups, terraform={"required_providers": release})


def _permissions(*decrypting: str, space: str = "") -> Document:
    """Policies for mirrors that read a key of their space, and some decrypt it, or that of another space."""
    spaces = {"batch": "example", "partner-api": "partner", "tools": "other", "website": "example"}

    def policy(key: str) -> Body:
        parameter = f"arn:aws:ssm:eu-central-1:111111111111:parameter/backlog/{spaces[key]}/ssh-key"
        decrypted = parameter.replace(spaces[key], space or spaces[key])
        read = {"sid": "Read", "actions": ["ssm:GetParameter"], "resources": [parameter]}
        condition = {"test": "StringEquals", "variable": "kms:context", "values": [decrypted, "x"]}
        decrypt = {"sid": "Decrypt", "actions": ["kms:Decrypt"], "resources": ["*"], "condition": [condition]}
        return {"statement": [read, decrypt] if key in decrypting else [read]}

    return stack("data", each("mirrors/*/permissions", spaces, "aws_iam_policy_document", policy))


def _without_metadata() -> Document:
    topics = {f"news_{key}": {"name": f"news-{key}"} for key in ("de", "fr", "jp")}
    return {"resource": {"aws_sns_topic": {**topics, "other": {"name": "other"}}}}


def _other_letters() -> Document:
    """Names that begin with a letter outside ASCII, in references, in `depends_on` and in a `moved` block."""
    topics: dict[str, Body] = {f"über_news_{key}": {"name": f"news-{key}"} for key in ("de", "fr", "jp")}
    metadata = {"metadata": {"path": "web/日本/main", "uniqueId": "日本_main_1A2B3C4D"}}
    first = {"//": metadata, "name": "first", "depends_on": ["aws_sns_topic.über_news_de"]}
    reader = {"name": "reader", "display_name": "${aws_sns_topic.日本_main_1A2B3C4D.name}"}
    names = ["${upper(aws_sns_topic.über_news_fr.name)}", "${local.änderung}", "${data.aws_region.été_1A2B3C4D.name}"]
    region = {"//": {"metadata": {"path": "web/été", "uniqueId": "été_1A2B3C4D"}}, "name": "eu-central-1"}
    return {
        "locals": {"änderung": "x-${aws_sns_topic.über_news_jp.name}"},
        "data": {"aws_region": {"été_1A2B3C4D": region}},
        "resource": {"aws_sns_topic": {**topics, "日本_main_1A2B3C4D": first, "reader": reader}},
        "moved": {"from": "aws_sns_topic.früher", "to": "aws_sns_topic.日本_main_1A2B3C4D"},
        "output": {"names": {"value": names}},
    }


def similar() -> dict[str, Document]:
    """The stacks, by name."""
    found = {
        "mirrors": _mirrors(),
        "three_zones": _zones(("a", "c", "d")),
        "two_zones": _zones(("a", "c")),
        "blocks_of_some": _blocks_of_some(),
        "empty_blocks_of_one": _empty_blocks_of_one(),
        "rules_and_users": _rules(),
        "texts_of_some": _permissions("batch", "website"),
        "different_texts_of_some": _permissions("batch", "partner-api"),
        "a_text_that_all_have_otherwise": _permissions("batch", "tools", space="example"),
        "a_text_of_one": _permissions("tools"),
        "without_metadata": _without_metadata(),
        "other_letters": _other_letters(),
    }
    return found | {f"random_{seed}": random_stack(random.Random(seed)) for seed in range(40)}


def random_stack(chance: random.Random) -> Document:
    """Collections with the same keys, or some of them, whose members refer to each other and differ here and there."""
    keys = chance.sample(_KEYS, chance.randint(2, 5))
    made: dict[str, list[str]] = {}
    members: list[tuple[str, str, Body]] = []
    for number, type_ in enumerate(chance.choices(list(_BODIES), k=chance.randint(2, 5))):
        own = keys if chance.random() < 0.8 else keys[: chance.randint(1, len(keys))]
        paths = chance.choice((f"parts{number}/*", f"units/*/part{number}", f"group{number}/unit_*"))
        differences = chance.sample(range(4), chance.randint(0, 3))
        for key in own:
            path = paths.replace("*", key)
            written = key.replace("${", "$${")
            body = _BODIES[type_](f"{written}-{number}", _values(chance, written, differences))
            if made and chance.random() < 0.5:
                other = chance.choice(list(made.values()))
                body["depends_on"] = sorted(other)[:2]
            members.append((type_, path, body))
        made[paths] = [f"{type_}.{label(paths.replace('*', key))}" for key in own]
        if len(set(made[paths])) < len(own):
            return random_stack(chance)
    return stack("resource", members)


def _values(chance: random.Random, key: str, differences: list[int]) -> list[Any]:
    """Four values: some are equal for all members, and some differ in the key or in more."""
    different: list[Any] = [
        chance.choice([None, f"for {key}", "for all", f"{key}{key} $${{x}} %"]),
        chance.choice([1, 1.5, True, "1", f"{key}: {chance.randint(0, 9)}", ["a", key], {"k": key}, None]),
        chance.choice(["arn:aws:sns:eu-central-1:1:", "arn:aws:sns:"]) + key,
        f"{key}\n{_LONG}" + chance.choice(["", f"NAME: {key} {chance.random()}\n", '"$${1}"']),
    ]
    equal: list[Any] = ["the same", {"list": [1, 2]}, None, _LONG]
    return [different[index] if index in differences else equal[index] for index in range(4)]


_BODIES: dict[str, Callable[[str, list[Any]], Body]] = {
    "terraform_data": lambda name, values: {"input": {"name": name, "some": values[1], "long": values[3]}},
    "aws_sns_topic": lambda _, values: {
        "name_prefix": "t",
        "display_name": values[0],
        "tags": {"Name": "x", "arn": values[2] or "none"},
    },
    "aws_ssm_parameter": lambda name, values: {
        "name": f"/p/{len(name)}",
        "type": "String",
        "value": values[3],
        "description": values[0],
        "lifecycle": {"ignore_changes": ["value"]},
    },
}
