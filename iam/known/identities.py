"""Users, roles and their policies, which the model reads."""

from iam.known.argument import Arguments, each, harmless, own, read_by, role_for, text

_POLICY = read_by("the policies' evaluation")
_LOOKS = harmless("what people and bills call it")

_SECRET = read_by("the promise no-secret-in-state")

TYPES: dict[str, Arguments] = {
    **{
        kind: {"user": _POLICY, **each(_SECRET, "pgp_key", "service_name", "status")}
        for kind in ("aws_iam_access_key", "aws_iam_service_specific_credential", "aws_iam_user_login_profile")
    },
    "aws_iam_user_policy": {"name": _POLICY, "policy": _POLICY, "user": _POLICY},
    "aws_iam_user": {"force_destroy": harmless("whether it can be removed"), "name": _POLICY},
    "aws_iam_role": {"assume_role_policy": _POLICY, "description": _LOOKS, "name": _POLICY},
    "aws_iam_policy": {
        "description": _LOOKS,
        **each(
            read_by("the promise rooms-never-push"),
            "lifecycle.precondition.condition",
            "lifecycle.precondition.error_message",
        ),
        "name": _POLICY,
        "policy": _POLICY,
    },
    "aws_iam_role_policy": {"name": _POLICY, "policy": _POLICY, "role": own("aws_iam_role", "name")},
    "aws_iam_role_policy_attachment": {
        "policy_arn": text(
            r"arn:aws:iam::aws:policy/[\w/+=,.@-]+",
            wanted="a policy of AWS's own",
            why="the promise nobody-does-more-than-its-work says which",
        ),
        "role": own("aws_iam_role", "name"),
    },
    "aws_iam_user_policy_attachment": {"policy_arn": own("aws_iam_policy", "arn"), "user": own("aws_iam_user", "name")},
    "aws_iam_instance_profile": {"name": _LOOKS, "role": role_for("ec2.amazonaws.com")},
}

DATA: dict[str, Arguments] = {"aws_iam_policy_document": {"statement.*": _POLICY}}
