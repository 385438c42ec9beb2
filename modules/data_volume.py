"""An encrypted volume, independent of the instance that it is attached to."""

from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ebs_volume import EbsVolume
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.inputs import Input, mark, whole_number
from modules.labels import Labels

_TYPE = Input(
    variable="data_volume_type",
    description="EBS type of the volume that holds GitLab's data.",
    checks=[('contains(["gp3", "io2"], var.data_volume_type)', "Write gp3 or io2.")],
)
_IOPS = whole_number(
    "data_volume_iops", "I/O operations a second of the volume that holds GitLab's data.", low=100, high=256_000
)


@dataclass(frozen=True, kw_only=True)
class DataVolumeProps:
    """`size_gib` is a number or a reference to one; without `iops` EBS uses the type's default.

    With `deletion_protected` Terraform refuses any plan that deletes or replaces the volume.
    """

    labels: Labels
    name: str
    availability_zone: str
    size_gib: float
    type: str
    iops: float | None
    deletion_protected: bool


class DataVolume(Construct):
    """The volume alone, without its attachment."""

    volume: EbsVolume

    def __init__(self, scope: Construct, id: str, props: DataVolumeProps) -> None:
        super().__init__(scope, id)
        self.volume = EbsVolume(
            self,
            "Default",
            availability_zone=props.availability_zone,
            encrypted=True,
            size=props.size_gib,
            type=props.type,
            iops=props.iops,
            tags=props.labels.named(props.name),
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.deletion_protected else None,
        )
        acknowledge(
            self.volume, CKV_AWS_189="EBS encrypts with the account's own key; whoever may use the server may read it"
        )
        mark(self.volume, {"type": _TYPE, **({"iops": _IOPS} if props.iops is not None else {})})
        if props.deletion_protected:
            explain(self.volume, "With prevent_destroy, Terraform refuses to delete or replace the volume.")
