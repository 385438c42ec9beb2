"""The real Terraform and AWS provider accept every stack, and refuse bad values of every variable."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.synthesised import DeploymentStack
from tests.real.terraform import diagnostics, terraform

pytestmark = pytest.mark.terraform


@pytest.mark.slow
def test_every_stack_of_every_deployment_is_valid_and_without_warnings(
    stacks: list[DeploymentStack], tmp_path: Path
) -> None:
    folders = {str(stack): stack.folder for stack in stacks}
    assert diagnostics(folders, tmp_path) == {name: [] for name in folders}


@dataclass(frozen=True)
class Values:
    """Values that a variable accepts, and those it refuses, by the start of Terraform's error."""

    good: list[Any]
    refused: dict[str, list[Any]]


def whole_numbers(low: int, high: int) -> Values:
    return Values(
        good=[low, high], refused={f"Write a whole number from {low} to {high}.": [low - 1, high + 1, low + 0.5]}
    )


_NOT_A_NETWORK = [
    ["198.51.100.7"],
    ["198.51.100.7/33"],
    ["198.51.100.7/24"],
    ["203.0.113.0/24", "198.51.100.256/32"],
    ["2001:db8::/32"],
    ["anywhere/32"],
]
NETWORKS = Values(
    good=[["192.0.2.7/32"], ["203.0.113.0/24", "10.20.0.0/16"], ["10.0.0.0/8", "11.0.0.0/8", "172.16.0.0/12"]],
    refused={
        "Name at least one network.": [[]],
        "Write IPv4 networks with their prefix": _NOT_A_NETWORK,
        "A network wider than /8 lets the world in": [["0.0.0.0/0"], ["203.0.113.0/24", "0.0.0.0/0"], ["128.0.0.0/1"]],
        "All networks together have more than 16,777,216 public addresses": [
            ["11.0.0.0/8", "192.0.2.7/32"],
            [f"{number}.0.0.0/8" for number in range(11, 226) if number != 127],
        ],
    },
)
PUBLIC_NETWORKS = Values(
    good=[["198.51.100.7/32"], ["203.0.113.0/24", "192.0.2.16/28", "172.32.0.0/16", "100.128.0.0/16"], ["11.0.0.0/8"]],
    refused={
        **NETWORKS.refused,
        "AWS only ever sees public source addresses": [
            [f"{private}/32"]
            for private in (
                "10.1.2.3",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "100.64.0.1",
                "127.0.0.1",
                "169.254.169.254",
                "198.19.0.1",
                "224.0.0.1",
                "255.255.255.255",
            )
        ],
    },
)
RETENTION = Values(good=[1, 90, 3653], refused={"CloudWatch Logs takes one of 1, 3, 5,": [0, 2, 91, -1, 1.5]})
SCHEDULE = Values(
    good=["cron(0 8 ? * MON-FRI *)", "cron(0/15 8-17 L * ? 2030)"],
    refused={
        "Write it like cron(0 ": ["", "0 8 ? * MON-FRI *", "cron(0 8 ? * MON-FRI)", "rate(1 day)", "cron(0 8 ? * *  *)"]
    },
)
VALUES = {
    "ami_id": Values(
        good=["ami-0123456789abcdef0"], refused={"Write it like ami-0123": ["", "0123456789abcdef0", "ami-XYZ"]}
    ),
    "ami_name_pattern": Values(good=["GitLab CE 18.*"], refused={"Write it like GitLab CE": [""]}),
    "build_timeout_minutes": whole_numbers(5, 2160),
    "cache_retention_days": whole_numbers(1, 3650),
    "data_volume_gib": whole_numbers(20, 16384),
    "flow_log_retention_days": RETENTION,
    "image_retention_count": whole_numbers(1, 1000),
    "instance_count": whole_numbers(1, 8),
    "instance_type": Values(
        good=["c7i.2xlarge", "u-6tb1.metal"], refused={"Write it like c7i.2xlarge.": ["", "c7i", "c7i.", "C7I.LARGE"]}
    ),
    "keep_backup_days": whole_numbers(1, 3650),
    "log_retention_days": RETENTION,
    "pull_from_cidrs": Values(
        good=PUBLIC_NETWORKS.good,
        refused={
            **PUBLIC_NETWORKS.refused,
            "An isolated room must not reach GitLab: name no address of a work": [
                ["198.51.100.128/28"],
                ["192.0.2.7/32", "198.51.100.130/32"],
                ["198.51.100.0/24"],
            ],
        },
    ),
    "push_from_cidrs": PUBLIC_NETWORKS,
    "reconcile_schedule": Values(
        good=["rate(1 hour)", "cron(30 * * * ? *)"],
        refused={
            "Write it like rate(1 hour).": [
                "",
                "1 hour",
                "rate()",
                "rate(banana)",
                "rate(1 hours)",
                "rate(2 hour)",
                "rate(1 hour) ",
            ]
        },
    ),
    "room_batch_operators_from_cidrs": Values(
        good=[["198.51.100.7/32"]],
        refused={
            "Name at least one network.": [[]],
            "A network wider than /8 lets the world in": [["0.0.0.0/0"]],
            "AWS only ever sees public source addresses": [["10.1.2.3/32"]],
        },
    ),
    "silent_hours": whole_numbers(2, 168),
    "start_schedule": SCHEDULE,
    "stop_schedule": SCHEDULE,
    "termination_protection": Values(good=[True, False], refused={"The given value is not suitable": ["perhaps"]}),
    "trail_retention_days": whole_numbers(1, 3650),
    "webhook_sender_cidrs": PUBLIC_NETWORKS,
    "work_terminal_cidrs": Values(
        good=NETWORKS.good,
        refused={
            **NETWORKS.refused,
            "An isolated room must not reach GitLab: name no address of a room": [
                ["198.51.100.0/28"],
                ["192.0.2.7/32", "198.51.100.3/32"],
                ["198.0.0.0/8"],
            ],
        },
    ),
}


