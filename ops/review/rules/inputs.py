"""Rules about outputs that change and that other stacks read."""

import json
from collections.abc import Iterator

from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.text import code, codes, placeholder
from ops.review.translatable import said
from terraform.foretold import EVERYTHING, Output
from terraform.plan import Action, Plan


@rule(
    id="stale-input",
    what="A plan was made with another stack's output, and that output changes.",
    why="Applying it puts the old value in force, for example an allow-list with a released address.",
)
def stale_input(plans: Plans) -> Iterator[ReviewFinding]:
    for plan in plans.plans:
        state, changed = plan.stack.replace("-", "_"), _changed_outputs(plan)
        for other in plans.plans:
            read = plans.references[other.stack].configuration.remote_outputs() if other is not plan else set()
            for name, output in sorted(read):
                if name.replace("-", "_") != state or _is_foretold(plans, plan, output, other):
                    continue
                if output in changed:
                    what = said(
                        "was read before {stack}'s output {output} changes: this plan still has the old value. Apply "
                        "that stack, then plan this one again",
                        stack=code(plan.stack),
                        output=code(output),
                    )
                    address = f"data.terraform_remote_state.{state}"
                    brief = said(
                        "still has the old value of {output}, which {stack} changes",
                        stack=code(plan.stack),
                        output=code(output),
                    )
                    yield ReviewFinding(stack=other.stack, address=address, what=what, brief=brief)


def _changed_outputs(plan: Plan) -> set[str]:
    return {
        output.name
        for output in plan.outputs
        if output.action is not Action.NOTHING and (output.before is not None or output.action is Action.DELETE)
    }


def _is_foretold(plans: Plans, plan: Plan, output: str, reader: Plan) -> bool:
    """Whether the apply plans the reader again after this stack, and all that follows from the output is foretold."""
    found = plans.foretold.get(reader.stack)
    source = (plan.stack, output)
    return found is not None and source in found.inputs and not any(source in one for one in found.others.values())


@rule(
    id="foretold",
    what="An output changes, and what follows from it in another stack is known after that apply only.",
    why="The stack is planned again then, and applied without asking again if nothing else differs.",
)
def changes_foretold(plans: Plans) -> Iterator[ReviewFinding]:
    for stack, found in sorted(plans.foretold.items()):
        for address, attributes in sorted(found.attributes.items()):
            if EVERYTHING in attributes:  # a data source: what follows from it is a finding of its own
                continue
            outputs = {f"{of}.{output}" for sources in attributes.values() for of, output in sources}
            what = said(
                "may be changed in {arguments}, which refers to {outputs}",
                arguments=codes(sorted(attributes)),
                outputs=codes(sorted(outputs)),
            )
            seen = _seen(plans, {source for sources in attributes.values() for source in sources})
            yield ReviewFinding(stack=stack, address=address, what=what, seen=seen, arguments=frozenset(attributes))


def _seen(plans: Plans, outputs: set[Output]) -> str:
    """How outputs change."""
    changes = [
        [plan.stack, output.name, output.before, output.after, output.after_unknown]
        for plan in plans.plans
        for output in plan.outputs
        if (plan.stack, output.name) in outputs
    ]
    return json.dumps(changes, sort_keys=True, default=placeholder)
