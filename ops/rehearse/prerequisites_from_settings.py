"""Derives from a deployment's settings what must exist before it is deployed."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from ops.rehearse.prerequisites import (
    ExistingAddress,
    ExistingCertificate,
    ExistingImage,
    ExistingKey,
    ExistingSubnet,
    ExistingVpc,
    ExistingZone,
    Prerequisites,
)
from settings import Deployment
from settings.backlog import CreatedTargetSettings, mirrors
from settings.codecommit import RepositorySettings

# For networks and addresses of which the deployment gives only ids.
_MADE_UP_VPC = IPv4Network("10.99.0.0/16")
_MADE_UP_ADDRESSES = IPv4Network("203.0.113.0/24")


def prerequisites_of(deployment: Deployment) -> Prerequisites:
    """The networks, addresses, images, keys, zones and certificates that `deployment` names and does not create."""
    vpcs, subnets = [], []
    for vpc, its_subnets in _networks(deployment):
        vpcs.append(vpc)
        subnets += its_subnets
    return Prerequisites(
        region=deployment.region,
        vpcs=tuple(vpcs),
        subnets=tuple(subnets),
        addresses=tuple(_addresses(deployment)),
        images=tuple(_images(deployment)),
        keys=tuple(ExistingKey(arn=arn) for arn in sorted(set(_key_arns(deployment)))),
        zones=tuple(_zones(deployment)),
        certificates=tuple(_certificates(deployment)),
    )


def _networks(deployment: Deployment) -> Iterator[tuple[ExistingVpc, list[ExistingSubnet]]]:
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    if deployment.dev is not None and gitlab is not None and gitlab.existing_network is not None:
        place = gitlab.existing_network
        yield _network(deployment, deployment.dev.account.id, place.vpc_id, place.vpc_cidr, (place.subnet_id,))
    backlog = deployment.prd.backlog if deployment.prd is not None else None
    if deployment.prd is not None and backlog is not None and backlog.vpc is not None:
        yield _network(deployment, deployment.prd.account.id, backlog.vpc.id, _MADE_UP_VPC, backlog.vpc.subnet_ids)


def _network(
    deployment: Deployment, account: str, vpc_id: str, cidr: IPv4Network, subnet_ids: tuple[str, ...]
) -> tuple[ExistingVpc, list[ExistingSubnet]]:
    pieces = cidr.subnets(new_prefix=max(28, cidr.prefixlen))
    subnets = [
        ExistingSubnet(
            account=account,
            subnet_id=subnet_id,
            vpc_id=vpc_id,
            cidr=piece,
            availability_zone=f"{deployment.region}{zone}",
        )
        for subnet_id, piece, zone in zip(subnet_ids, pieces, "acdbefgh", strict=False)
    ]
    return ExistingVpc(account=account, vpc_id=vpc_id, cidr=cidr), subnets


def _addresses(deployment: Deployment) -> Iterator[ExistingAddress]:
    network = deployment.dev.network if deployment.dev is not None else None
    if deployment.dev is None or network is None or network.nat.eip_allocation_ids is None:
        return
    made_up: Iterator[IPv4Address] = _MADE_UP_ADDRESSES.hosts()
    for allocation_id, address in zip(network.nat.eip_allocation_ids.values(), made_up, strict=False):
        yield ExistingAddress(account=deployment.dev.account.id, allocation_id=allocation_id, public_ip=address)


def _images(deployment: Deployment) -> Iterator[ExistingImage]:
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    if deployment.dev is None or gitlab is None:
        return
    yield ExistingImage(
        account=deployment.dev.account.id,
        ami_id=gitlab.ami.id or "ami-0123456789abcdef0",
        name=gitlab.ami.name_pattern.replace("*", "18.0.0"),
        owner=gitlab.ami.owner,
        architecture=gitlab.architecture,
    )


def _zones(deployment: Deployment) -> Iterator[ExistingZone]:
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    if deployment.dev is None or gitlab is None or gitlab.route53_zone_id is None:
        return
    parent = gitlab.host.partition(".")[2]
    yield ExistingZone(account=deployment.dev.account.id, zone_id=gitlab.route53_zone_id, name=parent)


def _certificates(deployment: Deployment) -> Iterator[ExistingCertificate]:
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    if gitlab is not None and gitlab.load_balancer is not None:
        yield ExistingCertificate(arn=gitlab.load_balancer.certificate_arn, domain=gitlab.host)


def _key_arns(deployment: Deployment) -> Iterator[str]:
    if deployment.state.s3 is not None and deployment.state.s3.kms_key_arn is not None:
        yield deployment.state.s3.kms_key_arn
    if deployment.prd is None:
        return
    repositories: list[RepositorySettings] = []
    if deployment.prd.codecommit is not None:
        if deployment.prd.codecommit.credentials.kms_key_arn is not None:
            yield deployment.prd.codecommit.credentials.kms_key_arn
        repositories += [found for found in deployment.prd.codecommit.repositories.values() if found is not None]
    if deployment.prd.backlog is not None:
        targets = [mirror.target for mirror in mirrors(deployment.prd.backlog).values()]
        repositories += [target for target in targets if isinstance(target, CreatedTargetSettings)]
        yield from (
            space.ssh_key_kms_key_arn for space in deployment.prd.backlog.spaces.values() if space.ssh_key_kms_key_arn
        )
    yield from (repository.kms_key_arn for repository in repositories if repository.kms_key_arn)
