"""What every stack has: its account, its state, readable addresses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import jsii
from cdktf import (
    DataTerraformRemoteStateLocal,
    DataTerraformRemoteStateS3,
    LocalBackend,
    S3Backend,
    S3BackendAssumeRoleConfig,
    TerraformElement,
    TerraformOutput,
    TerraformRemoteState,
    TerraformStack,
)
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole, AwsProviderDefaultTags
from constructs import Construct, Node

import bindings
from modules.labels import Labels
from settings import AccountSettings, Deployment
from settings.place import STATE_FOLDER
from terraform import facts
from terraform.facts import Fact

TERRAFORM_VERSION = ">= 1.10.0"
"""The first that locks an S3 state with a file: https://developer.hashicorp.com/terraform/language/backend/s3"""

PROVIDER_VERSION = ">= 5.100.0, < 7.0.0"


@dataclass(frozen=True, kw_only=True)
class Output:
    """A value that people or other stacks read."""

    value: object
    description: str


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """What people do, and the commands for it, each on one line."""

    text: str
    commands: Sequence[str]


CONFIRM_MAILS = "Confirm the mail that AWS sends to each address that receives alerts."
"""A step after the first apply of a stack with alerts."""


class BaseStack(TerraformStack):
    """A Terraform state in one account of a deployment."""

    deployment: Deployment
    account: AccountSettings
    labels: Labels
    files: dict[str, str]
    """Text written next to `cdk.tf.json`, by file name, for people to read and to use by hand."""

    def __init__(self, scope: Construct, id: str, deployment: Deployment, environment: Literal["dev", "prd"]) -> None:
        self._paths_by_name: dict[str, list[str]] = {}
        super().__init__(scope, id)
        self.node.set_context(bindings.PATHS_BY_NAME, {})
        part = deployment.dev if environment == "dev" else deployment.prd
        if part is None:
            raise ValueError(f"stack {id} needs {environment} in the deployment")
        self.deployment = deployment
        self.account = part.account
        self.labels = Labels(project=deployment.name, environment=environment, owner=deployment.owner)
        self.files = {}
        self._facts: list[Fact] = []
        self.add_override("terraform.required_version", TERRAFORM_VERSION)
        self._provider(deployment.region)
        # The bindings pin one release, but the output works with both majors.
        self.add_override("terraform.required_providers.aws.version", PROVIDER_VERSION)
        self.add_override("terraform.required_providers.aws.source", "hashicorp/aws")
        self._backend(id)

    def outputs(self, outputs: Mapping[str, Output]) -> None:
        """Declare all outputs of the stack."""
        for name, output in outputs.items():
            TerraformOutput(self, name, value=output.value, description=output.description)

    def after_apply(self, *steps: str | FirstStep) -> None:
        """Leave what people do after the first apply, for the README of the handover. Terraform ignores it."""
        left = [it if isinstance(it, str) else {"text": it.text, "commands": list(it.commands)} for it in steps]
        self.add_override("//.after_apply", left)

    def other_stacks(self, *changes: str) -> None:
        """Leave what people change in other stacks, too, for the README of the handover. Terraform ignores it."""
        if changes:
            self.add_override("//.other_stacks", list(changes))

    def record(self, *found: Fact) -> None:
        """Leave facts in the stack's Terraform, for the checks that read it."""
        self._facts += found
        self.add_override(facts.PLACE, facts.to_metadata(self._facts))

    def state_of(self, stack: "BaseStack") -> TerraformRemoteState:
        """The outputs of another stack of the deployment, read from its state; it is deployed first."""
        self.add_dependency(stack)
        name = stack.node.id.replace("-", "_")
        s3 = self.deployment.state.s3
        if s3 is None:
            return DataTerraformRemoteStateLocal(self, name, path=_local_path(self.deployment, stack.node.id))
        return DataTerraformRemoteStateS3(
            self,
            name,
            bucket=s3.bucket,
            key=f"{s3.key_prefix}/{stack.node.id}.tfstate",
            region=s3.region,
            profile=s3.profile,
            assume_role=S3BackendAssumeRoleConfig(role_arn=s3.assume_role_arn) if s3.assume_role_arn else None,
        )

    # cdktf's own names end in a hash of the path; ours are the path, which people can read and type. As in the AWS CDK,
    # a construct's main resource has the id Default and shares the construct's name.
    if bindings.hook_is_installed():

        def paths_by_name(self) -> Mapping[str, Sequence[str]]:
            """The construct paths behind each Terraform name. cdktf keeps only the last of several without a word."""
            paths: Mapping[str, Sequence[str]] = self.node.try_get_context(bindings.PATHS_BY_NAME)
            return paths

    else:  # The same in Python, which Node then asks for every name: a third of all messages.

        def paths_by_name(self) -> Mapping[str, Sequence[str]]:
            return self._paths_by_name

        @jsii.member(jsii_name="allocateLogicalId")
        def _allocate_logical_id(self, tf_element: Node | TerraformElement) -> str:
            node = tf_element.node if isinstance(tf_element, TerraformElement) else tf_element
            _, *steps = node.path.split("/")
            name = re.sub(r"[^A-Za-z0-9_-]", "_", "_".join(step for step in steps if step != "Default"))
            paths = self._paths_by_name.setdefault(name, [])
            if (path := "/".join(steps)) not in paths:
                paths.append(path)
            return name

    def provider_of(self, region: str) -> AwsProvider:
        """A second provider, for what this account has in another region."""
        return self._provider(region, alias=region.replace("-", "_"))

    def _provider(self, region: str, *, alias: str | None = None) -> AwsProvider:
        account = self.account
        return AwsProvider(
            self,
            f"aws_{alias}" if alias else "aws",
            alias=alias,
            region=region,
            allowed_account_ids=[account.id],
            profile=account.profile,
            assume_role=[AwsProviderAssumeRole(role_arn=account.assume_role_arn)] if account.assume_role_arn else None,
            default_tags=[AwsProviderDefaultTags(tags=self.labels.default_tags(self.deployment.tags))],
        )

    def _backend(self, id: str) -> None:
        s3 = self.deployment.state.s3
        if s3 is None:
            LocalBackend(self, path=_local_path(self.deployment, id))
            return
        S3Backend(
            self,
            bucket=s3.bucket,
            key=f"{s3.key_prefix}/{id}.tfstate",
            region=s3.region,
            encrypt=True,
            kms_key_id=s3.kms_key_arn,
            profile=s3.profile,
            assume_role=S3BackendAssumeRoleConfig(role_arn=s3.assume_role_arn) if s3.assume_role_arn else None,
        )
        if s3.use_lockfile:
            self.add_override("terraform.backend.s3.use_lockfile", True)


def _local_path(deployment: Deployment, stack: str) -> str:
    """A state's path as seen from the stack's folder, `<output>/stacks/<stack>`."""
    return f"../../../{STATE_FOLDER}/{deployment.name}/{stack}.tfstate"
