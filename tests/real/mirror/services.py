"""The stand-ins for what a build asks AWS, and a chat's webhook. Each answers as the page that it cites says."""

import json
import urllib.parse
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tests.real.mirror import codecommit, faults
from tests.real.mirror.keys import REGION, Keys, RefusedError, Session

GIT_HOST = f"git-codecommit.{REGION}.amazonaws.com"
API_HOST = f"codecommit.{REGION}.amazonaws.com"
STS_HOST = f"sts.{REGION}.amazonaws.com"
SSM_HOST = f"ssm.{REGION}.amazonaws.com"
EVENTS_HOST = f"events.{REGION}.amazonaws.com"
WEBHOOK_HOST = "hooks.slack.com"
HOSTS = (GIT_HOST, API_HOST, STS_HOST, SSM_HOST, EVENTS_HOST, WEBHOOK_HOST)

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
CREDENTIALS_ADDRESS = "169.254.170.2"
CREDENTIALS_PATH = "/v2/credentials/"

# Files in a case's folder. One line for each call, event and message; parameters are {name: value}.
CALLS, EVENTS, MESSAGES = "api", "events", "messages"
PARAMETERS = "parameters.json"


class BridgeHandler(codecommit.Handler):
    """One connection to a host that a build needs."""

    keys: Keys

    def _case_of(self, user: str, password: str, path: str) -> Path:
        session = self.keys.password(user, password, GIT_HOST, path)
        session.demand(path.rpartition("/")[2])
        return session.case

    def _refuse(self, refused: RefusedError) -> None:
        """https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html; the others answer JSON"""
        code = {400: "ValidationException", 403: "AccessDeniedException"}.get(refused.status, "ServiceUnavailable")
        if self.headers["Host"] == GIT_HOST:
            super()._refuse(refused)
        elif self.headers["Host"] == STS_HOST:
            error = f"<Error><Code>{code}</Code><Message>{escape(str(refused))}</Message></Error>"
            self._send(refused.status, {"Content-Type": "text/xml"}, f"<ErrorResponse>{error}</ErrorResponse>".encode())
        else:
            self._send(refused.status, {}, json.dumps({"__type": code, "message": str(refused)}).encode())

    def _serve(self) -> None:
        host = self.headers["Host"]
        if host == GIT_HOST:
            return self._git()
        if host == CREDENTIALS_ADDRESS:
            answer = self.keys.credentials(self.path.removeprefix(CREDENTIALS_PATH))
            return self._send(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())
        body = b"".join(self._body())
        if host == WEBHOOK_HOST:
            return self._webhook(body)
        service = {API_HOST: "codecommit", STS_HOST: "sts", SSM_HOST: "ssm", EVENTS_HOST: "events"}[host]
        headers = {name.lower(): value for name, value in self.headers.items()}
        session = self.keys.signed(service, self.command, self.path, headers, body)
        if faults.count_down(session.case, faults.UNAVAILABLE, service):
            raise RefusedError(503, "try again")
        if service == "sts":
            return self._assume_role(session, body)
        prefix, _, action = self.headers["X-Amz-Target"].partition(".")
        answers = {
            "CodeCommit_20150413": _codecommit,
            "AmazonSSM": _parameter_store,
            "AWSEvents": _event_bridge,
        }
        with (session.case / CALLS).open("a") as calls:
            calls.write(f"{action}\n")
        try:
            text = json.dumps(answers[prefix](session, action, json.loads(body))).encode()
        except _ProblemError as problem:
            return self._send(400, {}, json.dumps({"__type": str(problem)}).encode())
        return self._send(200, {"Content-Type": "application/x-amz-json-1.1"}, text)

    def _assume_role(self, session: Session, body: bytes) -> None:
        """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
        asked = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        if (asked.pop("Action"), asked.pop("Version")) != ("AssumeRole", "2011-06-15"):
            raise RefusedError(400, "InvalidAction")
        given = "".join(f"<{key}>{escape(text)}</{key}>" for key, text in self.keys.assume(session, asked).items())
        answer = (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
            f"<Credentials>{given}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )
        self._send(200, {"Content-Type": "text/xml"}, answer.encode())

    def _webhook(self, body: bytes) -> None:
        """https://api.slack.com/messaging/webhooks"""
        case = self.cases / self.path.removeprefix("/services/")
        if not case.is_dir() or "text" not in json.loads(body):
            raise RefusedError(400, "invalid_payload")
        with (case / MESSAGES).open("a") as messages:
            messages.write(f"{json.dumps(json.loads(body), ensure_ascii=False)}\n")
        self._send(200, {"Content-Type": "text/html"}, b"ok")


class _ProblemError(Exception):
    """The `__type` of an error in JSON."""


def _codecommit(session: Session, action: str, asked: dict[str, Any]) -> dict[str, Any]:
    """GetRepository and UpdateDefaultBranch.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_Operations.html
    """
    name = asked["repositoryName"]
    session.demand(name)
    repository = session.case / "target" / name
    if not repository.is_dir():
        raise _ProblemError("RepositoryDoesNotExistException")
    if action == "GetRepository":
        faults.at(session.case, faults.DEFAULT_READ, name)
        default = codecommit.default_branch(repository)
        return {"repositoryMetadata": {"repositoryName": name} | ({"defaultBranch": default} if default else {})}
    assert action == "UpdateDefaultBranch"
    head = repository / "HEAD"
    before = head.read_text()
    head.write_text(f"ref: refs/heads/{asked['defaultBranchName']}\n")
    if codecommit.default_branch(repository) is None:
        head.write_text(before)
        raise _ProblemError("BranchDoesNotExistException")
    return {}


def _parameter_store(session: Session, action: str, asked: dict[str, Any]) -> dict[str, Any]:
    """GetParameter and PutParameter, for the build role alone.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    """
    if session.is_assumed:
        raise _ProblemError("AccessDeniedException")
    file, name = session.case / PARAMETERS, asked["Name"]
    stored = json.loads(file.read_text())
    if action == "PutParameter":
        if not asked.get("Overwrite") or name not in stored:
            raise _ProblemError("ParameterAlreadyExists")
        if len(asked["Value"]) > 4096:
            raise _ProblemError("ValidationException")
        file.write_text(json.dumps(stored | {name: asked["Value"]}))
        return {"Version": 2, "Tier": "Standard"}
    assert action == "GetParameter"
    if name not in stored:
        raise _ProblemError("ParameterNotFound")
    return {"Parameter": {"Name": name, "Value": stored[name], "Version": 1}}


def _event_bridge(session: Session, action: str, asked: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
    assert action == "PutEvents"
    entries = asked["Entries"]
    if session.is_assumed or not 1 <= len(entries) <= 10:
        raise _ProblemError("AccessDeniedException" if session.is_assumed else "ValidationException")
    with (session.case / EVENTS).open("a") as events:
        for entry in entries:
            detail = json.loads(entry["Detail"])
            events.write(f"{json.dumps(entry | {'Detail': detail}, ensure_ascii=False)}\n")
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(number)} for number, _ in enumerate(entries)]}
