"""Asks a Backlog space's API, with a key from SSM, and turns its errors into refusals.

The key travels in a header, which no log of requests has. https://github.com/nulab/backlog-js/issues/189
"""

import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from errors import RefusedError, refused
from ops.backlog.secure_parameters import secure_value
from ops.production import client, production
from settings import Deployment
from settings.backlog import BacklogSettings

if TYPE_CHECKING:
    import httpx

KEY_HEADER = "Backlog-API-Key"
TIMEOUT_SECONDS = 30.0
MOST_ATTEMPTS = 3
_FIRST_PAUSE_SECONDS = 0.5
# A limit is for a minute. https://developer.nulab.com/docs/backlog/rate-limit
_LONGEST_WAIT_SECONDS = 61.0
_TOO_MANY_REQUESTS = 429

# The numbers of errors: https://developer.nulab.com/docs/backlog/error-response
_HINTS_BY_CODE = {
    2: "the space's plan does not have this: set it up by hand",
    4: "run it from an address that the space admits, or admit this one in Backlog's space settings",
    11: "issue a key in Backlog (personal settings, API), of a user of this space, and store it in the parameter again",
    12: "set up two-factor authentication for the key's user, which the space asks for",
}
_HINTS_BY_STATUS = {
    401: _HINTS_BY_CODE[11],
    403: "make the key's user a member of the project, and for webhooks one of its administrators",
    404: "check the project's key, and that the key's user is a member of the project",
    _TOO_MANY_REQUESTS: "Backlog asks to wait: run the command again in some minutes",
}
_REQUEST_REFUSED = "mend what Backlog names, and run the command again"
_SERVER_FAILED = "run the command again; it continues where it stopped"


_Form = TypeVar("_Form")


class _Answer(BaseModel):
    """A part of an answer. Backlog may add to it."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class GitRepository(_Answer):
    """A Git repository of a project: https://developer.nulab.com/docs/backlog/api/2/get-list-of-git-repositories."""

    name: str
    hook_url: str | None = Field(None, alias="hookUrl")


class ProjectHook(_Answer):
    """A webhook of a project: https://developer.nulab.com/docs/backlog/api/2/get-list-of-webhooks."""

    id: int
    name: str
    url: str = Field(alias="hookUrl")
    all_events: bool = Field(alias="allEvent")
    events: frozenset[int] = Field(alias="activityTypeIds")


_REPOSITORIES = TypeAdapter(list[GitRepository])
_HOOKS = TypeAdapter(list[ProjectHook])
_ERRORS: TypeAdapter[list[Any]] = TypeAdapter(Annotated[list[Any], Field(min_length=1)])


