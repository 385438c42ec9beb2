"""Evaluating what no statement distinguishes once gives what evaluating every request gives."""

import random
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from iam import powers
from iam.codecommit import PULL, PUSH
from iam.documents import parse
from iam.evaluation import evaluate
from iam.model import Identity, Model, Place
from iam.reach import reach
from iam.sources import RequestSource, sources
from iam.statements import Policy, UnsupportedError
from tests.iam.test_agreement import ACTION_PATTERNS, NETWORKS

_Reached = Mapping[tuple[str, str], set[str]]
_ACCOUNT = "222222222222"
_ARN = f"arn:aws:codecommit:ap-northeast-1:{_ACCOUNT}:"
_ARNS = [f"{_ARN}{name}" for name in ("application", "application-2", "batch", "bob", "website")]
_RESOURCES = [*_ARNS, "*", f"{_ARN}app*", f"{_ARN}?o?", f"{_ARN}${{aws:username}}", f"{_ARN}${{aws:SourceIp}}"]
_PLACES = (
    Place(name="office", networks=(ip_network("198.51.100.0/25"),)),
    Place(name="room", networks=(ip_network("203.0.113.10/32"), ip_network("2001:db8::/48")), is_room=True),
    Place(name="endpoint", vpc_endpoints=("vpce-1", "vpce-2")),
)
_CONDITIONS: list[Mapping[str, Any]] = [
    {"StringEquals": {"aws:SourceVpce": ["vpce-1"]}},
    {"StringNotEquals": {"aws:SourceVpce": ["vpce-2"]}},
    {"BoolIfExists": {"aws:ViaAWSService": "false"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Null": {"aws:SourceIp": "true"}},
    {"StringEquals": {"aws:username": "bob"}},
    {"StringNotEquals": {"aws:PrincipalTag/team": "x"}},
    {"StringLike": {"aws:SourceVpce": "${aws:SourceIp}"}},
]


def _statement(choice: random.Random) -> Mapping[str, Any]:
    condition = dict(choice.choice(_CONDITIONS)) if choice.random() < 0.3 else {}
    if choice.random() < 0.6:
        operator = choice.choice(["IpAddress", "NotIpAddress", "IpAddressIfExists"])
        condition[operator] = {"aws:SourceIp": choice.choices(NETWORKS, k=choice.randrange(1, 4))}
    return {
        "Effect": choice.choice(["Allow", "Allow", "Allow", "Deny"]),
        choice.choice(["Action"] * 5 + ["NotAction"]): choice.choice([*ACTION_PATTERNS, "codecommit:*", "*"]),
        choice.choice(["Resource"] * 5 + ["NotResource"]): choice.choices(_RESOURCES, k=choice.randrange(1, 4)),
        **({"Condition": condition} if condition else {}),
    }


def _policy(choice: random.Random, name: str) -> Policy:
    statements = [_statement(choice) for _ in range(choice.randrange(1, 4))]
    return parse({"Version": "2012-10-17", "Statement": statements}, name)


def _one_by_one(identity: Identity, places: Sequence[RequestSource]) -> _Reached:
    return {
        (arn, action): {
            place.name
            for place in places
            if evaluate(
                powers.request(identity, place, action, arn, {}), identity=identity.policies, boundary=identity.boundary
            ).allowed
        }
        for arn in _ARNS
        for action in (PULL, PUSH)
    }


def _together(identity: Identity, places: Sequence[RequestSource]) -> _Reached:
    found = reach(identity, (PULL, PUSH), _ARNS, places)
    return {key: {place.name for place in allowed} for key, allowed in found.items()}


def _or_reason(
    answer: Callable[[Identity, Sequence[RequestSource]], _Reached], identity: Identity, places: Sequence[RequestSource]
) -> _Reached | str:
    try:
        return answer(identity, places)
    except UnsupportedError as error:
        return error.reason


@pytest.mark.slow
def test_gives_what_every_request_alone_gives() -> None:
    choice = random.Random(20261128)
    answers = {"some": 0, "none": 0, "not known": 0}
    for number in range(120):
        identities = tuple(
            Identity(
                address=name,
                arn=f"arn:aws:iam::{_ACCOUNT}:user/{name}",
                account=_ACCOUNT,
                policies=tuple(_policy(choice, f"{name}-{part}") for part in range(choice.randrange(1, 3))),
                boundary=_policy(choice, f"{name}'s boundary") if choice.random() < 0.3 else None,
            )
            for name in ("bob", "eve")
        )
        places = sources(Model(identities=identities, places=_PLACES[: number % 4]))
        for identity in identities:
            expected = _or_reason(_one_by_one, identity, places)
            assert _or_reason(_together, identity, places) == expected
            answers["not known" if isinstance(expected, str) else "some" if any(expected.values()) else "none"] += 1
    assert min(answers.values()) > 10, answers
