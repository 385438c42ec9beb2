"""The texts that a deployment's Terraform should have: programs of servers, event patterns, and messages to people.

Each is rendered again from the deployment file. A text that is not among them is refused: nothing else reads it.
"""

import base64
from collections.abc import Iterator, Mapping

from buildspec import render
from errors.shown import shown
from modules import build_alerts, git_detection, proxy_alerts, webhook_templates
from modules.alert_topic import Message
from modules.git_detection import CREDENTIALS, FROM_ELSEWHERE, IAM_REGION, STATE
from modules.labels import Labels
from modules.server_files import document_content
from modules.terraform_text import template
from modules.webhook_api import CONTENT_TYPES
from settings import Deployment
from stacks import gitlab_files
from stacks.backlog_units import bridge_labels, bridge_units, hooks, unit_config
from stacks.dev_proxy import proxy_server, squid_config
from stacks.isolated_rooms import room_cidrs, room_endpoints
from stacks.prd_codecommit import detection_props, source_addresses
from terraform.address_lists import ROOM_CIDRS, ROOM_ENDPOINTS
from terraform.references import Configuration
from terraform.templates import escaped

_READ = {
    "aws_instance": ("user_data",),
    "aws_launch_template": ("user_data",),
    "aws_ssm_document": ("content",),
    "aws_ssm_association": ("schedule_expression",),
    "aws_cloudwatch_event_rule": ("count", "event_pattern", "provider", "state"),
    "aws_cloudwatch_event_target": ("arn", "count", "input_transformer", "rule"),
    "aws_s3_object": ("content",),
    "aws_api_gateway_integration": ("request_templates",),
    "aws_api_gateway_integration_response": ("response_templates",),
}
"""The arguments that are compared, by type."""

_RULE, _TARGET = "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"
_SENT, _ANSWERED = "aws_api_gateway_integration", "aws_api_gateway_integration_response"

Texts = dict[str, object]
"""Values by place, `stack: type.name.argument`; None stands for an argument that is left out."""


def problems(deployment: Deployment, stacks: Mapping[str, Configuration]) -> Iterator[tuple[str, str]]:
    """Every text that is not the one that the deployment file asks for, and every one that is missing."""
    asked = {**_proxy(deployment), **_gitlab(deployment), **_rooms(deployment), **_detection(deployment)}
    asked |= _alerts(deployment)
    written = dict(_written(stacks))
    for place in sorted({**asked, **written}):
        if place not in asked:
            if written[place] is not None:
                yield place, f"{shown(written[place])} is no text that the deployment file asks for"
        elif place not in written:
            yield place, "this text of the deployment is missing"
        elif written[place] != asked[place]:
            yield place, f"{shown(written[place])} is not what the deployment file and our templates make of it"


def _written(stacks: Mapping[str, Configuration]) -> Iterator[tuple[str, object]]:
    for name, stack in stacks.items():
        for local, value in stack.stack.locals.items():
            yield f"{name}: local.{local}", value
        for kind, arguments in _READ.items():
            for resource, written in stack.resources(kind).items():
                yield f"{name}: {kind}.{resource}", "is there"
                for argument in arguments:
                    yield f"{name}: {kind}.{resource}.{argument}", written.get(argument)


def _resource(stack: str, address: str, **arguments: object) -> Texts:
    """A resource, with what is asked of its arguments that are compared."""
    place = f"{stack}: {address}"
    return {
        place: "is there",
        **{f"{place}.{name}": arguments.get(name) for name in _READ[address.partition(".")[0]]},
    }


def _labels(deployment: Deployment, environment: str) -> Labels:
    return Labels(project=deployment.name, environment=environment, owner=deployment.owner)


def _proxy(deployment: Deployment) -> Texts:
    dev = deployment.dev
    if dev is None or dev.gitlab is None or dev.network is None or dev.proxy is None or dev.proxy.squid is None:
        return {}
    config = squid_config(deployment.region, str(dev.network.cidr), dev.proxy.squid)
    server = proxy_server(deployment.region, _labels(deployment, "dev"))
    encoded = base64.b64encode(render.forward_proxy_cloud_init(config, server).encode()).decode()
    stack, pattern = "dev-proxy", proxy_alerts.failures(server.group_name)
    return {
        **_resource(stack, "aws_launch_template.proxy_launch_template", user_data=encoded),
        **_notified(stack, "alerts_failures", "alerts", proxy_alerts.FAILED, pattern, None, None),
    }


