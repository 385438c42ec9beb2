"""Repositories, builds, the API that starts them, and who is told."""

from iam.known.argument import (
    Argument,
    Arguments,
    each,
    harmless,
    of_this_account,
    one_of,
    own,
    read_by,
    required,
    role_for,
    text,
)
from iam.known.networks import GROUP, SUBNET

_LOOKS = harmless("what people and bills call it")
_TOPIC = own("aws_sns_topic", "arn")
_BUS = Argument(
    why="the account's own bus",
    wanted="the default event bus of this account and region",
    check=lambda value, stack: value == f"arn:aws:events:{stack.stack.region}:{stack.stack.account}:event-bus/default",
)
_API = own("aws_api_gateway_rest_api")
_METHOD = own("aws_api_gateway_method", "http_method")
_RESOURCE = own("aws_api_gateway_resource") | own("aws_api_gateway_method", "resource_id")
_ANSWER = harmless("the status that the sender of a webhook is answered with")
_LIMIT = harmless("how often the API answers")
_PROVIDER = one_of("aws.us_east_1", why="the same account in the region where IAM reports what happens")
_COUNT = text(
    r"\$\{length\(local\.[\w-]+\)\}",
    wanted="the length of a local value",
    why="into how many rules a long list of addresses is divided",
)

_WORD = r"[A-Za-z0-9_.-]+"
_TABLE = rf'#set\(\$hooks = \{{{{\n(?:  "{_WORD}": {{value}},\n)+  "": {{nothing}}\n\}}}}\)\n'
_NAME = r'#set\(\$name = \$input\.params\("mirror"\)\)\n'
_IS_UNKNOWN = r'"\$!name" != "" && "\$!hooks\.get\(\$name\)" == ""'
_OVERRIDE = r'\[\{"name": "MIRROR", "value": "\$!found\.mirror", "type": "PLAINTEXT"\}\]'
_START = text(
    _TABLE.format(value=rf'\{{"project": "{_WORD}", "mirror": "{_WORD}"\}}', nothing=r"\{\}")
    + _NAME
    + r"#set\(\$found = \$hooks\.get\(\$name\)\)\n"
    rf'\{{"projectName": "\$!found\.project", "environmentVariablesOverride": {_OVERRIDE}\}}\n',
    wanted="a table of names with a build and its variable MIRROR for each, and nothing of the request beside the name",
    why="it overrides nothing of the build but which mirror it is about",
)
_SAYS_NOTHING = "the sender of a webhook gets nothing of CodeBuild's own response, which describes the build"