@dataclass(frozen=True, kw_only=True)
class BacklogApi:
    """The API of one space, by its host. Projects are named by their keys.

    No answer that is asked for here is divided into pages.
    """

    host: str
    key: SecretStr

    def git_repositories(self, project: str) -> list[GitRepository]:
        """The project's Git repositories, in Backlog's order."""
        return self._read(f"projects/{project}/git/repositories", _REPOSITORIES)

    def hooks(self, project: str) -> list[ProjectHook]:
        """The project's webhooks, whoever made them."""
        return self._read(f"projects/{project}/webhooks", _HOOKS)

    def add_hook(self, project: str, form: Mapping[str, Any]) -> None:
        """Add a webhook: https://developer.nulab.com/docs/backlog/api/2/add-webhook."""
        self._sent("POST", f"projects/{project}/webhooks", form)

    def change_hook(self, project: str, id: int, form: Mapping[str, Any]) -> None:
        """Change a webhook: https://developer.nulab.com/docs/backlog/api/2/update-webhook."""
        self._sent("PATCH", f"projects/{project}/webhooks/{id}", form)

    def _read(self, path: str, form: TypeAdapter[_Form]) -> _Form:
        answer = self._sent("GET", path)
        try:
            return form.validate_json(answer.content)
        except ValidationError as error:
            what = f"{self._where(path)} has another form than Backlog documents ({error.errors()[0]['type']})"
            raise refused(self.host, what, "nothing was changed; look for a newer version of this program") from None

    def _sent(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> "httpx.Response":
        """Send a request. One that Backlog did not carry out is repeated; so is a read that got no whole answer."""
        import httpx

        pause = _FIRST_PAUSE_SECONDS
        for attempt in range(MOST_ATTEMPTS):
            is_last = attempt == MOST_ATTEMPTS - 1
            try:
                # A redirect is an error: the key goes to no other host.
                with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as sender:
                    headers = {KEY_HEADER: self.key.get_secret_value(), "User-Agent": "kakehashi"}
                    url = f"https://{self.host}/api/v2/{path}"
                    answer = sender.request(method, url, data=form, headers=headers)
            except httpx.HTTPError as error:
                if method != "GET" or is_last or isinstance(error, httpx.ConnectError):
                    raise self._no_answer(error) from None
            else:
                if answer.is_success:
                    return answer
                is_limited = answer.status_code == _TOO_MANY_REQUESTS
                if is_last or not (is_limited or (method == "GET" and answer.status_code >= 500)):
                    raise self._refusal(answer, path)
                pause = _until_reset(answer) if is_limited else pause
            time.sleep(pause)
            pause *= 2
        raise AssertionError  # the last attempt returned or raised

    def _no_answer(self, error: "httpx.HTTPError") -> RefusedError:
        import httpx

        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
            hint = "somebody may be in between; if a proxy of yours opens TLS, name its CA's file in SSL_CERT_FILE"
            return refused(self.host, "the server shows a certificate that is not trusted", hint)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
            hint = "check the space's id and domain, the network and the proxy, and run the command again"
            return refused(self.host, "Backlog cannot be reached", hint)
        what = f"Backlog gave no complete answer ({type(error).__name__})"
        return refused(self.host, what, "see that Backlog can be reached, and run the command again")

    def _refusal(self, answer: "httpx.Response", path: str) -> RefusedError:
        status = answer.status_code
        if 300 <= status < 400:
            hint = "check the space's id and domain: the API is at the space's own address"
            return refused(self.host, f"Backlog answered {status}, a redirect, which is not followed", hint)
        code, message = _error(answer)
        message = message.replace(self.key.get_secret_value(), "…")
        default = _SERVER_FAILED if status >= 500 else _REQUEST_REFUSED
        hint = _HINTS_BY_CODE.get(code) or _HINTS_BY_STATUS.get(status, default)
        return refused(self.host, f"Backlog answered {status} to {self._where(path)}: {message}", hint)

    def _where(self, path: str) -> str:
        return f"/api/v2/{path}"


def space_api(deployment: Deployment, backlog: BacklogSettings, space: str) -> BacklogApi:
    """The API of a space. Raises RefusedError where its key is not named, not stored, or no key."""
    settings = backlog.spaces[space]
    name = settings.api_key_parameter
    if name is None:
        where = f"prd.backlog.spaces.{space}"
        hint = "issue a key in Backlog, store it as an SSM SecureString, and name that in api_key_parameter"
        raise refused(where, "there is no api_key_parameter", hint)
    if_plain = "delete it, revoke the key in Backlog, and store a new one as a SecureString"
    stored = secure_value(client(production(deployment), "ssm"), name, if_plain=if_plain)
    if stored is None:
        hint = (
            "issue a key in Backlog (personal settings, API), write it into a file, and store that: "
            f"aws ssm put-parameter --type SecureString --name {name} --value file://KEY_FILE"
        )
        raise refused(name, "there is no such parameter", hint)
    key = stored.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise refused(name, "this is not a key of Backlog's API: it is empty, or has spaces or line ends", if_plain)
    return BacklogApi(host=f"{space}.{settings.domain}", key=SecretStr(key))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _until_reset(answer: "httpx.Response") -> float:
    """Seconds until the limit is over, as the answer says it: https://developer.nulab.com/docs/backlog/rate-limit."""
    try:
        seconds = float(answer.headers["X-RateLimit-Reset"]) - time.time() + 1
    except (KeyError, ValueError):
        return _LONGEST_WAIT_SECONDS
    return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS)


def _error(answer: "httpx.Response") -> tuple[int, str]:
    """The number and the text of the first error in an answer: https://developer.nulab.com/docs/backlog/error-response."""
    try:
        errors: Sequence[Any] = _ERRORS.validate_python(answer.json()["errors"])
        return int(errors[0]["code"]), str(errors[0]["message"])
    except (ValueError, KeyError, TypeError):
        return 0, "no explanation"