def _gitlab(deployment: Deployment) -> Texts:
    dev = deployment.dev
    if dev is None or dev.gitlab is None:
        return {}
    built = dev.proxy is not None and dev.proxy.squid is not None
    proxy_url = render.Reference("data.terraform_remote_state.dev_proxy.outputs.url") if built else None
    url = proxy_url or (dev.proxy.url if dev.proxy is not None else None)
    server_conf = gitlab_files.server_conf(
        dev.gitlab,
        region=deployment.region,
        data_volume_id=render.Reference("aws_ebs_volume.data_volume.id", is_word=True),
        backup_bucket=_labels(deployment, "dev").backup_bucket(dev.account.id),
        parameters=gitlab_files.parameters(deployment.name),
        proxy_url=url,
        has_vpc_endpoints=dev.gitlab.existing_network is None,
    )
    files = gitlab_files.server_files(gitlab_files.gitlab_rb(dev.gitlab, dev.proxy, url), server_conf)
    contents = {file.path: render.Reference(f"local.files_{name}") for name, file in files.items()}
    stack = "dev-gitlab"
    return {
        **{f"{stack}: local.files_{name}": template(file.text) for name, file in files.items()},
        **_resource(stack, "aws_instance.gitlab_instance", user_data=template(render.gitlab_cloud_init(contents))),
        **_resource(
            stack,
            "aws_ssm_document.configuration_document",
            content=document_content(gitlab_files.DESCRIPTION, files, contents, gitlab_files.CONFIGURE),
        ),
        **_resource(stack, "aws_ssm_association.configuration_association", schedule_expression=gitlab_files.EVERY),
    }


def _rooms(deployment: Deployment) -> Texts:
    prd = deployment.prd
    if prd is None or prd.codecommit is None or not prd.codecommit.rooms:
        return {}
    return {
        f"prd-codecommit: local.{ROOM_CIDRS}": room_cidrs(prd.codecommit),
        f"prd-codecommit: local.{ROOM_ENDPOINTS}": room_endpoints(prd.codecommit),
    }


def _detection(deployment: Deployment) -> Texts:
    prd = deployment.prd
    if prd is None or prd.codecommit is None or prd.codecommit.detection is None:
        return {}
    settings, stack = prd.codecommit, "prd-codecommit"
    push_cidrs = None
    if (source := deployment.push_stack) is not None:
        push_cidrs = source_addresses(source, f"data.terraform_remote_state.{source.replace('-', '_')}")
    elif settings.push is not None:
        push_cidrs = "var.push_from_cidrs"
    props = detection_props(
        deployment,
        settings,
        _labels(deployment, "prd"),
        prd.account.id,
        push_cidrs=push_cidrs,
        emails=(),
        iam_provider=None,
    )
    asked: Texts = {}

    def named(name: str, value: object) -> str:
        asked[f"{stack}: local.detection_{name}"] = value
        return f"local.detection_{name}"

    for name, selected in git_detection.selections(props, named).items():
        message = CREDENTIALS if name == "credentials" else FROM_ELSEWHERE
        asked |= _notified(stack, f"detection_{name}", "detection", message, selected.pattern, selected.count, STATE)
    if deployment.region != IAM_REGION:
        name, provider = "detection_forwarded_credentials", f"aws.{IAM_REGION.replace('-', '_')}"
        pattern = asked[f"{stack}: {_RULE}.detection_credentials.event_pattern"]
        asked |= _resource(stack, f"{_RULE}.{name}", event_pattern=pattern, provider=provider, state=STATE)
        bus = f"arn:aws:events:{deployment.region}:{prd.account.id}:event-bus/default"
        asked |= _resource(stack, f"{_TARGET}.{name}_to_bus", arn=bus, rule=f"${{{_RULE}.{name}.name}}")
    return asked


def _alerts(deployment: Deployment) -> Texts:
    if deployment.prd is None or deployment.prd.backlog is None:
        return {}
    stack, labels, backlog = "backlog-bridge", bridge_labels(deployment), deployment.prd.backlog
    asked: Texts = {}
    for name, message, pattern in (
        ("failures", build_alerts.FAILED, build_alerts.failures(labels)),
        ("differences", build_alerts.DIFFERING, build_alerts.differences(labels)),
    ):
        asked |= _notified(stack, f"alerts_{name}", "alerts", message, pattern, None, None)
    texts = {"script": render.mirror_program()}
    for key, unit in bridge_units(deployment, backlog).items():
        texts[f"units_{key}"] = unit_config(deployment, backlog, unit)
    for name, text in texts.items():
        asked |= _resource(stack, f"aws_s3_object.program_{name}", content=escaped(text))
    names = hooks(deployment, backlog)
    sent = dict.fromkeys(CONTENT_TYPES, escaped(webhook_templates.request(names)))
    answers = {"accepted": '{"started": true}', "try_again": escaped(webhook_templates.refused(names))}
    for hook in ("hook", "old_hook"):
        asked |= _resource(stack, f"{_SENT}.webhook_{hook}_start_build", request_templates=sent)
        for answer, text in answers.items():
            place = f"{_ANSWERED}.webhook_{hook}_{answer}"
            asked |= _resource(stack, place, response_templates={"application/json": text})
    return asked


def _notified(
    stack: str, name: str, topic: str, message: Message, pattern: str, count: str | None, state: str | None
) -> Texts:
    """A rule, and the target that publishes a message for its events."""
    index = "[count.index]" if count is not None else ""
    return {
        **_resource(stack, f"{_RULE}.{name}", count=count, event_pattern=pattern, state=state),
        **_resource(
            stack,
            f"{_TARGET}.{name}_to_topic",
            arn=f"${{aws_sns_topic.{topic}_topic.arn}}",
            count=count,
            input_transformer={"input_paths": message.paths, "input_template": message.template},
            rule=f"${{{_RULE}.{name}{index}.name}}",
        ),
    }
