"""What AWS refuses although Terraform and its provider accept it, checked on finished Terraform.

Every rule looks at one kind of resource with references resolved as far as they are known: variables by their
defaults, repositories by their names. What is known only after an apply counts with the length of an ARN.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settings import LocatedProblem, cron
from settings.types import LOG_RETENTION_DAYS

Json = Mapping[str, Any]

_REFERENCE = re.compile(r"(?<!\$)\$\{([^{}]+)\}")
_ENCODED_LOCAL = re.compile(r"jsonencode\(local\.(\w+)\)")
_UNKNOWN = "x" * 100
_LAST_OF_MANY = 100

_SERVICE_PREFIXES = frozenset(
    ("codebuild", "codecommit", "ec2", "events", "execute-api", "kms", "logs", "s3", "sns", "ssm", "sts")
)
"""The services our policies speak of; a prefix that is not among them is misspelt, or to be added here."""


@dataclass(frozen=True)
class Stack:
    """One stack's synthesised Terraform."""

    name: str
    terraform: Json

    def resources(self) -> Iterator[tuple[str, str, Json]]:
        """Type, address and arguments of every resource."""
        for kind, named in self.terraform.get("resource", {}).items():
            for name, arguments in named.items():
                yield kind, f"{kind}.{name}", arguments

    def known(self, value: Any) -> Any:
        """`value` with its references resolved as far as they are known before an apply."""
        if isinstance(value, str):
            whole = _REFERENCE.fullmatch(value)
            if whole and whole[1].startswith("var."):
                return self._variable(whole[1])
            return _REFERENCE.sub(lambda reference: str(self._attribute(reference[1])), value).replace("$${", "${")
        if isinstance(value, list):
            resolved = [self.known(item) for item in value]
            return [item for part in resolved for item in (part if isinstance(part, list) else [part])]
        if isinstance(value, dict):
            return {key: self.known(item) for key, item in value.items()}
        return value

    def _variable(self, reference: str) -> Any:
        return self.terraform.get("variable", {}).get(reference.removeprefix("var."), {}).get("default")

    def _attribute(self, reference: str) -> Any:
        if reference.startswith("var."):
            return self._variable(reference)
        if reference.startswith("count.index"):
            return _LAST_OF_MANY
        if encoded := _ENCODED_LOCAL.fullmatch(reference):
            return _jsonencode(self.known(self.terraform["locals"][encoded[1]]))
        kind, _, rest = reference.partition(".")
        name, _, attribute = rest.partition(".")
        arguments = self.terraform.get("resource", {}).get(kind, {}).get(name, {})
        if kind == "aws_codecommit_repository" and attribute == "arn":
            return f"arn:aws:codecommit:xx-xxxxxxxxx-x:000000000000:{arguments['repository_name']}"
        value = arguments.get(attribute)
        return value if isinstance(value, str) and "${" not in value else _UNKNOWN

    def policy(self, reference: str) -> list[Json]:
        """The statements behind `${data.aws_iam_policy_document.NAME.json}`."""
        match = re.fullmatch(r"\$\{data\.aws_iam_policy_document\.([^.]+)\.json\}", reference)
        if not match:
            raise ValueError(f"{self.name}: {reference} is not a policy document of this stack")
        statements: list[Json] = self.terraform["data"]["aws_iam_policy_document"][match[1]]["statement"]
        return statements


def _jsonencode(text: str) -> str:
    """As Terraform has it: https://developer.hashicorp.com/terraform/language/functions/jsonencode"""
    encoded = json.dumps(text, ensure_ascii=False)
    return re.sub("[<>&]", lambda mark: f"\\u{ord(mark[0]):04x}", encoded)


def problems(stacks: Sequence[Stack]) -> list[LocatedProblem]:
    """Everything in `stacks` that AWS would refuse, or that was never meant to leave synthesis."""
    found: list[LocatedProblem] = []
    for stack in stacks:
        found += [*_leaks(stack), *_shared_names(stack), *_too_many(stack)]
        for kind, address, arguments in stack.resources():
            for rule in (*_RULES.get(kind, ()), *_RULES["*"]):
                for argument, what, hint in rule(stack, arguments):
                    found.append(LocatedProblem(file=stack.name, path=(address, argument), what=what, hint=hint))
    return found


