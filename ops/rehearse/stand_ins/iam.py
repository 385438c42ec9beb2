"""IAM's service-specific credentials, at most two for a user and a service, as in AWS."""

import secrets
import string
from datetime import UTC, datetime
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from ops.rehearse.stand_ins import AwsError, Call, Reply, StandIn

iam = StandIn(
    "iam",
    "moto has no service-specific credentials, which are also asked for when a user is deleted",
    api="https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html",
)

_MOST = 2
_ID_LETTERS = string.ascii_uppercase + "234567"


def _user(call: Call) -> str:
    name = str(call.params["UserName"])
    try:
        iam_backends[call.account]["aws"].get_user(name)
    except NotFoundException:
        raise AwsError("NoSuchEntity", f"The user with name {name} cannot be found.") from None
    return name


def _of_user(call: Call, name: str) -> list[dict[str, Any]]:
    return [found for found in call.store["credentials"].values() if found["UserName"] == name]


@iam.answers("CreateServiceSpecificCredential")
def create_service_specific_credential(call: Call) -> Reply:
    name, service = _user(call), call.params["ServiceName"]
    existing = [found for found in _of_user(call, name) if found["ServiceName"] == service]
    if len(existing) >= _MOST:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {_MOST}")
    taken = {found["ServiceUserName"] for found in existing}
    names = (f"{name}-at-{call.account}", f"{name}+1-at-{call.account}")
    credential = {
        "CreateDate": datetime.now(UTC),
        "ServiceName": service,
        "ServiceUserName": next(free for free in names if free not in taken),
        "ServiceSpecificCredentialId": "ACCA" + "".join(secrets.choice(_ID_LETTERS) for _ in range(17)),
        "UserName": name,
        "Status": "Active",
    }
    call.store["credentials"][credential["ServiceSpecificCredentialId"]] = credential
    # Returned only here; it has characters that URLs must escape.
    return {"ServiceSpecificCredential": {**credential, "ServicePassword": f"{secrets.token_urlsafe(32)}/+="}}


@iam.answers("ListServiceSpecificCredentials")
def list_service_specific_credentials(call: Call) -> Reply:
    service = call.params.get("ServiceName")
    return {
        "ServiceSpecificCredentials": [
            found for found in _of_user(call, _user(call)) if service in (None, found["ServiceName"])
        ]
    }


@iam.answers("DeleteServiceSpecificCredential")
def delete_service_specific_credential(call: Call) -> Reply:
    credential_id = call.params["ServiceSpecificCredentialId"]
    if call.store["credentials"].pop(credential_id, None) is None:
        raise AwsError("NoSuchEntity", f"The service specific credential {credential_id} cannot be found.")
    return {}
