"""Servers: instances, their disks, images, schedules, and what runs on them."""

from iam.known.argument import Arguments, each, harmless, one_of, own, read_by, required, role_for, text
from iam.known.networks import GROUP, SUBNET

_PROGRAM = harmless("a program of this project, which stacks/asked_texts.py renders again")
_SIZE = harmless("how large or how fast it is")
_LOOKS = harmless("what people and bills call it")
_METADATA: Arguments = {
    "metadata_options.http_endpoint": one_of("enabled", why="the server reads its own role's credentials there"),
    "metadata_options.http_put_response_hop_limit": required(one_of(1, why="no container reaches it")),
    "metadata_options.http_tokens": required(
        one_of("required", why="no request that was tricked out of a server reaches it")
    ),
}
_ENCRYPTED = required(one_of(True, why="whoever has the disk alone reads nothing"))
_INSTANCES = r"\$\{jsonencode\(\{\"InstanceIds\" = \[aws_instance\.[\w-]+\.id\]\}\)\}"
_BUILD = r"\$\{jsonencode\(\{\"ProjectName\" = aws_codebuild_project\.[\w-]+\.name\}\)\}"

TYPES: dict[str, Arguments] = {
    "aws_instance": {
        "ami": text(
            r"\$\{(data\.aws_ami\.[\w-]+\.id|var\.ami_id)\}",
            wanted="the newest image or var.ami_id",
            why="an image of the publisher's account, or of the settings",
        ),
        "disable_api_termination": harmless("whether it can be lost, not who reaches it"),
        "ebs_optimized": _SIZE,
        "iam_instance_profile": own("aws_iam_instance_profile", "name"),
        "instance_type": _SIZE,
        "key_name": harmless("a key pair of the settings; the security group decides who reaches SSH"),
        "lifecycle.ignore_changes": one_of("ami", "user_data", why="what a server was first made from"),
        "monitoring": harmless("how often it is measured"),
        **_METADATA,
        "root_block_device.encrypted": _ENCRYPTED,
        **each(_SIZE, "root_block_device.volume_size", "root_block_device.volume_type"),
        "root_block_device.tags.*": _LOOKS,
        "subnet_id": SUBNET,
        "user_data": _PROGRAM,
        "user_data_replace_on_change": harmless("when it is made anew"),
        "vpc_security_group_ids": required(GROUP),
    },
    "aws_launch_template": {
        **each(
            _SIZE,
            "block_device_mappings.device_name",
            "block_device_mappings.ebs.delete_on_termination",
            "block_device_mappings.ebs.volume_size",
            "block_device_mappings.ebs.volume_type",
            "instance_type",
        ),
        "block_device_mappings.ebs.encrypted": _ENCRYPTED,
        "iam_instance_profile.arn": own("aws_iam_instance_profile", "arn"),
        "image_id": text(
            r"\$\{data\.aws_ssm_parameter\.[\w-]+\.insecure_value\}",
            wanted="Amazon's newest image",
            why="Amazon's image",
        ),
        **_METADATA,
        "monitoring.enabled": harmless("how often it is measured"),
        "name": _LOOKS,
        "network_interfaces.associate_public_ip_address": required(
            one_of(False, why="nobody reaches it from the internet")
        ),
        "network_interfaces.security_groups": required(GROUP),
        **each(_LOOKS, "tag_specifications.resource_type", "tag_specifications.tags.*"),
        "update_default_version": harmless("which version is the default"),
        "user_data": _PROGRAM,
    },
    "aws_autoscaling_group": {
        **each(
            harmless("how many servers there are, and when they are replaced"),
            "desired_capacity",
            "health_check_grace_period",
            "health_check_type",
            "instance_refresh.*",
            "max_size",
            "min_elb_capacity",
            "min_size",
        ),
        "launch_template.id": own("aws_launch_template"),
        "launch_template.version": own("aws_launch_template", "latest_version"),
        **each(_LOOKS, "name", "tag.key", "tag.propagate_at_launch", "tag.value"),
        "target_group_arns": own("aws_lb_target_group", "arn"),
        "vpc_zone_identifier": SUBNET,
    },
    "aws_autoscaling_lifecycle_hook": {
        "autoscaling_group_name": own("aws_autoscaling_group", "name"),
        "default_result": required(one_of("ABANDON", why="a server that did not say that it works is not used")),
        "heartbeat_timeout": harmless("how long a new server has to say that it works"),
        "lifecycle_transition": one_of("autoscaling:EC2_INSTANCE_LAUNCHING", why="it delays a launch"),
        "name": _LOOKS,
    },
    "aws_ebs_volume": {
        **each(_SIZE, "iops", "size", "type"),
        "availability_zone": harmless("where it is"),
        "encrypted": _ENCRYPTED,
    },
    "aws_volume_attachment": {
        **each(harmless("how the server sees it"), "device_name", "stop_instance_before_detaching"),
        "instance_id": own("aws_instance"),
        "volume_id": own("aws_ebs_volume"),
    },
    "aws_eip_association": {"allocation_id": own("aws_eip", "id", "allocation_id"), "instance_id": own("aws_instance")},
    "aws_dlm_lifecycle_policy": {
        "description": _LOOKS,
        "execution_role_arn": role_for("dlm.amazonaws.com"),
        "policy_details.policy_type": one_of("IMAGE_MANAGEMENT", why="images stay in this account and region"),
        "policy_details.resource_types": one_of("INSTANCE", why="images of servers"),
        **each(
            harmless("when an image is made, and how long it is kept"),
            "policy_details.parameters.no_reboot",
            "policy_details.schedule.copy_tags",
            "policy_details.schedule.create_rule.*",
            "policy_details.schedule.name",
            "policy_details.schedule.retain_rule.count",
            "state",
        ),
        "policy_details.target_tags.*": harmless("of which servers images are made"),
    },
    "aws_ssm_document": {
        "content": _PROGRAM,
        "document_format": one_of("JSON", why="how the program is written"),
        "document_type": one_of("Command", why="it runs on servers that an association names"),
        "name": _LOOKS,
    },
    "aws_ssm_association": {
        "association_name": _LOOKS,
        "document_version": own("aws_ssm_document", "latest_version"),
        "name": own("aws_ssm_document", "name"),
        "schedule_expression": harmless("when it runs"),
        "targets.key": one_of("InstanceIds", why="it runs on servers that it names"),
        "targets.values": own("aws_instance"),
    },
    "aws_scheduler_schedule": {
        **each(_LOOKS, "description", "name"),
        **each(
            harmless("when it runs"),
            "flexible_time_window.mode",
            "schedule_expression",
            "schedule_expression_timezone",
        ),
        "target.arn": one_of(
            "arn:aws:scheduler:::aws-sdk:codebuild:startBuild",
            "arn:aws:scheduler:::aws-sdk:ec2:startInstances",
            "arn:aws:scheduler:::aws-sdk:ec2:stopInstances",
            why="starting builds and servers, and stopping servers, gives no access",
        ),
        "target.input": text(
            f"{_INSTANCES}|{_BUILD}",
            wanted="the name of this stack's build or the id of its server, and nothing beside it",
            why="it overrides nothing of the build",
        ),
        "target.role_arn": role_for("scheduler.amazonaws.com"),
    },
    "aws_ssm_parameter": {
        "description": _LOOKS,
        "lifecycle.ignore_changes": one_of("value", why="builds write it"),
        "name": read_by("the policies' evaluation"),
        "type": one_of("String", why="no secret is in it"),
        "value": one_of("{}", why="what it has before a build writes it"),
    },
}

DATA: dict[str, Arguments] = {
    "aws_ami": {
        "filter.*": harmless("which image of the publisher"),
        "most_recent": harmless("which image of the publisher"),
        "owners": required(text(r"\d{12}", wanted="an account", why="the publisher that the settings name")),
    },
    "aws_ssm_parameter": {
        "name": text(
            r"/aws/service/ami-amazon-linux-latest/[\w.-]+", wanted="Amazon's own images", why="Amazon's image"
        )
    },
}
