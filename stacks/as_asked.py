"""Compares finished Terraform with the deployment file: its lists, where its states are kept, and who is notified.

The facts in the Terraform cannot show what a module left out or an override changed, because they lie beside it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from ipaddress import IPv4Network

from errors import Problem
from errors.shown import shown
from modules.git_detection import IAM_REGION
from modules.policies.builds import EVENT_SOURCE
from settings import Deployment
from settings.place import STATE_FOLDER
from stacks import asked_arguments, asked_inventory, asked_texts, asked_values, backlog_moves
from stacks.backlog_units import bridge_units, unit_buildspec, unit_fact
from stacks.variables import Apart, list_checks
from terraform import facts
from terraform.facts import AddressList, MirrorUnit
from terraform.output import Json, StateLocation, objects
from terraform.references import Configuration
from terraform.templates import escaped
from terraform.unreadable import refused_at

_ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

_DETECTED = {
    "GitPush": "aws.codecommit",
    "GitPull": "aws.codecommit",
    "CreateServiceSpecificCredential": "aws.iam",
    "UploadSSHPublicKey": "aws.iam",
    "PutUserPolicy": "aws.iam",
    "CreatePolicyVersion": "aws.iam",
}
"""Events that detection is about, one of each kind, with their sources."""

_HINT = "remove the override that changes it, or correct the module that leaves it out"

Stacks = Mapping[str, Configuration]


def problems(deployment: Deployment, stacks: Stacks) -> Iterator[Problem]:
    """Everything in the finished Terraform, by stack, that is not as the deployment file asks for."""
    told: set[str] = set()
    for about, check in _CHECKS.items():
        with refused_at(f"cdk.tf.json: {about}"):
            for where, what in check(deployment, stacks):
                told.add(where)
                yield Problem(where=where, what=what, hint=_HINT)
    with refused_at("cdk.tf.json: resources and variables"):
        for where, what in asked_inventory.problems(deployment, stacks):
            if not any(where.startswith(one) or one.startswith(where) for one in told):
                yield Problem(where=where, what=what, hint=_HINT)


Found = Iterator[tuple[str, str]]


def _lists(deployment: Deployment, stacks: Stacks) -> Found:
    lists = _asked_lists(deployment)
    for name, configuration in stacks.items():
        for variable, block in configuration.stack.variables.items():
            if block.get("type") == "list(string)" and (name, variable) not in lists:
                yield f"{name}: var.{variable}", "it is not known which networks the deployment file gives for it"
    for (stack, variable), (networks, reason) in lists.items():
        place = f"{stack}: var.{variable}"
        written = stacks[stack].variables.get(variable, {}).get("default", [])
        if sorted(written) != sorted(map(str, networks)):
            listed = ", ".join(map(str, networks)) or "none"
            yield place, f"{written!r} are not the networks of the deployment file: {listed}"
        if (declared := stacks[stack].variables.get(variable)) is not None:
            asked = [f"${{{condition}}}" for condition, _ in _checks(deployment, stack, variable, reason)]
            written = [check.get("condition") for check in objects(declared.get("validation"))]
            if written != asked or declared.get("nullable") is not False:
                yield f"{place}.validation", "it takes other networks than the deployment file would"
        for fact in facts.read(stack, stacks[stack].stack.document):
            if isinstance(fact, AddressList) and fact.variable == variable and fact.open_because != reason:
                yield place, f"{fact.open_because!r} is not the deployment file's reason for an open list: {reason!r}"


def _asked_lists(deployment: Deployment) -> dict[tuple[str, str], tuple[tuple[IPv4Network, ...], str | None]]:
    """The networks of the deployment file, and why they may be open, by stack and variable."""
    asked: dict[tuple[str, str], tuple[tuple[IPv4Network, ...], str | None]] = {}
    dev, prd = deployment.dev, deployment.prd
    if dev is not None and (gitlab := dev.gitlab) is not None:
        asked["dev-gitlab", "work_terminal_cidrs"] = (gitlab.work_terminal_cidrs, gitlab.open_to_the_world_because)
    if prd is not None and (codecommit := prd.codecommit) is not None:
        rooms = {f"room_{name}": room for name, room in codecommit.rooms.items()}
        for name, place in {"push": codecommit.push, "pull": codecommit.pull, **rooms}.items():
            networks, reason = (
                (place.from_cidrs, place.open_to_the_world_because) if place is not None else (None, None)
            )
            asked["prd-codecommit", f"{name}_from_cidrs"] = (networks or (), reason)
    if prd is not None and prd.backlog is not None:
        webhook = prd.backlog.webhook
        asked["backlog-bridge", "webhook_sender_cidrs"] = (webhook.sender_cidrs, webhook.open_to_the_world_because)
    return asked


def _checks(deployment: Deployment, stack: str, variable: str, reason: str | None) -> list[tuple[str, str]]:
    """The conditions of a list's variable, as `stacks.operations_variables` declares it."""
    apart: list[IPv4Network] = []
    if stack == "dev-gitlab":
        apart = deployment.room_networks
    elif stack == "prd-codecommit" and variable != "push_from_cidrs":
        apart = deployment.work_terminals
    fact = AddressList(variable=variable, use="room", open_because=reason)
    return list_checks(fact, public=stack != "dev-gitlab", apart=Apart(networks=apart, otherwise="", elsewhere=""))


