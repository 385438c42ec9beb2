"""Collections whose members other blocks list, and members that differ in the conditions of their policies."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.ops.handover.cases import sets
from tests.ops.handover.cases.documents import Document
from tests.ops.handover.cases.similar import Body, each, stack

_ARN = "arn:aws:codecommit:eu-central-1:111111111111:"
_REPOSITORIES = ("application", "infra", "infra-modules", "reports")
_ENDPOINTS = ["vpce-0123456789abcdef0"]
Rooms = Mapping[str, Sequence[str] | None]
_ROOMS: Rooms = {"night": None, "vault": _ENDPOINTS}
_PULLED = {"audit": {"resources": [f"{_ARN}reports"]}, "night": {"resources": [f"{_ARN}infra"]}}


def _statement(**arguments: Any) -> Body:
    return {"sid": "It", "actions": ["codecommit:GitPull"], **arguments}


def _listed(*names: str, without: str | None = None) -> Document:
    """Repositories, and a policy that names some of them: those `without` an argument, if it says so."""
    repositories = each(
        "repositories/*", _REPOSITORIES, "aws_codecommit_repository", lambda key: {"repository_name": key}
    )
    policy = _statement(resources=[f"{_ARN}{name}" for name in names])
    if without is not None:
        policy["//"] = {"members": {"resources": {"without": without}}}
    data = {"aws_iam_policy_document": {"pull": {"statement": [policy]}}}
    described = {
        it: {"repository_name": it, "description": it, "tags": {"by": "x"}}
        if it == "infra"
        else {"repository_name": it}
        for it in _REPOSITORIES
    }
    listed = [(kind, path, described[body["repository_name"]]) for kind, path, body in repositories]
    return stack("resource", listed, data=data) | sets.releases()


def _conditions(key: str, endpoints: Sequence[str] | None) -> list[Body]:
    always = {"test": "BoolIfExists", "variable": "aws:ViaAWSService", "values": ["false"]}
    if endpoints is None:
        return [{"test": "NotIpAddress", "variable": "aws:SourceIp", "values": f"${{var.{key}_cidrs}}"}, always]
    return [{"test": "StringNotEquals", "variable": "aws:SourceVpce", "values": list(endpoints)}, always]


def _rooms(
    rooms: Rooms = _ROOMS, *, others: bool = False, differs: bool = False, more: Mapping[str, Body] | None = None
) -> Document:
    """Rooms with endpoints or, where they have none, addresses.

    others: each is kept apart from all others, by one list of all. more: further arguments of a room's statement.
    """
    kept = [
        {
            "condition": f'${{length(setintersection(local.room_cidrs["{key}"], flatten([for room, cidrs in '
            f'local.room_cidrs : cidrs if room != "{key}"]))) == 0}}',
            "error_message": "Apart.",
        }
        for key in rooms
    ]
    policies = [
        ("aws_sns_topic", f"rooms/{key}/topic", {"name": key, "lifecycle": {"precondition": [it]}})
        for key, it in zip(rooms, kept, strict=True)
    ]
    documents = stack(
        "data",
        [
            (
                "aws_iam_policy_document",
                f"rooms/{key}/deny",
                {"statement": [_statement(condition=_conditions(key, it), **(more or {}).get(key, {}))]},
            )
            for key, it in rooms.items()
        ],
    )
    cidrs = {"night": "${var.night_cidrs}", "vault": ["192.0.2.0/24"] if differs else []}
    addresses = {"type": "list(string)", "default": ["198.51.100.0/24"], "nullable": False}
    variable = {f"{key}_cidrs": addresses for key, endpoints in rooms.items() if endpoints is None}
    found: Document = {**documents, **sets.releases(), "variable": variable}
    if others:
        topics = [(kind, path, body) for kind, path, body in policies]
        return {**stack("resource", topics), **found, "locals": {"room_cidrs": cidrs}}
    return found


def _named_like_a_type() -> Document:
    """A collection whose members are called as the type of a topic that a set refers to."""
    delays = {"app": 1, "web": 2}
    listed = [
        ("aws_sns_topic", "main", {"name": "main"}),
        *each("aws_sns_topic/*/q", delays, "aws_sqs_queue", lambda key: {"name": key, "delay_seconds": delays[key]}),
        *each(
            "aws_sns_topic/*/p", delays, "aws_iam_group", lambda key: {"name": key, "path": f"/{'z' * delays[key]}/"}
        ),
    ]
    policy = _statement(resources=[f"${{aws_sns_topic.main.name}}/{key}" for key in delays])
    return (
        stack("resource", listed, data={"aws_iam_policy_document": {"it": {"statement": [policy]}}}) | sets.releases()
    )


def _of_own_map(rooms: Document, other: Document, name: str = "rooms") -> Document:
    """A map of a project's own that a resource iterates over, and another that may be made of it."""
    iterates = {"it": {"for_each": f"${{local.{name}}}", "input": "${each.value}"}}
    return {
        "locals": {name: rooms, "other": other},
        "resource": {"terraform_data": iterates},
        "output": _output("other"),
    }


def _output(local: str) -> Document:
    return {"it": {"value": f"${{jsonencode(local.{local})}}"}}


