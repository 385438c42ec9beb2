"""One user's Git credentials in IAM, and the secret that holds their passwords.

Nothing is kept on this machine. Every command reads the state from IAM and Secrets Manager, so a command that was
stopped can simply be run again:

* The version of the secret that holds a credential has an id made from the credential's. So the store can tell which
  credentials are stored without reading a password.
* A tag of the secret announces a credential before it is created. A credential created after that and not stored has
  lost its password with the stopped command; a credential that somebody made in the console is not mistaken for it.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from errors import refused
from ops.git_access.users import CredentialUser, codecommit
from ops.production import aws_errors_as_refusals, client, production, production_labels
from ops.steps import Steps
from settings import Deployment

if TYPE_CHECKING:
    import boto3  # type: ignore[import-untyped]

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"

_SERVICE = "codecommit.amazonaws.com"
_VERSIONS = uuid.UUID("6f5c3c0e-6b0b-4e59-9f0d-0f4d6f1f3b1a")
_ISSUING = "issuing"
_MOST_CLOCK_DIFFERENCE = timedelta(minutes=15)
_RECOVERY_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A credential as IAM lists it. IAM shows its password only once, when it is created."""

    id: str
    is_active: bool
    created: datetime

    @property
    def age_days(self) -> int:
        """Whole days since it was created."""
        return (datetime.now(UTC) - self.created).days


@dataclass(frozen=True, kw_only=True)
class CredentialState:
    """One user's credentials, oldest first, and its secret: the stages of each version, and the secret's tags.

    `lost` are the credentials that a stopped command created and did not store.
    """

    credentials: tuple[Credential, ...]
    lost: tuple[Credential, ...]
    secret_exists: bool
    is_deleted: bool
    stages: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, str]

    def at(self, stage: str) -> Credential | None:
        """The credential in the secret's version with that stage, if it still exists in IAM."""
        return next((found for found in self.credentials if stage in self.stages_of(found)), None)

    def stages_of(self, credential: Credential) -> tuple[str, ...]:
        """The stages of the version that holds the credential; none where it is not stored."""
        return self.stages.get(_version(credential.id), ())

    @property
    def usable(self) -> tuple[Credential, ...]:
        """The credentials without the lost ones."""
        return tuple(found for found in self.credentials if found not in self.lost)


