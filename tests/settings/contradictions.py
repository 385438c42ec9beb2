"""Changes of the whole file that make two settings contradict each other, with their errors."""

from tests.settings.whole_file import (
    ED25519,
    KMS_KEY,
    Change,
)

Contradiction = tuple[Change, str, str, str]
"""The changes of the whole file, and the path, problem and hint of the error, which is on the change's last line."""


OTHER_KEY = "1234abcd-12ab-34cd-86ef-1234567890ab"


_MIRRORS = "prd.backlog.repositories"


_ZONE_C = "c: { public_cidr: 10.10.1.0/24, private_cidr: 10.10.11.0/24 }"


ACCOUNTS: list[Contradiction] = [
    (
        ("iam::111111111111:role/kakehashi-deploy", "iam::222222222222:role/kakehashi-deploy"),
        "dev.account.assume_role_arn",
        "'arn:aws:iam::222222222222:role/kakehashi-deploy' is a role of another account than '111111111111'",
        "name a role of this account: Terraform refuses to work with any other's credentials",
    ),
    (
        ("ap-northeast-1:333333333333:key", "eu-west-1:333333333333:key"),
        "state.s3.kms_key_arn",
        f"'arn:aws:kms:eu-west-1:333333333333:key/{OTHER_KEY}' is a key of eu-west-1, "
        "the state's bucket is in ap-northeast-1",
        "name a key of ap-northeast-1",
    ),
    (
        (
            "    kms_key_arn: arn:aws:kms:ap-northeast-1:333333333333",
            "    assume_role_arn: arn:aws:iam::333333333333:role/state\n"
            "    kms_key_arn: arn:aws:kms:ap-northeast-1:999999999999",
        ),
        "state.s3.kms_key_arn",
        f"'arn:aws:kms:ap-northeast-1:999999999999:key/{OTHER_KEY}' is a key of account 999999999999, "
        "the state's role is of account 333333333333",
        "name a role and a key of the state's own account, or of one of the two accounts",
    ),
]


TAGS: list[Contradiction] = [
    (('cost-center: "4711"', f"{tag}: x"), f"tags.{tag}", f"'{tag}' is a tag that the labels set", "choose another key")
    for tag in ("project", "environment", "owner", "managed-by", "Owner", "Name")
] + [
    (
        ('cost-center: "4711"', 'cost-center: "4711"\n  Cost-Center: x'),
        "tags.Cost-Center",
        "'Cost-Center' differs from 'cost-center' in upper and lower case only",
        "IAM ignores case in tag keys: rename or remove one",
    )
]


NETWORK: list[Contradiction] = [
    (
        (_ZONE_C, "c: { public_cidr: 10.11.1.0/24, private_cidr: 10.10.11.0/24 }"),
        "dev.network.zones.c.public_cidr",
        "'10.11.1.0/24' lies outside the VPC's '10.10.0.0/16'",
        "choose a part of dev.network.cidr",
    ),
    (
        (_ZONE_C, "c: { public_cidr: 10.10.0.128/25, private_cidr: 10.10.11.0/24 }"),
        "dev.network.zones.c.public_cidr",
        "'10.10.0.128/25' overlaps '10.10.0.0/24' of zones.a.public_cidr",
        "give every subnet addresses of its own",
    ),
    (
        (_ZONE_C, "c: { public_cidr: 10.10.1.0/24, private_cidr: 10.10.1.0/24 }"),
        "dev.network.zones.c.private_cidr",
        "'10.10.1.0/24' overlaps '10.10.1.0/24' of zones.c.public_cidr",
        "give every subnet addresses of its own",
    ),
    (
        ("c: eipalloc-0fedcba9876543210", "c: eipalloc-0123456789abcdef0"),
        "dev.network.nat.eip_allocation_ids.c",
        "'eipalloc-0123456789abcdef0' is also the address of zone a",
        "an Elastic IP serves one NAT gateway",
    ),
]