TYPES: dict[str, Arguments] = {
    "aws_codecommit_repository": {
        "description": _LOOKS,
        "kms_key_id": of_this_account("kms"),
        "repository_name": read_by("the policies' evaluation"),
    },
    "aws_codebuild_project": {
        "artifacts.type": required(one_of("NO_ARTIFACTS", why="a build leaves nothing outside the repository")),
        "build_timeout": harmless("how long a build may take"),
        "cache.location": text(
            r"\$\{aws_s3_bucket\.[\w-]+\.bucket\}/[\w.-]+", wanted="a folder of this stack's bucket", why="own bucket"
        ),
        "cache.type": one_of("S3", why="a bucket of this stack"),
        "description": _LOOKS,
        **each(harmless("on what machine it runs"), "environment.compute_type", "environment.type"),
        "environment.environment_variable.name": one_of(
            "PROGRAM_VERSION", "CONFIG_VERSION", why="which version of an object a build fetches, by its digest"
        ),
        "environment.environment_variable.value": own("aws_s3_object", "version_id"),
        "environment.image": text(r"aws/codebuild/[\w.:-]+", wanted="an image of CodeBuild's", why="AWS's own image"),
        "environment.privileged_mode": harmless("whether it may mount a file system, in a machine of its own"),
        "file_system_locations.identifier": _LOOKS,
        "file_system_locations.location": text(
            r"\$\{aws_efs_file_system\.[\w-]+\.dns_name\}:/[\w-]*", wanted="this stack's file system", why="own files"
        ),
        "file_system_locations.mount_point": harmless("where the build sees it"),
        "file_system_locations.type": one_of("EFS", why="a file system of this stack"),
        "logs_config.cloudwatch_logs.group_name": own("aws_cloudwatch_log_group", "name"),
        "logs_config.s3_logs.status": one_of("DISABLED", why="no log goes to a bucket"),
        "name": _LOOKS,
        "service_role": required(role_for("codebuild.amazonaws.com")),
        "source.buildspec": required(
            harmless("the program of a mirror, which stacks/as_asked.py compares with what buildspec/ renders")
        ),
        "source.type": required(one_of("NO_SOURCE", why="it runs the program of this project alone")),
        "vpc_config.security_group_ids": GROUP,
        "vpc_config.subnets": SUBNET,
        "vpc_config.vpc_id": text(r"vpc-[0-9a-f]+", wanted="a VPC's id", why="the settings name it"),
    },
    "aws_api_gateway_rest_api": {
        **each(_LOOKS, "description", "name"),
        "endpoint_configuration.types": one_of("REGIONAL", why="its policy sees who calls"),
    },
    "aws_api_gateway_rest_api_policy": {"policy": read_by("the promise no-method-is-open"), "rest_api_id": _API},
    "aws_api_gateway_resource": {
        "parent_id": own("aws_api_gateway_rest_api", "root_resource_id") | own("aws_api_gateway_resource"),
        "path_part": _LOOKS,
        "rest_api_id": _API,
    },
    "aws_api_gateway_method": {
        "api_key_required": one_of(False, why="the API's policy says who may call it"),
        "authorization": one_of("NONE", why="the API's policy says who may call it"),
        "http_method": one_of("POST", why="a webhook is a POST"),
        "request_parameters.method.request.path.mirror": harmless("the name that a table of constants is asked for"),
        "resource_id": _RESOURCE,
        "rest_api_id": _API,
    },
    "aws_api_gateway_integration": {
        "credentials": role_for("apigateway.amazonaws.com"),
        "http_method": _METHOD,
        "integration_http_method": one_of("POST", why="how CodeBuild is called"),
        "passthrough_behavior": required(one_of("NEVER", why="nothing of the sender's request reaches CodeBuild")),
        "request_parameters.integration.request.header.Content-Type": one_of(
            "'application/x-amz-json-1.1'", why="how CodeBuild is called"
        ),
        "request_parameters.integration.request.header.X-Amz-Target": one_of(
            "'CodeBuild_20161006.StartBuild'", why="a webhook starts a build and does nothing else"
        ),
        **each(
            _START,
            "request_templates.application/json",
            "request_templates.application/x-www-form-urlencoded",
        ),
        "resource_id": _RESOURCE,
        "rest_api_id": _API,
        "type": one_of("AWS", why="it calls AWS"),
        "uri": text(
            r"arn:aws:apigateway:[a-z0-9-]+:codebuild:action/StartBuild",
            wanted="CodeBuild's action StartBuild",
            why="a webhook starts a build and does nothing else",
        ),
    },
    "aws_api_gateway_integration_response": {
        "http_method": _METHOD,
        "resource_id": _RESOURCE,
        "response_templates.application/json": required(
            one_of('{"started": true}', why=_SAYS_NOTHING)
            | text(
                _TABLE.format(value='"known"', nothing='""') + _NAME + r"#if\(" + _IS_UNKNOWN + r"\)"
                r'#set\(\$context\.responseOverride\.status = 404\)#end\n\{"started": false\}\n',
                wanted="a table of names, and what says whether a build started",
                why=_SAYS_NOTHING,
            )
        ),
        "selection_pattern": _ANSWER,
        "rest_api_id": _API,
        "status_code": own("aws_api_gateway_method_response", "status_code"),
    },
    "aws_api_gateway_method_response": {
        "http_method": _METHOD,
        "resource_id": _RESOURCE,
        "rest_api_id": _API,
        "status_code": _ANSWER,
    },
    "aws_api_gateway_method_settings": {
        **each(_LIMIT, "method_path", "settings.throttling_burst_limit", "settings.throttling_rate_limit"),
        "rest_api_id": _API,
        "stage_name": own("aws_api_gateway_stage", "stage_name"),
    },
    "aws_api_gateway_deployment": {
        "rest_api_id": _API,
        "triggers.*": harmless("when the API is deployed anew"),
    },
    "aws_api_gateway_stage": {
        "deployment_id": own("aws_api_gateway_deployment"),
        "description": _LOOKS,
        "rest_api_id": _API,
        "stage_name": _LOOKS,
    },
    "aws_cloudwatch_event_rule": {
        "count": _COUNT,
        **each(_LOOKS, "description", "name"),
        "event_pattern": harmless("of what people are told, which stacks/asked_texts.py compares"),
        "provider": _PROVIDER,
        "state": one_of("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", why="people are told"),
    },
    "aws_cloudwatch_event_target": {
        "arn": _TOPIC | _BUS,
        "count": _COUNT,
        **each(
            harmless("what a message says, which stacks/asked_texts.py compares"),
            "input_transformer.input_paths.*",
            "input_transformer.input_template",
        ),
        "provider": _PROVIDER,
        "role_arn": role_for("events.amazonaws.com"),
        "rule": own("aws_cloudwatch_event_rule", "name")
        | text(
            r"\$\{aws_cloudwatch_event_rule\.[\w-]+\[count\.index\]\.name\}", wanted="a rule of its own", why="own rule"
        ),
    },
    "aws_cloudwatch_metric_alarm": {
        **each(_TOPIC, "alarm_actions", "ok_actions"),
        **each(_LOOKS, "alarm_description", "alarm_name"),
        "dimensions.Unit": harmless("which builds' metrics, which stacks/as_asked.py compares"),
        **each(
            harmless("when people are told"),
            "comparison_operator",
            "evaluation_periods",
            "metric_name",
            "namespace",
            "period",
            "statistic",
            "threshold",
            "treat_missing_data",
        ),
    },
    "aws_sns_topic": {"name": _LOOKS},
    "aws_sns_topic_policy": {"arn": _TOPIC, "policy": read_by("the promise nothing-is-public")},
    "aws_sns_topic_subscription": {
        "endpoint": text(
            r"[^@\s$]+@[^@\s$]+", wanted="an e-mail address", why="people whom the settings name are told"
        ),
        "protocol": one_of("email", why="whoever is told has to agree by hand, and no program is called"),
        "topic_arn": _TOPIC,
    },
}