Finding = tuple[str, str, str]
"""The argument, what is wrong with it, and the next action."""

Rule = Callable[[Stack, Json], Iterator[Finding]]


_AT_MOST = {"aws_api_gateway_resource": 300}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""


def _shared_names(stack: Stack) -> Iterator[LocatedProblem]:
    """Two resources of a kind with one name: the second would find that it exists already."""
    first: dict[tuple[str, str], str] = {}
    for kind, address, arguments in stack.resources():
        name = arguments.get("name")
        if not isinstance(name, str) or kind == "aws_iam_role_policy":
            continue
        if (kind, name) in first:
            what = f"{name!r} is also the name of {first[kind, name]}"
            yield LocatedProblem(file=stack.name, path=(address, "name"), what=what, hint="rename what it is made of")
        first.setdefault((kind, name), address)


def _too_many(stack: Stack) -> Iterator[LocatedProblem]:
    for kind, most in _AT_MOST.items():
        count = len(stack.terraform.get("resource", {}).get(kind, {}))
        if count > most:
            what = f"{count} of {kind}, AWS takes {most}"
            yield LocatedProblem(file=stack.name, what=what, hint="divide them among deployments")


_NEVER_MEANT = {
    r"<[\w. ]+ object at 0x[0-9a-f]+>": "a Python object was printed",
    r"TfToken\[": "a token was never resolved",
}


def _leaks(stack: Stack) -> Iterator[LocatedProblem]:
    text = json.dumps(stack.terraform)
    for pattern, what in _NEVER_MEANT.items():
        if mark := re.search(pattern, text):
            around = text[max(0, mark.start() - 60) : mark.end() + 60]
            yield LocatedProblem(file=stack.name, what=f"{what}: …{around}…", hint="this is a fault of Kakehashi")


def _length(argument: str, limit: int) -> Rule:
    def rule(stack: Stack, arguments: Json) -> Iterator[Finding]:
        value = stack.known(arguments.get(argument, ""))
        if isinstance(value, str) and len(value) > limit:
            yield argument, f"{len(value):,} characters, AWS takes {limit:,}", "shorten the names it is made of"

    return rule


def _form(argument: str, pattern: str, hint: str) -> Rule:
    def rule(stack: Stack, arguments: Json) -> Iterator[Finding]:
        value = stack.known(arguments.get(argument))
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            yield argument, f"{value!r} is not what AWS takes", hint

    return rule


def _no_region(_: Stack, arguments: Json) -> Iterator[Finding]:
    if "region" in arguments:
        yield "region", "the provider before 6.0 does not know it", "leave the region to the provider"


def _tags(stack: Stack, arguments: Json) -> Iterator[Finding]:
    for key, value in (stack.known(arguments.get("tags")) or {}).items():
        if not isinstance(value, str) or len(key) > 128 or len(value) > 256:
            yield "tags", f"{key!r}: {value!r} is too long", "AWS takes keys of 128 and values of 256 characters"


def _user_data(stack: Stack, arguments: Json) -> Iterator[Finding]:
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
    size = len(str(stack.known(arguments.get("user_data", ""))).encode())
    if size > 16_384:
        yield "user_data", f"{size:,} bytes, EC2 takes 16,384", "shorten what the server is told on its first boot"


def _launched_user_data(_: Stack, arguments: Json) -> Iterator[Finding]:
    size = len(base64.b64decode(arguments.get("user_data", "")))
    if size > 16_384:
        yield "user_data", f"{size:,} bytes, EC2 takes 16,384", "name fewer hosts"


def _group_rules(stack: Stack, arguments: Json) -> Iterator[Finding]:
    """Rules of one group and direction, a list of addresses counted address by address.

    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    """
    own = f"${{{next(address for _, address, found in stack.resources() if found is arguments)}.id}}"
    for direction, argument in (("ingress", "inbound"), ("egress", "outbound")):
        rules = stack.terraform.get("resource", {}).get(f"aws_vpc_security_group_{direction}_rule", {}).values()
        count = sum(_times(stack, rule) for rule in rules if rule["security_group_id"] == own)
        if count > 60:
            yield argument, f"{count} {argument} rules, AWS takes 60", "name fewer or wider networks"


