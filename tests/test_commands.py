"""The AWS commands in the documents: AWS's own models know each one, and those that destroy leave nothing."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import botocore.session  # type: ignore[import-untyped]
import pytest
from botocore import xform_name
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from modules.labels import Labels
from ops.rehearse.emulator import Emulator
from tests.terraform import Stacks

REGION = "ap-northeast-1"
DEV, PRD = "111111111111", "222222222222"
# Options of the command line itself: https://docs.aws.amazon.com/cli/latest/reference/#global-options
_OF_THE_COMMAND_LINE = {"output", "query", "max-items", "profile", "region"}
_MODELS = botocore.session.get_session()


@dataclass(frozen=True)
class AwsCommand:
    """A command as the AWS CLI reads it: `arguments` are values by option, an empty list for a flag."""

    service: str
    operation: str
    arguments: Mapping[str, list[str]]

    @property
    def shape(self) -> Any:
        model = _MODELS.get_service_model(self.service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        return model.operation_model(names[self.operation]).input_shape

    def parameters(self) -> dict[str, Any]:
        """The arguments, as boto3 takes them."""
        members = {xform_name(name, "-"): name for name in self.shape.members}
        given = {members[name]: values for name, values in self.arguments.items() if name not in _OF_THE_COMMAND_LINE}
        return {name: _value(self.shape.members[name], values) for name, values in given.items()}


def _value(shape: Any, values: list[str]) -> Any:
    match shape.type_name:
        case "boolean":
            assert values in ([], ["true"], ["false"])
            return values != ["false"]
        case "list":
            return [_value(shape.member, [value]) for value in values]
        case "structure":
            # The short form: Name=tag:Name,Values=one,two
            pairs = [pair.partition("=") for pair in re.split(r",(?=[A-Za-z]+=)", ",".join(values))]
            return {name: _value(shape.members[name], value.split(",")) for name, _, value in pairs}
        case "integer":
            return int(*values)
    (value,) = values
    return value


def _commands(text: str) -> Iterator[AwsCommand]:
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            # `aws s3` has no model: it is a program of the command line's.
            if line.strip().startswith("$ aws ") and not line.strip().startswith("$ aws s3 "):
                _, _, service, operation, *words = shlex.split(line)
                arguments: dict[str, list[str]] = {}
                for word in words:
                    if word.startswith("--"):
                        name, _, value = word[2:].partition("=")
                        arguments[name] = [value] if value else []
                    else:
                        arguments[next(reversed(arguments))].append(word)
                yield AwsCommand(service, operation, arguments)


def test_aws_knows_every_command_of_the_documents(project: Path) -> None:
    documents = [project / "README.md", *(project / "docs").glob("*.md")]
    commands = [command for document in documents for command in _commands(document.read_text())]
    assert len(commands) > 10
    for command in commands:
        assert set(command.shape.required_members) <= set(command.parameters()), command


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Callable[[str, str], Any]]:
    with Emulator(log=tmp_path / "aws.log") as emulator:
        yield lambda service, account: boto3.client(
            service,
            endpoint_url=emulator.url,
            region_name=REGION,
            aws_access_key_id=account,
            aws_secret_access_key="rehearsal",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )


@pytest.mark.emulator
def test_the_commands_that_destroy_leave_nothing(
    project: Path, example: Stacks, clients: Callable[[str, str], Any]
) -> None:
    """What the product makes beside Terraform, by the example's names, and the commands in their order."""
    image_tags = example["dev-gitlab"].resource("aws_dlm_lifecycle_policy.image_backups_policy")["policy_details"]
    server = f"{example['dev-gitlab'].json['output']['parameters']['value']}"
    ec2, ssm = clients("ec2", DEV), clients("ssm", DEV)
    secrets, keys, logs = clients("secretsmanager", PRD), clients("ssm", PRD), clients("logs", PRD)
    secret = Labels(project="kakehashi", environment="prd", owner="platform-team").git_secret("push")
    secrets.create_secret(Name=secret, SecretString="{}")
    for name in ("ssh-key", "api-key", "chat-url"):
        keys.put_parameter(Name=f"/kakehashi/backlog/{name}", Value="key", Type="SecureString")
    logs.create_log_group(logGroupName="/aws/codebuild/kakehashi-prd-backlog-website")
    for name in ("root-password", "configure", "backup"):
        ssm.put_parameter(Name=f"{server}/{name}", Value="it", Type="SecureString")
    (first, *_) = ec2.describe_images(Owners=["amazon"])["Images"]
    instance = ec2.run_instances(ImageId=first["ImageId"], MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    image = ec2.create_image(InstanceId=instance, Name="daily")["ImageId"]
    tags = [{"Key": key, "Value": value} for key, value in image_tags["target_tags"].items()]
    ec2.create_tags(Resources=[image], Tags=tags)

    text = (project / "docs" / "destroy.md").read_text()
    assert text.count("ami-0123456789abcdef0") == 1
    in_production, in_development = text.replace("ami-0123456789abcdef0", image).split("In the development account")
    found: list[Any] = []
    for account, part in ((PRD, in_production), (DEV, in_development)):
        for command in _commands(part):
            call = getattr(clients(command.service, account), xform_name(command.operation.title().replace("-", "")))
            found.append(call(**command.parameters()))

    assert any([image] == [one["ImageId"] for one in answer.get("Images", ())] for answer in found)
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert ssm.describe_parameters()["Parameters"] == keys.describe_parameters()["Parameters"] == []
    assert logs.describe_log_groups()["logGroups"] == []
    with pytest.raises(ClientError):
        secrets.describe_secret(SecretId=secret)
