"""Limits on builds, on what starts them and on their logs."""

from collections.abc import Iterator

from limits.limit import Found, Limit, api, estimated, form, length, limit
from settings import cron
from settings.types import LOG_RETENTION_DAYS
from terraform.output import objects
from terraform.references import Configuration
from terraform.templates import Interpolation, Literal, TemplateError, parts

_API_LIMITS = "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
_TEMPLATE_BYTES = 300_000
_ALARM_QUOTAS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
_REPOSITORY_QUOTAS = "https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html"
_EVENT_QUOTAS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
_PATH_PARTS = "https://github.com/aws/aws-cdk/issues/22477"
_PATH_HINT = "use letters, digits, '.', '_', ':' and '-'"


# No page documents the length; UpdateProject says "Max buildspec length is 25600".
@limit(
    what="a buildspec is constant and has at most 25,600 characters",
    source="https://github.com/aws/aws-cdk/issues/30326",
)
def buildspecs(stack: Configuration) -> Iterator[Found]:
    for name, arguments in stack.resources("aws_codebuild_project").items():
        place = f"aws_codebuild_project.{name}.source.buildspec"
        for buildspec in (source["buildspec"] for source in objects(arguments["source"])):
            if (found := _first_reference(buildspec)) is not None:
                yield place, f"{found!r} would be read by Terraform", "write it $${…}"
            if len(buildspec) > 25_600:
                yield place, f"{len(buildspec):,} characters, CodeBuild takes 25,600", "shorten it"


def _first_reference(text: str) -> str | None:
    try:
        found = next((part for part in parts(text) if not isinstance(part, Literal)), None)
    except TemplateError as error:
        return str(error)
    return None if found is None else f"{'$' if isinstance(found, Interpolation) else '%'}{{{found.source}}}"


@limit(
    what="a log group keeps its events for a number of days that CloudWatch Logs knows",
    source=api("AmazonCloudWatchLogs", "PutRetentionPolicy"),
)
def log_retention(stack: Configuration) -> Iterator[Found]:
    for name, arguments in stack.resources("aws_cloudwatch_log_group").items():
        days = stack.known(arguments.get("retention_in_days"), estimated)
        if days not in LOG_RETENTION_DAYS:
            hint = f"CloudWatch Logs takes {', '.join(map(str, LOG_RETENTION_DAYS))}"
            yield f"aws_cloudwatch_log_group.{name}.retention_in_days", f"{days} days", hint


@limit(
    what="a schedule is a cron or rate expression of EventBridge Scheduler",
    source="https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html",
)
def schedules(stack: Configuration) -> Iterator[Found]:
    for name, arguments in stack.resources("aws_scheduler_schedule").items():
        expression = stack.known(arguments["schedule_expression"], estimated)
        check = cron.rate_problem if expression.startswith("rate") else cron.problem
        if wrong := check(expression):
            place = f"aws_scheduler_schedule.{name}.schedule_expression"
            yield place, f"{expression!r} {wrong}", "write it like cron(0 9 ? * MON-FRI *) or rate(1 hour)"


def _template_sizes(kind: str, argument: str) -> Limit:
    @limit(what=f"each of {argument} of {kind} has at most 300 KB", source=_API_LIMITS)
    def check(stack: Configuration) -> Iterator[Found]:
        for name, arguments in stack.resources(kind).items():
            for content_type, template in arguments.get(argument, {}).items():
                size = len(str(stack.known(template, estimated)).encode())
                if size > _TEMPLATE_BYTES:
                    what = f"{size:,} bytes for {content_type}, API Gateway takes {_TEMPLATE_BYTES:,}"
                    yield f"{kind}.{name}.{argument}", what, "divide the mirrors among deployments"

    return check


def _count(kind: str, what: str, most: int, source: str) -> Limit:
    @limit(what=f"there are at most {most:,} {what}", source=source)
    def check(stack: Configuration) -> Iterator[Found]:
        if (count := len(stack.resources(kind))) > most:
            yield "", f"{count:,} of {kind}, AWS takes {most:,}", "divide them among deployments"

    return check


LIMITS = (
    buildspecs,
    log_retention,
    schedules,
    length("aws_cloudwatch_event_rule.event_pattern", 2_048, _EVENT_QUOTAS),
    _template_sizes("aws_api_gateway_integration", "request_templates"),
    _template_sizes("aws_api_gateway_integration_response", "response_templates"),
    _count("aws_api_gateway_resource", "resources of an API", 300, _API_LIMITS),
    _count("aws_cloudwatch_metric_alarm", "alarms in an account and region", 5_000, _ALARM_QUOTAS),
    _count("aws_codecommit_repository", "repositories in an account and region", 1_000, _REPOSITORY_QUOTAS),
    length("aws_cloudwatch_metric_alarm.alarm_description", 1_024, api("AmazonCloudWatch", "PutMetricAlarm")),
    length("aws_ssm_parameter.value", 4_096, api("systems-manager", "PutParameter")),
    # No page documents the characters of a path; API Gateway's error lists them.
    form("aws_api_gateway_resource.path_part", r"[A-Za-z0-9._:-]+|\{[A-Za-z0-9._:-]+\}", _PATH_HINT, _PATH_PARTS),
)
