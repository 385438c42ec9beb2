import random
from collections import Counter
from typing import Any

import pytest

from iam.documents import parse
from iam.evaluation import evaluate
from iam.requests import Principal, Request
from tests.iam.naive import decide

REQUESTS = 10_000

# So few values that a request often matches a policy, and often almost matches it.
ACTIONS = ["codecommit:GitPull", "codecommit:GitPush", "codecommit:GetBlob", "s3:GetObject", "iam:CreateUser"]
ACTION_PATTERNS = [*ACTIONS, "*", "codecommit:*", "CodeCommit:git*", "codecommit:Git????", "s3:*", "iam:*User", "kms:*"]
RESOURCES = [
    "arn:aws:codecommit:ap-northeast-1:222222222222:application",
    "arn:aws:codecommit:ap-northeast-1:222222222222:application-2",
    "arn:aws:codecommit:us-east-1:222222222222:bob",
    "arn:aws:s3:::bucket/bob/key:1",
    "arn:aws:s3:::bucket",
]
RESOURCE_PATTERNS = [
    *RESOURCES,
    "*",
    "arn:aws:codecommit:*:222222222222:app*",
    "arn:aws:codecommit:*:*:application",
    "arn:aws:codecommit:*-1:222222222222:*",
    "arn:aws:codecommit:us-*-1:22222222222?:b?b",
    "arn:aws:s3:::*/${aws:username}/*",
    "arn:aws:codecommit:us-east-1:222222222222:${aws:username}",
    "arn:aws:s3:::bucket/${aws:userid, 'bob'}/*",
    "arn:aws:codecommit:*:*:*",
]
ADDRESSES = ["198.51.100.7", "198.51.100.200", "203.0.113.10", "10.0.0.1", "2001:db8::1", "2001:db8:0:1::ffff"]
NETWORKS = [
    "198.51.100.0/28",
    "198.51.100.0/24",
    "198.51.100.7",
    "203.0.113.10/31",
    "0.0.0.0/0",
    "2001:db8::/64",
    "2001:db8::/32",
    "::/0",
    "10.0.0.0/8",
]
TEXTS = ["bob", "Bob", "eve", "", "a*", "ab", "home/bob/x", "*"]
TEXT_PATTERNS = [
    *TEXTS,
    "b?b",
    "home/${aws:username}/*",
    "${aws:username}",
    "a${*}",
    "*b",
    "${aws:userid, 'eve'}",
    "??",
]
NUMBERS = ["0", "1", "1.0", "10", "-3", "9.5", "100"]
DATES = [
    "2020-01-01",
    "2020-02-29T00:00:00Z",
    "2020-02-29T12:30:00Z",
    "1583020800",
    "1999-12-31T23:59:59Z",
    "2026-03-01",
]
ARNS = ["arn:aws:sns:r:1:topic", "arn:aws:sns:r:1:topic:x", "arn:aws:sns:r:2:topic", "arn:aws:iam::1:user/bob"]
ARN_PATTERNS = [
    *ARNS,
    "arn:aws:sns:*:1:t*",
    "arn:*:*:*:*:*",
    "arn:aws:sns:r:?:topic",
    "arn:aws:iam::1:user/${aws:username}",
]
BINARIES = ["Ym9i", "ZXZl", "QQ=="]

KINDS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "text": (
        [
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
        TEXTS,
        TEXT_PATTERNS,
    ),
    "number": (
        [
            f"Numeric{comparison}"
            for comparison in (
                "Equals",
                "NotEquals",
                "LessThan",
                "LessThanEquals",
                "GreaterThan",
                "GreaterThanEquals",
            )
        ],
        NUMBERS,
        NUMBERS,
    ),
    "date": (
        [
            f"Date{comparison}"
            for comparison in (
                "Equals",
                "NotEquals",
                "LessThan",
                "LessThanEquals",
                "GreaterThan",
                "GreaterThanEquals",
            )
        ],
        DATES,
        DATES,
    ),
    "aws:SourceIp": (["IpAddress", "NotIpAddress"], ADDRESSES, NETWORKS),
    "arn": (["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"], ARNS, ARN_PATTERNS),
    "aws:ViaAWSService": (["Bool"], ["true", "false"], ["true", "false"]),
    "binary": (["BinaryEquals"], BINARIES, BINARIES),
}


def _context(choice: random.Random) -> dict[str, Any]:
    context: dict[str, Any] = {}
    for key, (_, values, _) in KINDS.items():
        if choice.random() < 0.75:
            context[_cased(choice, key)] = choice.choice(values)
    if choice.random() < 0.7:
        context["several"] = choice.choices(TEXTS, k=choice.randrange(3))
    if choice.random() < 0.8:
        context["aws:username"] = choice.choice(["bob", "eve", "*"])
    if choice.random() < 0.3:
        context["aws:userid"] = "eve"
    return context


