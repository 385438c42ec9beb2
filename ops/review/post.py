"""Puts a review into the pull request it is of: one comment, made once and then changed."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ops.review.report import MARKER

_PATIENCE_SECONDS = 30
_A_PAGE = 100
_GITHUB_PIPELINE = "github-actions[bot]"


class PostError(Exception):
    """The comment could not be written; the text is an error of two lines."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a platform has the comments of one pull request, and each of them."""

    comments: str
    comment: str
    headers: Mapping[str, str]
    change: str
    """The method that changes a comment."""


def post(platform: str, text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Write `text` as the one comment of a review. Raises PostError."""
    try:
        place = _github(environment) if platform == "github" else _gitlab(environment)
    except KeyError as error:
        raise PostError(
            f"error: {platform}: {error.args[0]} is not set\nhint: post from the pipeline that `main.py ci` writes"
        ) from None
    try:
        with httpx.Client(headers=dict(place.headers), timeout=_PATIENCE_SECONDS) as client:
            own = _own(client, platform, environment)
            earlier = next((found for found in _comments(client, place) if _is_ours(found, own)), None)
            if earlier is None:
                answer = client.post(place.comments, json={"body": text})
            else:
                answer = client.request(place.change, f"{place.comment}/{earlier['id']}", json={"body": text})
            answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise PostError(
            f"error: {error.request.url.host}: the comment was refused with status {status}\n"
            "hint: see that the token may comment on pull requests of this repository"
        ) from None
    except (httpx.HTTPError, ValueError) as error:
        raise PostError(
            f"error: {platform}: the comment could not be written: {type(error).__name__}\nhint: run the job again"
        ) from None


def _github(environment: Mapping[str, str]) -> _Place:
    # https://docs.github.com/en/rest/issues/comments
    url = f"{environment['GITHUB_API_URL']}/repos/{environment['GITHUB_REPOSITORY']}/issues"
    return _Place(
        comments=f"{url}/{environment['PULL_REQUEST']}/comments",
        comment=f"{url}/comments",
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        change="PATCH",
    )


def _gitlab(environment: Mapping[str, str]) -> _Place:
    # https://docs.gitlab.com/api/notes/#merge-requests
    project = f"{environment['CI_API_V4_URL']}/projects/{environment['CI_PROJECT_ID']}"
    url = f"{project}/merge_requests/{environment['CI_MERGE_REQUEST_IID']}/notes"
    return _Place(
        comments=url,
        comment=url,
        headers={"PRIVATE-TOKEN": environment["KAKEHASHI_COMMENT_TOKEN"]},
        change="PUT",
    )


def _own(client: httpx.Client, platform: str, environment: Mapping[str, str]) -> object:
    """Who we are: a comment of somebody else's would stay theirs to change."""
    if platform == "github":
        return _GITHUB_PIPELINE
    answer = client.get(f"{environment['CI_API_V4_URL']}/user")
    answer.raise_for_status()
    return answer.json()["id"]


def _comments(client: httpx.Client, place: _Place) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        answer = client.get(place.comments, params={"per_page": _A_PAGE, "page": page})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        yield from found
        if len(found) < _A_PAGE:
            return
        page += 1


def _is_ours(comment: Mapping[str, Any], own: object) -> bool:
    author = comment.get("user") or comment.get("author") or {}
    return str(comment.get("body", "")).startswith(MARKER) and own in (author.get("login"), author.get("id"))
