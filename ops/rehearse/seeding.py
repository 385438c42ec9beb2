"""Creates a deployment's prerequisites in moto, under the ids that the deployment names."""

import re
from unittest.mock import patch

from moto.acm.models import CertBundle, acm_backends
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.kms.models import kms_backends
from moto.route53.models import route53_backends
from moto.s3.models import s3_backends

from ops.rehearse.prerequisites import Prerequisites
from terraform.arns import Arn

_KEY_ARN = re.compile(r"arn:aws[\w-]*:kms:(?P<region>[\w-]+):(?P<account>\d{12}):key/(?P<id>.+)")


def seed(prerequisites: Prerequisites) -> None:
    """Create every prerequisite. moto makes up ids, so its function for that is replaced while each is created."""
    region = prerequisites.region
    for vpc in prerequisites.vpcs:
        with patch("moto.ec2.models.vpcs.random_vpc_id", return_value=vpc.vpc_id):
            ec2_backends[vpc.account][region].create_vpc(str(vpc.cidr))
    for subnet in prerequisites.subnets:
        with patch("moto.ec2.models.subnets.random_subnet_id", return_value=subnet.subnet_id):
            ec2_backends[subnet.account][region].create_subnet(
                subnet.vpc_id, str(subnet.cidr), availability_zone=subnet.availability_zone
            )
    for address in prerequisites.addresses:
        path = "moto.ec2.models.elastic_ip_addresses.random_eip_allocation_id"
        with patch(path, return_value=address.allocation_id):
            ec2_backends[address.account][region].allocate_address("vpc", str(address.public_ip))
    for image in prerequisites.images:
        backend = ec2_backends[image.account][region]
        backend.amis[image.ami_id] = Ami(
            backend,
            image.ami_id,
            name=image.name,
            owner_id=image.owner,
            architecture=image.architecture,
            virtualization_type="hvm",
            root_device_type="ebs",
            public=True,
            region_name=f"{region}a",
        )
    for key in prerequisites.keys:
        match = _KEY_ARN.fullmatch(key.arn)
        if match is None:
            raise ValueError(f"{key.arn!r} is not the ARN of a KMS key")
        keys = kms_backends[match["account"]][match["region"]]
        with patch("moto.kms.models.generate_key_id", return_value=match["id"]):
            keys.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "exists already", None)
    for zone in prerequisites.zones:
        with patch("moto.route53.models.create_route53_zone_id", return_value=zone.zone_id):
            route53_backends[zone.account]["aws"].create_hosted_zone(zone.name, private_zone=False)
    for certificate in prerequisites.certificates:
        arn = Arn.of(certificate.arn)
        bundle = CertBundle.generate_cert(certificate.domain, arn.account, arn.region)
        bundle.arn = certificate.arn
        acm_backends[arn.account][arn.region]._certificates[certificate.arn] = bundle


def make_bucket(account: str, region: str, name: str) -> None:
    """A versioned bucket, as Terraform's documentation asks for state."""
    s3_backends[account]["aws"].create_bucket(name, region)
    s3_backends[account]["aws"].put_bucket_versioning(name, "Enabled")
