"""The real ends of one mirror: Backlog over SSH, CodeCommit over HTTPS and its API, and a copy where one is needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import copies, git
from .aws import Aws
from .config import Config
from .connection import Server
from .failures import UnreachableError
from .inspection import Inspector
from .model import Listing, Push
from .relay import relay
from .report import Log
from .shared import SharedConnections, SharedSource
from .signing import git_credentials, git_url
from .source import SourceSession
from .target import Target

# What a mirror does at its target.
_ACTIONS = ("GetRepository", "GitPull", "GitPush", "UpdateDefaultBranch")
# What CodeCommit does with a repository's own key for that. https://docs.aws.amazon.com/codecommit/latest/userguide/encryption.html
_KEY_ACTIONS = (
    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
)
# Git's memory for a copy is hundreds of MB, and a small build has 3 GB. A mirror keeps its turn until it ends.
_COPIES = threading.BoundedSemaphore(2)


def session_policy(config: Config, key: str) -> dict[str, Any]:
    """What the session of one mirror may do, whatever its role may: read and write its target."""
    mirror = config.mirrors[key]
    partition = "aws-cn" if config.region.startswith("cn-") else "aws"
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": [f"codecommit:{action}" for action in _ACTIONS],
            "Resource": f"arn:{partition}:codecommit:{config.region}:{config.account_id}:{mirror.target}",
        }
    ]
    if mirror.key_arn:
        through_codecommit = {"kms:ViaService": f"codecommit.{config.region}.amazonaws.com"}
        statements.append(
            {
                "Effect": "Allow",
                "Action": list(_KEY_ACTIONS),
                "Resource": mirror.key_arn,
                "Condition": {"StringEquals": through_codecommit},
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


def session_name(key: str) -> str:
    """The name of a mirror's session, which CloudTrail shows. STS takes 2 to 64 characters."""
    return key[:64] if len(key) > 1 else f"mirror-{key}"


class NetworkEnds:
    """Both ends of mirror `key`, with a session of its own that may touch nothing but its target.

    `files` has the SSH key and the host keys; `work` is a folder of this mirror alone,
    `shared` the connections to the source that mirrors share, `server` those to the target.
    """

    def __init__(
        self,
        key: str,
        config: Config,
        aws: Aws,
        files: Path,
        work: Path,
        log: Log,
        shared: SharedConnections | None = None,
        server: Server | None = None,
    ) -> None:
        mirror = config.mirrors[key]
        self._config = config
        self._key = key
        self._aws = (
            aws.as_role(config.role_arn, session_name(key), session_policy(config, key)) if config.role_arn else aws
        )
        self._repository = mirror.target
        self._files = files
        self._work = work
        self._log = log
        self._shared = shared
        self._source = SharedSource(
            config.source.host,
            config.source.user,
            mirror.path,
            str(files / "key"),
            str(files / "known_hosts"),
            shared=shared,
        )
        self.target = Target(config.region, mirror.target, self._git_credentials, server=server)
        self._session: SourceSession | None = None
        self._received = 0
        self._copy: copies.Copy | None = None
        self._opened = ExitStack()

    def __enter__(self) -> NetworkEnds:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def list_target(self) -> Listing:
        """The refs of the target."""
        return self.target.list(self.target.listing)

    def default_branch(self) -> bytes | None:
        """The target's, which CodeCommit does not say with the refs."""
        return self._aws.default_branch(self._repository)

    def set_default_branch(self, ref: bytes) -> None:
        """Change the target's."""
        self._aws.set_default_branch(self._repository, ref)

    def open_source(self, like: Listing) -> SourceSession:
        """Connect to the source."""
        self._received += self._session.pack_bytes if self._session else 0
        self._session = None
        try:
            self._session = self._source.open(like)
        except UnreachableError:
            if self._shared:
                self._shared.drop()
            raise
        return self._session

    def relay(self, session: SourceSession, push: Push, listing: Listing, permitted: int) -> Mapping[bytes, str | None]:
        """Hand the source's pack to the target."""
        inspector = Inspector(push, lfs=self._config.lfs, permitted=permitted)
        results = relay(session, self.target, push, listing, inspector)
        for warning in inspector.warnings:
            self._log(f"WARNING: {warning}")
        return results

    def copy(self) -> copies.Copy:
        """The copy of this mirror, the same one during the whole build."""
        if self._copy is None:
            url = f"ssh://{self._config.source.user}@{self._config.source.host}{self._source.path}"
            kept, lock = copies.kept_places(self._config.cache, self._key, os.environ)
            settings = copies.CopySettings(
                git.over_ssh(url, self._files / "key", self._files / "known_hosts"),
                git.over_https(
                    git_url(self._config.region, self._repository), self._git_credentials, self._work / "credentials"
                ),
                kept,
                lock,
            )
            self._opened.enter_context(_COPIES)
            self._copy = self._opened.enter_context(copies.Copy(settings, self._work, self._log))
        return self._copy

    def moved(self) -> tuple[int, int]:
        """The bytes of packs that came in and went out so far."""
        received = self._received + (self._session.pack_bytes if self._session else 0)
        return received + (self._copy.bytes_in if self._copy else 0), self.target.pack_bytes

    def _git_credentials(self) -> tuple[str, str]:
        now = datetime.now(timezone.utc)
        return git_credentials(self._aws.provider(), self._config.region, self._repository, now)
