"""A parameter in which a unit's builds keep since when its mirrors differ."""

from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter
from constructs import Construct

from modules.acknowledged import acknowledge

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
_STANDARD_CHARACTERS = 4_096
# The quotes, the colon, the comma and a time to the second.
_CHARACTERS_BESIDE_KEY = 40


@dataclass(frozen=True, kw_only=True)
class UnitStateProps:
    """`keys` are those of the unit's mirrors, which may all differ at a time."""

    name: str
    keys: tuple[str, ...]


class UnitState(Construct):
    """The parameter, which builds write and Terraform only creates."""

    parameter: SsmParameter

    def __init__(self, scope: Construct, id: str, props: UnitStateProps) -> None:
        super().__init__(scope, id)
        most = sum(len(key) + _CHARACTERS_BESIDE_KEY for key in props.keys)
        self.parameter = SsmParameter(
            self,
            "Default",
            name=props.name,
            description="Since when mirrors differ; their builds write it",
            type="String",
            tier="Advanced" if most > _STANDARD_CHARACTERS else "Standard",
            value="{}",
            lifecycle=TerraformResourceLifecycle(ignore_changes=["value"]),
        )
        acknowledge(self.parameter, CKV2_AWS_34="it holds names of mirrors and times, and no secret")
