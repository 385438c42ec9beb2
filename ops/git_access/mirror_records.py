"""Which of GitLab's mirrors are this deployment's: one SSM parameter of the production account for each.

GitLab shows neither the user nor the password of a mirror, and CodeCommit's addresses name no account: two deployments
that have a repository of the same name show the same address. So a mirror is known by GitLab's ids alone, and what a
deployment created is recorded where everybody who works on it reads it.

Each mirror has its own parameter, which is created or deleted and never changed. Two people who run commands at once
cannot overwrite each other's records, and no number of mirrors exceeds a parameter's size.
"""

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from errors import refused
from errors.shown import shown
from ops.production import aws_errors_as_refusals, client, production
from settings import Deployment
from terraform.output import without_repetition

if TYPE_CHECKING:
    import boto3  # type: ignore[import-untyped]


class MirrorRecord(BaseModel):
    """One mirror: GitLab's address and ids, its project's path, and the address it pushes to, without credentials.

    `credential_id` is None where no command of this deployment created the mirror. A record that is not `is_ours` says
    that another deployment owns it.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    gitlab: str
    project_id: int
    mirror_id: int
    project: str
    target: str
    credential_id: str | None
    is_ours: bool

    @property
    def where(self) -> str:
        """The mirror's name in messages."""
        return f"{self.project} to {self.target.rpartition('/')[2]}"


class MirrorRecords:
    """Reads and writes the deployment's records. Every method raises RefusedError where AWS refuses."""

    def __init__(self, deployment: Deployment, session: "boto3.Session | None" = None) -> None:
        # Below /kakehashi, because the name of a parameter must not begin with that of a deployment called aws or ssm.
        self.path = f"/kakehashi/{deployment.name}/prd/gitlab-mirrors"
        self._ssm = client(session or production(deployment), "ssm")

    def read(self) -> list[MirrorRecord]:
        """Every record. Raises RefusedError for a parameter that holds none: what it says is not known."""
        with aws_errors_as_refusals(self.path):
            pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=self.path, Recursive=True)
            found = [parameter for page in pages for parameter in page["Parameters"]]
        return [self._record(parameter["Name"], parameter["Value"]) for parameter in found]

    def add(self, record: MirrorRecord) -> None:
        """Write a record. Raises RefusedError where somebody else has recorded the mirror otherwise meanwhile."""
        name = self.name(record)
        with aws_errors_as_refusals(name):
            try:
                self._ssm.put_parameter(Name=name, Value=record.model_dump_json(), Type="String", Overwrite=False)
            except self._ssm.exceptions.ParameterAlreadyExists:
                # An earlier attempt, whose answer was lost, or another person.
                stored = self._ssm.get_parameter(Name=name)["Parameter"]["Value"]
                if self._record(name, stored) != record:
                    raise refused(name, "somebody recorded the mirror meanwhile", "run the command again") from None

    def remove(self, record: MirrorRecord) -> None:
        """Delete a record, unless somebody has deleted it already."""
        name = self.name(record)
        with aws_errors_as_refusals(name), suppress(self._ssm.exceptions.ParameterNotFound):
            self._ssm.delete_parameter(Name=name)

    def name(self, record: MirrorRecord) -> str:
        """The name of the record's parameter."""
        server = re.sub(r"[^A-Za-z0-9.-]", "_", record.gitlab.partition("://")[2])
        return f"{self.path}/{server}/{record.project_id}/{record.mirror_id}"

    def _record(self, name: str, text: str) -> MirrorRecord:
        try:
            record = MirrorRecord.model_validate(json.loads(text, object_pairs_hook=without_repetition))
        except ValueError:  # also that of JSON, and pydantic's
            record = None
        if record is None or self.name(record) != name:
            hint = "delete the parameter, and see with gitlab-mirror status which mirror it recorded"
            raise refused(name, f"{shown(text)} is not the record of this mirror", hint)
        return record