def _states(deployment: Deployment, stacks: Stacks) -> Found:
    s3 = deployment.state.s3
    kept = {
        name: f"s3://{s3.bucket}/{s3.key_prefix}/{name}.tfstate"
        if s3 is not None
        else f"../../../{STATE_FOLDER}/{deployment.name}/{name}.tfstate"
        for name in stacks
    }
    for name, stack in stacks.items():
        own, *read = stack.stack.states
        if str(own) != kept[name] or not _is_in(own, deployment) or not _is_written_as_asked(own, deployment):
            yield f"{name}: terraform.backend", f"{own} is not where the deployment file keeps the state: {kept[name]}"
        for other in read:
            if str(other) not in kept.values() or not _is_in(other, deployment):
                yield f"{name}: data.terraform_remote_state", f"{other} is not the state of a stack of this deployment"


def _is_in(state: StateLocation, deployment: Deployment) -> bool:
    """Whether a state's backend has the type, the region and the role of the settings."""
    s3 = deployment.state.s3
    if s3 is None:
        return state.backend == "local"
    roles = state.settings.get("assume_role") or {}
    return (
        state.backend == "s3"
        and state.settings.get("region") == s3.region
        and state.settings.get("profile") == s3.profile
        and roles.get("role_arn") == s3.assume_role_arn
    )


def _is_written_as_asked(state: StateLocation, deployment: Deployment) -> bool:
    """Whether a stack's own state is encrypted and locked as the settings say."""
    s3 = deployment.state.s3
    return s3 is None or (
        state.settings.get("encrypt") is True
        and state.settings.get("kms_key_id") == s3.kms_key_arn
        and state.settings.get("use_lockfile") == (s3.use_lockfile or None)
    )


def _subscriptions(deployment: Deployment, stacks: Stacks) -> Found:
    dev, prd = deployment.dev, deployment.prd
    asked: dict[str, tuple[str, ...]] = dict.fromkeys(stacks, ())
    if dev is not None and dev.proxy is not None and dev.proxy.squid is not None:
        asked["dev-proxy"] = dev.proxy.squid.alerts.emails
    if prd is not None and prd.codecommit is not None and prd.codecommit.detection is not None:
        asked["prd-codecommit"] = prd.codecommit.detection.emails
    if prd is not None and prd.backlog is not None:
        asked["backlog-bridge"] = prd.backlog.alerts.emails
    for name, stack in stacks.items():
        written = [one["endpoint"] for one in stack.resources("aws_sns_topic_subscription").values()]
        if sorted(written) != sorted(asked[name]):
            what = f"{', '.join(written) or 'nobody'} instead of {', '.join(asked[name]) or 'nobody'} is notified"
            yield f"{name}: aws_sns_topic_subscription", what