def _times(stack: Stack, arguments: Json) -> int:
    each = re.fullmatch(r"\$\{toset\((.+)\)\}", arguments.get("for_each", ""))
    if not each:
        return 1
    if each[1].startswith("["):
        return len(json.loads(each[1]))
    listed = stack.known(f"${{{each[1]}}}")
    return len(listed) if isinstance(listed, list) else 1


def _attached_policies(stack: Stack, arguments: Json) -> Iterator[Finding]:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    own = f"${{{next(address for _, address, found in stack.resources() if found is arguments)}.name}}"
    attachments = stack.terraform["resource"].get("aws_iam_user_policy_attachment", {}).values()
    count = sum(attachment["user"] == own for attachment in attachments)
    if count > 10:
        hint = (
            "give beginnings of names that are this deployment's alone in prd.codecommit.own_prefixes, "
            "or divide the repositories among deployments"
        )
        yield "name", f"{count} managed policies for this user, AWS attaches 10", hint


def _retention(stack: Stack, arguments: Json) -> Iterator[Finding]:
    days = stack.known(arguments.get("retention_in_days"))
    if days not in LOG_RETENTION_DAYS:
        yield "retention_in_days", f"{days} days", f"CloudWatch Logs takes {', '.join(map(str, LOG_RETENTION_DAYS))}"


def _schedule(stack: Stack, arguments: Json) -> Iterator[Finding]:
    expression = stack.known(arguments["schedule_expression"])
    check = cron.rate_problem if expression.startswith("rate") else cron.problem
    if wrong := check(expression):
        hint = "write it like cron(0 9 ? * MON-FRI *) or rate(1 hour)"
        yield "schedule_expression", f"{expression!r} {wrong}", hint


def _templates(argument: str) -> Rule:
    """API Gateway reads `$` and `#` as its template language; ours are constants."""

    def rule(stack: Stack, arguments: Json) -> Iterator[Finding]:
        for content_type, template in arguments.get(argument, {}).items():
            plain = stack.known(template)
            if "$" in plain or "#" in plain or not _is_json(plain):
                yield argument, f"{plain!r} for {content_type} is not constant JSON", "send a constant"

    return rule


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _buildspec(_: Stack, arguments: Json) -> Iterator[Finding]:
    buildspec = arguments["source"]["buildspec"]
    if loose := _REFERENCE.search(buildspec):
        yield "source.buildspec", f"{loose[0]!r} would be read by Terraform", "write it $${…}"
    if len(buildspec) > 65_536:
        yield "source.buildspec", f"{len(buildspec):,} characters, CodeBuild takes 65,536", "shorten it"


def _policy(argument: str, limit: int) -> Rule:
    """A policy's actions and size.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """

    def rule(stack: Stack, arguments: Json) -> Iterator[Finding]:
        statements = stack.policy(arguments[argument])
        size = len(_minified(stack, statements))
        if size > limit:
            yield argument, f"{size:,} characters, AWS takes {limit:,}", "name fewer repositories or addresses"
        for statement in statements:
            for action in statement["actions"]:
                prefix, _, name = action.partition(":")
                known = prefix in _SERVICE_PREFIXES and re.fullmatch(r"[A-Za-z]+|\*", name)
                if action != "*" and not known:
                    yield argument, f"{action!r} is not an action of a known service", "correct its spelling"

    return rule


