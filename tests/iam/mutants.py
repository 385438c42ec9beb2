"""Mutants of a deployment: each has one policy statement removed, widened or negated, or one policy detached."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

_NEGATED = {
    "ArnEquals": "ArnNotEquals",
    "Bool": "Bool",
    "IpAddress": "NotIpAddress",
    "NotIpAddress": "IpAddress",
    "StringEquals": "StringNotEquals",
    "StringNotEquals": "StringEquals",
}
_WORLD = ["0.0.0.0/0", "::/0"]


def mutants(stacks: Mapping[str, Json]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Every mutant: a name that describes the change, and the deployment's changed `cdk.tf.json` files by stack."""
    for stack, terraform in stacks.items():
        documents = terraform.get("data", {}).get("aws_iam_policy_document", {})
        for document, body in documents.items():
            for number, statement in enumerate(body["statement"]):
                place = f"{stack} {document} {statement['sid']}"
                for change, replacement in _changes(statement):
                    kept = [*body["statement"][:number], *replacement, *body["statement"][number + 1 :]]
                    changed = {**documents, document: {**body, "statement": kept}}
                    data = {**terraform["data"], "aws_iam_policy_document": changed}
                    yield f"{place}: {change}", {**stacks, stack: {**terraform, "data": data}}
        yield from _detached(stack, terraform, stacks)


def _detached(stack: str, terraform: Json, stacks: Mapping[str, Json]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Mutants in which one policy is no longer attached."""
    for kind in (
        "aws_api_gateway_rest_api_policy",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_user_policy_attachment",
        "aws_s3_bucket_policy",
        "aws_sns_topic_policy",
    ):
        for name in terraform["resource"].get(kind, {}):
            rest = {called: body for called, body in terraform["resource"][kind].items() if called != name}
            resources = {**terraform["resource"], kind: rest}
            yield f"{stack} {kind}.{name}: removed", {**stacks, stack: {**terraform, "resource": resources}}


def _changes(statement: Json) -> Iterator[tuple[str, list[Json]]]:
    yield "removed", []
    flipped = "Deny" if statement["effect"] == "Allow" else "Allow"
    yield f"{flipped} in its place", [{**statement, "effect": flipped}]
    yield from _of_list(statement, "actions", f"{statement['actions'][0].split(':')[0]}:*")
    if statement["effect"] == "Allow" and "principals" not in statement:
        for more in ("codecommit:GitPush", "codecommit:DeleteRepository", "iam:CreateAccessKey"):
            if more not in statement["actions"]:
                yield f"actions with {more}", [{**statement, "actions": [*statement["actions"], more]}]
    if "resources" in statement:
        yield from _of_list(statement, "resources", None)
    for number, principal in enumerate(statement.get("principals", ())):
        others = [*statement["principals"][:number], *statement["principals"][number + 1 :]]
        for change, who in (
            ("everybody", {"type": "*", "identifiers": ["*"]}),
            ("another account", {"type": "AWS", "identifiers": ["arn:aws:iam::999999999999:root"]}),
            ("another service", {"type": "Service", "identifiers": ["other.amazonaws.com"]}),
        ):
            if who != principal:
                yield f"principals are {change}", [{**statement, "principals": [*others, who]}]
        negated = {key: value for key, value in statement.items() if key != "principals"}
        yield "everybody but its principals", [{**negated, "not_principals": statement["principals"]}]
    for number, condition in enumerate(statement.get("condition", ())):
        named = f"{condition['test']} {condition['variable']}"
        for change, replacement in _of_condition(condition):
            kept = [*statement["condition"][:number], *replacement, *statement["condition"][number + 1 :]]
            yield f"{named} {change}", [{**statement, "condition": kept}]


def _of_list(statement: Json, element: str, service: str | None) -> Iterator[tuple[str, list[Json]]]:
    listed = statement[element]
    rest = {key: value for key, value in statement.items() if key != element}
    if listed != ["*"]:
        yield f"{element} are *", [{**statement, element: ["*"]}]
        if service and service not in listed:
            yield f"{element} are {service}", [{**statement, element: [service]}]
    yield f"all but its {element}", [{**rest, f"not_{element}": listed}]
    for item in listed if len(listed) > 1 else ():
        yield f"{element} without {item}", [{**statement, element: [other for other in listed if other != item]}]


def _of_condition(condition: Json) -> Iterator[tuple[str, list[Json]]]:
    test, values = condition["test"], condition["values"]
    yield "removed", []
    operator = test.removesuffix("IfExists")
    if operator == test:
        yield "IfExists", [{**condition, "test": f"{test}IfExists"}]
    else:
        yield "without IfExists", [{**condition, "test": operator}]
    opposite = ["false" if value == "true" else "true" for value in values] if operator == "Bool" else values
    yield "negated", [{**condition, "test": _NEGATED[operator] + test[len(operator) :], "values": opposite}]
    if operator.endswith("IpAddress"):
        yield "of the world", [{**condition, "values": _WORLD}]
        yield "with half the world", [{**condition, "values": [values, "0.0.0.0/1"]}]
        yield "of one other address", [{**condition, "values": ["192.0.2.250/32"]}]
    elif operator != "Bool":
        like = test.replace("Equals", "Like")
        yield "of anything", [{**condition, "test": like, "values": ["arn:*:*:*:*:*" if "Arn" in test else "*"]}]


def size(stacks: Mapping[str, Json]) -> int:
    """The number of policy statements in a deployment."""
    return sum(
        len(body["statement"])
        for terraform in stacks.values()
        for body in terraform.get("data", {}).get("aws_iam_policy_document", {}).values()
    )