def _rules(_: Deployment, stacks: Stacks) -> Found:
    """An event rule selects something, and what it selects goes somewhere."""
    for name, stack in stacks.items():
        with_target = {
            stack.resource_of(target["rule"].replace("[count.index]", ""), "aws_cloudwatch_event_rule")
            for target in stack.resources("aws_cloudwatch_event_target").values()
        }
        for rule, arguments in stack.resources("aws_cloudwatch_event_rule").items():
            place = f"{name}: aws_cloudwatch_event_rule.{rule}"
            if not (pattern := _pattern(stack, arguments)).get("source") or not pattern.get("detail"):
                yield place, f"{arguments.get('event_pattern')!r} selects no event of one service"
            if rule not in with_target:
                yield place, "no target gets the events, so nobody is notified"


def _pattern(stack: Configuration, rule: Json) -> Json:
    """A rule's pattern, with a text for addresses that only a plan will tell; empty where it is no JSON."""
    try:
        pattern = json.loads(stack.known(rule.get("event_pattern"), lambda _: '"address"') or "{}")
    except ValueError:
        return {}
    return pattern if isinstance(pattern, dict) else {}


def _detection(deployment: Deployment, stacks: Stacks) -> Found:
    codecommit = deployment.prd.codecommit if deployment.prd is not None else None
    if codecommit is None or codecommit.detection is None:
        return
    stack, place = stacks["prd-codecommit"], "prd-codecommit: aws_cloudwatch_event_rule"
    if codecommit.detection.trail_retention_days is not None and not stack.resources("aws_cloudtrail"):
        yield "prd-codecommit: aws_cloudtrail", "no trail is made, and EventBridge gets no event without one"
    rules = stack.resources("aws_cloudwatch_event_rule").values()
    for event, source in _DETECTED.items():
        regions = {deployment.region, IAM_REGION} if source == "aws.iam" else {deployment.region}
        for region in sorted(regions):
            if not any(_selects(stack, rule, event, source, region) for rule in rules):
                yield place, f"no rule in {region} selects every {event}, so nobody is notified of one"


def _selects(stack: Configuration, rule: Json, event: str, source: str, region: str) -> bool:
    if rule.get("state") != _ALL_EVENTS or stack.stack.place(rule).get("region") != region:
        return False
    pattern = _pattern(stack, rule)
    detail = pattern.get("detail") or {}
    one_of = detail.get("$or", ()) if "eventName" not in detail else (detail,)
    known = {"$or", "eventName", "eventSource", "requestParameters", "sourceIPAddress", "vpcEndpointId"}
    return (
        pattern.keys() == {"source", "detail-type", "detail"}
        and pattern["source"] == [source]
        and detail.get("eventSource") == [f"{source.removeprefix('aws.')}.amazonaws.com"]
        and not detail.keys() - known
        and any(event in one["eventName"] for one in one_of)
    )


def _alarms(deployment: Deployment, stacks: Stacks) -> Found:
    if deployment.prd is None or deployment.prd.backlog is None:
        return
    stack = stacks["backlog-bridge"]
    alarms = stack.resources("aws_cloudwatch_metric_alarm").values()
    for metric, missing in (("OldestInequality", "ignore"), ("Reconciled", "breaching")):
        watched = {
            alarm["dimensions"].get("Unit")
            for alarm in alarms
            if alarm.get("alarm_actions")
            and (alarm["metric_name"], alarm.get("treat_missing_data")) == (metric, missing)
        }
        for unit in bridge_units(deployment, deployment.prd.backlog).values():
            if unit.name not in watched:
                yield "backlog-bridge: aws_cloudwatch_metric_alarm", f"none notifies anybody of {metric} of {unit.name}"
    rules = stack.resources("aws_cloudwatch_event_rule").values()
    for source, what in (("aws.codebuild", "failed builds"), (EVENT_SOURCE, "mirrors that differ")):
        if not any(_pattern(stack, rule).get("source") == [source] and _is_on(rule) for rule in rules):
            place = "backlog-bridge: aws_cloudwatch_event_rule"
            yield place, f"no rule selects {what}, so nobody is notified of one"


