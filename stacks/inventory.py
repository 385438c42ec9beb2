"""What the names in inventory.json stand for in a deployment: its zones, mirrors and users, and what each one has."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from buildspec import render
from modules.git_detection import IAM_REGION
from modules.labels import MIRRORED_BY, Labels
from settings import Deployment
from settings.backlog import BacklogSettings, CreatedTargetSettings, mirrors
from settings.codecommit import CodeCommitSettings
from settings.gitlab import GitlabSettings
from settings.network import NetworkSettings
from settings.types import architecture
from stacks.backlog_moves import OTHER, SCOPES, kept
from stacks.backlog_units import (
    PROGRAM_KEY,
    BridgeUnit,
    bridge_units,
    mirroring_units,
    program_bucket,
    unit_buildspec,
    unit_config,
)
from terraform.templates import escaped

Values = dict[str, Any]
Lists = dict[str, Sequence[Mapping[str, Any]]]

_HOOKS = {
    "hook": "${aws_api_gateway_resource.webhook_hooks.id}",
    "old_hook": "${aws_api_gateway_rest_api.webhook_api.root_resource_id}",
}
"""The resources above the methods that start builds, at the path of today and of before."""

_DEPLOYED = {
    "resource.webhook_{}_resource": ("id", "path_part"),
    "method.webhook_{}_post": ("authorization", "request_parameters"),
    "integration.webhook_{}_start_build": (
        "uri",
        "credentials",
        "request_parameters",
        "request_templates",
        "passthrough_behavior",
    ),
    "integration_response.webhook_{}_accepted": ("status_code", "selection_pattern", "response_templates"),
    "integration_response.webhook_{}_try_again": ("status_code", "selection_pattern", "response_templates"),
}
"""What a new deployment of the API is made for, of each method."""


def terraform_name(written: str) -> str:
    """A part of a resource's name, as `BaseStack` writes it."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", written)


def values(deployment: Deployment, stack: str) -> tuple[Values, Lists]:
    """What each name in `stack` stands for, and what it stands for by turns. A condition that holds is a name too."""
    part = deployment.dev if stack.startswith("dev-") else deployment.prd
    common: Values = {"region": deployment.region, "account": part.account.id if part is not None else ""}
    found: Values = {}
    lists: Lists = {}
    dev, prd = deployment.dev, deployment.prd
    if stack == "dev-network" and dev is not None and dev.network is not None:
        found, lists = _network(dev.network)
    elif stack == "dev-proxy" and dev is not None and dev.network is not None and dev.proxy is not None:
        found = {"network_cidr": str(dev.network.cidr)}
        if dev.proxy.squid is not None:
            found["proxy_architecture"] = architecture(dev.proxy.squid.instance_type)
            lists = {"alerted": _each("alerted", dev.proxy.squid.alerts.emails)}
    elif stack == "dev-gitlab" and dev is not None and dev.gitlab is not None:
        found, lists = _gitlab(deployment, dev.gitlab), {"action": _each("action", ("start", "stop"))}
    elif stack == "prd-codecommit" and prd is not None and prd.codecommit is not None:
        found, lists = _codecommit(deployment, prd.codecommit)
    elif stack == "backlog-bridge" and prd is not None and prd.backlog is not None:
        found, lists = _backlog(deployment, prd.backlog)
    return common | found, lists


def _each(name: str, written: Iterable[str]) -> list[Values]:
    return [{name: terraform_name(one), "written": one} for one in written]


def _conditions(**holds: bool) -> Values:
    """Each condition by its name if it holds, and by `no_` and its name if it does not."""
    return {name if value else f"no_{name}": True for name, value in holds.items()}


def _protected(is_protected: bool) -> dict[str, bool] | None:
    return {"prevent_destroy": True} if is_protected else None


def _mirrored(unit: str | None) -> dict[str, str] | None:
    return {MIRRORED_BY: unit} if unit is not None else None


