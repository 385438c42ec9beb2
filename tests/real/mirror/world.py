"""The servers that a build connects to, in a network namespace, with a separate source and target for each test."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.mirror import codecommit, faults, servers, services
from tests.real.mirror.certificates import certificates
from tests.real.mirror.codebuild import Build, Project
from tests.real.mirror.keys import ACCOUNT, REGION, ROLES

PROJECT = Path(__file__).parents[3]
PARTS = ("source", "target", "codebuild", "efs")
BUCKETS = "buckets"
KEY_PARAMETER = "/kakehashi/backlog/ssh-key"


@dataclass(frozen=True, kw_only=True)
class MirrorWorld:
    """A running namespace. `host_key` is the line for known_hosts with the source's host key."""

    folder: Path
    init: int
    host_key: str

    def enter(self) -> list[str]:
        """The command that runs another inside the namespace."""
        return ["nsenter", f"--target={self.init}", "--net", "--mount", "--pid", "--"]

    def container(self) -> list[str]:
        """The same, in a container: whatever a build started ends with it."""
        return [*self.enter(), "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]

    def case(self, name: str, *, projects: Mapping[str, str] | None = None) -> "MirrorCase":
        """New sources, which a new SSH key can read, and empty targets; `projects` are by the mirrors."""
        folder = self.folder / "cases" / name
        for part in (*PARTS, faults.FOLDER):
            (folder / part).mkdir(parents=True)
        key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
        with (self.folder / "authorized_keys").open("a") as authorized:
            public = key.with_suffix(".pub").read_text()
            authorized.write(f'restrict,command="{self.folder}/serve {folder}" {public}')
        pairs = {
            mirror: Pair(
                source=Repository.create(folder / "source" / project / f"{mirror}.git"),
                target=Repository.create(folder / "target" / mirror, default="none-yet"),
            )
            for mirror, project in (projects or {"website": "WEB"}).items()
        }
        return MirrorCase(world=self, name=name, folder=folder, pairs=pairs)


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
class Pair:
    """The two ends of one mirror."""

    source: Repository
    target: Repository

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


@dataclass(frozen=True, kw_only=True)
class MirrorCase:
    """One test's sources and targets, its keys, and the files that remain after its builds. `pairs` are by mirror."""

    world: MirrorWorld
    name: str
    folder: Path
    pairs: Mapping[str, Pair]

    @property
    def pair(self) -> Pair:
        """The only pair, or the first."""
        return next(iter(self.pairs.values()))

    @property
    def machine(self) -> dict[str, str]:
        """Environment variables of the machine, which the build's own are added to."""
        return {
            "PATH": f"{self.world.folder}/bin:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"{services.CREDENTIALS_PATH}{self.name}",
            "SSL_CERT_FILE": str(self.world.folder / "ca.pem"),
            "GIT_SSL_CAINFO": str(self.world.folder / "ca.pem"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def key(self) -> dict[str, str]:
        """The SSH key, by the name of its parameter."""
        return {KEY_PARAMETER: (self.folder / "key").read_text()}

    def parameters(self) -> dict[str, str]:
        """Every value of the parameter store."""
        stored: dict[str, str] = json.loads((self.folder / services.PARAMETERS).read_text())
        return stored

    def allow(self, role_arn: str | None, parameters: Mapping[str, str]) -> None:
        """Say which mirror role the build has, and which parameters exist."""
        arns = [f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{name}" for name in self.pairs]
        (self.folder / ROLES).write_text(json.dumps({"role_arn": role_arn, "targets": arns}))
        (self.folder / services.PARAMETERS).write_text(json.dumps(self.key() | dict(parameters)))

    def become(self, other: "MirrorCase", copy: Callable[[str, str], object] = shutil.copy2) -> None:
        """Copy another case's sources and targets, and the files that its builds left."""
        for part in PARTS:
            shutil.copytree(other.folder / part, self.folder / part, dirs_exist_ok=True, copy_function=copy)

    def fault(self, name: str, number: int | None = None) -> Path:
        """Make something go wrong: a name of `faults`, or of it and a repository. Delete the file to end it."""
        file = self.folder / faults.FOLDER / name
        file.write_text("" if number is None else str(number))
        return file

    def at(self, moment: str, mirror: str, script: str) -> None:
        """Run a shell script once, at a moment of `faults`."""
        (self.folder / faults.FOLDER / f"at.{moment}.{mirror}").write_text(script)

    def happened(self) -> set[str]:
        """The scripts that ran, as `MOMENT.MIRROR`."""
        return {file.name.removeprefix("done.") for file in (self.folder / faults.FOLDER).glob("done.*")}

    def parameter(self, name: str) -> str:
        """A value of the parameter store."""
        return self.parameters()[name]

    def taken(self, name: str) -> list[str]:
        """The lines of a record of `services`, which is then empty."""
        file = self.folder / name
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def connections(self) -> int:
        """How often the source was connected to since the last call of `traffic`."""
        file = self.folder / servers.SOURCE_TRAFFIC
        return len(file.read_text().splitlines()) if file.exists() else 0

    def traffic(self) -> tuple[int, int, int]:
        """Bytes that the source sent, the target sent, and the target received since the last call of this method."""
        from_source = [int(line) for line in self.taken(servers.SOURCE_TRAFFIC)]
        target = [[int(number) for number in line.split()] for line in self.taken(codecommit.TRAFFIC)]
        return sum(from_source), sum(line[1] for line in target), sum(line[0] for line in target)


@dataclass(frozen=True, kw_only=True)
class MirrorBuildRun:
    """A case, and the CodeBuild project that mirrors its sources to its targets."""

    case: MirrorCase
    project: Project

    @property
    def source(self) -> Repository:
        return self.case.pair.source

    @property
    def target(self) -> Repository:
        return self.case.pair.target

    def mirrors(self, **overrides: str) -> Build:
        """Run a build that must succeed and leave sources and targets equal."""
        build = self.project.run(**overrides)
        assert build.succeeded, build.log
        for pair in self.case.pairs.values():
            pair.assert_mirrored()
        return build

    def fails(self, **overrides: str) -> Build:
        """Run a build that must fail."""
        build = self.project.run(**overrides)
        assert build.phases["build"] == "FAILED", build.log
        assert build.messages, build.log
        return build

    def stops(self, **overrides: str) -> str:
        """Run a build that must fail and not change the target; returns its last message."""
        before = self.target.refs(), self.target.default
        build = self.fails(**overrides)
        assert (self.target.refs(), self.target.default) == before
        return build.messages[-1]


@contextmanager
def running(folder: Path, *, delay: int = 0) -> Iterator[MirrorWorld]:
    """Start the servers in a namespace. When the context ends, the namespace and all its processes end.

    A packet takes `delay` milliseconds each way.
    """
    (folder / "cases").mkdir()
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(Path(sys.executable).resolve())
    (folder / "bin" / "aws").write_text(_AWS)
    (folder / "bin" / "aws").chmod(0o755)
    (folder / "authorized_keys").touch()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / "host_key"], check=True)
    kind, key = (folder / "host_key.pub").read_text().split()[:2]
    certificates(folder)
    namespace = subprocess.Popen(
        [
            *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *(sys.executable, "-m", servers.__name__, str(folder), str(delay)),
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
        yield MirrorWorld(folder=folder, init=int(init), host_key=f"{servers.SOURCE_HOST} {kind} {key}")
    finally:
        namespace.kill()
        namespace.wait()


# https://docs.aws.amazon.com/cli/latest/reference/s3api/get-object.html: the output file is the last argument
_AWS = """#!/bin/bash
[ "$1 $2 $3 $5 $7" = "s3api get-object --bucket --key --version-id" ] && cp "$BUCKETS/$4/$6.$8" "$9" && echo "{}"
"""

_GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "nobody@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
