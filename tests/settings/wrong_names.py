"""Wrong names and other wrong text, with their errors."""

from tests.settings.whole_file import KMS_KEY, WrongValue

_PREFIX_PARTS = (
    "use up to 512 letters, digits and ! _ . * ' ( ) -, in parts between single slashes, for example kakehashi"
)


BAD_NAMES: list[WrongValue] = (
    [
        (
            "name: kakehashi",
            f"name: {name}",
            "name",
            f"'{name}' is not a deployment name",
            "use 2-20 of a-z, 0-9 and '-', starting with a letter",
        )
        for name in ("k", "Kakehashi", "1kakehashi", "kakehashi-", "kake_hashi", "k" * 21, "kake hashi")
    ]
    + [
        (
            "\nregion: ap-northeast-1",
            f"\nregion: {region}",
            "region",
            f"'{region}' is not a region of the commercial AWS partition",
            hint,
        )
        for region, hint in (
            ("ap-northest-1", "did you mean ap-northeast-1?"),
            ("cn-north-1", "did you mean eu-north-1?"),
            ("us-gov-west-1", "did you mean us-west-1?"),
            ("Tokyo", "for example ap-northeast-1"),
        )
    ]
    + [
        (
            'id: "222222222222"',
            f"id: {written}",
            "prd.account.id",
            f"{valid} is not an account id",
            "write the 12 digits, in quotes",
        )
        for written, valid in (
            ("22222222222", "22222222222"),
            ("2222222222222", "2222222222222"),
            ("'2222-2222-2222'", "'2222-2222-2222'"),
            ("0x33BD5B0F38", "'0x33BD5B0F38'"),
            ("true", "true"),
            ("", "an empty value"),
            ("9" * 50, f"'{'9' * 50}'"),
        )
    ]
    + [
        (
            "bucket: example-terraform-state",
            f"bucket: '{bucket}'",
            "state.s3.bucket",
            f"'{bucket}' is not a bucket name",
            "S3 takes 3-63 of a-z, 0-9, '.' and '-', starting and ending with a letter or digit, and no IP address",
        )
        for bucket in (
            "ab",
            "a" * 64,
            "Bucket",
            "my_bucket",
            "-bucket",
            "bucket-",
            ".bucket",
            "bucket.",
            "a..b",
            "192.168.5.4",
        )
    ]
    + [
        (
            "bucket: example-terraform-state",
            f"bucket: {bucket}",
            "state.s3.bucket",
            f"'{bucket}' is reserved: S3 keeps '{part}' for itself",
            "choose another name",
        )
        for bucket, part in (
            ("xn--bucket", "xn--"),
            ("sthree-bucket", "sthree-"),
            ("sthree-configurator-b", "sthree-"),
            ("amzn-s3-demo-bucket", "amzn-s3-demo-"),
            ("bucket-s3alias", "-s3alias"),
            ("bucket--ol-s3", "--ol-s3"),
            ("bucket.mrap", ".mrap"),
            ("bucket--x-s3", "--x-s3"),
            ("bucket--table-s3", "--table-s3"),
        )
    ]
    + [
        (
            "      application:",
            f"      {written}:",
            f"prd.codecommit.repositories{place}",
            f"'{name}' is not a repository name",
            "CodeCommit takes 1-100 of letters, digits, '.', '_' and '-', not ending in .git",
        )
        for name, written, place in (
            ("app.git", "app.git", ".app.git"),
            ("..", "..", "..."),
            ("my app", "my app", "['my app']"),
            ("group/app", "group/app", "['group/app']"),
            ("a" * 101, "a" * 101, f"['{'a' * 101}']"),
            ("アプリ", "アプリ", ".アプリ"),
            ("", "''", "['']"),
        )
    ]
    + [
        (
            "key_prefix: kakehashi",
            f"key_prefix: '{prefix}'",
            "state.s3.key_prefix",
            f"'{prefix}' is not a prefix of S3 keys",
            _PREFIX_PARTS,
        )
        for prefix in ("", "/kakehashi", "kakehashi/", "a//b", "a/../b", "..", "a/./b", "kake hashi")
    ]
)