def certified(place: str) -> Change:
    """A load balancer with a certificate in `region:account`."""
    arn = f"arn:aws:acm:{place}:certificate/{OTHER_KEY}"
    return "    root_volume_gib: 100\n", f"    root_volume_gib: 100\n    load_balancer:\n      certificate_arn: {arn}\n"


GITLAB: list[Contradiction] = [
    (
        ("      type: io2\n      iops: 8000\n", "      type: io2\n"),
        "dev.gitlab.data_volume.type",
        "an io2 volume has no default for iops",
        "add iops, for example 8000",
    ),
    (
        ("      type: io2\n      iops: 8000\n", "      iops: 2999\n"),
        "dev.gitlab.data_volume.iops",
        "2999 is not what a gp3 volume of 200 GiB takes",
        "write 3000 to 16000",
    ),
    (
        ("      size_gib: 200\n      type: io2\n      iops: 8000\n", "      size_gib: 20\n      iops: 10001\n"),
        "dev.gitlab.data_volume.iops",
        "10001 is not what a gp3 volume of 20 GiB takes",
        "write 3000 to 10000",
    ),
    (
        certified("us-east-1:111111111111"),
        "dev.gitlab.load_balancer.certificate_arn",
        "the certificate is in us-east-1, and the deployment is in ap-northeast-1",
        "request or import it in the deployment's region",
    ),
    (
        certified("ap-northeast-1:222222222222"),
        "dev.gitlab.load_balancer.certificate_arn",
        "the certificate belongs to account 222222222222, and GitLab to 111111111111",
        "request or import it in the development account",
    ),
    (
        ("    zone: a\n", "    zone: b\n"),
        "dev.gitlab.zone",
        "'b' is not a zone of dev.network",
        "use one of a, c",
    ),
    (
        ("stop: cron(0 22 ? * MON-FRI *)", "stop: cron(0 8 ? * * *)"),
        "dev.gitlab.schedule.stop",
        "'cron(0 8 ? * * *)' is also when the server is started",
        "choose another time",
    ),
    (
        ("cidrs: [10.99.0.0/28]", "cidrs: [0.0.0.0/0]"),
        "dev.proxy.cidrs[0]",
        "'0.0.0.0/0' allows every address",
        "list the addresses",
    ),
]


PUSH_AND_PULL: list[Contradiction] = [
    (
        ("from_cidrs: [203.0.113.10/32]", "from_cidrs: [203.0.113.10/32, 198.51.100.5/32]"),
        "prd.codecommit.push.from_cidrs[1]",
        "'198.51.100.5/32' overlaps '198.51.100.0/28', which may pull",
        "the isolated room must not be able to push: keep the two lists apart",
    ),
    (
        ("from_cidrs: [203.0.113.10/32]", "from_cidrs: [203.0.113.33/32]"),
        "prd.codecommit.push.from_cidrs[0]",
        "'203.0.113.33/32' overlaps '203.0.113.32/29', which may pull",
        "the isolated room must not be able to push: keep the two lists apart",
    ),
    (
        ("from_cidrs: [203.0.113.32/29]", "from_cidrs: [203.0.113.32/29, 198.51.100.0/30]"),
        "prd.codecommit.rooms.batch_operators.from_cidrs[1]",
        "'198.51.100.0/30' overlaps '198.51.100.0/28' of prd.codecommit.pull",
        "give every room addresses of its own, or make the two one room",
    ),
    (
        ("vpce-0fedcba9876543210]", "vpce-0123456789abcdef0]"),
        "prd.codecommit.rooms.vault.from_vpc_endpoints[1]",
        "'vpce-0123456789abcdef0' is also named by prd.codecommit.rooms.vault",
        "give every room endpoints of its own, and name each once",
    ),
    (
        ("repositories: [batch]", "repositories: [batch, bach]"),
        "prd.codecommit.rooms.batch_operators.repositories[1]",
        "'bach' is not one of prd.codecommit.repositories, and no Backlog mirror creates it",
        "add it there, or correct its spelling",
    ),
    (
        ("repositories: [batch]", "repositories: [batch, batch]"),
        "prd.codecommit.rooms.batch_operators.repositories[1]",
        "'batch' is named twice",
        "remove one",
    ),
    (
        ("emails: [security@example.com]", "emails: [security@example.com, security@example.com]"),
        "prd.codecommit.detection.emails[1]",
        "'security@example.com' is named twice",
        "remove one",
    ),
    (
        ("own_prefixes: [bat]", "own_prefixes: [bat, web-]"),
        "prd.codecommit.own_prefixes[1]",
        "no repository's name starts with 'web-'",
        "remove it, or correct its spelling",
    ),
    (
        (
            f"kms_key_arn: {KMS_KEY}\n      app",
            f"kms_key_arn: {KMS_KEY.replace('ap-northeast-1', 'us-east-1')}\n      app",
        ),
        "prd.codecommit.repositories.infrastructure.kms_key_arn",
        f"'{KMS_KEY.replace('ap-northeast-1', 'us-east-1')}' is a key of us-east-1, "
        "the repository is in ap-northeast-1",
        "name a key of ap-northeast-1",
    ),
    (
        (
            f"kms_key_arn: {KMS_KEY}\n      app",
            f"kms_key_arn: {KMS_KEY.replace('222222222222', '111111111111')}\n      app",
        ),
        "prd.codecommit.repositories.infrastructure.kms_key_arn",
        f"'{KMS_KEY.replace('222222222222', '111111111111')}' is a key of account 111111111111, "
        "the repository is in 222222222222",
        "name a key of account 222222222222",
    ),
]


