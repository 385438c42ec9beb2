"""CloudTrail: a trail can be deleted by its ARN."""

from moto.cloudtrail.models import cloudtrail_backends

from ops.rehearse.stand_ins import AwsError, Call, Reply, StandIn

cloudtrail = StandIn(
    "cloudtrail",
    "moto deletes a trail by its name alone, and the AWS provider gives the ARN",
    api="https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html",
)


@cloudtrail.answers("DeleteTrail")
def delete_trail(call: Call) -> Reply:
    name = str(call.params["Name"]).rpartition("/")[2]
    trails = cloudtrail_backends[call.account][call.region].trails
    if trails.pop(name, None) is None:
        raise AwsError("TrailNotFoundException", f"Unknown trail: {name}")
    return {}
