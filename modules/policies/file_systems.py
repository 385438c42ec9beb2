"""Who may mount a file system, and how."""

from modules.policies.statement import PolicyCondition, PolicyStatement

_MOUNT = (
    "elasticfilesystem:ClientMount",
    "elasticfilesystem:ClientRootAccess",
    "elasticfilesystem:ClientWrite",
)


def mounted_by_builds(file_system_arn: str) -> list[PolicyStatement]:
    """Mount through a mount target, over TLS.

    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-efs.html
    """
    resources = (file_system_arn,)
    here = PolicyCondition(test="Bool", variable="elasticfilesystem:AccessedViaMountTarget", values=("true",))
    insecure = PolicyCondition(test="Bool", variable="aws:SecureTransport", values=("false",))
    return [
        PolicyStatement(
            sid="MountHere",
            effect="Allow",
            actions=_MOUNT,
            resources=resources,
            everybody=True,
            conditions=(here,),
            why="CodeBuild mounts without an identity, as root. Security groups decide who reaches a mount target.",
        ),
        PolicyStatement(
            sid="DenyInsecureTransport",
            effect="Deny",
            actions=_MOUNT,
            resources=resources,
            everybody=True,
            conditions=(insecure,),
        ),
    ]
