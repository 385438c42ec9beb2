"""Reads repositories, resources with a policy of their own, and API methods from finished Terraform."""

from collections.abc import Iterator
from dataclasses import replace

from iam.deployed.stack import DeployedStack
from iam.model import ApiMethod, Resource
from iam.statements import Policy, UnsupportedError
from terraform.policy_documents import blocks


def repositories(stack: DeployedStack) -> Iterator[Resource]:
    """The repositories, which hold code."""
    for name, address, arguments in stack.of("aws_codecommit_repository"):
        found = _resource(stack, "aws_codecommit_repository", name, None)
        yield replace(found, tags=stack.tags(arguments, address))


def resources(stack: DeployedStack) -> Iterator[Resource]:
    """The other resources with a policy of their own."""
    for kind, owner, argument in (
        ("aws_s3_bucket_policy", "aws_s3_bucket", "bucket"),
        ("aws_sns_topic_policy", "aws_sns_topic", "arn"),
        ("aws_efs_file_system_policy", "aws_efs_file_system", "file_system_id"),
    ):
        owners: set[str] = set()
        for _, address, arguments in stack.of(kind):
            target = stack.configuration.resource_of(arguments[argument], owner)
            if target is None:
                raise UnsupportedError(address, f"whose policy it is: {arguments[argument]!r}")
            if target in owners:
                raise UnsupportedError(address, f"which of two policies of {owner}.{target} counts")
            owners.add(target)
            yield _resource(stack, owner, target, stack.policy(arguments["policy"], address))


def refuse_open_buckets(stack: DeployedStack) -> None:
    """Raise UnsupportedError for a bucket whose public access nothing blocks."""
    blocked = {
        stack.configuration.resource_of(arguments["bucket"], "aws_s3_bucket")
        for _, _, arguments in stack.of("aws_s3_bucket_public_access_block")
    }
    for name, address, _ in stack.of("aws_s3_bucket"):
        if name not in blocked:
            raise UnsupportedError(address, "whether the public may reach it, without a public access block")


def refuse_shared_file_systems(stack: DeployedStack) -> None:
    """Raise UnsupportedError for a file system without a policy, or that others than one build reach."""
    owners = {
        stack.configuration.resource_of(arguments["file_system_id"], "aws_efs_file_system")
        for _, _, arguments in stack.of("aws_efs_file_system_policy")
    }
    builds = [
        (name, group)
        for name, _, arguments in stack.of("aws_codebuild_project")
        for config in blocks(arguments, "vpc_config")
        for group in config["security_group_ids"]
    ]
    for name, address, _ in stack.of("aws_efs_file_system"):
        if name not in owners:
            raise UnsupportedError(address, "who may mount it, without a policy")
        guards = {
            group
            for _, _, arguments in stack.of("aws_efs_mount_target")
            if stack.configuration.resource_of(arguments["file_system_id"], "aws_efs_file_system") == name
            for group in arguments["security_groups"]
        }
        clients = {
            arguments.get("referenced_security_group_id")
            for _, _, arguments in stack.of("aws_vpc_security_group_ingress_rule")
            if arguments["security_group_id"] in guards
        }
        users = sorted({build for build, group in builds if group in clients})
        if None in clients or len(users) > 1:
            raise UnsupportedError(
                address, f"whose files it holds: more than one build reaches it ({', '.join(users)})"
            )


def _resource(stack: DeployedStack, kind: str, name: str, policy: Policy | None) -> Resource:
    return Resource(
        address=f"{stack.name}: {kind}.{name}", arn=stack.arn(kind, name), account=stack.account, policy=policy
    )


def methods(stack: DeployedStack) -> Iterator[ApiMethod]:
    """The methods of all APIs."""
    policies: dict[str, Policy] = {}
    for _, address, arguments in stack.of("aws_api_gateway_rest_api_policy"):
        if arguments["rest_api_id"] in policies:
            raise UnsupportedError(address, "which of two policies of an API counts")
        policies[arguments["rest_api_id"]] = stack.policy(arguments["policy"], address)
    for _, address, arguments in stack.of("aws_api_gateway_method"):
        api = arguments["rest_api_id"]
        name = stack.configuration.resource_of(api, "aws_api_gateway_rest_api")
        if name is None:
            raise UnsupportedError(address, f"which API it is of: {api!r}")
        resource = stack.configuration.resource_of(arguments["resource_id"], "aws_api_gateway_resource")
        path = stack.configuration.resources("aws_api_gateway_resource")[resource]["path_part"] if resource else ""
        stages = [
            stage["stage_name"] for _, _, stage in stack.of("aws_api_gateway_stage") if stage["rest_api_id"] == api
        ]
        execution_arn = stack.arn("aws_api_gateway_rest_api", name, "execution_arn")
        for stage in stages or ["any"]:
            yield ApiMethod(
                address=address,
                arn=f"{execution_arn}/{stage}/{arguments['http_method']}/{path}",
                account=stack.account,
                open_to_all=arguments["authorization"] == "NONE" and not arguments.get("api_key_required"),
                policy=policies.get(api),
            )
