"""Starts a build: reads what it is for, brings its mirrors' ends together, and says how that ended."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from .aws import Aws, AwsRefusedError
from .calls import Connections
from .config import Config, ConfigError, Started, read_config, read_started
from .container import own_credentials
from .ends import NetworkEnds
from .failures import UnreachableError, cause_of
from .git import write_secret
from .guards import Build
from .mirror import Mirror, Outcome, Rules
from .model import Limits
from .notices import Notices, log_link
from .presence import away
from .report import Log, unforeseen
from .shared import SharedConnections
from .target import server_of
from .unit import AT_A_TIME, Bookkeeping, reconcile, summarise

# The rest of a build is for its start, and for the bookkeeping.
_SHARE_OF_MIRRORS = 0.9
_HOW_TO_STORE_IT = (
    "There is no such parameter: store the private key there, as a SecureString. With the deployment file, `main.py "
    "backlog-key put FILE` does that (docs/credentials.md#backlog)"
)
_ALL_EQUAL, _SOMETHING_DIFFERS, _WRONG_CONFIGURATION = 0, 1, 2


def main() -> int:
    """The build's exit status: 0 if all is equal, 1 if something is not, 2 if nothing was tried."""
    log = Log(sys.stdout)
    try:
        config = read_config((Path(__file__).resolve().parents[1] / "unit.json").read_text("utf-8"))
        started = read_started(os.environ, config)
    except (ConfigError, OSError) as error:
        log(f"stopped: {error}")
        return _WRONG_CONFIGURATION
    work = Path(tempfile.mkdtemp())
    try:
        connections = Connections()
        aws = Aws(config.region, own_credentials(os.environ, connections), connections)
        return run(config, started, aws, connections, os.environ, work, log)
    except AwsRefusedError as error:
        log(f"stopped: {error}")
        return _SOMETHING_DIFFERS
    except Exception as error:
        log(f"stopped: {unforeseen(error)}")
        return _SOMETHING_DIFFERS
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run(
    config: Config,
    started: Started,
    aws: Aws,
    connections: Connections,
    environment: Mapping[str, str],
    work: Path,
    log: Log,
) -> int:
    """Run the mirrors that a build was started for."""
    build = environment.get("CODEBUILD_BUILD_ID", "").partition(":")[0] or config.unit

    shared: SharedConnections | None = None
    server = server_of(config.region)

    def run_one(key: str, own: Log) -> Outcome:
        folder = Path(tempfile.mkdtemp(dir=work))
        limits = Limits(
            config.max_lost_percent, config.max_rewritten_percent, started.allow_deletions, started.allow_rewrites
        )
        rules = Rules(limits, Build(build, key), config.transfer, config.lfs)
        try:
            with NetworkEnds(key, config, aws, work, folder, own, shared, server) as ends:
                return Mirror(ends, rules, own).run()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    try:
        _write_keys(config, aws, work)
    except (AwsRefusedError, UnreachableError) as error:
        reason = f"the SSH key cannot be read from {config.source.key_parameter}: {error}"
        final = isinstance(error, AwsRefusedError)
        if isinstance(error, AwsRefusedError) and error.code == "ParameterNotFound":
            reason += f". {_HOW_TO_STORE_IT}"
        outcome = Outcome(equal=False, compared=False, reason=reason, final=final, cause=cause_of(error))
        outcomes = dict.fromkeys(started.mirrors, outcome)
        log(f"stopped: {reason}")
    else:
        with SharedConnections() if len(started.mirrors) > AT_A_TIME else nullcontext() as shared:
            outcomes = reconcile(
                started.mirrors,
                run_one,
                log,
                lambda: away(config.source.host, server.connect),
                config.timeout_minutes * 60 * _SHARE_OF_MIRRORS,
            )
        if len(outcomes) > 1:
            summarise(outcomes, log)
    link = log_link(environment, config.region, config.account_id)
    notices = Notices(aws, connections, config.unit, link, config.notify_parameter)
    well = Bookkeeping(config, started, aws, notices, log).close(outcomes)
    return _ALL_EQUAL if well and all(outcome.equal for outcome in outcomes.values()) else _SOMETHING_DIFFERS


def _write_keys(config: Config, aws: Aws, work: Path) -> None:
    """Put the SSH key and the pinned host keys into files that ssh reads. Nothing else has the key."""
    write_secret(work / "key", aws.parameter(config.source.key_parameter).strip() + "\n")
    write_secret(work / "known_hosts", "\n".join(config.source.known_hosts) + "\n")