def _network(settings: NetworkSettings) -> tuple[Values, Lists]:
    given, with_nat = settings.nat.eip_allocation_ids, settings.nat_zones()
    subnets = settings.subnets()
    lists: Lists = {
        "zone": [
            {
                "zone": zone,
                "zone_nat": zone if zone in with_nat else with_nat[0],
                "public_cidr": str(cidrs.public_cidr),
                "private_cidr": str(cidrs.private_cidr),
            }
            for zone, cidrs in subnets.items()
        ],
        "nat": [
            {
                "nat": zone,
                "allocation_id": given[zone] if given is not None else None,
                "nat_address": f"${{data.aws_eip.network_nat_{zone}_address.id}}"
                if given is not None
                else f"${{aws_eip.network_nat_{zone}_address.allocation_id}}",
            }
            for zone in with_nat
        ],
        "client": [
            {"client": f"{side}_{zone}", "client_cidr": str(cidr)}
            for zone, cidrs in subnets.items()
            for side, cidr in (("public", cidrs.public_cidr), ("private", cidrs.private_cidr))
        ],
    }
    tables = ["public", *(f"private_{zone}" for zone in subnets)]
    found = {
        "network_cidr": str(settings.cidr),
        "private_subnets": [f"${{aws_subnet.network_private_{zone}.id}}" for zone in subnets],
        "route_tables": [f"${{aws_route_table.network_{table}_route_table.id}}" for table in tables],
        **_conditions(nat_given=given is not None),
    }
    return found, lists


def _gitlab(deployment: Deployment, settings: GitlabSettings) -> Values:
    dev, existing = deployment.dev, settings.existing_network
    proxy = dev.proxy if dev is not None else None
    network = "data.terraform_remote_state.dev_network.outputs"
    place: Values
    if existing is not None:
        place = {
            "vpc_id": existing.vpc_id,
            "vpc_cidr": str(existing.vpc_cidr),
            "subnet_id": existing.subnet_id,
            "availability_zone": "${data.aws_subnet.subnet.availability_zone}",
        }
    else:
        zone = settings.zone or (next(iter(dev.network.zones)) if dev is not None and dev.network is not None else "")
        place = {
            "vpc_id": f"${{{network}.vpc_id}}",
            "vpc_cidr": f"${{{network}.vpc_cidr}}",
            "subnet_id": f'${{{network}.public_subnet_ids["{zone}"]}}',
            "availability_zone": f"{deployment.region}{zone}",
        }
    return {
        **place,
        "image": "${var.ami_id}" if settings.ami.id is not None else "${data.aws_ami.gitlab_newest_image.id}",
        "server_tags": Labels(project=deployment.name, environment="dev", owner=deployment.owner).named("gitlab"),
        "images_at": settings.images.at_utc,
        "gitlab_lifecycle": _protected(settings.deletion_protected),
        "gitlab_force_destroy": None if settings.deletion_protected else True,
        "certificate_arn": settings.load_balancer.certificate_arn if settings.load_balancer is not None else None,
        "proxy_cidrs": f"${{toset({json.dumps([str(cidr) for cidr in proxy.cidrs])})}}" if proxy is not None else None,
        "proxy_port": proxy.port if proxy is not None else None,
        **_conditions(
            load_balancer=settings.load_balancer is not None,
            route53=settings.route53_zone_id is not None,
            power_schedule=settings.schedule is not None,
            ami_id=settings.ami.id is not None,
            existing_network=existing is not None,
            own_network=existing is None,
            proxy=proxy is not None,
            proxy_cidrs_given=proxy is not None and bool(proxy.cidrs),
        ),
    }


def _codecommit(deployment: Deployment, settings: CodeCommitSettings) -> tuple[Values, Lists]:
    detection, filled_by = settings.detection, mirroring_units(deployment)
    users = [
        *(["pull_user"] if settings.pull is not None else []),
        *(["push_user"] if settings.push is not None or deployment.push_stack is not None else []),
        *(f"rooms_{name}" for name in settings.rooms),
    ]
    rooms = {f"room_{name}": room for name, room in settings.rooms.items()}
    places = {"push": settings.push, "pull": settings.pull, **rooms}
    given = [name for name, place in places.items() if place is not None and place.from_cidrs is not None]
    lists: Lists = {
        "user": _each("user", users),
        "repository": [
            {"repository": terraform_name(name), "repository_tags": _mirrored(filled_by.get(name))}
            for name in settings.repositories
        ],
        "detected": _each("detected", detection.emails if detection is not None else ()),
        "watched": _each("watched", ("pushes", "pulls")),
        "list": _each("list", given),
    }
    found = {
        "codecommit_lifecycle": _protected(settings.deletion_protected),
        "codecommit_force_destroy": None if settings.deletion_protected else True,
        **_conditions(
            detection=detection is not None,
            forwarding=detection is not None and deployment.region != IAM_REGION,
            trail=detection is not None and detection.trail_retention_days is not None,
        ),
    }
    return found, lists


