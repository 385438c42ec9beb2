"""Text files for a server, written by its user data at first boot and by Systems Manager afterwards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import TerraformLocal
from cdktf_cdktf_provider_aws.ssm_association import SsmAssociation, SsmAssociationTargets
from cdktf_cdktf_provider_aws.ssm_document import SsmDocument
from constructs import Construct

from buildspec.render import Reference
from modules.explained import explain
from modules.labels import Labels
from modules.terraform_text import template

_TIMEOUT_SECONDS = 7_200


@dataclass(frozen=True, kw_only=True)
class ServerFile:
    """A file that root owns: its path, its mode in octal digits, and its text from `buildspec.render`."""

    path: str
    mode: str
    text: str


class ServerFiles(Construct):
    """The files as local values of Terraform, because they may have references; `contents` has the values by path."""

    files: Mapping[str, ServerFile]
    contents: dict[str, Reference]

    def __init__(self, scope: Construct, id: str, files: Mapping[str, ServerFile]) -> None:
        super().__init__(scope, id)
        self.files = files
        self.contents = {}
        for name, file in files.items():
            text = TerraformLocal(self, name, template(file.text))
            self.contents[file.path] = Reference(f"local.{text.friendly_unique_id}")


@dataclass(frozen=True, kw_only=True)
class ServerConfigurationProps:
    """`then` is the command that runs once the files are written; `every` is a rate(...) of State Manager."""

    labels: Labels
    name: str
    description: str
    instance_id: str
    files: ServerFiles
    then: str
    every: str


class ServerConfiguration(Construct):
    """An SSM document that writes the files and runs a command, and its association with one instance.

    It runs when the document changes, when an instance that was off starts again, and every `every`.
    """

    document: SsmDocument

    def __init__(self, scope: Construct, id: str, props: ServerConfigurationProps) -> None:
        super().__init__(scope, id)
        self.document = SsmDocument(
            self,
            "document",
            name=props.labels.name(props.name),
            document_type="Command",
            document_format="JSON",
            content=document_content(props.description, props.files.files, props.files.contents, props.then),
        )
        association = SsmAssociation(
            self,
            "association",
            association_name=props.labels.name(props.name),
            name=self.document.name,
            document_version=self.document.latest_version,
            targets=[SsmAssociationTargets(key="InstanceIds", values=[props.instance_id])],
            schedule_expression=props.every,
        )
        explain(
            association, "It names the version by number, so that new content changes it, and it then runs at once."
        )


def document_content(
    description: str, files: Mapping[str, ServerFile], contents: Mapping[str, Reference], then: str
) -> str:
    """An SSM document that writes `files`, whose texts are `contents` by path, and runs the command `then`."""
    step = {
        "action": "aws:runShellScript",
        "name": "configure",
        "inputs": {
            "timeoutSeconds": str(_TIMEOUT_SECONDS),
            "runCommand": ["set -eu", "umask 077", *_write(files, contents), then],
        },
    }
    content = {"schemaVersion": "2.2", "description": description, "mainSteps": [step]}
    # JSON with ` = ` instead of a colon is an expression of Terraform, which may have references.
    return f"${{jsonencode({json.dumps(content, separators=(', ', ' = '))})}}"


def _write(files: Mapping[str, ServerFile], contents: Mapping[str, Reference]) -> Sequence[str]:
    """Shell commands that write the files; base64 protects their texts from the shell and from SSM's `{{ }}`."""
    commands = []
    for file in files.values():
        folder, _, _ = file.path.rpartition("/")
        commands += [
            f"mkdir -p {folder}",
            f"echo '${{base64encode({contents[file.path].expression})}}' | base64 -d >{file.path}.new",
            f"chmod {file.mode} {file.path}.new",
            f"mv {file.path}.new {file.path}",
        ]
    return commands
