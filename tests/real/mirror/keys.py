"""Who sent a request to the stand-ins of AWS: signatures, and the sessions that STS gave.

Signatures: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
CodeCommit's password: https://github.com/aws/git-remote-codecommit/blob/1.17/git_remote_codecommit/__init__.py#L200-L250
"""

import datetime
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

REGION = "ap-northeast-1"
ACCOUNT = "222222222222"
SECRET_ACCESS_KEY = "dummySecretAccessKeyThatOpensNothing0000"

# The permissions of a case's roles, in its folder: {"role_arn": the mirror role or null, "targets": [repository ARNs]}.
ROLES = "roles.json"

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html#signature-v4-troubleshooting-credential-scope
_MINUTES_OF_A_SIGNATURE = 15
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: role chaining allows an hour
_LONGEST_SECONDS = 3600
_SHORTEST_SECONDS = 900
_MOST_CHARACTERS_OF_A_POLICY = 2048


class RefusedError(Exception):
    """The request gets an error as its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Session:
    """Keys that open something: `targets` are the CodeCommit repositories' ARNs."""

    case: Path
    secret: str
    token: str
    targets: frozenset[str]
    expires: datetime.datetime
    is_assumed: bool = False

    def demand(self, repository: str) -> None:
        """Refuse what IAM would refuse for this repository."""
        if f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{repository}" not in self.targets:
            raise RefusedError(403, "not authorized")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Keys:
    """The keys of all cases. A build's own access key is the name of the case's folder."""

    def __init__(self, cases: Path) -> None:
        self._cases = cases
        self._assumed: dict[str, Session] = {}

    def session(self, access_key: str) -> Session:
        """The session of an access key."""
        if access_key in self._assumed:
            session = self._assumed[access_key]
        elif re.fullmatch("[A-Z0-9]+", access_key) and (self._cases / access_key).is_dir():
            session = self._own(access_key)
        else:
            raise RefusedError(403, "unknown access key")
        if session.expires < _now():
            raise RefusedError(403, "the session has expired")
        return session

    def credentials(self, case: str) -> dict[str, str]:
        """The build role's, as the container's address answers them.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
        """
        own = self.session(case)
        return {
            "AccessKeyId": case,
            "SecretAccessKey": own.secret,
            "Token": own.token,
            "Expiration": f"{own.expires:%Y-%m-%dT%H:%M:%SZ}",
        }

    def assume(self, own: Session, asked: Mapping[str, str]) -> dict[str, str]:
        """Keys for one repository, as the session policy says.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        roles = _roles(own.case)
        if own.is_assumed or asked.get("RoleArn") is None or asked["RoleArn"] != roles["role_arn"]:
            raise RefusedError(403, "not authorized to perform: sts:AssumeRole")
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", asked.get("RoleSessionName", "")):
            raise RefusedError(400, "RoleSessionName")
        seconds = int(asked.get("DurationSeconds", _LONGEST_SECONDS))
        if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
            raise RefusedError(400, "DurationSeconds exceeds the hour of role chaining")
        session = Session(
            case=own.case,
            secret=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(300),
            targets=frozenset(roles["targets"]) & _targets(asked.get("Policy", "")),
            expires=_now() + datetime.timedelta(seconds=seconds),
            is_assumed=True,
        )
        access_key = f"ASIA{secrets.token_hex(8).upper()}"
        self._assumed[access_key] = session
        return {
            "AccessKeyId": access_key,
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": f"{session.expires:%Y-%m-%dT%H:%M:%SZ}",
        }

    def password(self, user: str, password: str, host: str, path: str) -> Session:
        """The session of a Git user, whose password is a signature of the path."""
        access_key, _, token = user.partition("%")
        session = self.session(access_key)
        form = re.fullmatch(r"(\d{8}T\d{6})Z([0-9a-f]{64})", password)
        if form is None or token != session.token:
            raise RefusedError(403, "no signature")
        _demand_now(f"{form[1]}Z")
        canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
        if _signature(session.secret, form[1], "codecommit", canonical) != form[2]:
            raise RefusedError(403, "another signature")
        return session

    def signed(self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Session:
        """The session that signed a request to an API."""
        given = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, ?"
            r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if given is None or (given[2], given[3]) != (REGION, service) or "host" not in given[4].split(";"):
            raise RefusedError(403, "no signature")
        session, moment = self.session(given[1]), headers.get("x-amz-date", "")
        if headers.get("x-amz-security-token") != session.token:
            raise RefusedError(403, "the security token is invalid")
        _demand_now(moment)
        path, _, query = path.partition("?")
        lines = [method, quote(path, safe="/-_.~%"), query]
        lines += [f"{name}:{' '.join(headers[name].split())}" for name in given[4].split(";")]
        canonical = "\n".join([*lines, "", given[4], hashlib.sha256(body).hexdigest()])
        if _signature(session.secret, moment, service, canonical) != given[5]:
            raise RefusedError(403, "another signature")
        return session

    def _own(self, name: str) -> Session:
        """The build role's session, which reaches the targets where no mirror role does."""
        roles = _roles(self._cases / name)
        return Session(
            case=self._cases / name,
            secret=SECRET_ACCESS_KEY,
            token=f"token/of+{name}==",
            targets=frozenset(roles["targets"] if roles["role_arn"] is None else ()),
            expires=_now() + datetime.timedelta(hours=6),
        )


def _roles(case: Path) -> dict[str, Any]:
    roles: dict[str, Any] = json.loads((case / ROLES).read_text())
    return roles


def _targets(policy: str) -> frozenset[str]:
    """The one repository that a session policy allows.

    A session policy for more than one would leave a build's sessions the reach of its role.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
    """
    if not 1 <= len(policy) <= _MOST_CHARACTERS_OF_A_POLICY:
        raise RefusedError(400, "no session policy")
    found: set[str] = set()
    for statement in json.loads(policy)["Statement"]:
        actions, resources = (_several(statement[key]) for key in ("Action", "Resource"))
        if statement["Effect"] != "Allow" or any("*" in text for text in actions + resources):
            raise RefusedError(403, "a session policy with wildcards")
        if any(action.startswith("codecommit:") for action in actions):
            found |= set(resources)
        elif not all(action.startswith("kms:") for action in actions):
            raise RefusedError(403, "a session policy for another service")
    if len(found) != 1:
        raise RefusedError(403, f"a session policy for {len(found)} repositories")
    return frozenset(found)


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _demand_now(moment: str) -> None:
    try:
        signed = datetime.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        raise RefusedError(403, "no moment") from None
    if abs(_now() - signed) > datetime.timedelta(minutes=_MINUTES_OF_A_SIGNATURE):
        raise RefusedError(403, "the signature has expired")


def _signature(secret: str, moment: str, service: str, canonical: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (moment[:8], REGION, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    scope = f"{moment[:8]}/{REGION}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.digest(key, text.encode(), "sha256").hex()