OTHER_VALUES: list[WrongValue] = [
    (
        "profile: dev",
        "profile: de v",
        "dev.account.profile",
        "'de v' is not the name of a profile",
        "write a name from ~/.aws/config, for example production",
    ),
    (
        "assume_role_arn: arn:aws:iam::111111111111:role/kakehashi-deploy",
        "assume_role_arn: arn:aws:iam::111111111111:user/kakehashi",
        "dev.account.assume_role_arn",
        "'arn:aws:iam::111111111111:user/kakehashi' is not a role ARN",
        "for example arn:aws:iam::111111111111:role/deploy",
    ),
    (
        f"kms_key_arn: {KMS_KEY}",
        "kms_key_arn: arn:aws:kms:ap-northeast-1:222222222222:alias/codecommit",
        "prd.codecommit.repositories.infrastructure.kms_key_arn",
        "'arn:aws:kms:ap-northeast-1:222222222222:alias/codecommit' is not the ARN of a KMS key",
        f"for example {KMS_KEY}",
    ),
    (
        "a: eipalloc-0123456789abcdef0",
        "a: eip-0123456789abcdef0",
        "dev.network.nat.eip_allocation_ids.a",
        "'eip-0123456789abcdef0' is not the allocation id of an Elastic IP",
        "for example eipalloc-0123456789abcdef0",
    ),
    (
        "id: vpc-0123456789abcdef0",
        "id: vpc-0123456789abcde",
        "prd.backlog.vpc.id",
        "'vpc-0123456789abcde' is not a VPC id",
        "for example vpc-0123456789abcdef0",
    ),
    (
        "[subnet-0123456789abcdef0]",
        "[subnet-0123456789ABCDEF0]",
        "prd.backlog.vpc.subnet_ids[0]",
        "'subnet-0123456789ABCDEF0' is not a subnet id",
        "for example subnet-0123456789abcdef0",
    ),
    (
        "instance_type: c7i.2xlarge",
        "instance_type: c7i.2xlrge",
        "dev.gitlab.instance_type",
        "'c7i.2xlrge' is not an EC2 instance type",
        "did you mean c7i.2xlarge?",
    ),
    (
        "instance_type: c7i.2xlarge",
        "instance_type: wombat",
        "dev.gitlab.instance_type",
        "'wombat' is not an EC2 instance type",
        "for example c7i.2xlarge",
    ),
    (
        "name_pattern: GitLab CE *",
        "name_pattern: ギットラボ",
        "dev.gitlab.ami.name_pattern",
        "'ギットラボ' is not a pattern of image names",
        "use 1-128 plain characters, no space at either end, as in GitLab CE *",
    ),
    (
        "key_pair: break-glass",
        "key_pair: break-glass\n    route53_zone_id: example.com",
        "dev.gitlab.route53_zone_id",
        "'example.com' is not the id of a hosted zone",
        "write it like Z0123456789ABCDEFGHIJ",
    ),
    (
        "key_pair: break-glass",
        "key_pair: break-glass\n    load_balancer: { certificate_arn: gitlab.example.com }",
        "dev.gitlab.load_balancer.certificate_arn",
        "'gitlab.example.com' is not the ARN of a certificate of ACM",
        "for example arn:aws:acm:ap-northeast-1:111111111111:certificate/1234abcd-12ab-34cd-86ef-1234567890ab",
    ),
    (
        "type: io2",
        "type: gp2",
        "dev.gitlab.data_volume.type",
        "'gp2' is not known here",
        "use 'gp3' or 'io2'",
    ),
    (
        "key_pair: break-glass",
        "key_pair: ' break-glass'",
        "dev.gitlab.key_pair",
        "' break-glass' is not the name of a key pair",
        "use 1-255 plain characters, no space at either end",
    ),
    (
        'at_utc: "17:00"',
        'at_utc: "24:00"',
        "dev.gitlab.images.at_utc",
        "'24:00' is not a time of day",
        "write two digits each, for example '09:00'",
    ),
    (
        "timezone: Asia/Tokyo",
        "timezone: Asia/Tokio",
        "dev.gitlab.schedule.timezone",
        "'Asia/Tokio' is not a time zone of the IANA database",
        "did you mean Asia/Tokyo?",
    ),
    (
        "timezone: Asia/Tokyo",
        "timezone: JST",
        "dev.gitlab.schedule.timezone",
        "'JST' is not a time zone of the IANA database",
        "name a place instead of an abbreviation, for example Asia/Tokyo",
    ),
    (
        "no_proxy: [.dev.example.com]",
        "no_proxy: ['*.dev.example.com']",
        "dev.proxy.no_proxy[0]",
        "'*.dev.example.com' is not a host to reach directly",
        "write a host, an address, or a domain with a leading dot, for example .example.com",
    ),
    (
        "domain: backlog.jp",
        "domain: backlog.example",
        "prd.backlog.spaces.example.domain",
        "'backlog.example' is not a domain of Backlog",
        "use backlog.jp or backlog.com",
    ),
    (
        "project: WEB",
        "project: web",
        "prd.backlog.repositories.website.project",
        "'web' is not the key of a Backlog project",
        "write 1-25 of A-Z, 0-9 and '_', for example WEB",
    ),
    *(
        (
            "repository: website",
            f"repository: {name}",
            "prd.backlog.repositories.website.repository",
            f"'{name}' is not the name of a Backlog repository",
            "write its name without .git, for example website",
        )
        for name in ("web site", "website.git", "website.GIT")
    ),
    (
        "      website:\n",
        "      Website:\n",
        "prd.backlog.repositories.Website",
        "'Website' is not a key",
        "use 1-40 of a-z, 0-9, '_' and '-', starting with a letter",
    ),
    (
        "      a: { public_cidr",
        "      x: { public_cidr",
        "dev.network.zones.x",
        "'x' is not the letter of an availability zone",
        "write a to h, for example a for ap-northeast-1a",
    ),
    (
        "description: Terraform of the production systems",
        f"description: {'x' * 1001}",
        "prd.codecommit.repositories.infrastructure.description",
        f"'{'x' * 99}…{'x' * 39}' is not a description",
        "write one line of at most 1,000 characters",
    ),
    (
        'cost-center: "4711"',
        '"aws:cost": "4711"',
        "tags['aws:cost']",
        "'aws:cost' is not a tag key",
        "use 1-128 letters, digits, spaces and _ . : / = + - @, not starting with aws:, no space at either end",
    ),
    (
        'cost-center: "4711"',
        f'{"k" * 129}: "4711"',
        f"tags['{'k' * 129}']",
        f"'{'k' * 129}' is not a tag key",
        "use 1-128 letters, digits, spaces and _ . : / = + - @, not starting with aws:, no space at either end",
    ),
    (
        'cost-center: "4711"',
        'cost-center: "a;b"',
        "tags.cost-center",
        "'a;b' is not a tag value",
        "use up to 256 letters, digits, spaces and _ . : / = + - @, not starting with aws:, no space at either end",
    ),
] + [
    (
        "ssh_key_parameter: /kakehashi/backlog/ssh-key",
        f"ssh_key_parameter: {name}",
        "prd.backlog.spaces.example.ssh_key_parameter",
        f"'{name}' is not the name of an SSM parameter",
        "write the parameter's name with its path, not under /aws or /ssm, for example /kakehashi/backlog/ssh-key",
    )
    for name in ("/", "/a//b", "/a/", "/aws/ssh-key", "/AWSkey", "/ssm-key", "/Ssm/key", "/a" * 16)
]
