"""Text files for a server, brought by its user data at first and by Systems Manager from then on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import TerraformLocal
from cdktf_cdktf_provider_aws.ssm_association import SsmAssociation, SsmAssociationTargets
from cdktf_cdktf_provider_aws.ssm_document import SsmDocument
from constructs import Construct

from buildspec.render import Reference
from modules.labels import Labels
from modules.terraform_text import template

_TIMEOUT_SECONDS = 7_200


@dataclass(frozen=True, kw_only=True)
class ServerFile:
    """A file of root's: where it goes, its mode in octal digits, and what `buildspec.render` made for it."""

    path: str
    mode: str
    text: str


class ServerFiles(Construct):
    """The files as values of Terraform, because they may hold references; `contents` has the values by path."""

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
    """`then` is the command that acts on the files, which come first; `every` a rate(...) of State Manager's."""

    labels: Labels
    name: str
    description: str
    instance_id: str
    files: ServerFiles
    then: str
    every: str


class ServerConfiguration(Construct):
    """An SSM document that writes the files and runs a command, and its association with one instance.

    It runs whenever the document changes, when an instance that was off comes back, and by the clock.
    """

    document: SsmDocument
    association: SsmAssociation

    def __init__(self, scope: Construct, id: str, props: ServerConfigurationProps) -> None:
        super().__init__(scope, id)
        commands = ["set -eu", "umask 077", *_write(props.files), props.then]
        step = {
            "action": "aws:runShellScript",
            "name": "configure",
            "inputs": {"timeoutSeconds": str(_TIMEOUT_SECONDS), "runCommand": commands},
        }
        content = {"schemaVersion": "2.2", "description": props.description, "mainSteps": [step]}
        self.document = SsmDocument(
            self,
            "document",
            name=props.labels.name(props.name),
            document_type="Command",
            document_format="JSON",
            # JSON with another colon is an expression of Terraform's, with the references in it.
            content=f"${{jsonencode({json.dumps(content, indent=2, separators=(',', ' = '))})}}",
        )
        self.association = SsmAssociation(
            self,
            "association",
            association_name=props.labels.name(props.name),
            name=self.document.name,
            # By number, so that another content is another association, which runs at once.
            document_version=self.document.latest_version,
            targets=[SsmAssociationTargets(key="InstanceIds", values=[props.instance_id])],
            schedule_expression=props.every,
        )


def _write(files: ServerFiles) -> Sequence[str]:
    """Shell commands that write the files; in base64, no text means anything to a shell or to SSM's `{{ }}`."""
    commands = []
    for file in files.files.values():
        folder, _, _ = file.path.rpartition("/")
        commands += [
            f"mkdir -p {folder}",
            f"echo '${{base64encode({files.contents[file.path].expression})}}' | base64 -d >{file.path}.new",
            f"chmod {file.mode} {file.path}.new",
            f"mv {file.path}.new {file.path}",
        ]
    return commands
