"""A host's record in a zone of Route 53."""

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.route53_record import Route53Record, Route53RecordAlias
from constructs import Construct

from modules.inputs import Input, mark

_TTL_SECONDS = 300

_ZONE = Input(variable="route53_zone_id", description="Id of the zone of Route 53 that has GitLab's host name.")


@dataclass(frozen=True, kw_only=True)
class DnsRecordProps:
    """The host resolves to the load balancer if there is one, otherwise to `address`."""

    zone_id: str
    name: str
    address: str
    load_balancer: Lb | None


class DnsRecord(Construct):
    """One record of type A, in a zone that exists already."""

    record: Route53Record

    def __init__(self, scope: Construct, id: str, props: DnsRecordProps) -> None:
        super().__init__(scope, id)
        balancer = props.load_balancer
        if balancer is None:
            self.record = Route53Record(
                self,
                "Default",
                zone_id=props.zone_id,
                name=props.name,
                type="A",
                ttl=_TTL_SECONDS,
                records=[props.address],
            )
        else:
            alias = Route53RecordAlias(name=balancer.dns_name, zone_id=balancer.zone_id, evaluate_target_health=False)
            self.record = Route53Record(self, "Default", zone_id=props.zone_id, name=props.name, type="A", alias=alias)
        mark(self.record, {"zone_id": _ZONE})
