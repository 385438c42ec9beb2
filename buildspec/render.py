"""Renders the templates in this folder."""

import functools
import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined


@dataclass(frozen=True)
class Reference:
    """A value that only Terraform knows, as an expression of its language.

    In what is rendered it stands between `OPEN` and `CLOSE`, in an expression that quotes it for its place:
    `modules.terraform_text.template` makes Terraform of that. `is_word` says that AWS assigns it, and that it has
    letters, digits and hyphens only: it needs no quoting.
    """

    expression: str
    is_word: bool = False

    OPEN: ClassVar[str] = "\ue000"
    CLOSE: ClassVar[str] = "\ue001"


@dataclass(frozen=True, kw_only=True)
class UnitBuildspec:
    """What the builds of one unit work with; `program` and `config` are the texts that they fetch from `bucket`.

    `cache` is `s3` (the copy lies in the build's folder), `efs` (in the mounted file system) or `none`.
    """

    bucket: str
    program_key: str
    program: str
    config_key: str
    config: str
    cache: str


@dataclass(frozen=True, kw_only=True)
class GitlabConfig:
    """What the drop-in of gitlab.rb says; without `proxy_url` it sets no proxy.

    With `tls_in_front` something else answers HTTPS, and GitLab is spoken to over HTTP.
    """

    external_url: str
    tls_in_front: bool
    proxy_url: str | Reference | None
    no_proxy: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class GitlabServerSettings:
    """What `gitlab_server.sh` works with.

    `certificate_host` is the host to make a certificate for, None to make none. `parameters` is the path of the
    server's SSM parameters, `backup_at_utc` a time of day as HH:MM. `no_proxy` counts for calls to AWS alone.
    """

    region: str
    certificate_host: str | None
    data_volume_id: str | Reference
    backup_bucket: str
    backup_at_utc: str
    parameters: str
    proxy_url: str | Reference | None
    no_proxy: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class SquidConfig:
    """What squid.conf says: `clients`, a network, may tunnel to `hosts` (a domain starts with a dot) on port 443."""

    port: int
    clients: str
    hosts: Sequence[str]

    access_log: ClassVar[str] = "/var/log/squid/access.log"
    certificate: ClassVar[str] = "/etc/squid/unused.pem"
    tls_port: ClassVar[int] = 3129


@dataclass(frozen=True, kw_only=True)
class ProxyServer:
    """What a forward proxy's server works with.

    It completes the hook `launch_hook` of its auto scaling group once tunnels to `checked_hosts`, which the proxy
    allows, are opened.
    """

    region: str
    group_name: str
    launch_hook: str
    log_group_name: str
    checked_hosts: Sequence[str]


@functools.cache
def mirror_program() -> str:
    """The program of the mirrors as one script of a shell, which writes its files into the folder that it is given."""
    folder = Path(__file__).with_name("mirror")
    files = {f"mirror/{file.name}": file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py"))}
    return _environment().get_template("program.sh.j2").render(files=files)


def unit_buildspec(values: UnitBuildspec) -> str:
    """The buildspec of a unit's builds, YAML.

    The program and the config come from a bucket, because CodeBuild takes a buildspec of 25,600 characters, and only as
    those whose digests stand here, so that whoever writes to the bucket runs nothing.
    """
    digests = {"program": _digest(values.program), "config": _digest(values.config)}
    return _environment().get_template("unit.buildspec.yml.j2").render(unit=values, digests=digests)


@functools.lru_cache(maxsize=64)
def _digest(text: str) -> str:
    """The SHA-256 of a text. It is kept, because all units have the same long program."""
    return hashlib.sha256(text.encode()).hexdigest()


def gitlab_rb(values: GitlabConfig) -> str:
    """The drop-in that gitlab.rb reads, Ruby."""
    return _environment().get_template("gitlab.rb.j2").render(gitlab=values)


def gitlab_server_settings(values: GitlabServerSettings) -> str:
    """The settings that `gitlab_server.sh` reads, assignments of a shell."""
    host = values.certificate_host or ""
    # A certificate's common name holds 64 characters, its alternative name any host.
    name = f"{'IP' if host.rpartition('.')[2].isdigit() else 'DNS'}:{host}"
    return _environment().get_template("gitlab_server.conf.j2").render(server=values, certificate_name=name)


def gitlab_server_script() -> str:
    """The program that brings a server to what its settings say."""
    return Path(__file__).with_name("gitlab_server.sh").read_text(encoding="utf-8")


def aws_cli_key() -> str:
    """The public key that signs the AWS CLI, in ASCII armour below a description."""
    return Path(__file__).with_name("aws_cli.asc").read_text(encoding="utf-8")


def gitlab_cloud_init(files: Mapping[str, Reference]) -> str:
    """The user data of a GitLab server: writes `files`, texts by path, and runs the program at first boot."""
    return _environment().get_template("gitlab.cloud-init.yml.j2").render(files=files)


def squid_conf(values: SquidConfig) -> str:
    """The configuration of a forward proxy."""
    return _environment().get_template("squid.conf.j2").render(squid=values)


def forward_proxy_cloud_init(values: SquidConfig, server: ProxyServer) -> str:
    """The user data of a forward proxy: installs Squid, sends its access log to CloudWatch, and tries it."""
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
    access_log = {
        "file_path": values.access_log,
        "log_group_name": server.log_group_name,
        "log_stream_name": "{instance_id}",
        "timestamp_format": "%Y-%m-%dT%H:%M:%S.%f",
        "timezone": "UTC",
    }
    agent = {"logs": {"logs_collected": {"files": {"collect_list": [access_log]}}}}
    template = _environment().get_template("forward_proxy.cloud-init.yml.j2")
    return template.render(
        squid_conf=squid_conf(values),
        agent=agent,
        check=Path(__file__).with_name("forward_proxy_check.sh").read_text(encoding="utf-8"),
        certificate=values.certificate,
        port=values.port,
        hosts=shlex.join(server.checked_hosts),
        server=server,
    )


def _ruby(text: str | Reference) -> str:
    """A Ruby string literal. In single quotes only the quote and the backslash mean anything."""
    if isinstance(text, Reference):
        return _in_quotes(rf"""replace(replace({text.expression}, "\\", "\\\\"), "'", "\\'")""")
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _sh(text: str | Reference) -> str:
    """A word of a POSIX shell. In single quotes only the quote means anything."""
    if isinstance(text, Reference):
        return _in_quotes(text.expression if text.is_word else rf"""replace({text.expression}, "'", "'\\''")""")
    return shlex.quote(text)


def _in_quotes(expression: str) -> str:
    return f"'{Reference.OPEN}{expression}{Reference.CLOSE}'"


def _yaml(value: Any) -> str:
    """A YAML value: JSON is YAML, whatever the text holds."""
    if isinstance(value, Reference):
        return f"{Reference.OPEN}jsonencode({value.expression}){Reference.CLOSE}"
    return json.dumps(value, ensure_ascii=False)


def _gzipped(text: Reference) -> str:
    """A YAML value for cloud-init's encoding gz+b64."""
    return f"{Reference.OPEN}jsonencode(base64gzip({text.expression})){Reference.CLOSE}"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (nothing here is HTML; every value goes through a filter)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(gzipped=_gzipped, ruby=_ruby, sh=_sh, yaml=_yaml)
    return environment
