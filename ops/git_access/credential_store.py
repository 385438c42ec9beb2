"""One user's Git credentials in IAM, and the secret that holds them.

Nothing is kept on this machine: what to do next is read from IAM and Secrets Manager every time, so a command that was
stopped anywhere can simply be run again. Three things make that possible:

* A version of the secret is named after the credential it holds, so what is stored can be told without reading it.
* Before a credential is created, a tag of the secret says so. A credential whose password was lost on its way into the
  secret is thereby told from one that somebody made by hand.
* Before the first mirror is made with a credential, a tag says which mirror was the newest then.
"""

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from errors import refused
from ops.git_access.users import GitUser
from ops.production import client, told_as_refusals

if TYPE_CHECKING:
    import boto3  # type: ignore[import-untyped]

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"

_SERVICE = "codecommit.amazonaws.com"
_VERSIONS = uuid.UUID("6f5c3c0e-6b0b-4e59-9f0d-0f4d6f1f3b1a")
_ISSUING = "issuing"
_MIRRORS_ABOVE = "gitlab-mirrors-above"
_CLOCKS_APART = timedelta(minutes=15)
_RECOVERY_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What IAM tells of a credential; the password is told once only, when it is created."""

    id: str
    username: str
    is_active: bool
    created: datetime

    @property
    def age_days(self) -> int:
        """Whole days since it was created."""
        return (datetime.now(UTC) - self.created).days


@dataclass(frozen=True, kw_only=True)
class Login:
    """What Git signs in with."""

    username: str
    password: SecretStr


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What IAM and Secrets Manager say of one user, its credentials in the order they were created.

    `mirrors_above` holds a credential's id and the id of the newest GitLab mirror before the first one with it.
    """

    credentials: tuple[Credential, ...]
    stages: Mapping[str, tuple[str, ...]]
    secret_exists: bool
    is_deleted: bool
    lost: tuple[Credential, ...]
    mirrors_above: tuple[str, int] | None

    def holding(self, stage: str) -> Credential | None:
        """The living credential in the secret's version of that stage."""
        return next((found for found in self.credentials if stage in self.stages_of(found)), None)

    def stages_of(self, credential: Credential) -> tuple[str, ...]:
        """The stages of the version that holds the credential; none where it is not stored."""
        return self.stages.get(_version(credential.id), ())

    @property
    def kept(self) -> tuple[Credential, ...]:
        """The credentials but those whose password was lost."""
        return tuple(found for found in self.credentials if found not in self.lost)


