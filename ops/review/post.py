"""Writes a review into the comments of its pull request: one comment, created once and then updated."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from errors import refused
from ops.review.report import MARKER

_TIMEOUT_SECONDS = 30
_PAGE_SIZE = 100
_GITHUB_PIPELINE = "github-actions[bot]"


@dataclass(frozen=True, kw_only=True)
class CommentApi:
    """The URLs of a pull request's comments and of a single one, and how the platform is called."""

    comments: str
    comment: str
    headers: Mapping[str, str]
    update_method: str


def post(platform: str, text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Write `text` as the one comment of a review. Raises RefusedError."""
    try:
        api = _github(environment) if platform == "github" else _gitlab(environment)
    except KeyError as error:
        hint = "post from the pipeline that `main.py ci` writes"
        raise refused(platform, f"{error.args[0]} is not set", hint) from None
    try:
        with httpx.Client(headers=dict(api.headers), timeout=_TIMEOUT_SECONDS) as client:
            author = _own_account(client, platform, environment)
            earlier = next((found for found in _comments(client, api) if _is_own(found, author)), None)
            if earlier is None:
                answer = client.post(api.comments, json={"body": text})
            else:
                answer = client.request(api.update_method, f"{api.comment}/{earlier['id']}", json={"body": text})
            answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        what = f"the comment was refused with status {error.response.status_code}"
        hint = "check that the token may comment on pull requests of this repository"
        raise refused(error.request.url.host, what, hint) from None
    except (httpx.HTTPError, ValueError) as error:
        what = f"the comment could not be written: {type(error).__name__}"
        raise refused(platform, what, "run the job again") from None


def _github(environment: Mapping[str, str]) -> CommentApi:
    # https://docs.github.com/en/rest/issues/comments
    url = f"{environment['GITHUB_API_URL']}/repos/{environment['GITHUB_REPOSITORY']}/issues"
    return CommentApi(
        comments=f"{url}/{environment['PULL_REQUEST']}/comments",
        comment=f"{url}/comments",
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        update_method="PATCH",
    )


def _gitlab(environment: Mapping[str, str]) -> CommentApi:
    # https://docs.gitlab.com/api/notes/#merge-requests
    project = f"{environment['CI_API_V4_URL']}/projects/{environment['CI_PROJECT_ID']}"
    url = f"{project}/merge_requests/{environment['CI_MERGE_REQUEST_IID']}/notes"
    return CommentApi(
        comments=url,
        comment=url,
        headers={"PRIVATE-TOKEN": environment["KAKEHASHI_COMMENT_TOKEN"]},
        update_method="PUT",
    )


def _own_account(client: httpx.Client, platform: str, environment: Mapping[str, str]) -> object:
    """The account that the pipeline comments with. The author of any other comment could change it afterwards."""
    if platform == "github":
        return _GITHUB_PIPELINE
    answer = client.get(f"{environment['CI_API_V4_URL']}/user")
    answer.raise_for_status()
    return answer.json()["id"]


def _comments(client: httpx.Client, api: CommentApi) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        answer = client.get(api.comments, params={"per_page": _PAGE_SIZE, "page": page})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        yield from found
        if len(found) < _PAGE_SIZE:
            return
        page += 1


def _is_own(comment: Mapping[str, Any], account: object) -> bool:
    author = comment.get("user") or comment.get("author") or {}
    return str(comment.get("body", "")).startswith(MARKER) and account in (author.get("login"), author.get("id"))
