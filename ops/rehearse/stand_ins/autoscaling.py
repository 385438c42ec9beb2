"""Auto Scaling: lifecycle hooks that notify nobody."""

from moto.autoscaling.models import autoscaling_backends

from ops.rehearse.stand_ins import Call, HttpResponse, StandIn

autoscaling = StandIn(
    "autoscaling",
    "moto gives every lifecycle hook a role and a queue to notify",
    api="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html",
)


@autoscaling.answers("PutLifecycleHook")
def put_lifecycle_hook(call: Call) -> HttpResponse:
    answer = call.ask_moto()
    names = (call.params["AutoScalingGroupName"], [call.params["LifecycleHookName"]])
    for hook in autoscaling_backends[call.account][call.region].describe_lifecycle_hooks(*names):
        vars(hook).update(
            notification_target_arn=call.params.get("NotificationTargetARN"), role_arn=call.params.get("RoleARN")
        )
    return answer
