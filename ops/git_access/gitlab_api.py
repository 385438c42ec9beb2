"""Reaches GitLab's API with a token from the environment or a file, and tells its refusals in two lines."""

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


def connect(deployment: Deployment, token_file: Path | None) -> "Gitlab":
    """GitLab's API at the deployment's address. Raises RefusedError where there is no address or no token."""
    url = api_url(deployment)
    token = _token(token_file)
    from gitlab import Gitlab

    return Gitlab(url, private_token=token, timeout=TIMEOUT_SECONDS, user_agent="kakehashi")


def api_url(deployment: Deployment) -> str:
    """Where GitLab answers."""
    push = deployment.prd.codecommit.push if deployment.prd is not None and deployment.prd.codecommit else None
    if push is not None and push.gitlab_url is not None:
        return push.gitlab_url
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    if gitlab is None:
        raise refused("prd.codecommit.push.gitlab_url", "it is not known where GitLab is", "give its address")
    if not gitlab.external_url.startswith("https://"):
        raise refused(
            "dev.gitlab.external_url",
            f"'{gitlab.external_url}' would carry the token and a password in the clear",
            "serve GitLab by https, or give prd.codecommit.push.gitlab_url",
        )
    return gitlab.external_url


@contextmanager
def told_as_refusals(where: str) -> Iterator[None]:
    """Turn what GitLab refuses, and what keeps it from being asked, into a RefusedError."""
    import requests
    from gitlab.exceptions import GitlabError

    try:
        yield
    except GitlabError as error:
        code = error.response_code
        said = error.error_message if isinstance(error.error_message, str) else repr(error.error_message)
        answer = f"GitLab answered {code}: {said}" if code else f"GitLab: {said}"
        again = "run the command again; what was done so far stands"
        hint = _HINTS.get(
            code or 0, again if (code or 0) >= 500 else "mend what GitLab names, and run the command again"
        )
        raise refused(where, answer, hint) from None
    except requests.RequestException as error:
        # The exception's own text repeats the request's address and sometimes its body.
        kind = type(error).__name__
        hint = "see that GitLab can be reached, and run the command again; what was done so far stands"
        raise refused(where, f"GitLab gave no whole answer ({kind})", hint) from None


def _token(file: Path | None) -> str:
    if file is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        where, hint = TOKEN_VARIABLE, "set it to a token with the scope api, or name a file with --token-file"
    else:
        try:
            token = file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
            raise refused(str(file), why, "name a file that holds the token alone") from None
        where, hint = str(file), "write the token into it, alone"
    if not token:
        raise refused(where, "there is no token for GitLab", hint)
    if not token.isprintable() or " " in token or not token.isascii():
        raise refused(where, "this is no token: it holds spaces or line ends", hint)
    return token
