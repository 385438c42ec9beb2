"""Values in a deployment file: what each may be, and what to write where it is something else."""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)

from errors import reasons
from errors.shown import shown
from settings import data
from settings.forms import Matching, OneOf
from settings.problems import refuse


def architecture(instance_type: str) -> str:
    """The processor of an instance type, as images name it: Graviton families have a g after the digit."""
    return "arm64" if re.match(r"a1\.|[a-z]+[0-9]+g", instance_type) else "x86_64"


class Settings(BaseModel):
    """A part of the deployment file; immutable, and unknown keys are refused."""

    # Only the whole deployment is validated, so validators of its parts are never needed.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, defer_build=True)


def _account_id(value: Any) -> Any:
    text = str(value) if isinstance(value, int) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{12}", text):
        raise refuse(f"{shown(value)} is not an account id", "write the 12 digits, in quotes")
    return text


LOG_RETENTION_DAYS = tuple(int(days) for days in data.names("log_retention_days"))
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


def _not_reserved(value: str) -> str:
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html, and S3's page above
    if reserved := re.match(r"aws|amazon|amzn|xn--|sthree-", value):
        what = f"{shown(value)} starts with '{reserved[0]}', which AWS keeps for names of its own"
        raise refuse(what, "choose another name: documents of SSM and buckets start with it")
    return value


LONGEST_REPOSITORY_NAME = 100


def _repository(value: str) -> str:
    # https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
    # In a URL, a name of dots alone is a step to another folder.
    if not re.fullmatch(rf"(?!\.+$)[A-Za-z0-9._-]{{1,{LONGEST_REPOSITORY_NAME}}}", value) or value.endswith(".git"):
        hint = "CodeCommit takes 1-100 of letters, digits, '.', '_' and '-', not ending in .git"
        raise refuse(f"{shown(value)} is not a repository name", hint)
    return value


def _reason(value: str) -> str:
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{0,500}", value) or not reasons.is_long_enough(value):
        raise refuse(
            f"{shown(value)} is not a reason", f"give the reason in one line, in {reasons.LENGTH}, at most 500"
        )
    return value


def _parameter(example: str) -> BeforeValidator:
    """Accept the name of an SSM parameter."""

    def check(value: Any) -> Any:
        named = f"write the parameter's name with its path, not under /aws or /ssm, for example {example}"
        # With its lookalikes, which an input method writes for a slash.
        if value is not None and not (isinstance(value, str) and value.startswith(("/", "\uff0f", "\u30fb"))):
            what = "this does not start with '/', so it is no name of an SSM parameter, and may be the secret itself"
            raise refuse(what, f"{named}; if it is the secret, revoke it and store a new one in SSM", is_secret=True)
        # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
        form = r"/(?!(?i:aws|ssm))[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}"
        if value is not None and (len(value) > 900 or not re.fullmatch(form, value)):
            # The value may be the private key itself.
            repeated = shown(value) if re.fullmatch(r"[!-~]{0,80}", value) else "this"
            raise refuse(f"{repeated} is not the name of an SSM parameter", named)
        return value

    return BeforeValidator(check)


DeploymentName = Annotated[
    str,
    Matching(
        r"[a-z]([a-z0-9-]{0,18}[a-z0-9])", "a deployment name", "use 2-20 of a-z, 0-9 and '-', starting with a letter"
    ),
    AfterValidator(_not_reserved),
]
Region = Annotated[str, OneOf("regions", "a region of the commercial AWS partition", "ap-northeast-1", listed=True)]
InstanceType = Annotated[str, OneOf("instance_types", "an EC2 instance type", "c7i.2xlarge")]
# Tags take the letters of every script. JavaScript's \w knows only English ones: there, name what is refused.
# AWS keeps aws: in values for itself, too: https://docs.aws.amazon.com/batch/latest/userguide/tag-restrictions.html
# A space at an end makes another tag, and nobody sees it.
_TAG_START = r"(?! )(?!.* $)(?![Aa][Ww][Ss]:)"
_TAG_ENDS = "not starting with aws:, no space at either end"
_NOT_IN_TAGS = r"[^\x00-\x1f\x7f!\x22#$%&'()*,;<>?\[\\\]\^`{|}~]"
TagText = Annotated[
    str,
    Matching(
        _TAG_START + r"[\w +\-=.:/@]{0,256}",
        "a tag value",
        f"use up to 256 letters, digits, spaces and _ . : / = + - @, {_TAG_ENDS}",
        editor_pattern=_TAG_START + _NOT_IN_TAGS + "{0,256}",
    ),
]
TagKey = Annotated[
    str,
    Matching(
        _TAG_START + r"[\w +\-=.:/@]{1,128}",
        "a tag key",
        f"use 1-128 letters, digits, spaces and _ . : / = + - @, {_TAG_ENDS}",
        editor_pattern=_TAG_START + _NOT_IN_TAGS + "{1,128}",
    ),
]
LONGEST_KEY = 40
Key = Annotated[
    str,
    Matching(
        rf"[a-z][a-z0-9_-]{{0,{LONGEST_KEY - 1}}}",
        "a key",
        f"use 1-{LONGEST_KEY} of a-z, 0-9, '_' and '-', starting with a letter",
    ),
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
_PARAMETER_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}$"})
SshKeyParameter = Annotated[str, _parameter("/kakehashi/backlog/ssh-key"), _PARAMETER_SCHEMA]
ApiKeyParameter = Annotated[str, _parameter("/kakehashi/backlog/api-key"), _PARAMETER_SCHEMA]
ChatUrlParameter = Annotated[str, _parameter("/kakehashi/backlog/chat-url"), _PARAMETER_SCHEMA]
Description = Annotated[
    str, Matching(r"[^\x00-\x1f\x7f]{0,1000}", "a description", "write one line of at most 1,000 characters")
]
Reason = Annotated[
    str,
    AfterValidator(_reason),
    # A pattern cannot count a Japanese character as two.
    WithJsonSchema({"type": "string", "pattern": r"^[^\x00-\x1f\x7f]{5,500}$"}),
]
ZoneLetter = Annotated[
    str, Matching(r"[a-h]", "the letter of an availability zone", "write a to h, for example a for ap-northeast-1a")
]
AccountId = Annotated[str, BeforeValidator(_account_id), WithJsonSchema({"type": "string", "pattern": "^[0-9]{12}$"})]
BucketName = Annotated[
    str,
    AfterValidator(_bucket),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"}),
]
RepositoryName = Annotated[
    str,
    AfterValidator(_repository),
    WithJsonSchema({"type": "string", "pattern": r"^(?!.*\.git$)(?!\.+$)[A-Za-z0-9._-]{1,100}$"}),
]
Email = Annotated[
    str,
    Matching(
        r"(?=.{1,64}@)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*"
        r"\.[A-Za-z][A-Za-z0-9-]{1,62}",
        "an e-mail address",
        "write it like ops@example.com",
    ),
]
LogRetentionDays = Annotated[
    StrictInt, AfterValidator(_retention), Field(json_schema_extra={"enum": list(LOG_RETENTION_DAYS)})
]
Flag = StrictBool
