"""What people are told when mirrors differ, and when they are equal again: through EventBridge, Slack or Teams."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from .aws import Aws, AwsRefusedError
from .calls import Connections
from .failures import UnreachableError
from .foreign import shown
from .mirror import Outcome
from .report import counted
from .state import State, minute

SOURCE = "kakehashi.backlog"
DIFFER = "Mirrors differ"
EQUAL_AGAIN = "Mirrors equal again"
_NAMED = 20
_LONGEST_REASON = 400
# Where Teams takes posts: Power Automate's workflows, and the connectors that these replace.
_TEAMS = (".logic.azure.com", ".powerplatform.com", ".webhook.office.com")
_FULL_WIDTH = {ord(sign): ord(sign) + 0xFEE0 for sign in "<>&[]@\\`"}  # they look alike
_DOT_IN_A_WORD = re.compile(r"(?<=\S)\.(?=\S)")


class NotToldError(Exception):
    """A notice did not get out."""


def about_differing(keys: Sequence[str], state: State, outcomes: Mapping[str, Outcome]) -> str:
    """Names the mirrors, since when they differ, and why."""
    named = [
        f"{key} (since {minute(state.entries[key].since)}: {shown(outcomes[key].reason, _LONGEST_REASON)})"
        for key in keys[:_NAMED]
    ]
    return "; ".join(named) + _others(len(keys) - _NAMED) + _in_all(state)


def about_equal(keys: Sequence[str]) -> str:
    """Names the mirrors."""
    return ", ".join(keys[:_NAMED]) + _others(len(keys) - _NAMED)


def inert(text: str) -> str:
    """A text that Slack, Teams, mail programs and EventBridge's templates take for nothing but text.

    It mentions nobody, links to nothing, not even by a host's name alone, and ends no JSON string. EventBridge escapes
    nothing. https://docs.slack.dev/messaging/formatting-message-text
    """
    line = shown(text, len(text)).translate(_FULL_WIDTH).replace("://", ":\uff0f\uff0f")
    return _DOT_IN_A_WORD.sub("\u2024", line)


def log_link(environment: Mapping[str, str], region: str, account_id: str) -> str:
    """Where the build's log is in the console."""
    build = environment.get("CODEBUILD_BUILD_ID", "")
    project = build.partition(":")[0]
    host = "console.amazonaws.cn" if region.startswith("cn-") else "console.aws.amazon.com"
    return (
        f"https://{region}.{host}/codesuite/codebuild/{account_id}/projects/{quote(project, safe='')}"
        f"/build/{quote(build, safe='')}/?region={region}"
    )


class Notices:
    """Tells people through all ways that there are. `webhook_parameter` has the address of a Slack or Teams webhook."""

    def __init__(self, aws: Aws, connections: Connections, unit: str, log: str, webhook_parameter: str | None) -> None:
        self._aws = aws
        self._connections = connections
        self._unit = unit
        self._log = log
        self._webhook_parameter = webhook_parameter

    def tell(self, kind: str, mirrors: str) -> str:
        """Tell everybody; returns why the chat was not told. Raises NotToldError where EventBridge does not take it.

        What EventBridge took is told: a chat that fails does not make the e-mail come again.
        """
        mirrors = inert(mirrors)
        problem = self._problem_of_chat(f"{kind}: {mirrors}\nUnit {self._unit}, log: {self._log}")
        try:
            self._aws.put_event(SOURCE, kind, {"unit": self._unit, "mirrors": mirrors, "log": self._log})
        except (AwsRefusedError, UnreachableError) as error:
            raise NotToldError("; ".join(filter(None, (str(error), problem)))) from error
        return problem

    def _problem_of_chat(self, text: str) -> str:
        if self._webhook_parameter:
            try:
                self._post(self._aws.parameter(self._webhook_parameter).strip(), text)
            except (AwsRefusedError, UnreachableError) as error:
                return f"the webhook of {self._webhook_parameter}: {error}"
        return ""

    def _post(self, url: str, text: str) -> None:
        """Post as Slack and Teams take it. The address is a secret, so no error names it."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.netloc or parts.username is not None:
            raise AwsRefusedError(
                "the webhook", "NoAddress", "the parameter's value is no address that begins with https://"
            )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        server, body = f"{parts.scheme}://{parts.netloc}", json.dumps(_message(parts.hostname or "", text)).encode()
        headers = {"Content-Type": "application/json"}
        status, _ = self._connections.patiently(
            "a post", lambda: self._connections.request("POST", server, headers, body, path, once=True)
        )
        if not 200 <= status < 300:
            raise AwsRefusedError("a post", f"HTTP {status}", "the webhook does not take it")


def _message(host: str, text: str) -> dict[str, Any]:
    """As this host takes it. Workflows of Teams post Adaptive Cards alone, in the attachments of a message.

    https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    """
    if not host.endswith(_TEAMS):
        return {"text": text}
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text, "wrap": True}]}
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _others(number: int) -> str:
    return f", and {counted(number, 'other')}" if number > 0 else ""


def _in_all(state: State) -> str:
    number = len(state.entries) + state.others
    return f". In all, {number} {'mirror differs' if number == 1 else 'mirrors differ'}"
