"""The accounts, variables, outputs and repositories that a deployment's Terraform should have."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from errors.shown import shown
from modules.git_detection import IAM_REGION
from modules.labels import MIRRORED_BY, Labels
from settings import Deployment
from settings.backlog import CreatedTargetSettings, mirrors
from settings.codecommit import RepositorySettings
from settings.proxy import PORT
from stacks.asked_arguments import values_at
from stacks.backlog_units import mirroring_units
from stacks.base import PROVIDER_VERSION, TERRAFORM_VERSION
from terraform.references import Configuration

Stacks = Mapping[str, Configuration]
Found = Iterator[tuple[str, str]]
Values = dict[str, object]

_NAMED = re.compile(r"(vpc|subnet|eipalloc)-[0-9a-f]+|arn:aws:(kms|acm):.+")
"""Ids and ARNs of what is there already."""


def problems(deployment: Deployment, stacks: Stacks) -> Found:
    """Every value that is not the one that the deployment file asks for."""
    for check in (_accounts, _variables, _outputs, _repositories, _ways_out, _named):
        yield from check(deployment, stacks)


def _accounts(deployment: Deployment, stacks: Stacks) -> Found:
    for name, stack in stacks.items():
        environment = "dev" if name.startswith("dev-") else "prd"
        part = deployment.dev if environment == "dev" else deployment.prd
        if part is None:
            yield name, f"the deployment file has no {environment}"
            continue
        if (settings := stack.stack.document["terraform"]).get("required_version") != TERRAFORM_VERSION:
            yield f"{name}: terraform.required_version", f"it is not {TERRAFORM_VERSION!r}"
        if settings["required_providers"]["aws"].get("version") != PROVIDER_VERSION:
            yield f"{name}: terraform.required_providers.aws.version", f"it is not {PROVIDER_VERSION!r}"
        labels = Labels(project=deployment.name, environment=environment, owner=deployment.owner)
        role = part.account.assume_role_arn
        asked = {
            "allowed_account_ids": [part.account.id],
            "profile": part.account.profile,
            "assume_role": [{"role_arn": role}] if role is not None else None,
            "default_tags": [{"tags": labels.default_tags(deployment.tags)}],
        }
        for number, provider in enumerate(stack.stack.providers):
            region = deployment.region if provider.get("alias") is None else IAM_REGION
            for argument, value in {"region": region, **asked}.items():
                if provider.get(argument) != value:
                    place = f"{name}: provider.aws[{number}].{argument}"
                    yield place, f"{shown(provider.get(argument))} is not what the deployment file says: {shown(value)}"


def _variables(deployment: Deployment, stacks: Stacks) -> Found:
    """The lists of addresses are compared in `stacks.as_asked`."""
    asked = _asked_variables(deployment)
    for name, stack in stacks.items():
        of_stack = asked.get(name, {})
        for variable, block in stack.stack.variables.items():
            if variable not in of_stack:
                if block.get("type") != "list(string)":
                    yield f"{name}: var.{variable}", "it is not known what the deployment file gives for it"
            elif (default := block.get("default")) != (value := of_stack[variable]):
                what = f"{shown(default)} is not the value of the deployment file: {shown(value)}"
                yield f"{name}: var.{variable}.default", what
        for variable in sorted(of_stack.keys() - stack.stack.variables.keys()):
            yield f"{name}: var.{variable}", "this variable is missing"


def _asked_variables(deployment: Deployment) -> dict[str, Values]:
    asked: dict[str, Values] = {}
    dev, prd = deployment.dev, deployment.prd
    if dev is not None and dev.network is not None:
        asked["dev-network"] = {"flow_log_retention_days": dev.network.flow_log_retention_days}
    if dev is not None and dev.proxy is not None and (squid := dev.proxy.squid) is not None:
        asked["dev-proxy"] = {
            "instance_count": squid.instances,
            "instance_type": squid.instance_type,
            "log_retention_days": squid.log_retention_days,
        }
    if dev is not None and (gitlab := dev.gitlab) is not None:
        ami = {"ami_name_pattern": gitlab.ami.name_pattern} if gitlab.ami.id is None else {"ami_id": gitlab.ami.id}
        hours = gitlab.schedule
        asked["dev-gitlab"] = {
            **ami,
            "instance_type": gitlab.instance_type,
            "termination_protection": gitlab.termination_protection,
            "data_volume_gib": gitlab.data_volume.size_gib,
            "keep_backup_days": gitlab.backups.keep_days,
            "image_retention_count": gitlab.images.keep,
            **({"start_schedule": hours.start, "stop_schedule": hours.stop} if hours is not None else {}),
        }
    if prd is not None and prd.codecommit is not None and (detection := prd.codecommit.detection) is not None:
        kept = detection.trail_retention_days
        asked["prd-codecommit"] = {"trail_retention_days": kept} if kept is not None else {}
    if prd is not None and (backlog := prd.backlog) is not None:
        asked["backlog-bridge"] = {
            "reconcile_schedule": backlog.reconcile,
            "build_timeout_minutes": backlog.build_timeout_minutes,
            "log_retention_days": backlog.log_retention_days,
            "silent_hours": backlog.alerts.silent_hours,
            **({"cache_retention_days": backlog.cache.expiration_days} if backlog.cache.mode == "s3" else {}),
        }
    return asked


def _outputs(deployment: Deployment, stacks: Stacks) -> Found:
    """What other stacks read, where the promises do not look: the way to the proxy, and the network's parts."""
    network = deployment.dev.network if deployment.dev is not None else None
    zones, with_nat = (network.zones, network.nat_zones()) if network is not None else ((), ())
    address = "data.aws_eip" if network is not None and network.nat.eip_allocation_ids is not None else "aws_eip"
    asked: dict[tuple[str, str], object] = {
        ("dev-proxy", "url"): f"http://${{aws_lb.proxy_load_balancer.dns_name}}:{PORT}",
        ("dev-network", "vpc_id"): "${aws_vpc.network_vpc.id}",
        ("dev-network", "vpc_cidr"): "${aws_vpc.network_vpc.cidr_block}",
        ("dev-network", "s3_prefix_list_id"): "${aws_vpc_endpoint.endpoints_s3.prefix_list_id}",
        **{
            ("dev-network", f"{side}_subnet_ids"): {zone: f"${{aws_subnet.network_{side}_{zone}.id}}" for zone in zones}
            for side in ("public", "private")
        },
        ("dev-network", "nat_public_ips"): {
            zone: f"${{{address}.network_nat_{zone}_address.public_ip}}" for zone in with_nat
        },
        ("dev-gitlab", "public_ip"): "${aws_eip.gitlab_address.public_ip}",
    }
    for (name, output), value in asked.items():
        if name in stacks and (written := stacks[name].stack.outputs.get(output, {}).get("value")) != value:
            yield f"{name}: output.{output}", f"{shown(written)} is not what other stacks read it for: {shown(value)}"


