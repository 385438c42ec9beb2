"""The kinds of values in a deployment file: what each may be, and what to do when it is something else."""

import difflib
import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from errors.shown import shown
from settings import cron, data
from settings.addresses import ALLOW_LIST_PREFIX, hostless_part, never_public_part
from settings.problems import refuse


def architecture(instance_type: str) -> str:
    """The processor of an instance type, as images name it: Graviton families have a g behind the digit."""
    return "arm64" if re.match(r"a1\.|[a-z]+[0-9]+g", instance_type) else "x86_64"


class Settings(BaseModel):
    """A part of the deployment file: immutable, and closed to keys it does not know."""

    # Only the whole deployment is ever validated: a validator for every part would be built for nothing.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, defer_build=True)


@dataclass(frozen=True)
class Matching:
    """A string's form: a regular expression that must match the whole of it.

    Editors get the pattern too, read as JavaScript: `editor_pattern` stands in for one that means less there.
    """

    pattern: str
    what: str
    hint: str
    editor_pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic checks it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """How the JSON Schema shows it."""
        return {**handler(schema), "pattern": f"^(?:{self.editor_pattern or self.pattern})$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise refuse(f"{shown(value)} is not {self.what}", self.hint)
        return value


@dataclass(frozen=True)
class OneOf:
    """A name from one of the lists in settings/data; editors get the whole list of a short one."""

    kind: str
    what: str
    example: str
    listed: bool = False
    abbreviation_hint: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic checks it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """How the JSON Schema shows it."""
        offered = {"enum": list(data.names(self.kind))} if self.listed else {"examples": [self.example]}
        return {**handler(schema), **offered}

    def _check(self, value: str) -> str:
        known = data.names(self.kind)
        if value not in known:
            near = difflib.get_close_matches(value[:100], known, 1)
            hint = f"did you mean {near[0]}?" if near else f"for example {self.example}"
            if self.abbreviation_hint and re.fullmatch("[A-Z]{2,5}", value):
                # The nearest name of three letters is seldom what was meant: JST is no MST.
                hint = self.abbreviation_hint
            raise refuse(f"{shown(value)} is not {self.what}", hint)
        return value


def _account_id(value: Any) -> Any:
    text = str(value) if isinstance(value, int) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{12}", text):
        raise refuse(f"{shown(value)} is not an account id", "write the 12 digits, in quotes")
    return text


def _network(value: Any) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise refuse(
            f"{shown(value)} is not an IPv4 network", "write an address with a prefix, for example 198.51.100.7/32"
        )
    address, slash, prefix = value.partition("/")
    if ":" in address:
        raise refuse(f"{shown(value)} is not an IPv4 network", "write an IPv4 network: IPv6 is not supported")
    try:
        network = IPv4Network(f"{address}/32")
    except (AddressValueError, NetmaskValueError):
        hint = "write four numbers of 0 to 255 and a prefix, for example 198.51.100.7/32"
        raise refuse(f"{shown(value)} is not an IPv4 network", hint) from None
    if not slash:
        raise refuse(f"{shown(value)} has no prefix", f"write {network} for one address")
    # IPv4Network takes a netmask as well (198.51.100.0/255.255.255.0): AWS does not.
    if not re.fullmatch(r"[0-9]|[12][0-9]|3[0-2]", prefix):
        hint = "write an address with a prefix of 0 to 32, for example 198.51.100.7/32"
        raise refuse(f"{shown(value)} is not an IPv4 network", hint)
    network = IPv4Network(value, strict=False)
    if str(network) != value:
        raise refuse(f"{shown(value)} has bits set behind its prefix", f"write {network} for the network")
    return network


def _public(network: IPv4Network) -> IPv4Network:
    private = never_public_part(network)
    # A network this wide is no mistaken address: whether it may stand is for open_to_the_world_because to say.
    if private is not None and network.prefixlen >= ALLOW_LIST_PREFIX:
        what = "is private" if private == network else f"holds the private '{private}'"
        hint = "write the public address the traffic leaves from, for example that of a NAT gateway"
        raise refuse(f"'{network}' {what}: AWS only ever sees public source addresses", hint)
    return network


def _in_a_vpc(network: IPv4Network) -> IPv4Network:
    if not 16 <= network.prefixlen <= 28:
        raise refuse(f"'{network}' has a prefix of {network.prefixlen}", "AWS takes networks of /16 to /28")
    if hostless_part(network):
        raise refuse(
            f"'{network}' holds addresses that no machine can have", "use private ones, for example 10.0.0.0/16"
        )
    return network


def _cron(value: str) -> str:
    if wrong := cron.problem(value):
        raise refuse(f"{shown(value)} {wrong}", "write six fields, for example cron(0 9 ? * MON-FRI *)")
    return value


def _cron_or_rate(value: str) -> str:
    if not value.startswith("rate"):
        return _cron(value)
    if wrong := cron.rate_problem(value):
        raise refuse(f"{shown(value)} {wrong}", "write it like rate(1 hour) or rate(30 minutes)")
    return value


# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The days CloudWatch Logs takes."""


def _retention(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        near = min(LOG_RETENTION_DAYS, key=lambda days: abs(days - value))
        raise refuse(f"{shown(value)} days is not a retention CloudWatch Logs takes", f"the nearest it takes is {near}")
    return value


def _bucket(value: str) -> str:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    plain = re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value)
    if not plain or ".." in value or re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value):
        hint = "S3 takes 3-63 of a-z, 0-9, '.' and '-', starting and ending with a letter or digit, and no IP address"
        raise refuse(f"{shown(value)} is not a bucket name", hint)
    reserved = re.match(r"xn--|sthree-|amzn-s3-demo-", value) or re.search(
        r"(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$", value
    )
    if reserved:
        raise refuse(f"{shown(value)} is reserved: S3 keeps '{reserved[0]}' for itself", "choose another name")
    return value


