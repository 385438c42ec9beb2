"""The files that the GitLab server gets: its configuration, its settings, and the program that applies them."""

from buildspec import render
from modules.server_files import ServerFile
from settings.gitlab import GitlabSettings
from settings.proxy import ProxySettings

PROGRAM = "/opt/kakehashi/server"

DESCRIPTION = "Brings the GitLab server to what its Terraform says, where it differs"
CONFIGURE = f"exec {PROGRAM} configure"
EVERY = "rate(1 hour)"
"""What Systems Manager runs, and how often."""

# Reached without the proxy: the server itself, and the instance metadata service.
_NEVER_PROXIED = ("localhost", "127.0.0.1", "169.254.169.254")


def parameters(deployment: str) -> str:
    """The path of the server's SSM parameters."""
    return f"/kakehashi/{deployment}/dev/gitlab"


def gitlab_rb(settings: GitlabSettings, proxy: ProxySettings | None, proxy_url: str | render.Reference | None) -> str:
    """The drop-in of gitlab.rb."""
    return render.gitlab_rb(
        render.GitlabConfig(
            external_url=settings.external_url,
            tls_in_front=settings.load_balancer is not None,
            proxy_url=proxy_url,
            no_proxy=[*_NEVER_PROXIED, settings.host, *(proxy.no_proxy if proxy is not None else ())],
        )
    )


def server_conf(
    settings: GitlabSettings,
    *,
    region: str,
    data_volume_id: render.Reference,
    backup_bucket: str,
    parameters: str,
    proxy_url: str | render.Reference | None,
    has_vpc_endpoints: bool,
) -> str:
    """The settings of the server's program; with VPC endpoints, it reaches S3 and Systems Manager without the proxy."""
    endpoints = [f"ssm.{region}.amazonaws.com", f".s3.{region}.amazonaws.com"] if has_vpc_endpoints else []
    return render.gitlab_server_settings(
        render.GitlabServerSettings(
            region=region,
            certificate_host=settings.host if settings.makes_its_certificate else None,
            data_volume_id=data_volume_id,
            backup_bucket=backup_bucket,
            backup_at_utc=settings.backups.at_utc,
            parameters=parameters,
            proxy_url=proxy_url,
            no_proxy=[*_NEVER_PROXIED, *endpoints],
        )
    )


def server_files(gitlab_rb: str, server_conf: str) -> dict[str, ServerFile]:
    """All files, by a name for each."""
    return {
        "gitlab_rb": ServerFile(path="/etc/kakehashi/gitlab.rb", mode="0600", text=gitlab_rb),
        "server_conf": ServerFile(path="/etc/kakehashi/server.conf", mode="0600", text=server_conf),
        "aws_cli_key": ServerFile(path="/etc/kakehashi/aws-cli.asc", mode="0600", text=render.aws_cli_key()),
        "server": ServerFile(path=PROGRAM, mode="0700", text=render.gitlab_server_script()),
    }
