"""The access table agrees with a second evaluator on generated plans of identities and their policies."""

import json
import random
from collections import Counter

import pytest

from ops.review.access_table import AccessChange, AccessTable, table
from ops.review.rule import Plans
from terraform.plan import read
from tests.cases import EVERY
from tests.ops.review.generated_attachments import ACTIONS, ORIGINS, Account, Owner, as_plan, generated


def _agrees(seed: int) -> Counter[bool | None]:
    """How often each answer was given."""
    resources = generated(random.Random(seed))
    found = table(Plans([read("stack", json.dumps(as_plan(resources)), "plan.json")]))
    answers = Counter[bool | None]()
    for is_after in (False, True):
        account = Account(resources, is_after)
        for owner in account.identities():
            for repository, arn in account.repositories().items():
                for action in ACTIONS:
                    allowed = {origin: account.allows(owner, action, arn, origin) for origin in ORIGINS}
                    for origin, expected in allowed.items():
                        if owner[0] == "role" and expected is False:
                            expected = any(allowed.values())  # its service uses it, from wherever it is
                        answer = _answer(found, owner, repository, action, origin, is_after)
                        assert answer == expected, (seed, is_after, owner, repository, action, origin, resources)
                        answers[answer] += 1
    return answers


def _answer(found: AccessTable, owner: Owner, repository: str, action: str, origin: str, is_after: bool) -> bool | None:
    for row in found.rows:
        if row.principal == owner[1] and repository in row.repositories:
            change: AccessChange = row.pull if action == ACTIONS[0] else row.push
            names = {one.name for one in (change.after if is_after else change.before)}
            if "not known" in names:
                return None
            return "its service" in names if owner[0] == "role" else origin in names
    return False


def test_two_evaluators_agree_on_some_plans_of_attachments() -> None:
    answers: Counter[bool | None] = sum((_agrees(seed) for seed in range(20)), Counter())
    assert set(answers) == {True, False, None}


@pytest.mark.slow
def test_two_evaluators_agree_on_plans_of_attachments() -> None:
    """10,000 plans in `make proofs`."""
    answers: Counter[bool | None] = sum((_agrees(seed) for seed in range(1_000, 11_000, EVERY)), Counter())
    assert min(answers[answer] for answer in (True, False, None)) > sum(answers.values()) / 10, answers
