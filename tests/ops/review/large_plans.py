"""Plans of any size with users, repositories and policies like those of `modules/policies/git_users.py`."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from tests.ops.review.rule_cases import allow, deny, only_from, policy
from tests.terraform.plans import change, plan

_READ = ["codecommit:Describe*", "codecommit:Get*", "codecommit:List*", "codecommit:GitPull"]


def arn_of(repository: str) -> str:
    """The ARN of a repository of these plans."""
    return f"arn:aws:codecommit:ap-northeast-1:222222222222:{repository}"


def large_plan(users: int, repositories: int, *, seed: int = 1, most_named: int = 40) -> dict[str, Any]:
    """A plan in which every user has some repositories, a network of their own, and policies that the apply changes."""
    choice = random.Random(seed)
    names = [f"repository-{number}" for number in range(repositories)]
    changes = []
    for name in names:
        repository = {"repository_name": name, "arn": arn_of(name)}
        changes.append(change(f'aws_codecommit_repository.it["{name}"]', "no-op", repository, repository))
    for number in range(users):
        changes += _user(choice, number, names, most_named)
    return plan(*changes)


def _user(choice: random.Random, number: int, names: list[str], most_named: int) -> Iterator[dict[str, Any]]:
    name = f"user-{number}"
    user = {"name": name, "arn": f"arn:aws:iam::222222222222:user/{name}"}
    key = f'["{name}"]'
    yield change(f"aws_iam_user.it{key}", "no-op", user, user)
    networks = [f"198.51.{number % 250}.{16 * choice.randrange(16)}/28" for _ in range(2)]
    for part in ("read", "write", "deny"):
        arn = f"arn:aws:iam::222222222222:policy/{name}-{part}"
        before, after = ({"arn": arn, "policy": _document(choice, part, names, networks, most_named)} for _ in range(2))
        attachment = {"user": name, "policy_arn": arn}
        yield change(f"aws_iam_policy.{part}{key}", "update", before, after)
        yield change(f"aws_iam_user_policy_attachment.{part}{key}", "no-op", attachment, attachment)


def _document(choice: random.Random, part: str, names: list[str], networks: list[str], most_named: int) -> str:
    named = choice.sample(names, k=min(len(names), choice.randrange(1, most_named)))
    resources = [arn_of(name) for name in named] + [arn_of(f"{names[0][:-1]}*")] * (choice.random() < 0.2)
    statements: list[Mapping[str, Any]]
    if part == "read":
        statements = [allow(Action=_READ, Resource=resources)]
    elif part == "write":
        statements = [allow(Action="codecommit:GitPush", Resource=resources)]
        statements += [deny(Action="codecommit:GitPush", Resource=resources[:2])] * (choice.random() < 0.2)
    else:
        chosen = [*networks, "203.0.113.0/24"][: choice.randrange(1, 4)]
        statements = [deny(Condition={**only_from(*chosen), "BoolIfExists": {"aws:ViaAWSService": "false"}})]
    return policy(*statements)
