"""A parameter in which a unit's builds keep since when its mirrors differ."""

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain


class UnitState(Construct):
    """The parameter `name`, which builds write and Terraform only creates."""

    parameter: SsmParameter

    def __init__(self, scope: Construct, id: str, name: str) -> None:
        super().__init__(scope, id)
        self.parameter = SsmParameter(
            self,
            "Default",
            name=name,
            description="Since when mirrors differ; their builds write it",
            type="String",
            value="{}",
            lifecycle=TerraformResourceLifecycle(ignore_changes=["value"]),
        )
        explain(self.parameter, "Builds write the value, so Terraform ignores what it becomes.")
        acknowledge(self.parameter, CKV2_AWS_34="it holds names of mirrors and times, and no secret")