class CredentialStore:
    """Reads and changes one user's credentials. Every method raises RefusedError where AWS refuses."""

    def __init__(
        self, session: "boto3.Session", user: GitUser, *, kms_key_arn: str | None, tags: Mapping[str, str]
    ) -> None:
        self.user = user
        self._kms_key_arn = kms_key_arn
        self._tags = tags
        self._iam = client(session, "iam")
        # Were a lost answer asked for again, there would be two.
        self._creating = client(session, "iam", attempts=1)
        self._secrets = client(session, "secretsmanager")

    def look(self) -> Situation:
        """What there is now."""
        credentials = self._credentials()
        secret = self._described()
        stages = {version: tuple(found) for version, found in secret.get("VersionIdsToStages", {}).items()}
        tags = {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])}
        above = tags.get(_MIRRORS_ABOVE, "").split(" ")
        return Situation(
            credentials=credentials,
            stages=stages,
            secret_exists=bool(secret),
            is_deleted=secret.get("DeletedDate") is not None,
            lost=_lost(credentials, stages, tags.get(_ISSUING)),
            mirrors_above=(above[0], int(above[1])) if len(above) == 2 and above[1].isdigit() else None,
        )

    def issue(self, situation: Situation, stage: str) -> Credential:
        """Create a credential and put it into the secret; the password goes nowhere else."""
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._prepare(situation, " ".join([since, *(found.id for found in situation.credentials)]))
        with self._refusals():
            made = self._creating.create_service_specific_credential(UserName=self.user.name, ServiceName=_SERVICE)
        created = made["ServiceSpecificCredential"]
        credential = _credential(created)
        with self._refusals():
            self._secrets.put_secret_value(
                SecretId=self.user.secret,
                ClientRequestToken=_version(credential.id),
                SecretString=json.dumps(
                    {
                        "username": created["ServiceUserName"],
                        "password": created["ServicePassword"],
                        "credential_id": credential.id,
                    }
                ),
                VersionStages=[stage],
            )
            self._secrets.untag_resource(SecretId=self.user.secret, TagKeys=[_ISSUING])
        return credential

    def login(self, credential: Credential) -> Login:
        """The credential's user name and password, from the secret."""
        with self._refusals():
            stored = self._secrets.get_secret_value(SecretId=self.user.secret, VersionId=_version(credential.id))
        value = json.loads(stored["SecretString"])
        return Login(username=value["username"], password=SecretStr(value["password"]))

    def promote(self, credential: Credential) -> None:
        """Make it the secret's current one."""
        situation = self.look()
        version = _version(credential.id)
        holder = next((name for name, stages in situation.stages.items() if CURRENT in stages), None)
        with self._refusals():
            if holder != version:
                former = {} if holder is None else {"RemoveFromVersionId": holder}
                self._secrets.update_secret_version_stage(
                    SecretId=self.user.secret, VersionStage=CURRENT, MoveToVersionId=version, **former
                )
            if PENDING in situation.stages.get(version, ()):
                self._secrets.update_secret_version_stage(
                    SecretId=self.user.secret, VersionStage=PENDING, RemoveFromVersionId=version
                )

    def delete(self, credential: Credential) -> None:
        """Delete a credential in IAM; it works no longer."""
        # It may have been deleted by the first of two attempts, or by somebody else.
        with self._refusals(), suppress(self._iam.exceptions.NoSuchEntityException):
            self._iam.delete_service_specific_credential(
                UserName=self.user.name, ServiceSpecificCredentialId=credential.id
            )

    def delete_secret(self) -> None:
        """Have the secret deleted in a week; `issue` brings it back until then."""
        with self._refusals():
            self._secrets.delete_secret(SecretId=self.user.secret, RecoveryWindowInDays=_RECOVERY_DAYS)

    def remember_mirrors_above(self, credential: Credential, mirror_id: int) -> None:
        """Keep that mirrors with a higher id are made with this credential."""
        self._tag(_MIRRORS_ABOVE, f"{credential.id} {mirror_id}")

    def _prepare(self, situation: Situation, issuing: str) -> None:
        """See that the secret is there, and says that a credential is about to be created."""
        if situation.secret_exists:
            if situation.is_deleted:
                with self._refusals():
                    self._secrets.restore_secret(SecretId=self.user.secret)
            self._tag(_ISSUING, issuing)
            return
        key = {} if self._kms_key_arn is None else {"KmsKeyId": self._kms_key_arn}
        with self._refusals():
            self._secrets.create_secret(
                Name=self.user.secret,
                Description=f"Git credential of {self.user.name}, put here by `main.py credentials`",
                Tags=[{"Key": name, "Value": value} for name, value in {**self._tags, _ISSUING: issuing}.items()],
                **key,
            )

    def _tag(self, key: str, value: str) -> None:
        with self._refusals():
            self._secrets.tag_resource(SecretId=self.user.secret, Tags=[{"Key": key, "Value": value}])

    def _credentials(self) -> tuple[Credential, ...]:
        with self._refusals():
            try:
                listed = self._iam.list_service_specific_credentials(UserName=self.user.name, ServiceName=_SERVICE)
            except self._iam.exceptions.NoSuchEntityException:
                raise refused(
                    self.user.name, "the account has no such user", "deploy the stack prd-codecommit first"
                ) from None
        found = [_credential(one) for one in listed["ServiceSpecificCredentials"]]
        return tuple(sorted(found, key=lambda credential: (credential.created, credential.id)))

    def _described(self) -> dict[str, Any]:
        with self._refusals():
            try:
                described: dict[str, Any] = self._secrets.describe_secret(SecretId=self.user.secret)
            except self._secrets.exceptions.ResourceNotFoundException:
                return {}
        return described

    def _refusals(self) -> Any:
        return told_as_refusals(self.user.name)


def _version(credential_id: str) -> str:
    """The name of the secret's version that holds the credential."""
    return str(uuid.uuid5(_VERSIONS, credential_id))


def _credential(told: Mapping[str, Any]) -> Credential:
    return Credential(
        id=told["ServiceSpecificCredentialId"],
        username=told.get("ServiceUserName", ""),
        is_active=told["Status"] == "Active",
        created=told["CreateDate"],
    )


def _lost(
    credentials: tuple[Credential, ...], stages: Mapping[str, object], issuing: str | None
) -> tuple[Credential, ...]:
    """The credentials that a command created and did not live to store."""
    if issuing is None:
        return ()
    since, *before = issuing.split(" ")
    began = datetime.fromisoformat(since)
    return tuple(
        found
        for found in credentials
        if found.id not in before and _version(found.id) not in stages and abs(found.created - began) <= _CLOCKS_APART
    )
