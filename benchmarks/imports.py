"""What a synth costs, as whole processes: `python -m benchmarks.imports [--runs N] [--write]` prints a Markdown table.

The scripts run in turn, so that whatever else the machine does falls on all of them alike. One unmeasured round fills
jsii's package cache and Python's bytecode cache, without which a run takes seconds longer. Exits with 1 when a limit is
exceeded. This is the only place that judges time; no test does.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TABLE = Path(__file__).with_suffix(".md")

ONE_VPC = """
import cdktf
from cdktf_cdktf_provider_aws import provider, vpc
app = cdktf.App()
stack = cdktf.TerraformStack(app, "stack")
provider.AwsProvider(stack, "aws", region="ap-northeast-1")
vpc.Vpc(stack, "vpc", cidr_block="10.0.0.0/16")
app.synth()
"""
EMPTY_STACK = """
import cdktf
app = cdktf.App()
cdktf.TerraformStack(app, "stack")
app.synth()
"""


@dataclass(frozen=True)
class Script:
    """One line of the table: a process that synthesises, and the most that `python main.py` may cost of it."""

    label: str
    command: Sequence[str]
    variables: dict[str, str] = field(default_factory=dict)
    limit: float | None = None


MAIN = Script("`python main.py`", [sys.executable, "main.py"])
SCRIPTS = [
    MAIN,
    Script("a script with the AWS bindings and one VPC", [sys.executable, "-c", ONE_VPC], limit=0.12),
    Script("a script with cdktf and one empty stack", [sys.executable, "-c", EMPTY_STACK], limit=3.0),
    Script("`KAKEHASHI_PLAIN_IMPORTS=1 python main.py`", MAIN.command, {"KAKEHASHI_PLAIN_IMPORTS": "1"}),
]


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure what importing the AWS bindings costs.")
    parser.add_argument("--runs", type=int, default=7, help="measured runs of each script (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"also write the table to benchmarks/{TABLE.name}")
    arguments = parser.parse_args()

    medians = measure(SCRIPTS, arguments.runs)
    table = render(medians, arguments.runs)
    print(table, end="")
    if arguments.write:
        TABLE.write_text(table, encoding="utf-8")
    exceeded = [
        script for script in SCRIPTS if script.limit and medians[MAIN.label] / medians[script.label] > script.limit
    ]
    for script in exceeded:
        print(f"error: {MAIN.label} costs more than {script.limit} x {script.label}", file=sys.stderr)
    return 1 if exceeded else 0


def measure(scripts: Sequence[Script], runs: int) -> dict[str, float]:
    """Return the median seconds of each script, by its label."""
    seconds: dict[str, list[float]] = {script.label: [] for script in scripts}
    for round_ in range(runs + 1):
        for script in scripts:
            took = seconds_of(script)
            print(f"{'warm-up' if round_ == 0 else f'{round_}/{runs}'}: {took:6.2f} s  {script.label}", file=sys.stderr)
            if round_ > 0:
                seconds[script.label].append(took)
    return {label: statistics.median(values) for label, values in seconds.items()}


def seconds_of(script: Script) -> float:
    with tempfile.TemporaryDirectory() as outdir:
        environment = os.environ | {"CDKTF_OUTDIR": outdir} | script.variables
        started = time.perf_counter()
        run = subprocess.run(  # noqa: S603
            script.command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        took = time.perf_counter() - started
    if run.returncode != 0:
        raise SystemExit(f"error: {script.label} failed\n{run.stderr}")
    return took


def render(medians: Mapping[str, float], runs: int) -> str:
    rows = [
        f"| {script.label} | {medians[script.label]:.2f} s | {ratio(script, medians)} | {script.limit or ''} |"
        for script in SCRIPTS
    ]
    return "\n".join(
        [
            "| whole process | median | main.py is | at most |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Median of {runs} warm runs, in turn, on {os.cpu_count()} CPUs with Python {platform.python_version()} "
            f"and Node {node_version()}.",
            "",
        ]
    )


def ratio(script: Script, medians: Mapping[str, float]) -> str:
    return "" if script is MAIN else f"{medians[MAIN.label] / medians[script.label]:.2f} x"


def node_version() -> str:
    command = [os.environ.get("JSII_NODE", "node"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().removeprefix("v")  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