def _cased(choice: random.Random, key: str) -> str:
    return key.upper() if choice.random() < 0.2 else key


def _some(choice: random.Random, values: list[str]) -> str | list[str]:
    return choice.choice(values) if choice.random() < 0.4 else choice.choices(values, k=choice.randrange(1, 4))


def _some_or_all(choice: random.Random, patterns: list[str]) -> str | list[str]:
    """Some patterns, or often a star, so that the conditions decide."""
    return "*" if choice.random() < 0.5 else _some(choice, patterns)


def _conditions(choice: random.Random, context: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(choice.choice([0, 0, 1, 1, 2, 3])):
        key = choice.choice(list(KINDS))
        operators, _, patterns = KINDS[key]
        # The guide does not say whether an empty text is null; only set operators take several values.
        nullable = not any(name.lower() == key.lower() and value == "" for name, value in context.items())
        if choice.random() < 0.1 and nullable:
            found.setdefault("Null", {})[key] = choice.choice(["true", "false"])
        elif choice.random() < 0.25:
            quantifier, if_exists = choice.choice(
                (("ForAllValues:", ""), ("ForAllValues:", "IfExists"), ("ForAnyValue:", ""))
            )
            operator = quantifier + choice.choice(KINDS["text"][0]) + if_exists
            found.setdefault(operator, {})["several"] = _some(choice, TEXT_PATTERNS)
        else:
            operator = choice.choice(operators) + choice.choice(["", "", "IfExists"])
            found.setdefault(operator, {})[key] = _some(choice, patterns)
    return found


def _statement(choice: random.Random, context: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": choice.choice(["Allow", "Allow", "Deny"])}
    statement["NotAction" if choice.random() < 0.15 else "Action"] = _some_or_all(choice, ACTION_PATTERNS)
    statement["NotResource" if choice.random() < 0.15 else "Resource"] = _some_or_all(choice, RESOURCE_PATTERNS)
    if condition := _conditions(choice, context):
        statement["Condition"] = condition
    return statement


@pytest.mark.slow
def test_two_independent_evaluators_agree_on_ten_thousand_requests() -> None:
    choice = random.Random(20261124)
    verdicts: Counter[tuple[bool, str]] = Counter()
    user = Principal(kind="user", name="arn:aws:iam::222222222222:user/bob", account="222222222222")
    for _ in range(REQUESTS):
        context = _context(choice)
        statements = [_statement(choice, context) for _ in range(choice.randrange(1, 4))]
        action, resource = choice.choice(ACTIONS), choice.choice(RESOURCES)
        policy = parse({"Version": "2012-10-17", "Statement": statements}, "generated")
        found = evaluate(Request(principal=user, action=action, resource=resource, context=context), identity=[policy])
        assert found.allowed == decide(statements, action, resource, context), (statements, action, resource, context)
        verdicts[found.allowed, found.because.split()[0]] += 1
    # Agreement proves something only if each kind of answer is frequent.
    assert set(verdicts) == {(True, "allowed"), (False, "denied"), (False, "nothing")}
    assert min(verdicts.values()) > REQUESTS / 10


@pytest.mark.slow
def test_two_independent_evaluators_agree_on_boundaries_and_policies_of_groups() -> None:
    """The naive one has no boundaries: both the own and the group's policies, and the boundary, must allow alone."""
    choice = random.Random(20261128)
    verdicts: Counter[tuple[bool, bool]] = Counter()
    user = Principal(kind="user", name="arn:aws:iam::222222222222:user/bob", account="222222222222")
    for _ in range(REQUESTS):
        context = _context(choice)
        own, groups, boundary = ([_statement(choice, context) for _ in range(choice.randrange(1, 3))] for _ in range(3))
        request = Request(
            principal=user, action=choice.choice(ACTIONS), resource=choice.choice(RESOURCES), context=context
        )
        policies = [
            parse({"Version": "2012-10-17", "Statement": some}, "generated") for some in (own, groups, boundary)
        ]
        found = evaluate(request, identity=policies[:2], boundary=policies[2])
        asked = (request.action, request.resource, context)
        by_policies, by_boundary = decide([*own, *groups], *asked), decide(boundary, *asked)
        assert found.allowed == (by_policies and by_boundary), (own, groups, boundary, asked)
        verdicts[by_policies, by_boundary] += 1
    assert len(verdicts) == 4
    assert min(verdicts.values()) > REQUESTS / 50, verdicts
