"""A first deployment is one note, and what is dangerous in itself stays dangerous in it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ops.review.outcome import Review
from ops.review.resource_types import BELONGS
from ops.review.rules import RULES
from tests.ops.review.dangerous import DANGEROUS
from tests.ops.review.plans import comment, found_rules, real, real_review, reviewed
from tests.ops.review.rule_cases import PlannedChange, allow, policy
from tests.terraform.plans import change

Document = dict[str, Any]

STACKS = ("backlog-bridge", "dev-gitlab", "dev-network", "prd-codecommit")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PULL_USER, PULL_POLICY = "aws_iam_user.pull_user", "aws_iam_policy.pull_user_allow_policy"
FENCE = "aws_iam_policy.pull_user_deny_policy"
_WEBSITE = "arn:aws:codecommit:ap-northeast-1:222222222222:website"
MIRROR = "aws_iam_role.mirrors_website_role"
API = "data.aws_iam_policy_document.webhook_policy"

# Who reaches which repository, and what the builds of a Backlog mirror may reach: nothing in a plan explains that.
EXPLAINED = {
    *(("access-widened", address) for address in (MIRROR, PULL_USER, "aws_iam_user.push_user")),
    *(
        ("world-let-out", f"aws_vpc_security_group_egress_rule.build_security_group_to_{name}")
        for name in ("https", "ssh")
    ),
}

# What runs code, or is in a network that exists: nothing tells ours from another's.
LISTED = {
    ("not-read", address)
    for address in (
        "aws_api_gateway_integration.webhook_hook_start_build",
        "aws_api_gateway_integration.webhook_old_hook_start_build",
        "aws_codebuild_project.mirrors_website_project",
        "aws_efs_mount_target.caches_website_mount_target_subnet_0123456789abcdef0",
        "aws_instance.gitlab_instance",
        "aws_s3_object.program_script",
        "aws_s3_object.program_units_website",
        "aws_ssm_association.configuration_association",
    )
}

# Dangerous changes that only say that an object is new when they are a part of a first deployment, each with a reason.
QUIET = {
    "handed-over: aws_cloudwatch_event_target with arn": "the topic is new",
    "handed-over: aws_eip_association with allocation_id": "the address is new",
    "handed-over: aws_volume_attachment with volume_id": "the volume is new",
    "identity-new: aws_iam_user is created": "it has no policy and no password",
    "more-let-in: another network": "the group is new, and nobody pulls from there",
    "way-new: aws_internet_gateway is created": "its network is new",
    "way-new: a route to what is not known": "its table and its gateway are new, wherever it leads",
    "way-new: aws_nat_gateway is created": "its network is new",
}


def _documents() -> dict[str, Document]:
    return {file.stack: json.loads(file.text) for file in real("first-deployment") if file.stack in STACKS}


def _review(documents: dict[str, Document]) -> Review:
    return reviewed(*documents.values())


def _added(document: Document, found: PlannedChange, **expressions: Any) -> None:
    """Add an object whose configuration has its arguments; `expressions` are references, or other expressions."""
    after = dict(found["change"]["after"] or {})
    arguments = {name: {"constant_value": value} for name, value in after.items()}
    unknown: dict[str, bool] = dict(found["change"]["after_unknown"] or {})
    arguments |= {name: {"references": ["terraform_data.it.output"]} for name in unknown}
    for name, expression in expressions.items():
        if "references" in expression:
            address, _, attribute = expression["references"][0].rpartition(".")
            value = _change(document, address)["change"]["after"].get(attribute)
            after.pop(name, None)
            (unknown if value is None else after)[name] = True if value is None else value
    document["resource_changes"].append(change(found["address"], "create", None, after, unknown=unknown))
    document["configuration"]["root_module"]["resources"].append(
        {
            "address": found["address"],
            "mode": "managed",
            "type": found["type"],
            "name": "it",
            "provider_config_key": "aws",
            "expressions": {**arguments, **expressions},
        }
    )


def _reference(text: str) -> dict[str, Any]:
    return {"constant_value": f"${{{text}}}", "references": [text, text.rpartition(".")[0]]}


def _change(document: Document, address: str) -> Document:
    found: Document = next(one for one in document["resource_changes"] if one["address"] == address)
    return found


def _statements(document: Document, address: str, edit: Callable[[list[Document]], None]) -> None:
    after = _change(document, address)["change"]["after"]
    written = json.loads(after["policy"])
    edit(written["Statement"])
    after["policy"] = json.dumps(written)


def test_a_first_deployment_is_one_note_and_who_reaches_what() -> None:
    found = _review(_documents())
    assert found_rules(found) == EXPLAINED
    assert len(found.dangerous) == 7
    note, *others = found.notes
    assert (note.rule, note.address) == ("first-deployment", "the plan")
    assert {(other.rule, other.address) for other in others} == LISTED
    assert note.what == ("130 objects in `stack`, `stack-1`, `stack-2`, `stack-3`, of which nothing existed before")


def test_a_method_may_name_the_parameters_that_it_reads() -> None:
    documents = _documents()
    resources = documents["backlog-bridge"]["configuration"]["root_module"]["resources"]
    for method in resources:
        if method["type"] == "aws_api_gateway_method":
            method["expressions"]["request_parameters"] = {"constant_value": {"method.request.path.it": True}}
    assert "opened" not in {rule for rule, _ in found_rules(_review(documents))}


@pytest.mark.parametrize("stack", ["dev-gitlab", "dev-network"])
def test_a_stack_without_such_builds_is_not_dangerous(stack: str) -> None:
    found = reviewed(_documents()[stack])
    assert found.dangerous == []
    listed = {(note.rule, note.address) for note in found.notes} - LISTED
    assert listed == {("first-deployment", "the plan")}
    assert "to read, and nothing dangerous found" in comment(found)


def test_users_of_a_repository_that_is_in_no_plan_are_dangerous() -> None:
    document = _documents()["prd-codecommit"]
    found = reviewed(document)
    assert ("identity-new", PULL_USER) in found_rules(found)
    assert "not taken as a first deployment's: `website` is in none of these plans" in [one.what for one in found.notes]
    _statements(document, PULL_POLICY, lambda found: found[0]["Resource"].remove(_WEBSITE))
    found = reviewed(document)
    assert {rule for rule, _ in found_rules(found)} == {"access-widened"}
    assert len(found.notes) == 1


def _created(rows: Sequence[Any]) -> dict[str, tuple[str, Sequence[PlannedChange]]]:
    return {
        f"{rule}: {what}": (rule, changes)
        for rule, what, changes in rows
        if all(one["change"]["actions"] == ["create"] for one in changes)
    }


CREATED = _created(DANGEROUS)


def _owned(document: Document, kind: str) -> dict[str, Any]:
    """References to new objects in place of every argument that says what an object belongs to, where there are any."""
    found = {}
    for argument, owner in BELONGS.get(kind, {}).items():
        named = "name" if owner in ("aws_iam_role", "aws_iam_user") and argument in ("role", "user") else "id"
        made = [one["address"] for one in document["resource_changes"] if one["type"] == owner]
        if made and "." not in argument and argument != "policy_arn":
            found[argument] = _reference(f"{made[0]}.{'arn' if argument.endswith('arn') else named}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CREATED))
def test_a_dangerous_creation_stays_dangerous(name: str) -> None:
    rule, changes = CREATED[name]
    quiet = []
    for stack, document in _documents().items():
        for one in changes:
            _added(document, one, **_owned(document, one["type"]))
        if rule not in {rule for rule, _ in found_rules(reviewed(document)) - EXPLAINED}:
            quiet.append(stack)
    assert bool(quiet) == (name in QUIET)


def test_there_are_many_dangerous_creations() -> None:
    assert len(CREATED) > 40
    assert set(QUIET) <= set(CREATED)


Hostile = Callable[[dict[str, Document]], None]


def _in(stack: str, edit: Callable[[Document], None]) -> Hostile:
    return lambda documents: edit(documents[stack])


def _adds(stack: str, address: str, after: dict[str, Any], **expressions: Any) -> Hostile:
    return _in(stack, lambda document: _added(document, change(address, "create", None, after), **expressions))


def _both(*edits: Hostile) -> Hostile:
    def edited(documents: dict[str, Document]) -> None:
        for edit in edits:
            edit(documents)

    return edited


def _edits(stack: str, address: str, edit: Callable[[list[Document]], None]) -> Hostile:
    return _in(stack, lambda document: _statements(document, address, edit))


def _configures(stack: str, address: str, **expressions: Any) -> Hostile:
    def edited(document: Document) -> None:
        resources = document["configuration"]["root_module"]["resources"]
        next(one for one in resources if one["address"] == address)["expressions"].update(expressions)

    return _in(stack, edited)


def _from(*networks: str) -> Callable[[list[Document]], None]:
    return lambda found: found[0]["Condition"]["NotIpAddress"].update({"aws:SourceIp": list(networks)})


def _user_policy(**statement: Any) -> Hostile:
    after = {"name": "it", "user": "kakehashi-prd-pull", "policy": policy(allow(**statement))}
    return _adds("prd-codecommit", "aws_iam_user_policy.it", after, user=_reference(f"{PULL_USER}.name"))


def _role_policy(**statement: Any) -> Hostile:
    after = {"name": "it", "role": "kakehashi-prd-backlog-mirror-website", "policy": policy(allow(**statement))}
    return _adds("backlog-bridge", "aws_iam_role_policy.it", after, role=_reference(f"{MIRROR}.name"))


def _ingress(source: str, group: dict[str, Any] | None = None) -> Hostile:
    after = {"cidr_ipv4": source, "from_port": 22, "to_port": 22, "ip_protocol": "tcp"}
    owner = group or _reference("aws_security_group.gitlab_security_group.id")
    address = "aws_vpc_security_group_ingress_rule.it"
    return _adds("dev-gitlab", address, after, security_group_id=owner)


def _trusts(statement: dict[str, Any]) -> Hostile:
    def edited(document: Document) -> None:
        _change(document, MIRROR)["change"]["after"]["assume_role_policy"] = policy(statement)

    return _in("backlog-bridge", edited)


def _without(documents: dict[str, Document]) -> None:
    """The policy of the webhook's API denies nobody."""
    for document in documents.values():
        for found in document["resource_changes"]:
            if found["address"] == API:
                found["change"]["after"]["statement"] = found["change"]["after"]["statement"][:1]
                unknown = found["change"]["after_unknown"]
                unknown["statement"] = unknown["statement"][:1]


