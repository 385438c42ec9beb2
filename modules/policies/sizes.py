"""Fits an IAM user's permissions into IAM's size limits."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from modules.policies.statement import PolicyStatement

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
POLICY_CHARACTERS = 6_144
ROLE_CHARACTERS = 10_240
"""All inline policies of a role together."""


def repository_arns(
    names: Sequence[str], *, everything: Collection[str], own_prefixes: Collection[str], place: str
) -> list[str]:
    """The ARNs of the repositories `names` at `place` (`ap-northeast-1:222222222222`), in their order.

    Names that start with one of `own_prefixes` become one ARN with a wildcard, unless that would include another of the
    deployment's repositories, `everything`.
    """
    wanted = set(names)
    usable = [
        prefix
        for prefix in own_prefixes
        if wanted.issuperset(name for name in everything if name.startswith(prefix))
        and sum(name.startswith(prefix) for name in wanted) > 1
    ]
    # The shortest prefix covers the longer ones.
    written = {name: min((f"{p}*" for p in usable if name.startswith(p)), key=len, default=name) for name in names}
    return [f"arn:aws:codecommit:{place}:{name}" for name in dict.fromkeys(written.values())]


def divided(statements: Sequence[PolicyStatement]) -> list[list[PolicyStatement]]:
    """The statements in the fewest policies that keep their order, each within IAM's size limit.

    A statement that does not fit into a policy is continued in the next one, with the rest of its resources.
    """
    policies: list[list[PolicyStatement]] = [[]]
    for statement in statements:
        left = list(statement.resources)
        while left:
            room = POLICY_CHARACTERS - size([*policies[-1], replace(statement, resources=())])
            taken = sum(1 for _ in _that_fit(left, room))
            if taken:
                policies[-1].append(replace(statement, resources=left[:taken]))
                left = left[taken:]
            elif policies[-1]:
                policies.append([])
            else:
                raise ValueError(f"{statement.sid} is too long for any policy")
    return policies


def _that_fit(resources: Sequence[str], room: int) -> Iterator[str]:
    for resource in resources:
        room -= len(json.dumps(resource)) + 1
        if room < 0:
            return
        yield resource


def size(statements: Sequence[PolicyStatement]) -> int:
    """The size of a document as IAM counts it, without white space; possibly a few characters more, never fewer."""
    written = [
        {
            "Sid": statement.sid,
            "Effect": statement.effect,
            "Action": list(statement.actions),
            "Resource": list(statement.resources),
            "Condition": [{one.test: {one.variable: list(one.values)}} for one in statement.conditions],
        }
        for statement in statements
    ]
    return len(json.dumps({"Version": "2012-10-17", "Statement": written}, separators=(",", ":")))