def _backlog(deployment: Deployment, settings: BacklogSettings) -> tuple[Values, Lists]:
    subnets = settings.vpc.subnet_ids if settings.vpc is not None else ()
    targets = [one.target for one in mirrors(settings).values()]
    units = bridge_units(deployment, settings)
    filled_by = mirroring_units(deployment)
    lists: Lists = {
        "scope": [{"scope": SCOPES[settings.isolation]}],
        "unit": [
            {"unit": terraform_name(key), "written": key, **_unit(deployment, settings, unit)}
            for key, unit in units.items()
        ],
        "gone": [{"gone": SCOPES[OTHER[settings.isolation]]}],
        "kept": _each("kept", kept(settings)),
        "hook": [{"hook": name, "parent": parent} for name, parent in _HOOKS.items()],
        "created": [
            {"created": terraform_name(one.create), "filled_by": filled_by[one.create]}
            for one in targets
            if isinstance(one, CreatedTargetSettings)
        ],
        "alerted": _each("alerted", settings.alerts.emails),
        "subnet": [{"subnet": terraform_name(one.replace("-", "_")), "subnet_id": one} for one in subnets],
    }
    last = [f"aws_api_gateway_integration_response.webhook_{hook}_try_again" for hook in _HOOKS]
    deployed = [
        f"aws_api_gateway_{block.format(hook)}.{attribute}"
        for hook in _HOOKS
        for block, attributes in _DEPLOYED.items()
        for attribute in attributes
    ]
    found = {
        "build_vpc": settings.vpc.id if settings.vpc is not None else None,
        "backlog_lifecycle": _protected(settings.deletion_protected),
        "webhook_depends_on": ["aws_api_gateway_rest_api_policy.webhook_senders", *last],
        "methods": ", ".join(deployed),
        "is_efs": settings.cache.mode == "efs",
        "scope": SCOPES[settings.isolation],
        "program_bucket": program_bucket(deployment),
        "program_key": PROGRAM_KEY,
        "program_digest": _etag(render.mirror_program()),
        **_conditions(
            efs=settings.cache.mode == "efs",
            s3=settings.cache.mode == "s3",
            vpc=settings.vpc is not None,
            shared=settings.isolation == "space",
        ),
    }
    return found, lists


def _etag(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _unit(deployment: Deployment, settings: BacklogSettings, unit: BridgeUnit) -> Values:
    """What a unit's build runs, and what depends on the network and the cache of its build."""
    is_efs, vpc, name = settings.cache.mode == "efs", settings.vpc, terraform_name(unit.key)
    groups = ["build_security_group", *([f"caches_{name}_clients"] if is_efs else [])]
    subnets = [subnet.replace("-", "_") for subnet in vpc.subnet_ids] if vpc is not None and is_efs else []
    roles = ["role", *(["mirror_role"] if unit.builds_assume else [])]
    return {
        "build_name": unit.name,
        "state_parameter": unit.state_parameter,
        "config_key": unit.config_key,
        "config_digest": _etag(unit_config(deployment, settings, unit)),
        "buildspec": escaped(unit_buildspec(deployment, settings, unit)),
        "build_depends_on": [
            *(f"aws_iam_role_policy.{SCOPES[settings.isolation]}_{name}_{role}_policy" for role in roles),
            "aws_s3_object.program_script",
            f"aws_s3_object.program_units_{name}",
            *(f"aws_efs_mount_target.caches_{name}_mount_target_{subnet}" for subnet in subnets),
            *([f"aws_efs_file_system_policy.caches_{name}_policy"] if is_efs else []),
        ],
        "cache": {"type": "S3", "location": f"${{aws_s3_bucket.cache_bucket.bucket}}/{unit.key}"}
        if settings.cache.mode == "s3"
        else None,
        "file_systems": [
            {
                "type": "EFS",
                "identifier": "CACHE",
                "location": f"${{aws_efs_file_system.caches_{name}_file_system.dns_name}}:/",
                "mount_point": "/mnt/cache",
            }
        ]
        if is_efs
        else None,
        "vpc_config": {
            "vpc_id": vpc.id,
            "subnets": list(vpc.subnet_ids),
            "security_group_ids": [f"${{aws_security_group.{group}.id}}" for group in groups],
        }
        if vpc is not None
        else None,
    }
