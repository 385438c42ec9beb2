"""The development account's forward proxy."""

from cdktf import Token
from constructs import Construct

from buildspec import render
from modules.forward_proxy import LAUNCH_HOOK, ForwardProxy, ForwardProxyProps
from modules.labels import Labels
from modules.proxy_alerts import ProxyAlerts, ProxyAlertsProps
from settings import Deployment
from settings.proxy import PORT, SquidSettings, allow_list, default_hosts
from settings.types import architecture
from stacks.base import CONFIRM_MAILS, BaseStack, Output
from stacks.operations_variables import ProxyVariables


class DevProxyStack(BaseStack):
    """Squid in the network's private subnets, which allows GitLab's mirrors a list of hosts."""

    def __init__(
        self, scope: Construct, id: str, deployment: Deployment, settings: SquidSettings, network: BaseStack
    ) -> None:
        super().__init__(scope, id, deployment, "dev")
        if deployment.dev is None or deployment.dev.network is None:
            raise ValueError("a proxy that we build needs dev.network")
        variables = ProxyVariables(self, settings)
        vpc_cidr = str(deployment.dev.network.cidr)
        config = squid_config(deployment.region, vpc_cidr, settings)
        self.files = {"squid.conf": render.squid_conf(config)}
        server = proxy_server(deployment.region, self.labels)
        place = self.state_of(network)

        proxy = ForwardProxy(
            self,
            "proxy",
            ForwardProxyProps(
                labels=self.labels,
                region=deployment.region,
                account_id=self.account.id,
                group_name=server.group_name,
                tags=self.labels.default_tags(deployment.tags),
                vpc_id=place.get_string("vpc_id"),
                vpc_cidr=vpc_cidr,
                subnet_ids=Token.as_list(f"${{values({place.fqn}.outputs.private_subnet_ids)}}"),
                port=PORT,
                instances=variables.instance_count,
                instance_type=variables.instance_type,
                architecture=architecture(settings.instance_type),
                user_data=render.forward_proxy_cloud_init(config, server),
                log_group_name=server.log_group_name,
                log_retention_days=variables.log_retention_days,
            ),
        )
        alerts = ProxyAlerts(
            self,
            "alerts",
            ProxyAlertsProps(
                labels=self.labels,
                account_id=self.account.id,
                emails=settings.alerts.emails,
                group_name=server.group_name,
            ),
        )

        self.after_apply(CONFIRM_MAILS)
        self.outputs(
            {
                "url": Output(
                    value=f"http://{proxy.load_balancer.dns_name}:{PORT}",
                    description="Where GitLab reaches the proxy.",
                ),
                "access_log": Output(value=proxy.access_log.name, description="Log group of every request."),
                "group_name": Output(value=proxy.group.name, description="Auto scaling group of the proxies."),
                "alerts_topic_arn": Output(
                    value=alerts.topic.arn,
                    description="ARN of the topic that receives alerts about proxies that were not replaced.",
                ),
                "security_group_id": Output(
                    value=proxy.security_group.group.id, description="Id of the proxies' security group."
                ),
            }
        )


def squid_config(region: str, vpc_cidr: str, settings: SquidSettings) -> render.SquidConfig:
    """What Squid's configuration says."""
    return render.SquidConfig(port=PORT, clients=vpc_cidr, hosts=allow_list(region, settings.allowed_hosts))


def proxy_server(region: str, labels: Labels) -> render.ProxyServer:
    """What a proxy's server works with."""
    return render.ProxyServer(
        region=region,
        group_name=labels.name("proxy"),
        launch_hook=LAUNCH_HOOK,
        log_group_name=f"/squid/{labels.name('proxy')}",
        checked_hosts=default_hosts(region),
    )