def test_every_variable_has_test_values(stacks: list[DeploymentStack]) -> None:
    declared = {name for stack in stacks for name in stack.terraform.json.get("variable", {})}
    assert declared == VALUES.keys()


@pytest.fixture(scope="module")
def objections(stacks: list[DeploymentStack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Terraform's errors for every value of every variable, by `variable=value`, from one plan of a copy for each.

    A variable is declared as in the example, or else as in another deployment. The values are in a .tfvars file, which
    is where operations write them.
    """
    folder = tmp_path_factory.mktemp("variables")
    cases = [
        (variable, value)
        for variable, values in VALUES.items()
        for value in [*values.good, *(bad for refused in values.refused.values() for bad in refused)]
    ]
    for number, (variable, _) in enumerate(cases):
        having = [stack for stack in stacks if variable in stack.terraform.json.get("variable", {})]
        declaring = min(having, key=lambda stack: stack.deployment != "example")
        block = json.dumps({f"case_{number}": declaring.terraform.json["variable"][variable]})
        renamed = re.sub(rf"\bvar\.{variable}\b", f"var.case_{number}", block)
        (folder / f"case_{number}.tf.json").write_text(f'{{"variable": {renamed}}}')
    values = {f"case_{number}": value for number, (_, value) in enumerate(cases)}
    (folder / "values.tfvars.json").write_text(json.dumps(values))
    plan = terraform(folder, "plan", "-json", "-input=false", "-lock=false", "-var-file=values.tfvars.json")
    names = [f"{variable}={value!r}" for variable, value in cases]
    found: dict[str, list[str]] = {name: [] for name in names}
    for line in map(json.loads, plan.stdout.splitlines()):
        if line["type"] == "diagnostic":
            detail = line["diagnostic"]["detail"]
            (number,) = set(re.findall(r"\bcase_(\d+)\.tf\.json:", detail))  # where the variable is declared
            found[names[int(number)]].append(detail)
    return found


@pytest.mark.parametrize("variable", VALUES)
def test_a_variable_accepts_every_good_value(variable: str, objections: dict[str, list[str]]) -> None:
    assert {str(value): objections[f"{variable}={value!r}"] for value in VALUES[variable].good} == {
        str(value): [] for value in VALUES[variable].good
    }


@pytest.mark.parametrize("variable", VALUES)
def test_a_variable_refuses_every_bad_value_with_a_hint(variable: str, objections: dict[str, list[str]]) -> None:
    for start, values in VALUES[variable].refused.items():
        for value in values:
            found = objections[f"{variable}={value!r}"]
            assert any(objection.startswith(start) for objection in found), f"{value!r}: {found}"
