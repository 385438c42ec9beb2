"""The calls of AWS that a mirror needs, with the standard library alone.

Each call has timeouts, and is repeated a few times where AWS did not take it. All of them may be repeated but
PutEvents, which is not where it may have arrived.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from .calls import Connections
from .failures import UnreachableError
from .foreign import shown
from .signing import Credentials, domain, sign

Provider = Callable[[], Credentials]
"""Gives credentials that are valid now."""

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_THROTTLED = frozenset(
    (
        *("BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete"),
        *("ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled"),
        *("RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException"),
        *("TooManyRequestsException", "TooManyUpdates", "TransactionInProgressException"),
        *("RequestTimeout", "RequestTimeoutException", "InternalFailure", "InternalServerError"),
    )
)
_LONGEST_MESSAGE = 1000  # IAM names the caller, the action, the resource and the policy


class AwsRefusedError(Exception):
    """AWS answered, and refused a call. `code` is AWS's name of the error."""

    def __init__(self, call: str, code: str, message: str) -> None:
        super().__init__(shown(f"{call} was refused: {': '.join(filter(None, (code, message)))}", _LONGEST_MESSAGE))
        self.code = code
        self.about = (call, code)


class Aws:
    """AWS's APIs in one region, with the credentials of one role.

    `endpoint` replaces the address of every service. Only tests give it.
    """

    def __init__(
        self, region: str, provider: Provider, connections: Connections, *, endpoint: str | None = None
    ) -> None:
        self.region = region
        self.provider = provider
        self.connections = connections
        self._endpoint = endpoint

    def as_role(self, role_arn: str, session_name: str, policy: Mapping[str, Any]) -> Aws:
        """The same APIs as another role, which may only do what `policy` allows as well."""
        renewed = Renewed(lambda: self.assume_role(role_arn, session_name, policy))
        return Aws(self.region, renewed, self.connections, endpoint=self._endpoint)

    def assume_role(self, role_arn: str, session_name: str, policy: Mapping[str, Any]) -> Credentials:
        """Credentials for an hour, which is the most that a role gets of another.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        parameters = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": role_arn,
            "RoleSessionName": session_name,
            "DurationSeconds": "3600",
            "Policy": json.dumps(policy, separators=(",", ":")),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = self._call("sts", "AssumeRole", headers, urlencode(parameters).encode())
        return credentials_of(_fields(answer), "SessionToken")

    def parameter(self, name: str) -> str:
        """The value of a parameter of Systems Manager, decrypted."""
        answer = self._json("ssm", "AmazonSSM.GetParameter", {"Name": name, "WithDecryption": True})
        return str(answer["Parameter"]["Value"])

    def put_parameter(self, name: str, value: str) -> None:
        """Replace the value of a parameter that exists."""
        self._json("ssm", "AmazonSSM.PutParameter", {"Name": name, "Value": value, "Overwrite": True})

    def default_branch(self, repository: str) -> bytes | None:
        """The default branch of a repository of CodeCommit, as `refs/heads/main`; None where it is empty."""
        answer = self._json("codecommit", "CodeCommit_20150413.GetRepository", {"repositoryName": repository})
        name = answer["repositoryMetadata"].get("defaultBranch")
        return None if name is None else f"refs/heads/{name}".encode()

    def set_default_branch(self, repository: str, ref: bytes) -> None:
        """Make a branch, given as `refs/heads/main`, the repository's default branch.

        https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateDefaultBranch.html
        """
        try:
            name = ref.decode()[len("refs/heads/") :]
        except UnicodeDecodeError:
            raise AwsRefusedError("UpdateDefaultBranch", "InvalidBranchName", f"{ref!r} is not UTF-8") from None
        content = {"repositoryName": repository, "defaultBranchName": name}
        self._json("codecommit", "CodeCommit_20150413.UpdateDefaultBranch", content)

    def put_event(self, source: str, kind: str, detail: Mapping[str, Any]) -> None:
        """Give an event to the account's default event bus."""
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        answer = self._json("events", "AWSEvents.PutEvents", {"Entries": [entry]}, once=True)
        if answer.get("FailedEntryCount"):
            refused = answer["Entries"][0]
            raise AwsRefusedError("PutEvents", refused.get("ErrorCode", ""), refused.get("ErrorMessage", ""))

    def _json(self, service: str, target: str, content: Mapping[str, Any], *, once: bool = False) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        call = target.rpartition(".")[2]
        answer = _json(self._call(service, call, headers, json.dumps(content).encode(), once=once))
        if not isinstance(answer, dict):
            raise UnreachableError(f"{call} was answered with something else than JSON")
        return answer

    def _call(self, service: str, call: str, headers: Mapping[str, str], body: bytes, *, once: bool = False) -> bytes:
        url = self._endpoint or f"https://{service}.{self.region}.{domain(self.region)}"

        def ask() -> tuple[int, bytes]:
            signed = sign(
                self.provider(),
                region=self.region,
                service=service,
                url=url,
                headers=headers,
                body=body,
                now=datetime.now(timezone.utc),
            )
            return self.connections.request("POST", url, signed, body, once=once)

        status, answer = self.connections.patiently(f"{call} of {service}", ask, _is_busy)
        if status != 200:
            code, message = _error(answer)
            raise AwsRefusedError(call, code or str(status), message)
        return answer


class Renewed:
    """Credentials that are asked for again before they end. May be used by several threads."""

    def __init__(self, ask: Provider, *, minutes_before: float = 5) -> None:
        self._ask = ask
        self._before = minutes_before * 60
        self._one_at_a_time = threading.Lock()
        self._kept: Credentials | None = None

    def __call__(self) -> Credentials:
        with self._one_at_a_time:
            if self._kept is None or not self._lasts(self._kept, self._before):
                try:
                    self._kept = self._ask()
                except (UnreachableError, AwsRefusedError):
                    if self._kept is None or not self._lasts(self._kept, 0):
                        raise
            return self._kept

    @staticmethod
    def _lasts(credentials: Credentials, seconds: float) -> bool:
        return credentials.expires is None or credentials.expires - time.time() > seconds


def credentials_of(answer: Mapping[str, str], token: str) -> Credentials:
    """The credentials in an answer of STS or of the container's address."""
    try:
        ends = datetime.strptime(answer["Expiration"].partition(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S")
        return Credentials(
            answer["AccessKeyId"],
            answer["SecretAccessKey"],
            answer[token],
            ends.replace(tzinfo=timezone.utc).timestamp(),
        )
    except (KeyError, ValueError, AttributeError):
        raise UnreachableError("an answer that should hold credentials does not") from None


def _is_busy(status: int, answer: bytes) -> bool:
    return status >= 500 or status == 429 or (status != 200 and _error(answer)[0] in _THROTTLED)


def _error(answer: bytes) -> tuple[str, str]:
    """AWS's name of an error, and its message: JSON of most services, XML of STS."""
    content = _json(answer)
    if isinstance(content, dict):
        code = str(content.get("__type", "")).rpartition("#")[2]
        return code, str(content.get("message", content.get("Message", "")))
    found = _fields(answer)
    return found.get("Code", ""), found.get("Message", "")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _fields(content: bytes) -> dict[str, str]:
    """The texts of XML by the names of their elements; empty where it is no XML."""
    try:
        elements = ElementTree.fromstring(content)  # noqa: S314 # from AWS, over TLS
    except ElementTree.ParseError:
        return {}
    return {element.tag.rpartition("}")[2]: element.text or "" for element in elements.iter()}
