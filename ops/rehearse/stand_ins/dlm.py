"""Data Lifecycle Manager policies, stored as they were requested; no image is ever created."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ops.rehearse.stand_ins import AwsError, Call, Reply, StandIn

dlm = StandIn("dlm", "moto has no Data Lifecycle Manager", api="https://docs.aws.amazon.com/dlm/latest/APIReference/")


def _policy(call: Call, policy_id: str) -> dict[str, Any]:
    try:
        return call.store["policies"][policy_id]
    except KeyError:
        raise AwsError("ResourceNotFoundException", f"No policy with id {policy_id}") from None


def _tags(call: Call) -> dict[str, str]:
    tags: dict[str, str] = _policy(call, str(call.params["ResourceArn"]).rpartition("/")[2])["Tags"]
    return tags


@dlm.answers("CreateLifecyclePolicy")
def create_lifecycle_policy(call: Call) -> Reply:
    policy_id = f"policy-{uuid4().hex[:17]}"
    now = datetime.now(UTC)
    call.store["policies"][policy_id] = {
        "PolicyId": policy_id,
        "PolicyArn": f"arn:aws:dlm:{call.region}:{call.account}:policy/{policy_id}",
        "Description": call.params["Description"],
        "State": call.params["State"],
        "ExecutionRoleArn": call.params["ExecutionRoleArn"],
        "PolicyDetails": call.params.get("PolicyDetails"),
        "DefaultPolicy": False,
        "DateCreated": now,
        "DateModified": now,
        "Tags": dict(call.params.get("Tags") or {}),
    }
    return {"PolicyId": policy_id}


@dlm.answers("GetLifecyclePolicy")
def get_lifecycle_policy(call: Call) -> Reply:
    return {"Policy": _policy(call, call.params["PolicyId"])}


@dlm.answers("UpdateLifecyclePolicy")
def update_lifecycle_policy(call: Call) -> Reply:
    policy = _policy(call, call.params["PolicyId"])
    given = {key: value for key, value in call.params.items() if key != "PolicyId" and value is not None}
    policy.update(given, DateModified=datetime.now(UTC))
    return {}


@dlm.answers("DeleteLifecyclePolicy")
def delete_lifecycle_policy(call: Call) -> Reply:
    _policy(call, call.params["PolicyId"])
    del call.store["policies"][call.params["PolicyId"]]
    return {}


@dlm.answers("ListTagsForResource")
def list_tags(call: Call) -> Reply:
    return {"Tags": _tags(call)}


@dlm.answers("TagResource")
def tag_resource(call: Call) -> Reply:
    _tags(call).update(call.params["Tags"])
    return {}


@dlm.answers("UntagResource")
def untag_resource(call: Call) -> Reply:
    tags = _tags(call)
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}