def _repositories(deployment: Deployment, stacks: Stacks) -> Found:
    """Repositories, each with its key, its protection and the tags by which policies name it."""
    asked, mirrored_by = _asked_repositories(deployment), mirroring_units(deployment)
    for name, stack in stacks.items():
        for resource, written in stack.resources("aws_codecommit_repository").items():
            place, repository = f"{name}: aws_codecommit_repository.{resource}", str(written["repository_name"])
            if (name, repository) not in asked:
                yield f"{place}.repository_name", f"{repository!r} is no repository of the deployment file"
                continue
            key, is_protected = asked.pop((name, repository))
            if (encrypted_by := written.get("kms_key_id")) != key:
                what = f"{shown(encrypted_by)} encrypts it, and the deployment file says {shown(key)}"
                yield f"{place}.kms_key_id", what
            if values_at(written, "lifecycle.prevent_destroy") != [True if is_protected else None]:
                what = f"deletion_protected is {str(is_protected).lower()} in the deployment file"
                yield f"{place}.lifecycle.prevent_destroy", what
            tags = {MIRRORED_BY: mirrored_by[repository]} if repository in mirrored_by else None
            if written.get("tags") != tags:
                yield (
                    f"{place}.tags",
                    f"{shown(written.get('tags'))} is not what the deployment file says: {shown(tags)}",
                )
    for name, repository in asked:
        yield f"{name}: aws_codecommit_repository", f"{repository!r} of the deployment file is missing"


def _asked_repositories(deployment: Deployment) -> dict[tuple[str, str], tuple[str | None, bool]]:
    """The key of each repository and whether it is protected, by stack and name."""
    prd = deployment.prd
    asked: dict[tuple[str, str], tuple[str | None, bool]] = {}
    if prd is not None and (codecommit := prd.codecommit) is not None:
        for key, repository in codecommit.repositories.items():
            kms_key_arn = (repository or RepositorySettings()).kms_key_arn
            asked["prd-codecommit", key] = (kms_key_arn, codecommit.deletion_protected)
    if prd is not None and (backlog := prd.backlog) is not None:
        for mirror in mirrors(backlog).values():
            if isinstance(target := mirror.target, CreatedTargetSettings):
                asked["backlog-bridge", target.create] = (target.kms_key_arn, backlog.deletion_protected)
    return asked


def _ways_out(deployment: Deployment, stacks: Stacks) -> Found:
    """Where there is a proxy, GitLab has no other way out than the VPC and the proxy."""
    dev = deployment.dev
    if dev is None or dev.gitlab is None or dev.proxy is None:
        return
    existing = dev.gitlab.existing_network
    vpc = (
        str(existing.vpc_cidr)
        if existing is not None
        else "${data.terraform_remote_state.dev_network.outputs.vpc_cidr}"
    )
    proxy = f"${{toset({json.dumps([str(cidr) for cidr in dev.proxy.cidrs])})}}"
    for rule, written in stacks["dev-gitlab"].resources("aws_vpc_security_group_egress_rule").items():
        to, each = written.get("cidr_ipv4"), written.get("for_each")
        if (to, each) not in {(None, None), (vpc, None), ("${each.value}", proxy)}:
            place = f"dev-gitlab: aws_vpc_security_group_egress_rule.{rule}"
            yield place, f"{shown(each or to)} is neither the VPC nor the proxy of the deployment file"


def _named(deployment: Deployment, stacks: Stacks) -> Found:
    """What is there already is named by the deployment file."""
    named = set(_texts(deployment.model_dump(mode="json")))
    for name, stack in stacks.items():
        blocks = [*stack.stack.resources(), *((f"data.{kind}", *rest) for kind, *rest in stack.stack.data())]
        for kind, resource, arguments in blocks:
            if kind != "data.aws_iam_policy_document":
                for text in _texts(arguments):
                    if _NAMED.fullmatch(text) and text not in named:
                        yield f"{name}: {kind}.{resource}", f"{text!r} is not in the deployment file"


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from _texts(item)
