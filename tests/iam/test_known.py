"""Terraform of which it is not known what it does to access is refused, by its place."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from errors.shown import shown
from iam import known
from iam.deployed.unread import SECRETS
from iam.known.argument import KnownArguments, one_of, required
from terraform.references import Configuration, configurations
from tests.iam.changes import Change, Json, added, nothing, refusals
from tests.terraform import Stacks

PRD, BRIDGE, GITLAB, PROXY, NETWORK = "prd-codecommit", "backlog-bridge", "dev-gitlab", "dev-proxy", "dev-network"
FOREIGN = "999999999999"
DEPLOYMENTS = ("minimal", "example", "everything", "backlog-only", "existing-proxy", "gitlab-existing-vpc")

TYPE = "nothing is known of the resource type {}, so it might give access"
SOURCE = "nothing is known of the data source {}, so it might give access"
CALL = "nothing is known of the function {}, which may read more than its arguments"
LEFT_OUT = "this argument is left out, and AWS's default might give access"
ARGUMENT = "nothing is known of this argument, so it might give access"


def value(text: str) -> str:
    return f"it is not known what {shown(text)} does to access"


@pytest.mark.slow
@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_everything_in_our_deployments_is_known(synthesised: Callable[[str], Stacks], name: str) -> None:
    assert refusals(synthesised(name), nothing) == []


def in_first(stack: str, kind: str, **arguments: Any) -> Change:
    """Changes arguments of the first resource of a type; `__` in a name leads into a block."""

    def change(stacks: dict[str, Json]) -> None:
        resource = next(iter(stacks[stack]["resource"][kind].values()))
        for path, wanted in arguments.items():
            *blocks, last = path.split("__")
            block = resource
            for name in blocks:
                block = block[name][0] if isinstance(block[name], list) else block[name]
            block[last] = wanted

    return change


def data(stack: str, kind: str, **arguments: Any) -> Change:
    return lambda stacks: stacks[stack].setdefault("data", {}).setdefault(kind, {}).update(x=arguments)


def block(stack: str, name: str, content: Any) -> Change:
    return lambda stacks: stacks[stack].update({name: content})


def provider(stack: str, **arguments: Any) -> Change:
    return lambda stacks: stacks[stack]["provider"]["aws"][0].update(arguments)


NEW_TYPES = [
    (PRD, "aws_codecommit_trigger", {"trigger": {"destination_arn": f"arn:aws:sns:us-east-1:{FOREIGN}:x"}}),
    (PRD, "aws_kms_grant", {"grantee_principal": f"arn:aws:iam::{FOREIGN}:root", "operations": ["Decrypt"]}),
    (PRD, "aws_kms_key_policy", {"key_id": "k", "policy": "{}"}),
    (PRD, "aws_cloudformation_stack", {"name": "x", "template_url": "https://example.com/x.json"}),
    (PRD, "aws_cloudformation_stack_set", {"name": "x"}),
    (PRD, "aws_iam_group", {"name": "x"}),
    (PRD, "aws_iam_group_policy", {"name": "x"}),
    (PRD, "aws_iam_user_group_membership", {"user": "kakehashi-prd-pull", "groups": ["admins"]}),
    (PRD, "aws_iam_openid_connect_provider", {"url": "https://example.com"}),
    (PRD, "aws_iam_policy_attachment", {"users": ["kakehashi-prd-pull"]}),
    (PRD, "aws_iam_user_ssh_key", {"username": "kakehashi-prd-pull"}),
    (PRD, "aws_rolesanywhere_trust_anchor", {"name": "x"}),
    (PRD, "aws_ssoadmin_permission_set", {"name": "x"}),
    (PRD, "aws_lambda_function", {"function_name": "x"}),
    (PRD, "aws_lambda_permission", {"principal": "*"}),
    (PRD, "aws_cloudcontrolapi_resource", {"type_name": "AWS::IAM::User"}),
    (PRD, "aws_codestarconnections_connection", {"name": "x"}),
    (BRIDGE, "aws_s3_bucket_replication_configuration", {"bucket": "x"}),
    (BRIDGE, "aws_s3_bucket_acl", {"acl": "public-read"}),
    (BRIDGE, "aws_s3_bucket_notification", {"bucket": "x"}),
    (BRIDGE, "aws_s3_access_point", {"bucket": "x"}),
    (BRIDGE, "aws_efs_access_point", {"file_system_id": "fs-1"}),
    (BRIDGE, "aws_efs_replication_configuration", {"source_file_system_id": "fs-1"}),
    (BRIDGE, "aws_cloudwatch_log_subscription_filter", {"destination_arn": f"arn:aws:logs:us-east-1:{FOREIGN}:x"}),
    (BRIDGE, "aws_cloudwatch_event_permission", {"principal": "*"}),
    (BRIDGE, "aws_cloudwatch_event_bus_policy", {"policy": "{}"}),
    (BRIDGE, "aws_codebuild_webhook", {"project_name": "x"}),
    (BRIDGE, "aws_codebuild_resource_policy", {"policy": "{}"}),
    (BRIDGE, "aws_api_gateway_vpc_link", {"target_arns": []}),
    (NETWORK, "aws_vpc_peering_connection", {"peer_vpc_id": "vpc-1"}),
    (NETWORK, "aws_ec2_transit_gateway_vpc_attachment", {"vpc_id": "vpc-1"}),
    (NETWORK, "aws_vpc_endpoint_policy", {"policy": "{}"}),
    (NETWORK, "aws_vpn_gateway", {"vpc_id": "vpc-1"}),
    (NETWORK, "aws_ram_resource_share", {"name": "x"}),
    (GITLAB, "aws_security_group_rule", {"cidr_blocks": ["0.0.0.0/0"]}),
    (GITLAB, "aws_ami_launch_permission", {"account_id": FOREIGN}),
    (GITLAB, "null_resource", {"provisioner": {"local-exec": {"command": "true"}}}),
    (GITLAB, "terraform_data", {"input": "x"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("stack", "kind", "arguments"), NEW_TYPES, ids=[kind for _, kind, _ in NEW_TYPES])
def test_a_resource_type_that_is_not_known_is_refused(example: Stacks, stack: str, kind: str, arguments: Json) -> None:
    assert refusals(example, added(stack, kind, **arguments)) == [f"{stack}: {kind}.x: {TYPE.format(kind)}"]


RULE = "aws_vpc_security_group_ingress_rule"
FOREIGN_BUS = f"arn:aws:events:ap-northeast-1:{FOREIGN}:event-bus/default"
DELETES = "arn:aws:apigateway:ap-northeast-1:codecommit:action/DeleteRepository"
OVERRIDES = '{"projectName": "${aws_codebuild_project.spaces_example_project.name}", "buildspecOverride": "x"}'
SCHEDULED = '${jsonencode({"ProjectName" = aws_codebuild_project.x.name, "ServiceRoleOverride" = "x"})}'

ANSWERS = "aws_api_gateway_integration_response"
ANSWER = "response_templates.application/json"

CHANGES = [
    (
        in_first(BRIDGE, ANSWERS, **{"response_templates__application/json": "$input.body"}),
        f"{BRIDGE}: {ANSWERS}.webhook_hook_accepted.{ANSWER}: {value('$input.body')}",
    ),
    (
        lambda stacks: next(iter(stacks[BRIDGE]["resource"][ANSWERS].values())).pop("response_templates"),
        f"{BRIDGE}: {ANSWERS}.webhook_hook_accepted.{ANSWER}: {LEFT_OUT}",
    ),
    (
        added(BRIDGE, "aws_sns_topic_subscription", topic_arn="${aws_sns_topic.alerts_topic.arn}", protocol="https"),
        f"{BRIDGE}: aws_sns_topic_subscription.x.protocol: {value('https')}",
    ),
    (
        in_first(BRIDGE, "aws_cloudwatch_event_target", arn=FOREIGN_BUS),
        f"{BRIDGE}: aws_cloudwatch_event_target.alerts_differences_to_topic.arn: {value(FOREIGN_BUS)}",
    ),
    (
        in_first(BRIDGE, "aws_codebuild_project", service_role="${aws_iam_role.reconciliation_role.arn}"),
        "service_role: " + value("${aws_iam_role.reconciliation_role.arn}"),
    ),
    (
        in_first(BRIDGE, "aws_codebuild_project", service_role=f"arn:aws:iam::{FOREIGN}:role/x"),
        "service_role: " + value(f"arn:aws:iam::{FOREIGN}:role/x"),
    ),
    (in_first(BRIDGE, "aws_codebuild_project", source__type="GITHUB"), "source.type: " + value("GITHUB")),
    (in_first(BRIDGE, "aws_codebuild_project", source__location="x"), f"source.location: {ARGUMENT}"),
    (in_first(BRIDGE, "aws_codebuild_project", environment__image="ghcr.io/x"), "image: " + value("ghcr.io/x")),
    (in_first(BRIDGE, "aws_codebuild_project", artifacts__type="S3"), "artifacts.type: " + value("S3")),
    (in_first(BRIDGE, "aws_codebuild_project", secondary_artifacts=[{"type": "S3"}]), ARGUMENT),
    (in_first(BRIDGE, "aws_codebuild_project", logs_config__s3_logs__status="ENABLED"), value("ENABLED")),
    (in_first(BRIDGE, "aws_codebuild_project", project_visibility="PUBLIC_READ"), ARGUMENT),
    (in_first(BRIDGE, "aws_api_gateway_integration", uri=DELETES), "uri: " + value(DELETES)),
    (
        in_first(
            BRIDGE,
            "aws_api_gateway_integration",
            request_templates={"application/x-www-form-urlencoded": OVERRIDES},
        ),
        "request_templates.application/x-www-form-urlencoded: it is not known what ",
    ),
    (
        in_first(BRIDGE, "aws_api_gateway_integration", request_templates={"application/json": "$input"}),
        "request_templates.application/json: " + value("$input"),
    ),
    (in_first(BRIDGE, "aws_api_gateway_integration", request_templates={"text/plain": "x"}), ARGUMENT),
    (in_first(BRIDGE, "aws_ssm_parameter", type="SecureString"), "type: " + value("SecureString")),
    (in_first(BRIDGE, "aws_ssm_parameter", value="${var.x}"), "value: " + value("${var.x}")),
    (in_first(BRIDGE, "aws_s3_object", source_hash="x"), f"source_hash: {ARGUMENT}"),
    (in_first(BRIDGE, "aws_s3_object", bucket="elsewhere"), "bucket: " + value("elsewhere")),
    (block(BRIDGE, "removed", [{"from": "x", "lifecycle": {"destroy": True}}]), "destroy: it is not known what true"),
    (in_first(BRIDGE, "aws_api_gateway_integration", type="HTTP"), "type: " + value("HTTP")),
    (in_first(BRIDGE, "aws_api_gateway_integration", passthrough_behavior="WHEN_NO_MATCH"), value("WHEN_NO_MATCH")),
    (
        in_first(BRIDGE, "aws_api_gateway_integration", credentials="${aws_iam_role.spaces_example_role.arn}"),
        "credentials: " + value("${aws_iam_role.spaces_example_role.arn}"),
    ),
    (in_first(BRIDGE, "aws_scheduler_schedule", target__input=SCHEDULED), "target.input: it is not known what "),
    (in_first(BRIDGE, "aws_scheduler_schedule", target__arn="arn:aws:lambda:x"), value("arn:aws:lambda:x")),
    (
        in_first(GITLAB, "aws_s3_bucket_public_access_block", block_public_policy=False),
        "block_public_policy: it is not known what false does",
    ),
    (
        in_first(GITLAB, "aws_s3_bucket_ownership_controls", rule__object_ownership="ObjectWriter"),
        value("ObjectWriter"),
    ),
    (in_first(PRD, "aws_iam_user", permissions_boundary="arn:aws:iam::aws:policy/ReadOnlyAccess"), ARGUMENT),
    (in_first(BRIDGE, "aws_iam_role", managed_policy_arns=["arn:aws:iam::aws:policy/AdministratorAccess"]), ARGUMENT),
    (in_first(BRIDGE, "aws_iam_role", inline_policy=[{"name": "x"}]), f"inline_policy.name: {ARGUMENT}"),
    (in_first(PRD, "aws_iam_policy", lifecycle={"ignore_changes": ["policy"]}), f"ignore_changes: {ARGUMENT}"),
    (
        in_first(PRD, "aws_iam_policy", dynamic={"x": {"for_each": [], "content": {}}}),
        f"dynamic.x.for_each: {ARGUMENT}",
    ),
    (in_first(PRD, "aws_iam_user", count=2), f"count: {ARGUMENT}"),
    (in_first(PRD, "aws_iam_user", provider="aws.other"), f"provider: {ARGUMENT}"),
    (in_first(PRD, "aws_iam_user", provisioner={"local-exec": {"command": "true"}}), "provisioner.local-exec.command"),
    (
        in_first(PRD, "aws_codecommit_repository", kms_key_id=f"arn:aws:kms:ap-northeast-1:{FOREIGN}:key/x"),
        "kms_key_id",
    ),
    (in_first(GITLAB, "aws_instance", iam_instance_profile="admin"), "iam_instance_profile: " + value("admin")),
    (
        in_first(GITLAB, "aws_iam_instance_profile", role="${aws_iam_role.image_backups_role.name}"),
        "role: " + value("${aws_iam_role.image_backups_role.name}"),
    ),
    (in_first(GITLAB, "aws_instance", associate_public_ip_address=True), ARGUMENT),
    (in_first(GITLAB, "aws_instance", metadata_options__http_tokens="optional"), value("optional")),
    (in_first(GITLAB, "aws_security_group", ingress=[{"cidr_blocks": ["0.0.0.0/0"]}]), "ingress.cidr_blocks"),
    (in_first(GITLAB, RULE, prefix_list_id="pl-1"), f"prefix_list_id: {ARGUMENT}"),
    (in_first(GITLAB, RULE, referenced_security_group_id="sg-1"), "referenced_security_group_id: " + value("sg-1")),
    (in_first(GITLAB, "aws_lb_listener", default_action__type="redirect"), value("redirect")),
    (in_first(GITLAB, "aws_lb_listener", default_action__redirect={"host": "x"}), f"redirect.host: {ARGUMENT}"),
    (
        in_first(
            GITLAB, "aws_dlm_lifecycle_policy", policy_details__schedule=[{"share_rule": {"target_accounts": ["9"]}}]
        ),
        f"policy_details.schedule.share_rule.target_accounts: {ARGUMENT}",
    ),
    (in_first(GITLAB, "aws_ssm_document", permissions={"account_ids": "All"}), f"permissions.account_ids: {ARGUMENT}"),
    (in_first(GITLAB, "aws_ssm_association", targets__key="tag:Name"), "targets.key: " + value("tag:Name")),
    (in_first(NETWORK, "aws_route", destination_cidr_block="10.0.0.0/8"), value("10.0.0.0/8")),
    (in_first(NETWORK, "aws_route", vpc_peering_connection_id="pcx-1"), f"vpc_peering_connection_id: {ARGUMENT}"),
    (in_first(NETWORK, "aws_vpc_endpoint", service_name="com.amazonaws.vpce.ap-northeast-1.vpce-svc-1"), "vpce-svc-1"),
    (in_first(NETWORK, "aws_flow_log", log_destination="arn:aws:s3:::elsewhere"), "arn:aws:s3:::elsewhere"),
    (in_first(NETWORK, "aws_default_security_group", ingress=[{"protocol": -1}]), f"ingress.protocol: {ARGUMENT}"),
    (block(PRD, "module", {"x": {"source": "./x"}}), f"{PRD}.module.x.source: {ARGUMENT}"),
    (block(PRD, "import", [{"to": "aws_iam_user.x", "id": "x"}]), f"{PRD}.import.to: {ARGUMENT}"),
    (block(PRD, "ephemeral", {"aws_secretsmanager_secret_version": {"x": {"id": "x"}}}), ARGUMENT),
    (block(PRD, "check", {"x": {"assert": {"condition": True}}}), f"{PRD}.check.x.assert.condition: {ARGUMENT}"),
    (provider(PRD, endpoints=[{"iam": "https://example.com"}]), f"{PRD}.provider.aws.endpoints.iam: {ARGUMENT}"),
    (provider(PRD, secret_key="x"), f"{PRD}.provider.aws.secret_key: {ARGUMENT}"),
    (lambda stacks: stacks[PRD]["provider"].update(http={}), f"{PRD}.provider.http: {ARGUMENT}"),
    (
        lambda stacks: stacks[PRD]["terraform"]["required_providers"].update(evil={"source": "evil/evil"}),
        f"{PRD}.terraform.required_providers.evil.source: {ARGUMENT}",
    ),
    (
        lambda stacks: stacks[PRD]["terraform"]["required_providers"]["aws"].update(source="evil/aws"),
        f"{PRD}.terraform.required_providers.aws.source: {value('evil/aws')}",
    ),
    (block(PRD, "terraform", {"backend": {"http": {"address": "https://x"}}}), "terraform.backend.http.address"),
    (in_first(BRIDGE, "aws_api_gateway_integration", passthrough_behavior=None), "passthrough_behavior: " + LEFT_OUT),
    (in_first(GITLAB, "aws_s3_bucket_public_access_block", restrict_public_buckets=None), LEFT_OUT),
    (in_first(GITLAB, "aws_instance", vpc_security_group_ids=[]), "vpc_security_group_ids: " + LEFT_OUT),
    (in_first(GITLAB, "aws_instance", metadata_options={}), LEFT_OUT),
    (in_first(BRIDGE, "aws_api_gateway_method", authorization="${local.n}"), value("${local.n}")),
    (in_first(PRD, "aws_cloudwatch_event_rule", count=0), "count: it is not known what 0 does to access"),
    (provider(PRD, allowed_account_ids=[]), "a provider that works in any account"),
    (
        lambda stacks: stacks[PRD]["provider"]["aws"].append({"alias": "x", "region": "us-east-1"}),
        f"{PRD}.provider.aws[2]: a provider that works in any account",
    ),
    (
        lambda stacks: stacks[PRD]["resource"].update(aws_iam_user_policy_attachment={"x": [[{"user": "x"}]]}),
        "a list in a list, which Terraform may read as a block",
    ),
    (in_first(PRD, "aws_iam_user", name="\u212a"), "another spelling than Unicode's NFC"),
    (block(PRD, "locals", {"x": '${file("/etc/passwd")}'}), f"{PRD}.locals.x: {CALL.format('file')}"),
    (block(PRD, "locals", {"x": '${templatefile ("x", {})}'}), CALL.format("templatefile")),
    (block(PRD, "locals", {"x": '${[for f in fileset(".", "*") : f]}'}), CALL.format("fileset")),
    (block(PRD, "locals", {"x": "${pathexpand/**/(local.y)}"}), CALL.format("pathexpand")),
    (block(PRD, "locals", {"x": '%{ if plantimestamp() == "" }x%{ endif }'}), CALL.format("plantimestamp")),
    (block(PRD, "locals", {"x": {"${uuid()}": "x"}}), CALL.format("uuid")),
    (block(PRD, "locals", {"x": '${join(",", ["${file("x")}"])}'}), CALL.format("file")),
    (block(PRD, "locals", {"x": "$${x}${core::timestamp()}"}), CALL.format("core::timestamp")),
    (block(PRD, "locals", {"x": "${provider::evil::read(1)}"}), CALL.format("provider::evil::read")),
    (block(PRD, "locals", {"x": "${join(("}), "is no text that Terraform takes"),
    (in_first(PRD, "aws_codecommit_repository", description='${file("x")}'), CALL.format("file")),
    (lambda stacks: stacks[PRD]["output"].update(x={"value": '${filebase64("x")}'}), CALL.format("filebase64")),
    (
        lambda stacks: stacks[PRD]["variable"].update(x=[{"type": "string"}]),
        f"{PRD}.variable.x: written in another form than as one object",
    ),
    (lambda stacks: stacks[PRD].update(output=[{}]), f"{PRD}.output: written in another form"),
    (
        lambda stacks: stacks[PRD]["resource"].update(aws_iam_user=[{"x": {"name": "x"}}]),
        f"{PRD}.resource.aws_iam_user: written in another form",
    ),
    (
        lambda stacks: stacks[PRD]["resource"]["aws_iam_user"].update(x=None),
        f"{PRD}.resource.aws_iam_user.x: written in another form",
    ),
    (
        lambda stacks: next(iter(stacks[BRIDGE]["resource"]["aws_codebuild_project"].values()))["source"].pop(
            "buildspec"
        ),
        "source.buildspec: " + LEFT_OUT,
    ),
    (data(PRD, "external", program=["sh"]), f"{PRD}: external.x: {SOURCE.format('external')}"),
    (data(PRD, "http", url="https://example.com"), f"{PRD}: http.x: {SOURCE.format('http')}"),
    (data(PRD, "terraform_remote_state", backend="http"), f"{PRD}: terraform_remote_state.x.backend: {value('http')}"),
    (data(GITLAB, "aws_ami", owners=["self"]), f"{GITLAB}: aws_ami.x.owners: {value('self')}"),
    (data(PROXY, "aws_ssm_parameter", name="/ours"), f"{PROXY}: aws_ssm_parameter.x.name: {value('/ours')}"),
    (
        data(PRD, "aws_iam_policy_document", source_policy_documents=["{}"]),
        f"{PRD}: aws_iam_policy_document.x.source_policy_documents: {ARGUMENT}",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=[str(number) for number in range(len(CHANGES))])
def test_an_argument_or_value_that_is_not_known_is_refused(everything: Stacks, change: Change, expected: str) -> None:
    found = refusals(everything, change)
    assert any(expected in problem for problem in found), found


@pytest.fixture
def everything(synthesised: Callable[[str], Stacks]) -> Stacks:
    return synthesised("everything")


HOSTILE = (
    "evil",
    f"arn:aws:iam::{FOREIGN}:role/evil",
    "https://example.com",
    "${var.sneak}",
    "${local.sneak}",
    "${data.http.sneak.body}",
    "${aws_iam_role.sneak.arn}",
    "${data.terraform_remote_state.sneak.outputs.sneak}",
)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_argument_with_few_values_takes_no_hostile_one(synthesised: Callable[[str], Stacks], name: str) -> None:
    stacks = {stack: dict(terraform.json) for stack, terraform in synthesised(name).terraform.items()}
    tried = 0
    for stack in configurations(stacks, defaults=False).values():
        for types, blocks in _blocks(stack):
            for kind, _, arguments in blocks:
                for path, argument in types[kind].arguments.items():
                    if argument.check is not None and _has(arguments, path.split(".")):
                        allowed = [value for value in HOSTILE if argument.allows(value, stack)]
                        assert not allowed, (kind, path, allowed)
                        tried += 1
    assert tried


def _blocks(stack: Configuration) -> Iterator[tuple[Mapping[str, KnownArguments], Iterator[tuple[str, str, Any]]]]:
    yield known.RESOURCES, stack.stack.resources()
    yield known.DATA_SOURCES, stack.stack.data()


def _has(arguments: Any, path: list[str]) -> bool:
    """Whether a resource has the argument at a path; a key with dots in it is one part."""
    if isinstance(arguments, list):
        return any(_has(item, path) for item in arguments)
    if not path:
        return True
    if path == ["*"]:
        return bool(arguments)
    return isinstance(arguments, dict) and any(
        _has(arguments[".".join(path[:length])], path[length:])
        for length in range(1, len(path) + 1)
        if ".".join(path[:length]) in arguments
    )


def test_every_entry_is_one_that_a_deployment_has(synthesised: Callable[[str], Stacks]) -> None:
    unused = {
        (kind, path)
        for types in (known.RESOURCES, known.DATA_SOURCES)
        for kind, known_arguments in types.items()
        for path in known_arguments.own
    }
    for name in DEPLOYMENTS:
        documents = {stack: dict(terraform.json) for stack, terraform in synthesised(name).terraform.items()}
        for stack in configurations(documents, defaults=False).values():
            for _, blocks in _blocks(stack):
                for kind, _, arguments in blocks:
                    unused -= {(kind, path) for of, path in unused if of == kind and _has(arguments, path.split("."))}
    of_others = {("aws_route53_record", "records"), ("aws_route53_record", "ttl")}  # without a load balancer
    assert {kind for kind, _ in unused - of_others} <= {*SECRETS} | {"aws_iam_user_policy"}, sorted(unused)


def test_a_literal_true_is_the_text_true() -> None:
    argument = one_of(True, why="x")
    stack = Configuration("x", {})
    assert [argument.allows(value, stack) for value in (True, "true", False, "false", 1)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_an_argument_that_may_have_either_values_is_required_if_one_of_them_is() -> None:
    optional = one_of(1, why="the one")
    assert (required(one_of(2, why="the other")) | optional).is_required
    assert not (optional | optional).is_required
