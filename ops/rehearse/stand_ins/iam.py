"""IAM: users have no service-specific credentials here."""

from ops.rehearse.stand_ins import Call, Reply, StandIn

iam = StandIn("iam", "moto has no service-specific credentials; the list, asked for when a user is deleted, is empty")


@iam.answers("ListServiceSpecificCredentials")
def list_service_specific_credentials(_: Call) -> Reply:
    return {"ServiceSpecificCredentials": []}
