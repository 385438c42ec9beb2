"""The kinds of values in a deployment file: what each may be, and what to do when it is something else."""

import difflib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from pathlib import Path
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
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from settings import cron
from settings.addresses import is_never_public, opens_to_the_world
from settings.problems import Problem, raise_all, refuse

LOG_RETENTION_DAYS = tuple(
    int(days) for days in "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653".split()
)
"""The days CloudWatch Logs takes.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""


class Settings(BaseModel):
    """A part of the deployment file: immutable, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Part(Settings):
    """A part that a deployment may leave out.

    Every valid part enters itself into the validation's context, so that what must hold between parts can be checked,
    and reported together with the rest, even when another part is broken.
    """

    @model_validator(mode="after")
    def _enter(self, info: ValidationInfo) -> "Part":
        if info.context is not None:
            info.context[type(self)] = self
        return self


@dataclass(frozen=True)
class Matching:
    """A string's form as a regular expression that must match the whole of it; editors get it too."""

    pattern: str
    what: str
    hint: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic checks it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """How the JSON Schema shows it."""
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise refuse(f"{value!r} is not {self.what}", self.hint)
        return value


def _account_id(value: Any) -> Any:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{12}", text):
        raise refuse(f"{value!r} is not an account id", "write the 12 digits, in quotes")
    return text


def _network(value: Any) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise refuse(f"{value!r} is not an IPv4 network", "write an address with a prefix, for example 198.51.100.7/32")
    if "/" not in value:
        raise refuse(f"{value!r} has no prefix", f"write {value}/32 for one address")
    try:
        return IPv4Network(value)
    except NetmaskValueError:
        hint = "write an address with a prefix of 0 to 32, for example 198.51.100.7/32"
        raise refuse(f"{value!r} is not an IPv4 network", hint) from None
    except AddressValueError:
        hint = "write four numbers of 0 to 255 and a prefix, for example 198.51.100.7/32"
        raise refuse(f"{value!r} is not an IPv4 network", hint) from None
    except ValueError:
        mended = IPv4Network(value, strict=False)
        raise refuse(f"{value!r} has bits set behind its prefix", f"write {mended} for the network") from None


def _public(network: IPv4Network) -> IPv4Network:
    if is_never_public(network):
        hint = "write the public address the traffic leaves from, for example that of a NAT gateway"
        raise refuse(f"'{network}' is private: AWS only ever sees public source addresses", hint)
    return network


def _subnet_size(network: IPv4Network) -> IPv4Network:
    if not 16 <= network.prefixlen <= 28:
        raise refuse(f"'{network}' has a prefix of {network.prefixlen}", "AWS takes networks of /16 to /28")
    return network


def _cron(value: str) -> str:
    if wrong := cron.problem(value):
        raise refuse(f"{value!r} {wrong}", "write six fields, for example cron(0 9 ? * MON-FRI *)")
    return value


@functools.cache
def _instance_types() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "data" / "instance_types.txt").read_text().split())


def _instance_type(value: str) -> str:
    if value not in _instance_types():
        near = difflib.get_close_matches(value, _instance_types(), 1)
        suggestion = f"did you mean {near[0]}?" if near else "for example c7i.2xlarge"
        raise refuse(f"{value!r} is not an EC2 instance type", suggestion)
    return value


def _retention(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        near = min(LOG_RETENTION_DAYS, key=lambda days: abs(days - value))
        raise refuse(f"{value} days is not a retention CloudWatch Logs takes", f"the nearest it takes is {near}")
    return value


def _bucket(value: str) -> str:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    plain = re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]", value)
    reserved = re.match(r"xn--|sthree-|amzn-s3-demo-", value) or re.search(
        r"(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$", value
    )
    if not plain or reserved or ".." in value or re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value):
        hint = "S3 takes 3-63 of a-z, 0-9, '.' and '-', starting and ending with a letter or digit"
        raise refuse(f"{value!r} is not a bucket name", hint)
    return value


def _repository(value: str) -> str:
    # https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value) or value.endswith(".git"):
        hint = "CodeCommit takes 1-100 of letters, digits, '.', '_' and '-', not ending in .git"
        raise refuse(f"{value!r} is not a repository name", hint)
    return value


DeploymentName = Annotated[
    str,
    Matching(
        r"[a-z][a-z0-9-]{0,18}[a-z0-9]", "a deployment name", "use 2-20 of a-z, 0-9 and '-', starting with a letter"
    ),
]
Region = Annotated[
    str,
    Matching(
        r"(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-[0-9]",
        "a region of the commercial AWS partition",
        "for example ap-northeast-1",
    ),
]
TagText = Annotated[
    str,
    Matching(r"[\w +\-=.:/@]{0,256}", "a tag value", "AWS takes up to 256 letters, digits, spaces and _ . : / = + - @"),
]
TagKey = Annotated[
    str,
    Matching(
        r"(?!(?i:aws:))[\w +\-=.:/@]{1,128}",
        "a tag key",
        "AWS takes 1-128 letters, digits, spaces and _ . : / = + - @, not starting with aws:",
    ),
]
Key = Annotated[
    str, Matching(r"[a-z][a-z0-9_-]{0,39}", "a key", "use 1-40 of a-z, 0-9, '_' and '-', starting with a letter")
]
RoleArn = Annotated[
    str,
    Matching(
        r"arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}",
        "a role ARN",
        "for example arn:aws:iam::111111111111:role/deploy",
    ),
]
KmsKeyArn = Annotated[
    str,
    Matching(
        r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
        "the ARN of a KMS key",
        "for example arn:aws:kms:ap-northeast-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
]
VpcId = Annotated[str, Matching(r"vpc-[0-9a-f]{8,17}", "a VPC id", "for example vpc-0123456789abcdef0")]
SubnetId = Annotated[str, Matching(r"subnet-[0-9a-f]{8,17}", "a subnet id", "for example subnet-0123456789abcdef0")]
AmiId = Annotated[str, Matching(r"ami-[0-9a-f]{8,17}", "an AMI id", "for example ami-0123456789abcdef0")]
AllocationId = Annotated[
    str,
    Matching(
        r"eipalloc-[0-9a-f]{8,17}", "the allocation id of an Elastic IP", "for example eipalloc-0123456789abcdef0"
    ),
]
ParameterName = Annotated[
    str,
    Matching(
        r"/(?!aws/|ssm/)[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}",
        "the name of an SSM parameter",
        "write it with its path, for example /kakehashi/backlog/ssh-key",
    ),
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
Network = Annotated[
    IPv4Network,
    BeforeValidator(_network),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"}),
]
SubnetCidr = Annotated[Network, AfterValidator(_subnet_size)]
PublicNetwork = Annotated[Network, AfterValidator(_public)]
BucketName = Annotated[str, AfterValidator(_bucket)]
RepositoryName = Annotated[str, AfterValidator(_repository)]
InstanceType = Annotated[str, AfterValidator(_instance_type)]
Cron = Annotated[str, AfterValidator(_cron)]
LogRetentionDays = Annotated[
    StrictInt, AfterValidator(_retention), Field(json_schema_extra={"enum": list(LOG_RETENTION_DAYS)})
]
Flag = StrictBool


def closed_unless_meant(key: str, networks: Sequence[IPv4Network], because: str | None) -> None:
    """Refuse an allow-list that lets the whole world in, unless the file says in words that it is meant."""
    wide = opens_to_the_world(networks)
    if wide is not None and because is None:
        hint = "name the addresses, or say why in open_to_the_world_because"
        raise_all([Problem(path=(key,), what=f"'{wide}' lets the whole world in", hint=hint)])
