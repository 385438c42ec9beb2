"""GitLab's remote mirrors on loopback, with the answers that GitLab's API documents and its source gives.

https://docs.gitlab.com/api/remote_mirrors/. Files that are cited are those of gitlab-org/gitlab, by the name of what is
in them: lines move. The requests are those of lib/api/remote_mirrors.rb.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "glpat-of-the-tests"

_TOO_MANY = "Maximum number of push mirrors (10) exceeded for this project."

Mirror = dict[str, Any]


@dataclass
class GitlabFault:
    """An answer that replaces GitLab's next one; with status 0, the connection is closed without an answer."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    does_it_all_the_same: bool = False


@dataclass
class GitlabStandIn:
    """Projects and their mirrors. `accepts` says whether a target takes a user and a password."""

    url: str = ""
    projects: dict[str, list[Mirror]] = field(default_factory=dict)
    pushed_at: dict[str, datetime] = field(default_factory=dict)
    secrets: dict[int, str] = field(default_factory=dict)
    accepts: Callable[[str, str], bool] = lambda *_: True
    faults: list[GitlabFault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    next_id: int = 101
    version: str = "19.3.1"
    branches: dict[str, list[str]] = field(default_factory=dict)
    on_request: Callable[[], None] = lambda: None

    def add(self, project: str, url: str, **attributes: Any) -> Mirror:
        """Add a mirror as GitLab's web pages do. Its address is shown as `safe_url` of app/models/remote_mirror.rb."""
        parts = urlsplit(url)
        hidden = url.replace(f"{parts.username}:{parts.password}@", "*****:*****@") if parts.username else url
        mirror: Mirror = {
            "id": self.next_id,
            "enabled": False,
            "url": hidden,
            "auth_method": "password",
            "update_status": "none",
            "last_update_at": None,
            "last_update_started_at": None,
            "last_successful_update_at": None,
            "last_error": None,
            "only_protected_branches": False,
            "keep_divergent_refs": False,
            "mirror_branch_regex": None,
            **attributes,
        }
        self.next_id += 1
        self.secrets[mirror["id"]] = url
        self.projects[project].append(mirror)
        return mirror

    def works(self, mirror: Mirror) -> bool:
        """Whether the target would accept the mirror's push now."""
        parts = urlsplit(self.secrets[mirror["id"]])
        return bool(mirror["enabled"]) and self.accepts(unquote(parts.username or ""), unquote(parts.password or ""))

    def run(self, mirror: Mirror) -> None:
        """Run the mirror, as GitLab's Sidekiq does."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        mirror["last_update_started_at"] = mirror["last_update_at"] = now
        if self.works(mirror):
            mirror.update(update_status="finished", last_successful_update_at=now, last_error=None)
        else:
            # GitLab hides passwords that it recognises. It does not recognise this one in the error's text.
            mirror.update(
                update_status="failed",
                last_error=f"13:push to mirror: fatal: unable to access '{self.secrets[mirror['id']]}': error: 403",
            )

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, Any]:
        """GitLab's status and body for one request."""
        parts = urlsplit(path)
        if token != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        if parts.path == "/api/v4/version":
            return 200, {"version": self.version, "revision": "1a2b3c4"}
        steps = parts.path.removeprefix("/api/v4/projects/").split("/")
        project = self._project(unquote(steps[0]))
        if project is None:
            return 404, {"message": "404 Project Not Found"}
        mirrors = self.projects[project]
        match method, steps[1:]:
            case "GET", []:
                return 200, {"id": self.id_of(project), "path_with_namespace": project, "default_branch": "main"}
            case "GET", ["events"]:
                assert parse_qs(parts.query)["action"] == ["pushed"]
                return 200, [{"created_at": self.pushed_at[project].isoformat()}] if project in self.pushed_at else []
            case "GET", ["repository", "branches"]:
                return 200, [{"name": name} for name in self._branches(project, parts.query)]
            case "GET", ["remote_mirrors"]:
                return 200, mirrors
            case "POST", ["remote_mirrors"]:
                return self._create(project, json.loads(body))
        found = next((mirror for mirror in mirrors if str(mirror["id"]) == steps[2]), None)
        if found is None:
            return 404, {"message": "404 Remote Mirror Not Found"}
        return self._answer_for(found, mirrors, f"{method} {'/'.join(steps[3:])}", body)

    def _create(self, project: str, given: dict[str, Any]) -> tuple[int, Any]:
        mirrors, url = self.projects[project], given.pop("url")
        if self._is_taken(mirrors, url):
            return 400, {"message": {"url": ["has already been taken"]}}
        if given.get("enabled") and self._is_full(mirrors):
            return 400, {"message": {"base": [_TOO_MANY]}}
        return 201, self.add(project, url, **given)

    def _answer_for(self, found: Mirror, mirrors: list[Mirror], call: str, body: bytes) -> tuple[int, Any]:
        match call:
            case "PUT ":
                given = json.loads(body)
                # `put ':id/remote_mirrors/:mirror_id'` declares only these: the URL cannot be changed.
                allowed = {"enabled", "only_protected_branches", "keep_divergent_refs", "mirror_branch_regex"}
                assert set(given) <= allowed, given
                if given.get("enabled") and not found["enabled"] and self._is_full(mirrors):
                    return 400, {"message": _TOO_MANY}
                found.update(given)
                return 200, found
            case "DELETE ":
                mirrors.remove(found)
                return 204, None
            case "POST sync":
                # app/services/remote_mirrors/sync_service.rb, `execute`
                if not found["enabled"]:
                    what = "Cannot proceed with the push mirroring. Please verify your mirror configuration."
                    return 400, {"message": what}
                self.run(found)
                return 204, None
        raise AssertionError(call)

    def id_of(self, project: str) -> int:
        """The project's id, which it keeps as long as it lives."""
        return list(self.projects).index(project) + 1

    def _project(self, path_or_id: str) -> str | None:
        """The project of that path or id, as GitLab's API takes either."""
        return next((path for path in self.projects if path_or_id in (path, str(self.id_of(path)))), None)

    def _branches(self, project: str, query: str) -> list[str]:
        """BranchesFinder with `search`, in which one ^, one $ and every * have a meaning; all on one page.

        app/finders/git_refs_finder.rb, `filter_refs` and `unescape_regex_operators`.
        """
        term = re.escape(parse_qs(query).get("search", [""])[0].lower())
        pattern = term.replace(r"\^", "^", 1).replace(r"\*", ".*?").replace(r"\$", "$", 1)
        return [name for name in self.branches.get(project, []) if re.search(pattern, name.lower())]

    def _is_taken(self, mirrors: list[Mirror], url: str) -> bool:
        """RemoteMirror's validation on create: a mirror of the project has the same URL, credentials aside.

        spec/models/remote_mirror_spec.rb, "url uniqueness"; merge request 242210.
        """
        return any(_without_login(url) == _without_login(mirror["url"]) for mirror in mirrors)

    def _is_full(self, mirrors: list[Mirror]) -> bool:
        """RemoteMirror#validate_mirror_count: ten enabled mirrors; disabled ones do not count.

        spec/models/remote_mirror_spec.rb, "#validate_mirror_count"; since 18.9, merge request 221965.
        """
        major, minor = map(int, self.version.split(".")[:2])
        return (major, minor) >= (18, 9) and sum(bool(mirror["enabled"]) for mirror in mirrors) >= 10


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


@contextmanager
def serving(gitlab: GitlabStandIn) -> Iterator[GitlabStandIn]:
    """Serve the stand-in on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or an answer's body waits 40 ms for the acknowledgement of its headers

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            gitlab.calls.append(f"{self.command} {self.path.removeprefix('/api/v4')}")
            fault = gitlab.faults.pop(0) if gitlab.faults else None
            status, content, headers = 200, b"", {}
            if fault is None or fault.does_it_all_the_same:
                status, answer = gitlab.answer(self.command, self.path, self.headers.get("PRIVATE-TOKEN", ""), body)
                content = b"" if answer is None else json.dumps(answer).encode()
            gitlab.on_request()
            if fault is not None:
                if fault.status == 0:
                    self.close_connection = True
                    return
                status, content, headers = fault.status, fault.body, fault.headers
            # In some tests the command has been stopped by now.
            with suppress(ConnectionError):
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gitlab.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gitlab
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