def _buildspecs(deployment: Deployment, stacks: Stacks) -> Found:
    """Builds run the buildspecs of our templates, one for each unit of mirrors of the deployment file."""
    asked = set()
    if deployment.prd is not None and (backlog := deployment.prd.backlog) is not None:
        units = bridge_units(deployment, backlog).values()
        asked = {escaped(unit_buildspec(deployment, backlog, unit)) for unit in units}
    for name, stack in stacks.items():
        for project, arguments in stack.resources("aws_codebuild_project").items():
            if {source.get("buildspec") for source in objects(arguments["source"])} - asked:
                what = "this is no buildspec of mirrors in the deployment file, as buildspec/ renders it"
                yield f"{name}: aws_codebuild_project.{project}.source.buildspec", what


def _units(deployment: Deployment, stacks: Stacks) -> Found:
    """The promises and `main.py access` take from a unit's fact what its build mirrors into and uses."""
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    units = bridge_units(deployment, backlog) if backlog is not None else {}
    asked = {unit.name: unit for unit in units.values()}
    for name, stack in stacks.items():
        builds = stack.resources("aws_codebuild_project")
        for fact in facts.read(name, stack.stack.document):
            if not isinstance(fact, MirrorUnit):
                continue
            place, unit = f"{name}: {facts.PLACE}: {fact.unit}", asked.pop(fact.unit, None)
            if backlog is None or unit is None:
                yield place, "the deployment file has no such unit"
                continue
            wanted = asdict(unit_fact(deployment, backlog, unit, fact.build))
            for what, written in asdict(fact).items():
                if written != wanted[what]:
                    yield place, f"its {what} is {shown(written)} instead of {shown(wanted[what])}"
            if builds[fact.build]["name"] != fact.unit:
                yield place, f"its build is {builds[fact.build]['name']}, which is another unit's"
    for called in asked:
        yield f"backlog-bridge: {facts.PLACE}", f"no fact says what {called} mirrors into and uses"


def _moves(deployment: Deployment, stacks: Stacks) -> Found:
    """What is moved in a state, or leaves it: nothing but what the bridge's `isolation` may have changed."""
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    for name, stack in stacks.items():
        asked = backlog_moves.blocks(backlog) if backlog is not None and name == "backlog-bridge" else {}
        for kind in ("moved", "removed", "import"):
            if (written := stack.stack.document.get(kind)) != asked.get(kind):
                yield f"{name}: {kind}", f"{shown(written)} is not what the deployment file asks for"


def _is_on(rule: Json) -> bool:
    return rule.get("state") in (None, "ENABLED", _ALL_EVENTS)


_CHECKS: dict[str, Callable[[Deployment, Stacks], Found]] = {
    "var and its facts": _lists,
    "terraform.backend and data.terraform_remote_state": _states,
    "aws_sns_topic_subscription": _subscriptions,
    "aws_cloudwatch_event_rule and aws_cloudwatch_event_target": _rules,
    "aws_cloudtrail and aws_cloudwatch_event_rule": _detection,
    "aws_cloudwatch_metric_alarm and aws_cloudwatch_event_rule": _alarms,
    "aws_codebuild_project": _buildspecs,
    "units and their targets": _units,
    "moved, removed and import": _moves,
    "programs, event patterns and messages": asked_texts.problems,
    "accounts, variables, outputs and repositories": asked_values.problems,
    "protections, schedules, retention and alarms": asked_arguments.problems,
}
"""What is compared, by what it reads."""