def _repository(value: str) -> str:
    # https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value) or value.endswith(".git"):
        hint = "CodeCommit takes 1-100 of letters, digits, '.', '_' and '-', not ending in .git"
        raise refuse(f"{shown(value)} is not a repository name", hint)
    return value


def _parameter(value: str) -> str:
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    if len(value) > 900 or not re.fullmatch(r"/(?!(?i:aws|ssm))[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}", value):
        # Somebody may have put the key itself here.
        repeated = shown(value) if re.fullmatch(r"[!-~]{0,80}", value) else "this"
        hint = "write it with its path, not under /aws or /ssm, for example /kakehashi/backlog/ssh-key"
        raise refuse(f"{repeated} is not the name of an SSM parameter", hint)
    return value


DeploymentName = Annotated[
    str,
    Matching(
        r"[a-z]([a-z0-9-]{0,18}[a-z0-9])", "a deployment name", "use 2-20 of a-z, 0-9 and '-', starting with a letter"
    ),
]
Region = Annotated[str, OneOf("regions", "a region of the commercial AWS partition", "ap-northeast-1", listed=True)]
InstanceType = Annotated[str, OneOf("instance_types", "an EC2 instance type", "c7i.2xlarge")]
TimeZone = Annotated[
    str,
    OneOf(
        "time_zones",
        "a time zone of the IANA database",
        "Asia/Tokyo",
        abbreviation_hint="name a place instead of an abbreviation, for example Asia/Tokyo",
    ),
]
# Tags take the letters of every script. JavaScript's \w knows only English ones: there, name what is refused.
_NOT_IN_TAGS = r"[^\x00-\x1f\x7f!\x22#$%&'()*,;<>?\[\\\]\^`{|}~]"
TagText = Annotated[
    str,
    Matching(
        r"[\w +\-=.:/@]{0,256}",
        "a tag value",
        "AWS takes up to 256 letters, digits, spaces and _ . : / = + - @",
        editor_pattern=_NOT_IN_TAGS + "{0,256}",
    ),
]
TagKey = Annotated[
    str,
    Matching(
        r"(?![Aa][Ww][Ss]:)[\w +\-=.:/@]{1,128}",
        "a tag key",
        "AWS takes 1-128 letters, digits, spaces and _ . : / = + - @, not starting with aws:",
        editor_pattern=r"(?![Aa][Ww][Ss]:)" + _NOT_IN_TAGS + "{1,128}",
    ),
]
Key = Annotated[
    str, Matching(r"[a-z][a-z0-9_-]{0,39}", "a key", "use 1-40 of a-z, 0-9, '_' and '-', starting with a letter")
]
SpaceId = Annotated[
    str,
    Matching(
        r"[a-z0-9][a-z0-9-]{1,9}",
        "the id of a Backlog space",
        "write the first part of its address, 2-10 of a-z, 0-9 and '-'",
    ),
]
RoleArn = Annotated[
    str,
    Matching(
        r"arn:aws:iam::[0-9]{12}:role/([A-Za-z0-9_+=,.@-]+/){0,20}[A-Za-z0-9_+=,.@-]{1,64}",
        "a role ARN",
        "for example arn:aws:iam::111111111111:role/deploy",
    ),
]
Profile = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_.@+-]{1,128}", "the name of a profile", "write a name from ~/.aws/config, for example production"
    ),
]
KmsKeyArn = Annotated[
    str,
    Matching(
        # A UUID as RFC 9562 has it: Terraform's S3 backend takes no other.
        r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/"
        r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})",
        "the ARN of a KMS key",
        "for example arn:aws:kms:ap-northeast-1:222222222222:key/1234abcd-12ab-34cd-86ef-1234567890ab",
    ),
]


