"""Reasons and accepted findings, wherever Terraform allows a comment in JSON."""

from tests.ops.handover.cases.documents import Document, aws

_WHY = {"//": {"comment": 'Because of ${x}, "y" and\n*/ z.', "acknowledged": {"CKV_AWS_1": "because"}}}

REASONS: dict[str, Document] = {
    "of_resources_and_their_blocks": aws(
        "aws_s3_bucket_lifecycle_configuration",
        bucket="b",
        rule=[{"id": "a", "status": "Enabled", "expiration": [{"days": 1, **_WHY}], "filter": [_WHY], **_WHY}],
        lifecycle={"ignore_changes": ["bucket"], **_WHY},
        **_WHY,
    ),
    "of_statements": {
        "data": {
            "aws_iam_policy_document": {
                "it": {"statement": [{"sid": "A", "actions": ["s3:*"], "resources": ["*"], **_WHY}], **_WHY}
            }
        },
        "output": {"o": {"value": "${data.aws_iam_policy_document.it.json}"}},
    },
    "of_dynamic_blocks": aws(
        "aws_security_group",
        name="s",
        dynamic={
            "ingress": {
                "for_each": "${[22]}",
                "content": {"from_port": "${ingress.value}", "to_port": 22, "protocol": "tcp", **_WHY},
                **_WHY,
            }
        },
    ),
    "of_variables_and_outputs": {
        "variable": {"it": {"type": "string", "default": "x", **_WHY}},
        "output": {"o": {"value": "${var.it}", **_WHY}},
    },
}