BACKLOG: list[Contradiction] = [
    (
        ("space: example\n        project: WEB", "space: exampel\n        project: WEB"),
        f"{_MIRRORS}.website.space",
        "'exampel' is not one of prd.backlog.spaces",
        "use one of example, or add it there",
    ),
    (
        (f"- example.git.backlog.jp ssh-ed25519 {ED25519}", f"- other.git.backlog.jp ssh-ed25519 {ED25519}"),
        "prd.backlog.spaces.example.known_hosts[0]",
        "'other.git.backlog.jp' is not the Git server of this space",
        "pin the key of example.git.backlog.jp",
    ),
    (
        ("target: { codecommit: batch }", "target: { codecommit: bach }"),
        f"{_MIRRORS}.batch.target.codecommit",
        "'bach' is not one of prd.codecommit.repositories",
        "add it there, or write create: to have the bridge create it",
    ),
    (
        ("target: { create: website }", "target: { create: application }"),
        f"{_MIRRORS}.website.target.create",
        "'application' is also one of prd.codecommit.repositories",
        "write codecommit: to mirror into that one, or choose another name",
    ),
    (
        ("[subnet-0123456789abcdef0]", "[subnet-0123456789abcdef0, subnet-0123456789abcdef0]"),
        "prd.backlog.vpc.subnet_ids[1]",
        "'subnet-0123456789abcdef0' is named twice",
        "remove one",
    ),
    (
        ("emails: [platform-team@example.com]", "emails: [platform-team@example.com, platform-team@example.com]"),
        "prd.backlog.alerts.emails[1]",
        "'platform-team@example.com' is named twice",
        "remove one",
    ),
    (
        ("key/12345678-", "alias/12345678-"),
        "prd.backlog.spaces.example.ssh_key_kms_key_arn",
        f"'{KMS_KEY.replace('key/1234abcd-', 'alias/12345678-')}' is not the ARN of a KMS key",
        f"for example {KMS_KEY}",
    ),
    (
        (
            "target: { create: website }",
            "target: { create: website, kms_key_arn: " + KMS_KEY.replace("ap-northeast-1", "us-east-1") + " }",
        ),
        "prd.backlog.repositories.website.target.kms_key_arn",
        f"'{KMS_KEY.replace('ap-northeast-1', 'us-east-1')}' is a key of us-east-1, "
        "the repository is in ap-northeast-1",
        "name a key of ap-northeast-1",
    ),
]