class CredentialStore:
    """Reads and changes one user's credentials. Every method raises RefusedError where AWS refuses."""

    def __init__(self, deployment: Deployment, user: CredentialUser, session: "boto3.Session | None" = None) -> None:
        session = session or production(deployment)
        self.user = user
        self._kms_key_arn = codecommit(deployment).credentials.kms_key_arn
        self._tags = production_labels(deployment).default_tags(deployment.tags)
        self._iam = client(session, "iam")
        # A second attempt after a lost answer would create a second credential.
        self._iam_once = client(session, "iam", attempts=1)
        self._secrets = client(session, "secretsmanager")

    def read(self) -> CredentialState:
        """The state now."""
        credentials = self._list()
        secret = self._describe_secret()
        stages = {version: tuple(found) for version, found in secret.get("VersionIdsToStages", {}).items()}
        tags = {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])}
        return CredentialState(
            credentials=credentials,
            lost=_lost(credentials, stages, tags.get(_ISSUING)),
            secret_exists=bool(secret),
            is_deleted=secret.get("DeletedDate") is not None,
            stages=stages,
            tags=tags,
        )

    def delete_lost(self, steps: Steps) -> CredentialState:
        """Delete the credentials whose passwords are lost; returns the state afterwards."""
        state = self.read()
        for lost in state.lost:
            if steps.take(f"delete {lost.id}, which a stopped command created and did not store"):
                self._delete(lost)
        return self.read() if state.lost and not steps.dry_run else state

    def issue(self, state: CredentialState, stage: str) -> Credential:
        """Create a credential and store it in the secret under that stage. Its password is written nowhere else."""
        started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._announce(state, " ".join([started, *(found.id for found in state.credentials)]))
        with self._refusals():
            answer = self._iam_once.create_service_specific_credential(UserName=self.user.name, ServiceName=_SERVICE)
        created = answer["ServiceSpecificCredential"]
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

    def login(self, credential: Credential) -> tuple[str, SecretStr]:
        """The credential's user name and password, from the secret."""
        with self._refusals():
            stored = self._secrets.get_secret_value(SecretId=self.user.secret, VersionId=_version(credential.id))
        value = json.loads(stored["SecretString"])
        return value["username"], SecretStr(value["password"])

    def promote(self, credential: Credential) -> None:
        """Make the credential the secret's current one."""
        state = self.read()
        version = _version(credential.id)
        current = next((name for name, stages in state.stages.items() if CURRENT in stages), None)
        with self._refusals():
            if current != version:
                former = {} if current is None else {"RemoveFromVersionId": current}
                self._secrets.update_secret_version_stage(
                    SecretId=self.user.secret, VersionStage=CURRENT, MoveToVersionId=version, **former
                )
            if PENDING in state.stages.get(version, ()):
                self._secrets.update_secret_version_stage(
                    SecretId=self.user.secret, VersionStage=PENDING, RemoveFromVersionId=version
                )

    def delete(self, credentials: Iterable[Credential], steps: Steps) -> None:
        """Delete credentials in IAM. They stop working at once."""
        for credential in credentials:
            if steps.take(f"delete credential {credential.id} of {self.user.name}"):
                self._delete(credential)

    def delete_secret(self) -> None:
        """Schedule the secret's deletion in a week; until then, `issue` restores it."""
        with self._refusals():
            self._secrets.delete_secret(SecretId=self.user.secret, RecoveryWindowInDays=_RECOVERY_DAYS)

    def tag(self, key: str, value: str) -> None:
        """Write a tag of the secret, which `read` returns from then on."""
        with self._refusals():
            self._secrets.tag_resource(SecretId=self.user.secret, Tags=[{"Key": key, "Value": value}])

    def _announce(self, state: CredentialState, issuing: str) -> None:
        """Make sure the secret exists, with a tag that says that a credential is about to be created."""
        if state.secret_exists:
            if state.is_deleted:
                with self._refusals():
                    self._secrets.restore_secret(SecretId=self.user.secret)
            self.tag(_ISSUING, issuing)
            return
        key = {} if self._kms_key_arn is None else {"KmsKeyId": self._kms_key_arn}
        with self._refusals():
            self._secrets.create_secret(
                Name=self.user.secret,
                Description=f"Git credential of {self.user.name}, put here by `main.py credentials`",
                Tags=[{"Key": name, "Value": value} for name, value in {**self._tags, _ISSUING: issuing}.items()],
                **key,
            )

    def _delete(self, credential: Credential) -> None:
        # An earlier attempt, or another person, may have deleted it already.
        with self._refusals(), suppress(self._iam.exceptions.NoSuchEntityException):
            self._iam.delete_service_specific_credential(
                UserName=self.user.name, ServiceSpecificCredentialId=credential.id
            )

    def _list(self) -> tuple[Credential, ...]:
        with self._refusals():
            try:
                listed = self._iam.list_service_specific_credentials(UserName=self.user.name, ServiceName=_SERVICE)
            except self._iam.exceptions.NoSuchEntityException:
                raise refused(
                    self.user.name, "the account has no such user", "deploy the stack prd-codecommit first"
                ) from None
        found = map(_credential, listed["ServiceSpecificCredentials"])
        return tuple(sorted(found, key=lambda credential: (credential.created, credential.id)))

    def _describe_secret(self) -> dict[str, Any]:
        with self._refusals():
            try:
                described: dict[str, Any] = self._secrets.describe_secret(SecretId=self.user.secret)
            except self._secrets.exceptions.ResourceNotFoundException:
                return {}
        return described

    def _refusals(self) -> AbstractContextManager[None]:
        return aws_errors_as_refusals(self.user.name)


def _version(credential_id: str) -> str:
    """The id of the secret's version that holds the credential."""
    return str(uuid.uuid5(_VERSIONS, credential_id))


def _credential(listed: Mapping[str, Any]) -> Credential:
    return Credential(
        id=listed["ServiceSpecificCredentialId"],
        is_active=listed["Status"] == "Active",
        created=listed["CreateDate"],
    )


def _lost(
    credentials: tuple[Credential, ...], stages: Mapping[str, object], announced: str | None
) -> tuple[Credential, ...]:
    """The credentials that were created after the announcement, by the same command, and never stored."""
    if announced is None:
        return ()
    time, *ids_before = announced.split(" ")
    started = datetime.fromisoformat(time)
    return tuple(
        found
        for found in credentials
        if found.id not in ids_before
        and _version(found.id) not in stages
        and abs(found.created - started) <= _MOST_CLOCK_DIFFERENCE
    )
