"""Random deployments: only the users in the file push and pull, and only from their addresses."""

import os
import random
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from iam import deployed
from iam.evaluation import evaluate
from iam.model import Identity, Model
from iam.promises import broken
from iam.requests import Principal, Request
from settings import load
from stacks.synthesis import synthesise
from tests.terraform import read

Json = dict[str, Any]

# KAKEHASHI_DEPLOYMENTS=1000 tests a thousand.
SEEDS = range(int(os.environ.get("KAKEHASHI_DEPLOYMENTS", "25")))
BLOCKS = [*IPv4Network("198.51.100.0/24").subnets(4), *IPv4Network("203.0.113.0/24").subnets(4)]


def _rooms(choice: random.Random, names: list[str], networks: Callable[[], list[str]]) -> dict[str, Json]:
    rooms: dict[str, Json] = {f"room_{number}": {} for number in range(choice.randrange(0, 4))}
    for room in rooms.values():
        if choice.random() < 0.2:
            room["from_vpc_endpoints"] = [f"vpce-{choice.randrange(16**17):017x}"]
        else:
            room["from_cidrs"] = networks()
        if choice.random() < 0.6:
            room["repositories"] = choice.sample(names, k=choice.randrange(1, len(names) + 1))
    return rooms


def _deployment(choice: random.Random, example: Json) -> Json:
    """A random deployment: repositories, rooms and push sources. No two networks overlap."""
    blocks = choice.sample(BLOCKS, k=len(BLOCKS))

    def networks() -> list[str]:
        found = []
        for _ in range(choice.randrange(1, 4)):
            block = blocks.pop()
            found.append(str(choice.choice(list(block.subnets(new_prefix=choice.randrange(28, 33))))))
        return found

    names = [f"{choice.choice(['app', 'infra', 'App.'])}-{number}" for number in range(choice.randrange(1, 7))]
    codecommit: Json = {"repositories": dict.fromkeys(names)}
    prd: Json = {"account": {"id": "222222222222"}, "codecommit": codecommit}
    settings: Json = {"name": "random", "owner": "tests", "region": "ap-northeast-1", "prd": prd}
    if choice.random() < 0.3:
        settings["dev"] = {"account": {"id": "111111111111"}, "network": example["dev"]["network"]}
    if choice.random() < 0.8:
        from_stack = "dev" in settings and choice.random() < 0.8
        codecommit["push"] = {"from_stack": "dev-network"} if from_stack else {"from_cidrs": networks()}
    if choice.random() < 0.3:
        codecommit["own_prefixes"] = [names[0][:-2]]
    rooms = _rooms(choice, names, networks)
    if rooms:
        codecommit["rooms"] = rooms
    if not rooms or choice.random() < 0.5:
        codecommit["pull"] = {"from_cidrs": networks()}
    if choice.random() < 0.2:
        prd["backlog"] = {**example["prd"]["backlog"]}
        mirrors = list(prd["backlog"]["repositories"].values())
        for number, mirror in enumerate(mirrors):
            mirror["target"] = {"codecommit": names[number]} if number < len(names) - 1 else {"create": f"new-{number}"}
    return settings


def _lists(settings: Json) -> dict[str, tuple[Json, list[str], bool]]:
    """By the name of the user in the file: its sources, its repositories, and whether it pushes."""
    codecommit = settings["prd"]["codecommit"]
    names = list(codecommit["repositories"])
    backlog = settings["prd"].get("backlog", {}).get("repositories", {}).values()
    filled = [mirror["target"].get("codecommit") for mirror in backlog]
    found: dict[str, tuple[Json, list[str], bool]] = {}
    if "push" in codecommit:
        found["random-prd-push"] = (codecommit["push"], [name for name in names if name not in filled], True)
    if "pull" in codecommit:
        found["random-prd-pull"] = (codecommit["pull"], names, False)
    for room, said in codecommit.get("rooms", {}).items():
        found[f"random-prd-pull-{room}"] = (said, said.get("repositories", names), False)
    return found


def _may(user: Identity, action: str, repository: str, context: dict[str, str]) -> bool:
    asked = Request(
        principal=Principal(kind="user", name=user.arn, account=user.account),
        action=action,
        resource=f"arn:aws:codecommit:ap-northeast-1:222222222222:{repository}",
        context={"aws:ViaAWSService": "false", "aws:SecureTransport": "true", **context},
    )
    return evaluate(asked, identity=user.policies).allowed


def _contexts(
    choice: random.Random, model: Model, lists: dict[str, tuple[Json, list[str], bool]]
) -> list[dict[str, str]]:
    """Addresses at the borders of every network and next to them, random addresses, IPv6, and VPC endpoints."""
    networks = [IPv4Network(text) for said, _, _ in lists.values() for text in said.get("from_cidrs", ())]
    networks += [network for place in model.places for network in place.networks if isinstance(network, IPv4Network)]
    borders = [
        network.network_address + offset
        for network in networks
        for offset in (-1, 0, network.num_addresses - 1, network.num_addresses)
    ]
    addresses = [*borders, *(IPv4Address(choice.randrange(2**32)) for _ in range(10))]
    endpoints = [endpoint for said, _, _ in lists.values() for endpoint in said.get("from_vpc_endpoints", ())]
    return [
        *({"aws:SourceIp": str(address)} for address in dict.fromkeys(addresses)),
        {"aws:SourceIp": "2001:db8::1"},
        *({"aws:SourceVpce": endpoint} for endpoint in [*endpoints, "vpce-00000000"]),
        {},
    ]


def _is_from(said: Json, context: dict[str, str], nat: list[IPv4Network]) -> bool:
    if "aws:SourceVpce" in context:
        return context["aws:SourceVpce"] in said.get("from_vpc_endpoints", ())
    address = context.get("aws:SourceIp", "")
    if not address or ":" in address:
        return False
    listed = nat if "from_stack" in said else [IPv4Network(text) for text in said.get("from_cidrs", ())]
    return any(IPv4Address(address) in network for network in listed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_only_the_users_in_the_file_push_and_pull_and_only_from_their_addresses(
    project: Path, tmp_path: Path, seed: int
) -> None:
    choice = random.Random(seed)
    settings = _deployment(choice, YAML(typ="safe").load(project / "deployments" / "example.yaml"))
    file = tmp_path / "random.yaml"
    YAML(typ="safe").dump(settings, file)
    synthesise(load(file), tmp_path / "out")
    model = deployed.read({name: tf.json for name, tf in read(tmp_path / "out").terraform.items()})
    assert broken(model) == []

    lists = _lists(settings)
    users = {identity.name: identity for identity in model.identities if identity.trust is None}
    assert set(users) == set(lists)
    nat = [n for place in model.places if place.representative for n in place.networks if isinstance(n, IPv4Network)]
    every = [*settings["prd"]["codecommit"]["repositories"], "another"]
    allowed = 0
    for context in _contexts(choice, model, lists):
        for name, (said, repositories, pushes) in lists.items():
            here = _is_from(said, context, nat)
            for repository in every:
                mine = here and repository in repositories
                allowed += mine
                assert _may(users[name], "codecommit:GitPull", repository, context) == mine, (name, repository, context)
                pushed = _may(users[name], "codecommit:GitPush", repository, context)
                assert pushed == (mine and pushes), (name, repository, context)
    assert allowed
