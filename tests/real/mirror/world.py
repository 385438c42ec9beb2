"""The servers that a build connects to, in a network namespace, with a separate source and target for each test."""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from buildspec.render import MirrorBuildspec, mirror_buildspec
from tests.real.mirror import servers
from tests.real.mirror.certificates import certificates
from tests.real.mirror.codebuild import Build, Project

PROJECT = Path(__file__).parents[3]
# The programs that the build's image has or installs. They are kept here for later runs.
TOOLS = PROJECT / ".cache" / "mirror-tools"
IMAGE_HAS = "awscli==1.46.3"
PARTS = ("source", "target", "codebuild", "efs")
SECRET_ACCESS_KEY = "dummySecretAccessKeyThatOpensNothing0000"


@dataclass(frozen=True, kw_only=True)
class MirrorWorld:
    """A running namespace. `host_key` is the line for known_hosts with the source's host key."""

    folder: Path
    init: int
    host_key: str

    def enter(self) -> list[str]:
        """The command that runs another inside the namespace."""
        return ["nsenter", f"--target={self.init}", "--net", "--mount", "--pid", "--"]

    def case(self, name: str) -> "MirrorCase":
        """A new source, which a new SSH key can read, and an empty target."""
        folder = self.folder / "cases" / name
        for part in PARTS:
            (folder / part).mkdir(parents=True)
        key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
        with (self.folder / "authorized_keys").open("a") as authorized:
            public = key.with_suffix(".pub").read_text()
            authorized.write(f'restrict,command="{self.folder}/serve {folder}" {public}')
        case = MirrorCase(
            world=self,
            name=name,
            folder=folder,
            source=Repository.create(folder / "source/WEB/website.git"),
            target=Repository.create(folder / "target/website", default="none-yet"),
        )
        # https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
        hook = case.target.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text('#!/bin/sh\n[ "$(wc -l)" -le 4000 ] || { echo "more than 4000 references" >&2; exit 1; }\n')
        hook.chmod(0o755)
        return case


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A bare repository on disk: the source or the target of a mirror."""

    path: Path

    @classmethod
    def create(cls, path: Path, *, default: str = "main") -> "Repository":
        """Create an empty repository; its HEAD names the branch `default`, which need not exist."""
        command = ["git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={default}", str(path)]
        subprocess.run(command, check=True)
        return cls(path=path)

    def git(self, *arguments: str, stdin: str | bytes = "") -> str:
        """Run Git here under a neutral identity; returns what it printed."""
        ran = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            env=_GIT,
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode().strip()

    def commit(
        self, ref: str, files: Mapping[str, str | bytes] | None = None, *, parent: str | None = "", text: str = "x"
    ) -> str:
        """Put a commit on `ref` and return its id. Its parent is by default the commit of `ref`; None means no parent.

        Its tree is the parent's with `files` changed, by default one file with the content `text`.
        """
        if parent == "":
            parent = self.refs().get(ref)
        lines = [f"commit {ref}", "committer nobody <nobody@example.com> 1700000000 +0000"]
        body = "\n".join(lines).encode() + b"\ndata %d\n%s\n" % (len(text.encode()), text.encode())
        if parent:
            body += f"from {parent}\n".encode()
        for name, content in (files if files is not None else {"file": text}).items():
            data = content.encode() if isinstance(content, str) else content
            body += f"M 100644 inline {name}\n".encode() + b"data %d\n%s\n" % (len(data), data)
        if not parent:
            body = f"reset {ref}\n".encode() + body
        self.git("fast-import", "--quiet", "--force", stdin=body)
        return self.refs()[ref]

    def history(self, ref: str, length: int) -> None:
        """Put that many commits on `ref`, each changing one small file."""
        stream = [f"reset {ref}\n" + (f"from {self.refs()[ref]}\n" if ref in self.refs() else "")]
        stream += [
            f"commit {ref}\ncommitter nobody <nobody@example.com> {1700000000 + number} +0000\ndata 1\nx\n"
            f"M 100644 inline a\ndata {len(str(number))}\n{number}\n"
            for number in range(length)
        ]
        self.git("fast-import", "--quiet", stdin="".join(stream))

    def update(self, changes: Mapping[str, str | None]) -> None:
        """Point refs to objects; None deletes."""
        lines = [f"update {ref} {value}" if value else f"delete {ref}" for ref, value in changes.items()]
        self.git("update-ref", "--stdin", stdin="\n".join(lines) + "\n")

    def refs(self) -> dict[str, str]:
        """The object id of every ref."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in listed)

    @property
    def default(self) -> str:
        """The default branch."""
        return self.git("symbolic-ref", "HEAD").removeprefix("refs/heads/")

    def set_default(self, branch: str) -> None:
        """Change the default branch; the branch need not exist."""
        self.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")


