"""The forward proxy of a deployment file, run by real Squid in a network namespace."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.mirror.certificates import certificates
from tests.real.mirror.world import PROJECT, Repository
from tests.real.proxy import namespace
from tests.terraform import Stacks

NEEDED = ("squid", "git", "unshare", "nsenter", "ip", "mount")
PUSH_USER = "PUSHUSER"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs the same programs, and root to make a namespace."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for tool in NEEDED:
                item.add_marker(pytest.mark.tool(tool))
            if os.geteuid() != 0 and not os.environ.get("KAKEHASHI_NO_SKIP"):
                item.add_marker(pytest.mark.skip(reason="only root can make a network namespace"))


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A running proxy, and a CodeCommit repository that is reached through it."""

    folder: Path
    process: "subprocess.Popen[str]"
    repository: Repository

    def _ask(self, request: str, *, source: str = namespace.IN_THE_VPC, sent: bytes = b"") -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"source": source, "request": request, "sent": base64.b64encode(sent).decode()}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def status(self, request: str, *, source: str = namespace.IN_THE_VPC) -> int:
        """The status of the proxy's answer to a whole request."""
        return int(self._ask(request, source=source)["status"])

    def tunnel(self, target: str, *, source: str = namespace.IN_THE_VPC) -> int:
        """The status of the answer to a client that asks for a tunnel."""
        return self.status(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n", source=source)

    def through(self, target: str, sent: bytes) -> tuple[int, bytes]:
        """How many connections a host got for `sent` in a tunnel to `target`, and what came back."""
        answer = self._ask(f"CONNECT {target}:443 HTTP/1.1\r\nHost: {target}:443\r\n\r\n", sent=sent)
        assert answer["status"] == 200
        return answer["reached"], base64.b64decode(answer["came"])

    def logged(self) -> list[list[str]]:
        """The access log, a list of words for each line."""
        return [line.split() for line in (self.folder / "log" / "access.log").read_text().splitlines()]

    def run(self, *command: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        """Run a program inside the namespace, with only PATH and `environment` in its environment."""
        init = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().strip()
        return subprocess.run(
            ["nsenter", f"--target={init}", "--net", "--mount", "--", *command],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture(scope="session")
def proxy(synthesised: Callable[[str], Stacks], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of deployments/everything.yaml; nothing in its configuration is changed."""
    folder = tmp_path_factory.mktemp("proxy")
    for parent in (folder, *folder.parents):  # Squid is not root when it writes its log
        if parent.is_relative_to(tmp_path_factory.getbasetemp().parent):
            parent.chmod(parent.stat().st_mode | 0o011)
    squid_conf = synthesised("everything").out / "stacks" / "dev-proxy" / "squid.conf"
    (folder / "squid.conf").write_text(squid_conf.read_text())
    target = folder / "cases" / PUSH_USER / "target"
    target.mkdir(parents=True)
    certificates(folder)
    process = subprocess.Popen(
        [
            *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *(sys.executable, "-m", namespace.__name__, str(folder)),
        ],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "namespace.log").open("w"),
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n", (folder / "namespace.log").read_text()
        yield Proxy(
            folder=folder, process=process, repository=Repository.create(target / "infrastructure", default="main")
        )
    finally:
        process.kill()
        process.wait()
