"""EFS: automatic backups can be switched on and off, and a file-system policy can be deleted."""

from typing import Any

from moto.efs.models import efs_backends

from ops.rehearse.stand_ins import AwsError, Call, Reply, StandIn

efs = StandIn(
    "efs",
    "moto cannot change a backup policy and cannot delete a file-system policy",
    api="https://docs.aws.amazon.com/efs/latest/ug/api-reference.html",
)


def _file_system(call: Call) -> Any:
    file_system_id = call.params["FileSystemId"]
    try:
        return efs_backends[call.account][call.region].file_systems_by_id[file_system_id]
    except KeyError:
        raise AwsError("FileSystemNotFound", f"File system '{file_system_id}' does not exist.") from None


@efs.answers("PutBackupPolicy")
def put_backup_policy(call: Call) -> Reply:
    # Stored in moto's own object, so that it is deleted with the file system.
    _file_system(call)._backup_policy_set = call.params["BackupPolicy"]
    return {"BackupPolicy": call.params["BackupPolicy"]}


@efs.answers("DescribeBackupPolicy")
def describe_backup_policy(call: Call) -> Reply:
    file_system = _file_system(call)
    policy = getattr(file_system, "_backup_policy_set", None) or file_system.backup_policy
    if policy is None:
        raise AwsError("PolicyNotFound", "None")
    return {"BackupPolicy": policy}


@efs.answers("DeleteFileSystemPolicy")
def delete_file_system_policy(call: Call) -> Reply:
    _file_system(call).file_system_policy = None
    return {}