def _minified(stack: Stack, statements: Sequence[Json]) -> str:
    """The document as the provider prints it, without white space."""
    document = [
        {
            "Sid": statement.get("sid"),
            "Effect": statement["effect"],
            "Action": stack.known(statement["actions"]),
            "Resource": stack.known(statement.get("resources", [])),
            **(
                {"Principal": {entry["type"]: entry["identifiers"] for entry in statement["principals"]}}
                if "principals" in statement
                else {}
            ),
            "Condition": [
                {entry["test"]: {entry["variable"]: stack.known(entry["values"])}}
                for entry in statement.get("condition", ())
            ],
        }
        for statement in statements
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": document}, separators=(",", ":"))


def _trust(stack: Stack, arguments: Json) -> Iterator[Finding]:
    for statement in stack.policy(arguments["assume_role_policy"]):
        services = [name for entry in statement.get("principals", ()) for name in entry["identifiers"]]
        named = services and all(re.fullmatch(r"[a-z0-9-]+\.amazonaws\.com", name) for name in services)
        if statement["actions"] != ["sts:AssumeRole"] or "resources" in statement or not named:
            hint = "name a service, sts:AssumeRole and no resource"
            yield "assume_role_policy", f"{statement.get('sid')} is no trust in a service", hint


_SG_DESCRIPTION = r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}"
_IAM_DESCRIPTION = r"[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}"
_ASCII_HINT = "use plain ASCII letters, digits and punctuation"

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
_LB_NAME = r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)"
_LB_HINT = "AWS takes 1-32 letters, digits and '-', not at an end, and not internal- at the beginning"

_RULES: dict[str, tuple[Rule, ...]] = {
    "*": (_no_region, _tags),
    "aws_api_gateway_integration": (_templates("request_templates"),),
    "aws_api_gateway_integration_response": (_templates("response_templates"),),
    "aws_api_gateway_resource": (
        _form("path_part", r"[A-Za-z0-9._:-]+", "use letters, digits, '.', '_', ':' and '-'"),
    ),
    "aws_api_gateway_rest_api_policy": (_policy("policy", 8_192),),
    "aws_cloudwatch_event_rule": (_length("event_pattern", 2_048), _length("name", 64)),
    "aws_cloudwatch_log_group": (_retention, _length("name", 512)),
    "aws_codebuild_project": (
        _buildspec,
        _length("description", 255),
        _form("name", r"[A-Za-z0-9][A-Za-z0-9_-]{1,254}", "use letters, digits, '_' and '-'"),
    ),
    "aws_codecommit_repository": (_length("description", 1_000),),
    "aws_iam_policy": (_policy("policy", 6_144), _length("name", 128)),
    "aws_iam_role": (
        _trust,
        _policy("assume_role_policy", 2_048),
        _length("name", 64),
        _form("description", _IAM_DESCRIPTION, _ASCII_HINT),
    ),
    "aws_iam_role_policy": (_policy("policy", 10_240),),
    "aws_iam_user": (
        _attached_policies,
        _form("name", r"[A-Za-z0-9+=,.@_-]{1,64}", "use at most 64 letters, digits and + = , . @ _ -"),
    ),
    "aws_instance": (
        _user_data,
        _form("instance_type", r"[a-z0-9-]+\.[a-z0-9-]+", "name an EC2 instance type"),
    ),
    "aws_s3_bucket": (_form("bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "use 3-63 of a-z, 0-9, '.' and '-'"),),
    "aws_s3_bucket_policy": (_policy("policy", 20_480),),
    "aws_cloudwatch_metric_alarm": (_length("alarm_name", 255),),
    "aws_sns_topic": (_length("name", 256),),
    "aws_sns_topic_policy": (_policy("policy", 30_720),),
    "aws_scheduler_schedule": (_schedule, _form("name", r"[A-Za-z0-9._-]{1,64}", "use at most 64 characters")),
    "aws_launch_template": (_launched_user_data, _length("name", 128)),
    "aws_lb": (_form("name", _LB_NAME, _LB_HINT),),
    "aws_lb_target_group": (_form("name", _LB_NAME, _LB_HINT),),
    "aws_security_group": (_group_rules, _form("description", _SG_DESCRIPTION, _ASCII_HINT), _length("name", 255)),
    "aws_vpc_security_group_egress_rule": (_form("description", _SG_DESCRIPTION, _ASCII_HINT),),
    "aws_vpc_security_group_ingress_rule": (_form("description", _SG_DESCRIPTION, _ASCII_HINT),),
}