def _existing(document: Document) -> None:
    topic = {"address": "aws_sns_topic.it", "mode": "managed", "type": "aws_sns_topic", "values": {}}
    document["prior_state"]["values"].setdefault("root_module", {}).setdefault("resources", []).append(topic)


def _described(document: Document) -> None:
    after = _change(document, MIRROR)["change"]["after"]
    after["description"] = after["name"]


def _of_another(document: Document) -> None:
    _change(document, "aws_iam_role_policy.mirrors_website_role_policy")["change"]["after"]["role"] = "another"


def _more_allowed(document: Document) -> None:
    """A second Allow, for a part of the API that the Deny does not name."""
    written = policy(
        allow(Action="execute-api:Invoke", Principal="*", Resource="arn:aws:execute-api:*:*:*"),
        {
            "Sid": "No",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "arn:aws:own:::it/*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/28"}},
        },
    )
    found = _change(document, "aws_api_gateway_rest_api_policy.webhook_senders")["change"]
    found["after"]["policy"] = written
    del found["after_unknown"]["policy"]


_ASSUMED = {"Sid": "It", "Effect": "Allow", "Action": "sts:AssumeRole"}
_GROUP = {"constant_value": "sg-0123456789abcdef0"}

_REACHES = _role_policy(
    Action="codecommit:GitPull", Resource="arn:aws:codecommit:ap-northeast-1:222222222222:infrastructure"
)

