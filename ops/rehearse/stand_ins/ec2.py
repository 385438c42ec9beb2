"""EC2: public addresses, termination protection, detailed monitoring, rules between groups, launch templates' tags."""

import re
from itertools import count

from moto.ec2.models import ec2_backends, elastic_ip_addresses

from ops.rehearse.stand_ins import Call, HttpResponse, Reply, StandIn

ec2 = StandIn(
    "ec2",
    "moto gives Elastic IPs of 127.0.0.0/8, ignores termination protection at launch, "
    "cannot switch detailed monitoring, "
    "forgets the description of a security group's rule that names another group or a list of prefixes, "
    "and takes a launch template's own tags for ones of what it launches",
    api="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/",
)


# moto.ec2.utils.random_ip gives an Elastic IP an address of 127.0.0.0/8, which an allow-list refuses.
_PUBLIC_ADDRESSES = (f"54.214.{number // 256}.{number % 256}" for number in count(1))
elastic_ip_addresses.random_ip = lambda: next(_PUBLIC_ADDRESSES)  # type: ignore[attr-defined]


@ec2.answers("RunInstances")
def run_instances(call: Call) -> HttpResponse:
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


@ec2.answers("AuthorizeSecurityGroupIngress")
@ec2.answers("AuthorizeSecurityGroupEgress")
def authorize(call: Call) -> HttpResponse:
    answer = call.ask_moto()
    descriptions = {
        peer[kind]: peer["Description"]
        for permission in call.params.get("IpPermissions") or ()
        for kind, peers in (("GroupId", "UserIdGroupPairs"), ("PrefixListId", "PrefixListIds"))
        for peer in permission.get(peers) or ()
        if kind in peer and "Description" in peer
    }
    rule_ids = [found.decode() for found in re.findall(rb"<securityGroupRuleId>(sgr-[0-9a-f]+)<", answer.body)]
    if descriptions and rule_ids:
        for rule in ec2_backends[call.account][call.region].describe_security_group_rules(rule_ids, {}):
            if description := descriptions.get(rule.source_group.get("GroupId") or rule.prefix_list_id):
                rule.ip_range["Description"] = description  # shared with the rule itself; moto reads it here
    return answer


@ec2.answers("CreateLaunchTemplate")
def create_launch_template(call: Call) -> HttpResponse:
    answer = call.ask_moto()
    if answer.status == 200:
        name = call.params["LaunchTemplateName"]
        data = ec2_backends[call.account][call.region].get_launch_template_by_name(name).latest_version().data
        tags = [tags for tags in data.pop("TagSpecifications", ()) if tags["ResourceType"] != "launch-template"]
        if tags:
            data["TagSpecifications"] = tags
    return answer
