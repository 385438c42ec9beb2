"""Posting a review, to a stand-in server with the comment APIs of GitHub and GitLab."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from errors import RefusedError
from ops.review.post import post
from ops.review.report import MARKER

OURS: dict[str, dict[str, Any]] = {
    "github": {"user": {"login": "github-actions[bot]", "id": 1}},
    "gitlab": {"author": {"id": 7}},
}
THEIRS: dict[str, dict[str, Any]] = {"github": {"user": {"login": "mallory", "id": 2}}, "gitlab": {"author": {"id": 8}}}


@dataclass
class Forge:
    """The comments of one pull request on a server; `status` is the response to every write."""

    platform: str
    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    tokens: set[str | None] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a pipeline on the platform."""
        if self.platform == "github":
            return {
                "GITHUB_API_URL": self.url,
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_TOKEN": "t0ken",
                "PULL_REQUEST": "5",
            }
        return {
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "5",
            "KAKEHASHI_COMMENT_TOKEN": "t0ken",
        }

    @property
    def place(self) -> str:
        return "/repos/a/b/issues/5/comments" if self.platform == "github" else "/projects/3/merge_requests/5/notes"

    @property
    def each(self) -> str:
        return "/repos/a/b/issues/comments" if self.platform == "github" else self.place


class ForgeHandler(BaseHTTPRequestHandler):
    """Answers requests about the comments of `forge`."""

    forge: Forge

    def _answer(self, status: int, content: object) -> None:
        self.forge.tokens.add(self.headers["Authorization"] or self.headers["PRIVATE-TOKEN"])
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> str:
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def do_GET(self) -> None:
        asked = urlparse(self.path)
        if asked.path == "/user":
            return self._answer(200, {"id": 7})
        query = parse_qs(asked.query)
        page, size = int(query["page"][0]), int(query["per_page"][0])
        known = asked.path == self.forge.place
        return self._answer(200 if known else 404, self.forge.comments[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        body = self._body()
        if self.forge.status == 200 and self.path == self.forge.place:
            number = len(self.forge.comments) + 1
            self.forge.comments.append({"id": number, "body": body, **OURS[self.forge.platform]})
        self._answer(self.forge.status, {})

    def _change(self, method: str) -> None:
        body = self._body()
        place, _, number = self.path.rpartition("/")
        assert method == ("PATCH" if self.forge.platform == "github" else "PUT")
        assert place == self.forge.each
        self.forge.comments[int(number) - 1]["body"] = body
        self._answer(self.forge.status, {})

    def do_PATCH(self) -> None:
        self._change("PATCH")

    def do_PUT(self) -> None:
        self._change("PUT")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Iterator[Forge]:
    forge = Forge(platform=request.param)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (ForgeHandler,), {"forge": forge}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    forge.url = f"http://127.0.0.1:{server.server_port}"
    yield forge
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_comment_is_created_once_and_then_updated(forge: Forge) -> None:
    forge.comments = [{"id": number, "body": "hello", **THEIRS[forge.platform]} for number in range(1, 151)]
    post(forge.platform, f"{MARKER}\nfirst", forge.environment)
    assert len(forge.comments) == 151
    post(forge.platform, f"{MARKER}\nsecond", forge.environment)
    assert len(forge.comments) == 151
    assert forge.comments[-1]["body"] == f"{MARKER}\nsecond"
    assert forge.tokens == {"Bearer t0ken" if forge.platform == "github" else "t0ken"}


def test_a_comment_of_another_account_with_the_same_marker_is_not_changed(forge: Forge) -> None:
    forge.comments = [{"id": 1, "body": f"{MARKER}\nall is well", **THEIRS[forge.platform]}]
    post(forge.platform, f"{MARKER}\ndanger", forge.environment)
    assert [comment["body"] for comment in forge.comments] == [f"{MARKER}\nall is well", f"{MARKER}\ndanger"]


def test_reports_a_refused_comment_without_showing_the_token(forge: Forge) -> None:
    forge.status = 403
    with pytest.raises(RefusedError) as raised:
        post(forge.platform, f"{MARKER}\nfirst", forge.environment)
    assert str(raised.value) == (
        "error: 127.0.0.1: the comment was refused with status 403\n"
        "hint: check that the token may comment on pull requests of this repository"
    )


def test_reports_a_server_that_does_not_answer() -> None:
    environment = Forge(platform="github", url="http://127.0.0.1:9").environment
    with pytest.raises(RefusedError) as raised:
        post("github", "x", environment)
    assert str(raised.value) == (
        "error: github: the comment could not be written: ConnectError\nhint: run the job again"
    )


def test_refuses_to_post_outside_a_pipeline() -> None:
    with pytest.raises(RefusedError) as raised:
        post("gitlab", "x", {})
    assert str(raised.value) == (
        "error: gitlab: CI_API_V4_URL is not set\nhint: post from the pipeline that `main.py ci` writes"
    )