_READS = _role_policy(Action="codecommit:GetFile", Resource=_WEBSITE)


def _without_git(documents: dict[str, Document]) -> None:
    """The role of the mirror may neither pull nor push."""
    role = "data.aws_iam_policy_document.mirrors_website_role_permissions"
    for statement in _change(documents["backlog-bridge"], role)["change"]["after"]["statement"]:
        if statement["sid"] == "MirrorIntoTarget":
            statement["actions"] = ["codecommit:GetRepository"] * len(statement["actions"])


HOSTILE: dict[str, tuple[Hostile, tuple[str, str]]] = {
    "a user without a fence": (
        _edits("prd-codecommit", FENCE, lambda found: found[0].update(Action="s3:*")),
        ("identity-new", PULL_USER),
    ),
    "a fence that names half the world": (
        _edits("prd-codecommit", FENCE, _from("0.0.0.0/1", "128.0.0.0/1")),
        ("identity-new", PULL_USER),
    ),
    "a role that reads a repository by its name": (
        _both(_READS, _without_git),
        ("policy-widened", "aws_iam_role_policy.it"),
    ),
    "a role that writes to a bucket by its name": (
        _both(
            _adds("backlog-bridge", "aws_s3_bucket.it", {"bucket": "existing"}),
            _role_policy(Action="s3:PutObject", Resource="arn:aws:s3:::existing/*"),
        ),
        ("policy-widened", "aws_iam_role_policy.it"),
    ),
    "a user who may do more than use Git": (
        _user_policy(Action="s3:GetObject", Resource="arn:aws:s3:::it/*"),
        ("policy-widened", "aws_iam_user_policy.it"),
    ),
    "a user who may delete repositories": (
        _user_policy(Action="codecommit:DeleteRepository"),
        ("identity-new", PULL_USER),
    ),
    "a role that may push anywhere": (
        _role_policy(Action="codecommit:GitPush", Resource="*"),
        ("policy-widened", "aws_iam_role_policy.it"),
    ),
    "a role with a bucket of another account": (
        _role_policy(Action="s3:PutObject", Resource="arn:aws:s3:::a-stranger/*"),
        ("policy-widened", MIRROR),
    ),
    "a role that another account may assume": (
        _trusts({**_ASSUMED, "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}),
        ("policy-widened", MIRROR),
    ),
    "a role that a service may use for every account": (
        _trusts({**_ASSUMED, "Principal": {"Service": "codebuild.amazonaws.com"}}),
        ("policy-widened", MIRROR),
    ),
    "a new role that reaches a repository which exists": (
        _both(_REACHES, _in("prd-codecommit", lambda document: _existing(document))),
        ("policy-widened", "aws_iam_role_policy.it"),
    ),
    "a new role that reaches a repository of which nothing is known": (
        _both(_REACHES, lambda documents: documents.__delitem__("prd-codecommit")),
        ("policy-widened", "aws_iam_role_policy.it"),
    ),
    "a new role that is an administrator": (
        _adds(
            "backlog-bridge",
            "aws_iam_role_policy_attachment.it",
            {"role": "kakehashi-prd-backlog-mirror-website", "policy_arn": ADMINISTRATOR},
            role=_reference(f"{MIRROR}.name"),
        ),
        ("policy-of-aws-attached", "aws_iam_role_policy_attachment.it"),
    ),
    "a policy of a role that is named and not referred to": (
        _configures("backlog-bridge", "aws_iam_role_policy.mirrors_website_role_policy", role={"constant_value": "x"}),
        ("policy-widened", "aws_iam_role_policy.mirrors_website_role_policy"),
    ),
    "a policy of a role that an expression chooses": (
        _configures(
            "backlog-bridge",
            "aws_iam_role_policy.mirrors_website_role_policy",
            role={"constant_value": f'${{true ? "x" : {MIRROR}.name}}', "references": [f"{MIRROR}.name", MIRROR]},
        ),
        ("policy-widened", "aws_iam_role_policy.mirrors_website_role_policy"),
    ),
    "a policy of a role that a description names": (
        _configures(
            "backlog-bridge",
            "aws_iam_role_policy.mirrors_website_role_policy",
            role=_reference(f"{MIRROR}.description"),
        ),
        ("policy-widened", "aws_iam_role_policy.mirrors_website_role_policy"),
    ),
    "a policy of a role whose description is that name": (
        _both(
            _configures(
                "backlog-bridge",
                "aws_iam_role_policy.mirrors_website_role_policy",
                role=_reference(f"{MIRROR}.description"),
            ),
            _in("backlog-bridge", lambda document: _described(document)),
        ),
        ("policy-widened", "aws_iam_role_policy.mirrors_website_role_policy"),
    ),
    "a policy whose role in the plan is another": (
        _in("backlog-bridge", lambda document: _of_another(document)),
        ("policy-widened", "aws_iam_role_policy.mirrors_website_role_policy"),
    ),
    "a topic to which another account publishes": (
        _adds(
            "backlog-bridge",
            "aws_sns_topic_policy.it",
            {"policy": policy(allow(Action="sns:Publish", Principal={"AWS": "arn:aws:iam::999999999999:root"}))},
            arn=_reference("aws_sns_topic.alerts_topic.arn"),
        ),
        ("policy-widened", "aws_sns_topic_policy.it"),
    ),
    "an API with a second policy": (
        _adds(
            "backlog-bridge",
            "aws_api_gateway_rest_api_policy.it",
            {"policy": policy(allow(Action="execute-api:Invoke", Principal="*", Resource="*"))},
            rest_api_id=_reference("aws_api_gateway_rest_api.webhook_api.id"),
        ),
        ("opened", "aws_api_gateway_method.webhook_hook_post"),
    ),
    "an API whose fence is around a part of it": (
        _in("backlog-bridge", lambda document: _more_allowed(document)),
        ("opened", "aws_api_gateway_method.webhook_hook_post"),
    ),
    "a policy that a group has too": (
        _adds(
            "prd-codecommit",
            "aws_iam_group_policy_attachment.it",
            {"group": "everybody"},
            policy_arn=_reference(f"{PULL_POLICY}.arn"),
        ),
        ("policy-widened", PULL_POLICY),
    ),
    "an access key of a new user": (
        _adds("prd-codecommit", "aws_iam_access_key.it", {"user": "x"}, user=_reference(f"{PULL_USER}.name")),
        ("identity-new", "aws_iam_access_key.it"),
    ),
    "a group that lets in the world": (
        _ingress("0.0.0.0/0"),
        ("world-let-in", "aws_vpc_security_group_ingress_rule.it"),
    ),
    "a group that lets in half the world": (
        _ingress("128.0.0.0/1"),
        ("more-let-in", "aws_vpc_security_group_ingress_rule.it"),
    ),
    "a group that lets in those who pull": (
        _ingress("198.51.100.0/29"),
        ("more-let-in", "aws_vpc_security_group_ingress_rule.it"),
    ),
    "a rule of a group that exists": (
        _ingress("203.0.113.0/28", _GROUP),
        ("more-let-in", "aws_vpc_security_group_ingress_rule.it"),
    ),
    "a rule of a group that something of another type names": (
        _ingress("203.0.113.0/28", _reference("aws_iam_role.gitlab_role.id")),
        ("more-let-in", "aws_vpc_security_group_ingress_rule.it"),
    ),
    "a route to another network": (
        _configures(
            "dev-network",
            "aws_route.network_public_to_internet",
            vpc_peering_connection_id={"constant_value": "pcx-0123456789abcdef0"},
        ),
        ("way-new", "aws_route.network_public_to_internet"),
    ),
    "an API that everybody may call": (
        _without,
        ("policy-to-the-world", "aws_api_gateway_rest_api_policy.webhook_senders"),
    ),
    "a method of an API that everybody may call": (
        _without,
        ("opened", "aws_api_gateway_method.webhook_hook_post"),
    ),
    "a new address of a server that exists": (
        _adds(
            "dev-gitlab",
            "aws_eip_association.it",
            {"instance_id": "i-existing"},
            allocation_id=_reference("aws_eip.gitlab_address.allocation_id"),
        ),
        ("handed-over", "aws_eip_association.it"),
    ),
    "a volume that exists, for a new server": (
        _adds(
            "dev-gitlab",
            "aws_volume_attachment.it",
            {"volume_id": "vol-existing"},
            instance_id=_reference("aws_instance.gitlab_instance.id"),
        ),
        ("handed-over", "aws_volume_attachment.it"),
    ),
    "a type that nobody knows": (
        _adds("prd-codecommit", "aws_something_new.it", {}),
        ("type-unknown", "aws_something_new.it"),
    ),
}


@pytest.mark.parametrize("variation", HOSTILE)
def test_what_is_dangerous_in_itself_stays_dangerous(variation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    edit, expected = HOSTILE[variation]
    monkeypatch.setattr("ops.review.RULES", [rule for rule in RULES if rule.id == expected[0]])
    documents = _documents()
    assert expected not in EXPLAINED
    edit(documents)
    assert expected in found_rules(_review(documents))


@pytest.mark.parametrize(
    "edit",
    [
        _existing,
        lambda document: document["resource_changes"].append(change("aws_sns_topic.it", "no-op", {}, {})),
        lambda document: document["resource_changes"][-1]["change"].update(importing={"id": "x"}),
        lambda document: document.update(resource_drift=[change("aws_sns_topic.it", "delete", {"name": "x"})]),
        lambda document: document.update(complete=False),
        lambda document: document.update(configuration={}),
    ],
    ids=[
        "an object in the state",
        "an unchanged object",
        "an import",
        "drift",
        "a part of the plan",
        "no configuration",
    ],
)
def test_a_stack_of_which_something_existed_keeps_its_findings(edit: Callable[[Document], None]) -> None:
    document = _documents()["prd-codecommit"]
    edit(document)
    found = reviewed(document)
    assert ("identity-new", PULL_USER) in found_rules(found)
    assert "first-deployment" not in {note.rule for note in found.notes}


def test_a_new_stack_beside_an_old_one_is_read_by_itself() -> None:
    documents = _documents()
    _existing(documents["prd-codecommit"])
    found = _review(documents)
    dangerous = {finding.stack for finding in found.dangerous if (finding.rule, finding.address) not in EXPLAINED}
    assert dangerous == {"stack-3"}


def test_what_is_created_beside_something_that_exists_is_still_listed() -> None:
    documents = _documents()
    after = {"protocol": "email", "endpoint": "x@example.com"}
    topic = {"constant_value": "arn:aws:sns:ap-northeast-1:222222222222:another"}
    _adds("prd-codecommit", "aws_sns_topic_subscription.it", after, topic_arn=topic)(documents)
    assert {(note.rule, note.address) for note in _review(documents).notes} - LISTED == {
        ("first-deployment", "the plan"),
        ("not-read", "aws_sns_topic_subscription.it"),
    }


NAMING: dict[str, Hostile] = {
    "aws_instance.it": _adds(
        "dev-gitlab", "aws_instance.it", {"ami": "ami-1", "subnet_id": "subnet-1", "key_name": "x"}
    ),
    "aws_flow_log.it": _adds(
        "dev-network",
        "aws_flow_log.it",
        {"log_destination": "arn:aws:s3:::a-stranger", "log_destination_type": "s3", "subnet_id": "subnet-1"},
    ),
    "aws_sns_topic_subscription.it": _adds(
        "backlog-bridge",
        "aws_sns_topic_subscription.it",
        {"protocol": "https", "endpoint": "https://a-stranger.example"},
        topic_arn=_reference("aws_sns_topic.alerts_topic.arn"),
    ),
    "aws_ssm_association.it": _adds(
        "dev-gitlab",
        "aws_ssm_association.it",
        {"targets": [{"key": "tag:Name", "values": ["gitlab"]}]},
        name=_reference("aws_ssm_document.configuration_document.name"),
    ),
    "aws_lb_target_group_attachment.it": _adds(
        "dev-gitlab", "aws_lb_target_group_attachment.it", {"target_group_arn": "arn", "target_id": "i-existing"}
    ),
    "aws_codebuild_project.it": _adds(
        "backlog-bridge",
        "aws_codebuild_project.it",
        {"vpc_config": [{"vpc_id": "vpc-1", "subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}]},
        service_role=_reference(f"{MIRROR}.arn"),
    ),
    "aws_iam_role.it": _adds(
        "backlog-bridge",
        "aws_iam_role.it",
        {"name": "it", "permissions_boundary": "arn:aws:iam::222222222222:policy/x"},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("address", NAMING)
def test_an_object_with_an_argument_that_may_name_what_exists_is_listed(address: str) -> None:
    documents = _documents()
    NAMING[address](documents)
    found = _review(documents)
    assert address in {finding.address for finding in (*found.notes, *found.dangerous)}


def _again(*, pulls: bool) -> Document:
    """A stack that is said to be new, with a repository of a name that exists, and a role for builds that use it."""
    document = _documents()["backlog-bridge"]
    (_change(document, "aws_codecommit_repository.repositories_website"))["change"]["after"].update(
        repository_name="application"
    )
    action = ["codecommit:GitPull", "codecommit:GitPush"] if pulls else ["codecommit:GetFile", "codecommit:GetFolder"]
    found = _change(document, "data.aws_iam_policy_document.mirrors_website_role_permissions")["change"]
    for statement in found["after"]["statement"]:
        if statement["sid"] == "MirrorIntoTarget":
            statement["resources"] = [_WEBSITE.replace("website", "application")]
            statement["actions"] = action
    return document


@pytest.mark.parametrize("pulls", [True, False])
@pytest.mark.parametrize("is_alone", [True, False])
def test_a_repository_that_is_created_again_is_no_new_one(pulls: bool, is_alone: bool) -> None:
    """Only the apply would fail, beside the policy that it makes all the same."""
    existing = [json.loads(file.text) for file in real("nothing-changes") if file.stack == "prd-codecommit"]
    found = {*found_rules(reviewed(*([] if is_alone else existing), _again(pulls=pulls)))}
    assert ("access-widened", MIRROR) in found or not pulls
    assert ("policy-widened", "aws_iam_role_policy.mirrors_website_role_policy") in found or (pulls and is_alone)


def test_a_pattern_of_repositories_is_dangerous() -> None:
    """It may name one that exists."""
    found = real_review("everything")
    assert {note.rule for note in found.notes} == {"first-deployment", "not-read"}
    patterns = {one.address for one in found.dangerous if one.rule == "policy-widened"}
    assert patterns == {
        "aws_iam_policy.pull_user_allow_policy",
        "aws_iam_policy.push_user_allow_policy",
        "aws_iam_policy.rooms_vault_allow_policy",
    }
