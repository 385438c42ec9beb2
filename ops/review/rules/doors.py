"""Rules about doors: what lets more in, more out, or more be done than before."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from iam import comparison as policies
from ops.review.rule import Plans, Rule
from ops.review.text import code
from terraform.plan import Action, Change

Found = Iterator[tuple[str, str, str]]

_WORLD = {"0.0.0.0/0", "::/0"}
_APPEARS = {Action.CREATE, Action.UPDATE, Action.REPLACE}
_MOST_DIFFERENCES = 8


def _appearing(plans: Plans, *kinds: str) -> Iterator[Change]:
    """What is made or changed, of some types."""
    return (change for change in plans.changes() if change.action in _APPEARS and change.type in kinds)


def _policies(plans: Plans) -> Iterator[tuple[Change, str, list[policies.Statement], str | None]]:
    """Every policy that may change: what it was, and as JSON what it will be (None where that is not known)."""
    for change in plans.changes():
        if change.action not in _APPEARS:
            continue
        for name in sorted(policies.ATTRIBUTES & (change.before.keys() | change.after.keys() | _unknown_names(change))):
            before = policies.statements(change.before.get(name)) or []
            if change.unknown(name) or change.before.get(name) != change.after.get(name):
                yield change, name, before, plans.resolvers[change.stack].after(change, name)


def _is_configured(plans: Plans, change: Change, name: str) -> bool:
    """Whether somebody set it: what is left to AWS is not known after a plan either, and says nothing."""
    configured = plans.resolvers[change.stack].configured(change.address)
    return configured is None or name in configured


def _unknown_names(change: Change) -> set[str]:
    return set(change.after_unknown) if isinstance(change.after_unknown, Mapping) else set()


def _policy_widened(plans: Plans) -> Found:
    for change, name, before, text in _policies(plans):
        after = policies.statements(text)
        if after is None:
            continue
        widening = [difference.what for difference in policies.compared(before, after) if difference.widens]
        for what in widening[:_MOST_DIFFERENCES]:
            yield change.stack, change.address, f"{code(name)}: {what}"
        if len(widening) > _MOST_DIFFERENCES:
            more = len(widening) - _MOST_DIFFERENCES
            yield change.stack, change.address, f"{code(name)}: and {more} more that widen it"


def _policy_removed(plans: Plans) -> Found:
    """A policy of a resource that denied something, and is gone or emptied."""
    for change in plans.changes():
        for name in sorted(policies.ATTRIBUTES & change.before.keys()):
            before = policies.statements(change.before.get(name)) or []
            emptied = change.action is Action.UPDATE and not change.after.get(name) and not change.unknown(name)
            if (change.is_gone or emptied) and any(statement.denies for statement in before):
                denied = ", ".join(sorted(statement.name for statement in before if statement.denies))
                yield change.stack, change.address, f"what it denied is denied no more: {denied}"


def _policy_unknown(plans: Plans) -> Found:
    for change, name, _, text in _policies(plans):
        if text is None and change.unknown(name) and _is_configured(plans, change, name):
            sources = plans.resolvers[change.stack].sources(change, name)
            come = f"; it will come from {', '.join(sources)}" if sources else ""
            yield change.stack, change.address, f"{code(name)} is known after the apply only{come}"


def _policy_open(plans: Plans) -> Found:
    """What is said of a policy already, but for some values."""
    for change, name, _, text in _policies(plans):
        if text is not None and change.unknown(name) and ", known after apply)" in text:
            sources = plans.resolvers[change.stack].sources(change, name)
            come = f": it will come from {', '.join(sources)}" if sources else ""
            yield change.stack, change.address, f"a part of {code(name)} is known after the apply only{come}"


def _policy_to_the_world(plans: Plans) -> Found:
    for change, _, before, text in _policies(plans):
        for statement in policies.statements(text) or []:
            if statement in before:
                continue
            if change.type not in _IDENTITY_POLICIES and policies.to_the_world(statement):
                yield change.stack, change.address, f"{statement.name} is for everybody, from anywhere"
            for what in policies.open_conditions(statement):
                yield change.stack, change.address, f"{statement.name}: {what}, every address"


_IDENTITY_POLICIES = {"aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"}


def _rules(values: Mapping[str, Any], direction: str) -> set[tuple[str, str]]:
    """What a security group, or a rule of one, lets through: ports and the other end."""
    lines = values.get(direction)
    blocks = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else [values]
    return {(_ports(block), end) for block in blocks for end in _ends(block)}


def _new_rules(change: Change, direction: str) -> list[tuple[str, str]]:
    was = _rules(change.before, direction) if change.before else set()
    return [
        (ports, end)
        for ports, end in sorted(_rules(change.after, direction) - was)
        if not policies.covered(end, {other for same, other in was if same == ports and "/" in other})
    ]


def _ports(block: Mapping[str, Any]) -> str:
    protocol = str(block.get("ip_protocol", block.get("protocol", "-1")))
    if protocol in {"-1", "all"}:
        return "everything"
    first, last = block.get("from_port"), block.get("to_port")
    return f"{protocol} {first}" if first == last else f"{protocol} {first} to {last}"


def _ends(block: Mapping[str, Any]) -> Iterator[str]:
    for name in ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"):
        if isinstance(block.get(name), str):
            yield block[name]
    for name in ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"):
        found = block.get(name)
        if isinstance(found, list):
            yield from (end for end in found if isinstance(end, str))
    if block.get("self") is True:
        yield "itself"


def _let_through(plans: Plans, direction: str) -> Iterator[tuple[Change, str, str]]:
    """What is let through newly, by `ingress` or `egress`: the change, the ports, the other end."""
    for change in _appearing(
        plans, "aws_security_group", "aws_default_security_group", f"aws_vpc_security_group_{direction}_rule"
    ):
        yield from ((change, ports, end) for ports, end in _new_rules(change, direction))
        if (
            not change.type.startswith("aws_vpc")
            and change.unknown(direction)
            and _is_configured(plans, change, direction)
        ):
            yield change, "something", "(known after apply)"
    for change in _appearing(plans, "aws_security_group_rule"):
        if change.after.get("type") == direction:
            yield from ((change, ports, end) for ports, end in _new_rules(change, ""))
    for change in _appearing(plans, "aws_network_acl_rule"):
        is_egress = change.after.get("egress") is True
        if is_egress == (direction == "egress") and change.after.get("rule_action") == "allow":
            end = change.after.get("cidr_block") or change.after.get("ipv6_cidr_block")
            if isinstance(end, str) and change.before.get("cidr_block") != change.after.get("cidr_block"):
                yield change, _ports(change.after), end


def _world_let_in(plans: Plans) -> Found:
    for change, ports, end in _let_through(plans, "ingress"):
        if end in _WORLD:
            yield change.stack, change.address, f"lets {ports} in from {code(end)}, the whole internet"


def _more_let_in(plans: Plans) -> Found:
    for change, ports, end in _let_through(plans, "ingress"):
        if end not in _WORLD:
            yield change.stack, change.address, f"lets {ports} in from {code(end)}"


def _world_let_out(plans: Plans) -> Found:
    for change, ports, end in _let_through(plans, "egress"):
        if end in _WORLD:
            yield change.stack, change.address, f"lets {ports} out to {code(end)}, the whole internet"


def _identities(plans: Plans) -> Found:
    whats = {
        "aws_iam_user": "a user",
        "aws_iam_access_key": "an access key",
        "aws_iam_service_specific_credential": "a password for Git",
        "aws_iam_user_login_profile": "a password for the console",
        "aws_iam_openid_connect_provider": "people and pipelines that another service vouches for",
        "aws_iam_saml_provider": "people that another directory vouches for",
        "aws_iam_user_ssh_key": "an SSH key for Git",
    }
    for change in plans.changes():
        if change.action in {Action.CREATE, Action.REPLACE} and change.type in whats:
            yield change.stack, change.address, f"is new: {whats[change.type]}"


_BROAD = re.compile(r"/(AdministratorAccess|PowerUserAccess|IAMFullAccess|\w+FullAccess)$")


def _attached(plans: Plans) -> Found:
    for change in _appearing(
        plans,
        "aws_iam_role_policy_attachment",
        "aws_iam_user_policy_attachment",
        "aws_iam_group_policy_attachment",
        "aws_iam_policy_attachment",
    ):
        arn = change.after.get("policy_arn")
        if isinstance(arn, str) and arn != change.before.get("policy_arn") and arn.startswith("arn:aws:iam::aws:"):
            broad = ", which allows nearly everything" if _BROAD.search(arn) else ""
            yield change.stack, change.address, f"adds AWS's own policy {code(arn.rpartition('/')[2])}{broad}"


def _detached(plans: Plans) -> Found:
    for change in plans.changes():
        if change.is_gone and re.fullmatch(r"aws_iam_(role|user|group)_policy_attachment", change.type):
            owner = next((change.before.get(key) for key in ("user", "role", "group") if change.before.get(key)), "?")
            stays = not _is_gone_too(plans, change, owner)
            arn = change.before.get("policy_arn")
            if stays and _denies(plans, arn):
                yield (
                    change.stack,
                    change.address,
                    f"{code(str(owner))} is no longer held by {code(str(arn))}, which denies",
                )


def _is_gone_too(plans: Plans, attachment: Change, owner: Any) -> bool:
    return any(
        change.is_gone and change.before.get("name") == owner
        for change in plans.changes()
        if change.stack == attachment.stack and change.type in {"aws_iam_user", "aws_iam_role", "aws_iam_group"}
    )


def _denies(plans: Plans, arn: Any) -> bool:
    return any(
        statement.denies
        for change in plans.changes()
        if change.type == "aws_iam_policy" and change.before.get("arn") == arn
        for statement in policies.statements(change.before.get("policy")) or []
    )


_WAYS = {
    "aws_internet_gateway": "a way between the VPC and the internet",
    "aws_nat_gateway": "a way out to the internet",
    "aws_egress_only_internet_gateway": "a way out to the internet",
    "aws_vpc_peering_connection": "a way to another VPC",
    "aws_vpc_peering_connection_accepter": "a way to another VPC",
    "aws_ec2_transit_gateway_vpc_attachment": "a way to other networks",
    "aws_vpn_connection": "a way to another network",
    "aws_vpc_endpoint_service": "a way in for other accounts",
    "aws_lambda_function_url": "an address that calls a function",
}
_TARGETS = (
    "gateway_id",
    "nat_gateway_id",
    "egress_only_gateway_id",
    "transit_gateway_id",
    "vpc_peering_connection_id",
    "network_interface_id",
)


def _ways(plans: Plans) -> Found:
    for change in plans.changes():
        if change.action is Action.CREATE and change.type in _WAYS:
            yield change.stack, change.address, f"is new: {_WAYS[change.type]}"
    for change in _appearing(plans, "aws_route"):
        to = change.after.get("destination_cidr_block") or change.after.get("destination_ipv6_cidr_block")
        was = change.before.get("destination_cidr_block") or change.before.get("destination_ipv6_cidr_block")
        # A gateway made anew has an id that is not known yet: that is the same way.
        targets = [name for name in _TARGETS if change.after.get(name) or change.unknown(name)]
        same = to == was and all(
            change.before.get(name) and (change.unknown(name) or change.before.get(name) == change.after.get(name))
            for name in targets
        )
        if isinstance(to, str) and not same:
            yield change.stack, change.address, f"is a {'new' if not change.before else 'changed'} route to {code(to)}"


# A setting that closes a door: its type, its name, the values that keep it closed, and what it is.
_CLOSED: tuple[tuple[str, str, tuple[Any, ...], str], ...] = (
    ("aws_s3_bucket_public_access_block", "block_public_acls", (True,), "the bucket may be opened by a list of access"),
    ("aws_s3_bucket_public_access_block", "block_public_policy", (True,), "the bucket may be opened by a policy"),
    ("aws_s3_bucket_public_access_block", "ignore_public_acls", (True,), "lists of access may open the bucket"),
    ("aws_s3_bucket_public_access_block", "restrict_public_buckets", (True,), "a public policy of the bucket counts"),
    ("aws_s3_account_public_access_block", "block_public_policy", (True,), "buckets may be opened by a policy"),
    ("aws_db_instance", "publicly_accessible", (False, None), "the database has a public address"),
    ("aws_redshift_cluster", "publicly_accessible", (False, None), "the database has a public address"),
    ("aws_ecs_task_definition", "network_mode", ("awsvpc", None), "tasks share the server's network"),
    ("aws_eks_cluster", "endpoint_public_access", (False, None), "the cluster's API is public"),
    ("aws_lambda_function_url", "authorization_type", ("AWS_IAM",), "anybody may call the function"),
    (
        "aws_api_gateway_method",
        "authorization",
        ("AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"),
        "callers need not sign in",
    ),
    ("aws_subnet", "map_public_ip_on_launch", (False, None), "servers in the subnet get public addresses"),
    ("aws_instance", "associate_public_ip_address", (False, None), "the server has a public address"),
    ("aws_lb", "internal", (True,), "the load balancer faces the internet"),
    ("aws_sns_topic_subscription", "endpoint_auto_confirms", (False, None), "the receiver confirms by itself"),
)


def _opened(plans: Plans) -> Found:
    for kind, name, closed, what in _CLOSED:
        for change in _appearing(plans, kind):
            now = change.after.get(name)
            was_closed = not change.before or change.before.get(name) in closed
            if name in change.after and now not in closed and was_closed and not change.unknown(name):
                yield change.stack, change.address, f"{what} ({code(name)} is {code(str(json.dumps(now)))})"
    for change in plans.changes():
        if change.is_gone and change.type in {
            "aws_s3_bucket_public_access_block",
            "aws_s3_account_public_access_block",
        }:
            yield change.stack, change.address, "is destroyed: nothing keeps the bucket from being made public"
    for change in _appearing(plans, "aws_s3_bucket_acl", "aws_s3_bucket"):
        acl = change.after.get("acl")
        if isinstance(acl, str) and acl.startswith("public") and acl != change.before.get("acl"):
            yield change.stack, change.address, f"its list of access is {code(acl)}: everybody"


def _metadata(plans: Plans) -> Found:
    for change in _appearing(plans, "aws_instance", "aws_launch_template"):
        now, was = _tokens(change.after), _tokens(change.before)
        if now is not None and now != "required" and now != was:
            yield change.stack, change.address, f"its metadata is answered without a token ({code(now)})"


def _tokens(values: Mapping[str, Any]) -> str | None:
    options = values.get("metadata_options")
    first = options[0] if isinstance(options, list) and options and isinstance(options[0], dict) else {}
    tokens = first.get("http_tokens")
    return tokens if isinstance(tokens, str) else None


def _shared(plans: Plans) -> Found:
    whats = {
        "aws_ami_launch_permission": "an image, with another account",
        "aws_snapshot_create_volume_permission": "a snapshot, with another account",
        "aws_ram_principal_association": "with another account",
        "aws_ram_resource_association": "with other accounts",
        "aws_lambda_permission": "a function, with whoever it names",
        "aws_cloudwatch_event_permission": "an event bus, with another account",
    }
    for change in _appearing(plans, *whats):
        yield change.stack, change.address, f"shares {whats[change.type]}"


_HOST_KEY = re.compile(r"[\w.\[\]:,-]+ (?:ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]{20,}")


def _host_keys(plans: Plans) -> Found:
    for change in _appearing(plans, "aws_codebuild_project"):
        was, now = (set(_HOST_KEY.findall(json.dumps(values, default=str))) for values in (change.before, change.after))
        if change.before:
            for key in sorted(now - was):
                yield change.stack, change.address, f"trusts another host key: {code(key)}"


# Text that runs somewhere, with a role that can do something.
_RUNS = {
    "aws_codebuild_project": ("source", "environment", "service_role", "vpc_config"),
    "aws_instance": ("user_data", "user_data_base64", "iam_instance_profile"),
    "aws_launch_template": ("user_data", "iam_instance_profile"),
    "aws_lambda_function": ("source_code_hash", "image_uri", "handler", "role"),
    "aws_ssm_document": ("content",),
    "aws_ssm_association": ("parameters", "name"),
    "aws_cloudwatch_event_target": ("arn", "role_arn", "input"),
    "aws_scheduler_schedule": ("target",),
}


def _runs(plans: Plans) -> Found:
    for kind, names in _RUNS.items():
        for change in _appearing(plans, kind):
            changed = [
                name
                for name in names
                if change.before and (change.unknown(name) or change.before.get(name) != change.after.get(name))
            ]
            if changed:
                shown = ", ".join(code(name) for name in changed)
                yield change.stack, change.address, f"runs something else, or as somebody else: {shown}"


RULES = (
    Rule(
        id="world-let-in",
        what="A security group or network ACL lets the whole internet in.",
        why="Whoever finds the port may try.",
        check=_world_let_in,
    ),
    Rule(
        id="more-let-in",
        what="A security group or network ACL lets somebody new in.",
        why="It is the first of the two doors of a server.",
        check=_more_let_in,
    ),
    Rule(
        id="world-let-out",
        what="A security group or network ACL lets something out to the whole internet.",
        why="What is let out can carry data.",
        check=_world_let_out,
    ),
    Rule(
        id="policy-to-the-world",
        what="A policy is for everybody, or names every address.",
        why="A list of allowed addresses that holds all of them allows everybody who has the password.",
        check=_policy_to_the_world,
    ),
    Rule(
        id="policy-widened",
        what="A policy allows more, or denies less.",
        why="Somebody may do what nobody has reviewed.",
        check=_policy_widened,
    ),
    Rule(
        id="policy-removed",
        what="A policy that denied something is gone.",
        why="What another policy allows is in force without it.",
        check=_policy_removed,
    ),
    Rule(
        id="deny-detached",
        what="Somebody is no longer held by a policy that denies.",
        why="What their other policies allow is in force from anywhere.",
        check=_detached,
    ),
    Rule(
        id="policy-unknown",
        what="What a policy will say is not known yet.",
        why="Nobody can review it before it is in force.",
        check=_policy_unknown,
    ),
    Rule(
        id="policy-open",
        what="A part of a policy is not known yet.",
        why="See that what it will come from is what you expect.",
        check=_policy_open,
        dangerous=False,
    ),
    Rule(
        id="policy-of-aws-attached",
        what="One of AWS's own policies is attached.",
        why="AWS changes what it allows without a plan.",
        check=_attached,
    ),
    Rule(
        id="identity-new",
        what="There is a new user, key, password or provider of identities.",
        why="It is somebody who may be let in.",
        check=_identities,
    ),
    Rule(
        id="way-new",
        what="There is a new way between networks.",
        why="What was separate may be reached.",
        check=_ways,
    ),
    Rule(
        id="opened",
        what="A setting that keeps something from being public is off.",
        why="The next mistake is enough, or this was it.",
        check=_opened,
    ),
    Rule(
        id="metadata-opened",
        what="A server answers for its metadata without a token.",
        why="A page that it fetches for somebody can read its role's credentials.",
        check=_metadata,
    ),
    Rule(
        id="shared",
        what="Something is shared with other accounts.",
        why="What they do with it is not up to this one.",
        check=_shared,
    ),
    Rule(
        id="host-key-changed",
        what="A build trusts another host key.",
        why="Whoever has that key can put code into production's repositories.",
        check=_host_keys,
    ),
    Rule(
        id="runs-otherwise",
        what="What a server or a build runs changes, or the role it runs with.",
        why="It works with that role's permissions; read the text before it runs.",
        check=_runs,
        dangerous=False,
    ),
)