def _resource_id(prefix: str, what: str) -> Matching:
    return Matching(f"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", what, f"for example {prefix}-0123456789abcdef0")


VpcId = Annotated[str, _resource_id("vpc", "a VPC id")]
VpcEndpointId = Annotated[str, _resource_id("vpce", "the id of a VPC endpoint")]
SubnetId = Annotated[str, _resource_id("subnet", "a subnet id")]
AmiId = Annotated[str, _resource_id("ami", "an AMI id")]
AllocationId = Annotated[str, _resource_id("eipalloc", "the allocation id of an Elastic IP")]
ParameterName = Annotated[
    str,
    AfterValidator(_parameter),
    WithJsonSchema({"type": "string", "pattern": r"^/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}$"}),
]
Description = Annotated[
    str, Matching(r"[^\x00-\x1f\x7f]{0,1000}", "a description", "write one line of at most 1,000 characters")
]
Reason = Annotated[
    str, Matching(r"[^\x00-\x1f\x7f]{10,500}", "a reason", "say in one line of 10-500 characters why it is meant")
]
ZoneLetter = Annotated[
    str, Matching(r"[a-h]", "the letter of an availability zone", "write a to h, for example a for ap-northeast-1a")
]
TimeOfDay = Annotated[
    str,
    Matching(
        r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time of day", "write hours and minutes in quotes, for example '17:00'"
    ),
]
AccountId = Annotated[str, BeforeValidator(_account_id), WithJsonSchema({"type": "string", "pattern": "^[0-9]{12}$"})]
Cidr = Annotated[
    IPv4Network,
    BeforeValidator(_network),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])$"}),
]
SubnetCidr = Annotated[
    Cidr,
    AfterValidator(_in_a_vpc),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/(1[6-9]|2[0-8])$"}),
]
PublicCidr = Annotated[Cidr, AfterValidator(_public)]
BucketName = Annotated[
    str,
    AfterValidator(_bucket),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"}),
]
RepositoryName = Annotated[
    str,
    AfterValidator(_repository),
    WithJsonSchema({"type": "string", "pattern": r"^(?!.*\.git$)[A-Za-z0-9._-]{1,100}$"}),
]
Cron = Annotated[
    str, AfterValidator(_cron), WithJsonSchema({"type": "string", "pattern": r"^cron\([^ ()]+( [^ ()]+){5}\)$"})
]
ScheduleExpression = Annotated[
    str,
    AfterValidator(_cron_or_rate),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(cron\([^ ()]+( [^ ()]+){5}\)|rate\([0-9]+ (minute|hour|day)s?\))$"}
    ),
]
Email = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+",
        "an e-mail address",
        "write it like ops@example.com",
    ),
]
LogRetentionDays = Annotated[
    StrictInt, AfterValidator(_retention), Field(json_schema_extra={"enum": list(LOG_RETENTION_DAYS)})
]
Flag = StrictBool