def _checked(beta: Body | None = None, gamma: Body | None = None, **path: Any) -> Document:
    """Target groups with what the block of each has, or without a block. The value of the first is its own variable."""
    checks = {"alpha": {"path": "${var.alpha_path}"}, "beta": beta, "gamma": gamma}
    groups = each(
        "groups/*",
        checks,
        "aws_lb_target_group",
        lambda key: {
            "name": key,
            "port": 80,
            "protocol": "HTTP",
            "vpc_id": "vpc-1",
            **({} if (check := checks[key]) is None else {"health_check": [{"interval": 20, **check}]}),
        },
    )
    return stack("resource", groups, variable={"alpha_path": {"type": "string", **path}})


def _prefixed() -> Document:
    """Members whose keys begin as all names do, and a policy that lists them."""
    keys = ("shop-web-alpha", "shop-web-beta", "shop-web-gamma", "shop-web-omega")
    groups = each("groups/*", keys, "aws_iam_group", lambda key: {"name": key, "path": f"/{key[9:11]}/"})
    users = each("users/*", keys, "aws_iam_user", lambda key: {"name": key})
    policy = _statement(resources=[f"{_ARN}{key}" for key in keys])
    data = {"aws_iam_policy_document": {"it": {"statement": [policy]}}}
    names = {
        f"aws_{it}": {"it": {"name": f"shop-web-{it}"}}
        for it in ("sqs_queue", "sns_topic", "ecr_repository", "cloudwatch_log_group")
    }
    found = stack("resource", [*groups, *users], data=data)
    return {**found, "resource": {**found["resource"], **names}} | sets.releases()


def _alike(*listed: str) -> Document:
    """Queues that differ in the name alone, and what names the `listed` ones."""
    keys = ("app", "batch", "web")
    queues = each("queues/*", keys, "aws_sqs_queue", lambda key: {"name": key})
    policy = _statement(resources=[f"arn:aws:sqs:eu-central-1:111111111111:{key}" for key in listed])
    return stack(
        "resource",
        queues,
        data={"aws_iam_policy_document": {"it": {"statement": [policy]}}},
        locals={"empty": {key: [] for key in listed}},
        output={"names": {"value": {key: f"shop/{key}" for key in listed}}, **_output("empty")},
        **sets.releases(),
    )


def members() -> dict[str, Document]:
    """The stacks, by name. Their addresses move."""
    return {
        "all_listed": _listed(*_REPOSITORIES),
        "all_listed_beside_others": _listed("website", *_REPOSITORIES),
        "listed_beside_a_wildcard": _listed("infra*", "application", "reports"),
        "listed_twice": _listed("infra*", "infra-modules", "application", "reports"),
        "some_listed": _listed("application", "reports"),
        "a_wildcard_for_others": _listed("app*", "reports", "infra"),
        "without_tags": _listed("application", "infra-modules", "reports", without="tags"),
        "without_tags_beside_a_wildcard": _listed("app*", "infra-modules", "reports", without="tags"),
        "not_all_without_tags": _listed("application", "reports", without="tags"),
        "one_with_tags": _listed("application", "infra", "infra-modules", without="tags"),
        "a_wildcard_for_one_with_tags": _listed("infra*", "application", "reports", without="tags"),
        "without_a_tag": _listed("application", "infra-modules", "reports", without='tags["by"]'),
        "without_a_tag_that_none_has": _listed("application", "infra-modules", "reports", without='tags["it"]'),
        "without_another_argument": _listed("application", "infra-modules", "reports", without="kms_key_id"),
        "named_like_a_type": _named_like_a_type(),
        "own_map": _of_own_map({"a": {"cidrs": ["x"]}, "b": {"cidrs": None}}, {"a": ["x"], "b": []}),
        "own_map_of_several_types": _of_own_map(
            {"a": {"cidrs": [1, "x"]}, "b": {"cidrs": None}}, {"a": [1, "x"], "b": []}
        ),
        "own_map_with_a_key_that_is_no_name": _of_own_map(
            {"a": {"cidr list": ["x"]}, "b": {"cidr list": None}}, {"a": ["x"], "b": []}
        ),
        "own_map_with_a_computed_key": _of_own_map(
            {"a": {'${upper("x")}': ["x"]}, "b": {"cidrs": None}}, {"a": ["x"], "b": []}
        ),
        "own_map_called_names": _of_own_map(
            {"a": {"cidrs": ["x"]}, "b": {"cidrs": None}}, {"a": ["x"], "b": []}, name="names"
        ),
        "own_map_with_null": _of_own_map(
            {"a": {"cidrs": "${var.cidrs}"}, "b": {"cidrs": None}}, {"a": "${var.cidrs}", "b": []}
        )
        | {"variable": {"cidrs": {"type": "list(string)", "default": None}}},
        "with_a_block_of_its_own": _checked(default="/x", nullable=False),
        "with_a_block_in_which_one_has_no_value": _checked({}, default="/x", nullable=False),
        "with_a_block_that_each_has": _checked(
            {"path": "/b", "port": "1"}, {"path": "/c", "port": "2"}, default="/x", nullable=False
        ),
        "with_a_block_that_may_have_null": _checked(default=None),
        "with_a_block_that_has_a_secret": _checked(default="/x", nullable=False, sensitive=True),
        "keys_that_begin_as_names_do": _prefixed(),
        "alike_and_listed": _alike("web", "batch", "app"),
        "alike_and_some_listed": _alike("web", "batch"),
        "rooms": _rooms(),
        "rooms_of_which_two_have_addresses": _rooms({"audit": None, **_ROOMS}),
        "rooms_that_all_have_addresses": _rooms({"audit": None, "night": None}, more=_PULLED),
        "rooms_kept_apart": _rooms(others=True),
        "rooms_with_another_list": _rooms(others=True, differs=True),
    }
