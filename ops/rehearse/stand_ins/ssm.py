"""SSM: State Manager's associations, stored as they were requested; no command ever runs."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ops.rehearse.stand_ins import AwsError, Call, HttpResponse, Reply, StandIn

ssm = StandIn(
    "ssm",
    "moto has no associations of State Manager",
    api="https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html",
)


def _association(call: Call) -> dict[str, Any]:
    try:
        association: dict[str, Any] = call.store["associations"][call.params["AssociationId"]]
    except KeyError:
        raise AwsError("AssociationDoesNotExist", "no such association") from None
    return association


@ssm.answers("CreateAssociation")
def create_association(call: Call) -> Reply:
    association_id = str(uuid4())
    now = datetime.now(UTC)
    association = {
        **call.params,
        "AssociationId": association_id,
        "AssociationVersion": "1",
        "Date": now,
        "LastUpdateAssociationDate": now,
        "Overview": {"Status": "Success"},
    }
    call.store["associations"][association_id] = association
    return {"AssociationDescription": association}


@ssm.answers("DescribeAssociation")
def describe_association(call: Call) -> Reply:
    return {"AssociationDescription": _association(call)}


@ssm.answers("UpdateAssociation")
def update_association(call: Call) -> Reply:
    association = _association(call)
    association.update(call.params, LastUpdateAssociationDate=datetime.now(UTC))
    association["AssociationVersion"] = str(int(association["AssociationVersion"]) + 1)
    return {"AssociationDescription": association}


@ssm.answers("DeleteAssociation")
def delete_association(call: Call) -> Reply:
    _association(call)
    del call.store["associations"][call.params["AssociationId"]]
    return {}


@ssm.answers("ListTagsForResource")
def list_tags(call: Call) -> Reply | HttpResponse:
    if call.params["ResourceType"] != "Association":
        return call.ask_moto()
    association: dict[str, Any] = call.store["associations"].get(call.params["ResourceId"], {})
    return {"TagList": association.get("Tags") or []}