@dataclass(frozen=True, kw_only=True)
class MirrorCase:
    """One test's source and target, its keys, and the files that remain after its builds."""

    world: MirrorWorld
    name: str
    folder: Path
    source: Repository
    target: Repository

    @property
    def parameters(self) -> dict[str, str]:
        """The parameter store's values, by name."""
        return {"/kakehashi/backlog/ssh-key": (self.folder / "key").read_text()}

    @property
    def machine(self) -> dict[str, str]:
        """Environment variables of the machine, which the build's own are added to."""
        return {
            "PATH": f"{self.world.folder}/tools:{tools()}/bin:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": self.name,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CA_BUNDLE": str(self.world.folder / "ca.pem"),
            "GIT_SSL_CAINFO": str(self.world.folder / "ca.pem"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def become(self, other: "MirrorCase", copy: Callable[[str, str], object] = shutil.copy2) -> None:
        """Copy another case's source and target, and the files that its builds left."""
        for part in PARTS:
            shutil.copytree(other.folder / part, self.folder / part, dirs_exist_ok=True, copy_function=copy)

    def wanted(self) -> dict[str, str]:
        """The source's refs that the mirror has to copy."""
        return {
            ref: value for ref, value in self.source.refs().items() if ref.startswith(("refs/heads/", "refs/tags/"))
        }

    def assert_mirrored(self) -> None:
        """Both ends have the same heads, tags and default branch. The target has nothing else and lacks no object."""
        assert self.target.refs() == self.wanted()
        assert self.target.default == self.source.default
        self.target.git("fsck", "--connectivity-only", "--no-dangling")

    def traffic(self) -> tuple[int, int, int]:
        """Bytes that the source sent, the target sent, and the target received since the last call of this method."""
        from_source = self._numbers(servers.SOURCE_TRAFFIC)
        target = self._numbers(servers.TARGET_TRAFFIC)
        return sum(line[0] for line in from_source), sum(line[1] for line in target), sum(line[0] for line in target)

    def _numbers(self, name: str) -> list[list[int]]:
        file = self.folder / name
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [[int(number) for number in line.split()] for line in lines]


@dataclass(frozen=True, kw_only=True)
class MirrorBuildRun:
    """A case, and the CodeBuild project that mirrors its source to its target."""

    case: MirrorCase
    project: Project

    @property
    def source(self) -> Repository:
        return self.case.source

    @property
    def target(self) -> Repository:
        return self.case.target

    def mirrors(self, **overrides: str) -> Build:
        """Run a build that must succeed and leave source and target equal."""
        build = self.project.run(**overrides)
        assert build.succeeded, build.log
        self.case.assert_mirrored()
        return build

    def stops(self, **overrides: str) -> str:
        """Run a build that must fail and not change the target; returns its last message."""
        before = self.target.refs(), self.target.default
        build = self.project.run(**overrides)
        assert build.phases["build"] == "FAILED", build.log
        assert (self.target.refs(), self.target.default) == before
        assert build.messages, build.log
        return build.messages[-1]


@contextmanager
def running(folder: Path) -> Iterator[MirrorWorld]:
    """Start the servers in a namespace. When the context ends, the namespace and all its processes end."""
    (folder / "cases").mkdir()
    (folder / "authorized_keys").touch()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / "host_key"], check=True)
    kind, key = (folder / "host_key.pub").read_text().split()[:2]
    certificates(folder)
    namespace = subprocess.Popen(
        [
            *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *(sys.executable, "-m", servers.__name__, str(folder)),
        ],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=(folder / "servers.log").open("w"),
        text=True,
    )
    try:
        assert namespace.stdout is not None
        assert namespace.stdout.readline() == "listening\n", (folder / "servers.log").read_text()
        init = Path(f"/proc/{namespace.pid}/task/{namespace.pid}/children").read_text().strip()
        world = MirrorWorld(folder=folder, init=int(init), host_key=f"{servers.SOURCE_HOST} {kind} {key}")
        with _preloaded_tools(world):
            yield world
    finally:
        namespace.kill()
        namespace.wait()


@contextmanager
def _preloaded_tools(world: MirrorWorld) -> Iterator[None]:
    """The AWS CLI and git-remote-codecommit in world.folder/tools, as `preloaded.py` runs them."""
    served = subprocess.Popen(
        [*world.enter(), tools() / "bin/python3", PROJECT / "tests/real/mirror/preloaded.py", world.folder / "tools"],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=(world.folder / "tools.log").open("w"),
        text=True,
    )
    try:
        assert served.stdout is not None
        assert served.stdout.readline() == "listening\n", (world.folder / "tools.log").read_text()
        yield
    finally:
        served.kill()
        served.wait()


def install(commands: Sequence[str], environment: Path) -> subprocess.CompletedProcess[str]:
    """Run the install commands of a buildspec with the Python of `environment`."""
    return subprocess.run(
        ["bash", "-euc", "\n".join(commands)],
        env={**os.environ, "PATH": f"{environment}/bin:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def install_commands() -> list[str]:
    """The install commands of every mirror's build."""
    mirror = MirrorBuildspec(
        **dict.fromkeys(("source_url", "target_url", "ssh_key_parameter", "key", "cache", "lfs"), ""),
        known_hosts=(),
        max_lost_percent=50,
    )
    commands: list[str] = YAML(typ="safe").load(mirror_buildspec(mirror))["phases"]["install"]["commands"]
    return commands


@functools.cache
def tools() -> Path:
    """An environment with the real git-remote-codecommit and AWS CLI. The first process that needs it makes it."""
    commands = install_commands()
    digest = hashlib.sha256("\n".join([IMAGE_HAS, *commands]).encode()).hexdigest()[:16]
    environment = TOOLS / digest
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (environment / "done").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            installed = install([f"python3 -m pip install --quiet {IMAGE_HAS}", *commands], environment)
            assert installed.returncode == 0, installed.stderr
            (environment / "done").touch()
    return environment


_GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "nobody@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
