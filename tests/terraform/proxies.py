"""The user data of a forward proxy, as it is written for a deployment."""

from buildspec.render import ProxyServer, SquidConfig, forward_proxy_cloud_init


def user_data(*hosts: str) -> str:
    """That of a proxy that allows `hosts`."""
    server = ProxyServer(
        region="ap-northeast-1",
        group_name="kakehashi-dev-proxy",
        launch_hook="works",
        log_group_name="/squid/proxy",
        checked_hosts=("git-codecommit.ap-northeast-1.amazonaws.com",),
    )
    return forward_proxy_cloud_init(SquidConfig(port=3128, clients="10.10.0.0/16", hosts=hosts), server)
