"""EC2: instances start with the termination protection they were asked for, and detailed monitoring can be switched."""

import re

from moto.ec2.models import ec2_backends

from ops.rehearse.stand_ins import Answer, Call, Reply, StandIn

ec2 = StandIn("ec2", "moto ignores termination protection at launch and cannot switch detailed monitoring")


@ec2.answers("RunInstances")
def run_instances(call: Call) -> Answer:
    answer = call.ask_moto()
    for instance_id in re.findall(rb"<instanceId>(i-[0-9a-f]+)<", answer.body):
        instance = ec2_backends[call.account][call.region].get_instance(instance_id.decode())
        instance.disable_api_termination = bool(call.params.get("DisableApiTermination"))
    return answer


@ec2.answers("MonitorInstances")
def monitor(call: Call) -> Reply:
    return _switch_monitoring(call, "enabled")


@ec2.answers("UnmonitorInstances")
def unmonitor(call: Call) -> Reply:
    return _switch_monitoring(call, "disabled")


def _switch_monitoring(call: Call, state: str) -> Reply:
    backend = ec2_backends[call.account][call.region]
    for instance_id in call.params["InstanceIds"]:
        backend.get_instance(instance_id).monitoring_state = state
    return {
        "InstanceMonitorings": [
            {"InstanceId": instance_id, "Monitoring": {"State": state}} for instance_id in call.params["InstanceIds"]
        ]
    }
