"""What is said of a resource stands in its `//`, and nothing that was said before is lost."""

from typing import Any

import pytest
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.inputs import Input, mark

NAME = Input(variable="name", description="The name.")
VALUE = Input(variable="value", description="The value.")


@pytest.fixture
def parameter(app: App) -> SsmParameter:
    return SsmParameter(TerraformStack(app, "web"), "it", name="n", type="String", value="v")


def comment(parameter: SsmParameter) -> Any:
    (found,) = TerraformStack.of(parameter).to_terraform()["resource"]["aws_ssm_parameter"].values()
    return found["//"]


def test_marks_add_to_earlier_ones(parameter: SsmParameter) -> None:
    mark(parameter, {"name": NAME})
    mark(parameter, {"value": VALUE})
    assert [it["variable"] for it in comment(parameter)["inputs"].values()] == ["name", "value"]
    with pytest.raises(ValueError, match=r"^web/it: marked already: name$"):
        mark(parameter, {"name": VALUE})


def test_a_resource_and_each_of_its_blocks_have_one_reason(parameter: SsmParameter) -> None:
    explain(parameter, "It is needed.")
    explain(parameter, "Its value is kept.", "lifecycle")
    with pytest.raises(ValueError, match=r"^web/it: it is explained already$"):
        explain(parameter, "It is not.")
    with pytest.raises(ValueError, match=r"^web/it: lifecycle is explained already$"):
        explain(parameter, "Its value changes.", "lifecycle")
    assert comment(parameter)["comment"] == "It is needed."


def test_reasons_for_findings_add_to_earlier_ones(parameter: SsmParameter) -> None:
    acknowledge(parameter, CKV_1="It holds no secret at all.")
    acknowledge(parameter, CKV_2="It is read by one role only.")
    acknowledge(parameter, "lifecycle", CKV_1="It is replaced on purpose.")
    assert comment(parameter)["acknowledged"] == {
        "CKV_1": "It holds no secret at all.",
        "CKV_2": "It is read by one role only.",
    }
    with pytest.raises(ValueError, match=r"^web/it: accepted already: CKV_1$"):
        acknowledge(parameter, CKV_1="It holds one secret now.")
    with pytest.raises(ValueError, match=r"^web/it: lifecycle: accepted already: CKV_1$"):
        acknowledge(parameter, "lifecycle", CKV_1="It is replaced by mistake.")
    assert comment(parameter)["acknowledged"]["CKV_1"] == "It holds no secret at all."
