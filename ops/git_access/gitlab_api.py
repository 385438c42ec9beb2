"""Connects to GitLab's API with a token from the environment or a file, and turns its errors into refusals."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from errors import refused
from settings import Deployment

if TYPE_CHECKING:
    from gitlab import Gitlab

TOKEN_VARIABLE = "GITLAB_TOKEN"  # noqa: S105
TIMEOUT_SECONDS = 30
MOST_RETRIES = 4

_HINTS = {
    401: "the token is wrong, revoked or expired: make one with the scope api",
    403: "the token's user needs the role Maintainer in the project, and the token the scope api",
    404: "check gitlab_project, and that the token's user is a member of the project",
    429: "GitLab asks to wait: run the command again in some minutes",
}
_REQUEST_REFUSED = "mend what GitLab names, and run the command again"
_SERVER_FAILED = "run the command again; it continues where it stopped"


def connect(deployment: Deployment, token_file: Path | None) -> "Gitlab":
    """GitLab's API at the deployment's address. Raises RefusedError where there is no address or no token."""
    url = api_url(deployment)
    token = _token(token_file)
    from gitlab import Gitlab

    return Gitlab(url, private_token=token, timeout=TIMEOUT_SECONDS, user_agent="kakehashi")


def api_url(deployment: Deployment) -> str:
    """The address of GitLab."""
    push = deployment.prd.codecommit.push if deployment.prd is not None and deployment.prd.codecommit else None
    if push is not None and push.gitlab_url is not None:
        return push.gitlab_url
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    if gitlab is None:
        setting = "prd.codecommit.push.gitlab_url"
        hint = f"set {setting} in the deployment file, for example to https://gitlab.example.com"
        raise refused(setting, "GitLab's address is not known", hint)
    return gitlab.external_url


@contextmanager
def gitlab_errors_as_refusals(where: str) -> Iterator[None]:
    """Raise GitLab's errors, and failures to reach GitLab, as a RefusedError."""
    import requests
    from gitlab.exceptions import GitlabError
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    try:
        yield
    except GitlabError as error:
        code = error.response_code or 0
        message = error.error_message if isinstance(error.error_message, str) else repr(error.error_message)
        what = f"GitLab answered {code}: {message}" if code else f"GitLab: {message}"
        raise refused(where, what, _HINTS.get(code, _SERVER_FAILED if code >= 500 else _REQUEST_REFUSED)) from None
    except requests.RequestException as error:
        # The exception's text would repeat the request's address, and sometimes its body.
        kind = type(error).__name__
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, NewConnectionError | ConnectTimeoutError):
            hint = "check the network and the proxy, and run the command again"
            raise refused(where, "GitLab cannot be reached", hint) from None
        hint = "see that GitLab can be reached, and run the command again; it continues where it stopped"
        raise refused(where, f"GitLab gave no complete answer ({kind})", hint) from None


@contextmanager
def unless_not_found() -> Iterator[None]:
    """Go on where GitLab answers that there is no such thing, or none that the token's user may see."""
    from gitlab.exceptions import GitlabError

    try:
        yield
    except GitlabError as error:
        if error.response_code != 404:
            raise


def _token(file: Path | None) -> str:
    if file is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        where, hint = TOKEN_VARIABLE, "set it to a token with the scope api, or name a file with --token-file"
    else:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text"
            raise refused(str(file), why, "name a file with nothing but the token in it") from None
        where, hint = str(file), "write the token into it, and nothing else"
    if not token:
        raise refused(where, "there is no token for GitLab", hint)
    if not token.isprintable() or " " in token or not token.isascii():
        raise refused(where, "this is not a token: it has spaces or line ends", hint)
    return token
