"""Changes to synthesised Terraform, and the promises that the changed Terraform breaks."""

import pickle
from collections.abc import Callable
from typing import Any

from iam import deployed, known
from iam.promises import broken
from terraform.references import configurations
from tests.terraform import Stacks

Json = dict[str, Any]
Change = Callable[[dict[str, Json]], object]

SOURCE_IP = {"test": "NotIpAddress", "variable": "aws:SourceIp"}


def findings(stacks: Stacks, change: Change) -> list[str]:
    """The promises that the changed Terraform breaks: the promise's id, the place and the problem."""
    model = deployed.model_of(configurations(changed_documents(stacks, change), defaults=False).values())
    return [f"{f.promise.id}: {f.place}: {f.what}" for f in broken(model)]


def refusals(stacks: Stacks, change: Change) -> list[str]:
    """What is refused in the changed Terraform because nothing is known of it: the place and the problem."""
    found = configurations(changed_documents(stacks, change), defaults=False).values()
    return [f"{problem.where}: {problem.what}" for stack in found for problem in known.problems(stack)]


def changed_documents(stacks: Stacks, change: Change) -> dict[str, Json]:
    # This copies faster than copy.deepcopy does.
    changed: dict[str, Json] = pickle.loads(pickle.dumps({n: dict(t.json) for n, t in stacks.terraform.items()}))  # noqa: S301
    change(changed)
    return changed


def statement(stacks: dict[str, Json], stack: str, document: str, sid: str) -> Json:
    statements = stacks[stack]["data"]["aws_iam_policy_document"][document]["statement"]
    found: Json = next(statement for statement in statements if statement["sid"] == sid)
    return found


def prd(document: str, sid: str, **changes: Any) -> Change:
    return lambda stacks: statement(stacks, "prd-codecommit", document, sid).update(changes)


def bridge(document: str, sid: str, **changes: Any) -> Change:
    return lambda stacks: statement(stacks, "backlog-bridge", document, sid).update(changes)


def added(stack: str, kind: str, **arguments: Any) -> Change:
    return lambda stacks: stacks[stack]["resource"].setdefault(kind, {}).update(x=arguments)


def variable(stack: str, name: str, **changes: Any) -> Change:
    return lambda stacks: stacks[stack]["variable"][name].update(changes)


def fact(stacks: dict[str, Json], stack: str, **wanted: str) -> Json:
    facts = stacks[stack]["//"]["metadata"]["kakehashi"]["facts"]
    found: Json = next(fact for fact in facts if wanted.items() <= fact.items())
    return found


def without_fact(stack: str, **wanted: str) -> Change:
    def change(stacks: dict[str, Json]) -> None:
        facts = stacks[stack]["//"]["metadata"]["kakehashi"]["facts"]
        facts.remove(fact(stacks, stack, **wanted))

    return change


def without_prefix_check(stack: str, name: str) -> Change:
    """A change after which the variable accepts networks of any size."""

    def change(stacks: dict[str, Json]) -> None:
        checks = stacks[stack]["variable"][name]["validation"]
        checks[:] = [check for check in checks if not any(part in check["condition"] for part in (">= 8", "sum("))]

    return change


def every(*changes: Change) -> Change:
    return lambda stacks: [change(stacks) for change in changes]


def nothing(_: dict[str, Json]) -> None:
    """No change."""
