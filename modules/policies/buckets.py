"""Who may use a bucket, and how."""

from modules.policies.statement import PolicyCondition, PolicyStatement


def encrypted_transport_only(bucket_arn: str) -> list[PolicyStatement]:
    """A bucket's policy: requests without TLS are denied."""
    insecure = PolicyCondition(test="Bool", variable="aws:SecureTransport", values=("false",))
    return [
        PolicyStatement(
            sid="DenyInsecureTransport",
            effect="Deny",
            actions=("s3:*",),
            resources=(bucket_arn, f"{bucket_arn}/*"),
            everybody=True,
            conditions=(insecure,),
        )
    ]


def written_by_trail(bucket_arn: str, *, trail_arn: str, account_id: str) -> list[PolicyStatement]:
    """What one CloudTrail trail needs of its bucket.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    services = ("cloudtrail.amazonaws.com",)
    this_trail = PolicyCondition(test="StringEquals", variable="aws:SourceArn", values=(trail_arn,))
    ours = PolicyCondition(test="StringEquals", variable="s3:x-amz-acl", values=("bucket-owner-full-control",))
    return [
        PolicyStatement(
            sid="TrailLooks",
            effect="Allow",
            actions=("s3:GetBucketAcl",),
            resources=(bucket_arn,),
            services=services,
            conditions=(this_trail,),
        ),
        PolicyStatement(
            sid="TrailWrites",
            effect="Allow",
            actions=("s3:PutObject",),
            resources=(f"{bucket_arn}/AWSLogs/{account_id}/*",),
            services=services,
            conditions=(ours, this_trail),
        ),
    ]
