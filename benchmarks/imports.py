"""What a synth costs, as whole processes: `python -m benchmarks.imports [--runs N] [--write]` prints a Markdown table.

All processes run on this machine, on the same Node, in turn, so that other load slows all of them alike. One unmeasured
round fills jsii's package cache and Python's bytecode cache, without which a run takes seconds longer; a variable that
switches the bytecode cache off is removed. Limits are ratios of wall-clock times, because only those are the same on
another machine. Exits with 1 when a limit is exceeded. Time is checked only here; no test checks it.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bindings import node
from settings.document import read

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


@dataclass(frozen=True, kw_only=True)
class Script:
    """One line of the table: a process that synthesises."""

    label: str
    command: Sequence[str]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The largest allowed ratio of one script's time to another's."""

    script: Script
    of: Script
    ratio: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one process took, its child processes included."""

    wall: float
    cpu: float


SYNTH = (sys.executable, "main.py")
MAIN = Script(label="`python main.py`", command=SYNTH)
VPC = Script(label="a script with the AWS bindings and one VPC", command=[sys.executable, "-c", ONE_VPC])
EMPTY = Script(label="a script with cdktf and one empty stack", command=[sys.executable, "-c", EMPTY_STACK])
PLAIN = Script(
    label="`KAKEHASHI_PLAIN_IMPORTS=1 python main.py`", command=SYNTH, variables={"KAKEHASHI_PLAIN_IMPORTS": "1"}
)
MANY = Script(label="`python main.py` with 1,000 repositories", command=SYNTH)
SCRIPTS = [MAIN, VPC, EMPTY, PLAIN, MANY]
LIMITS = [
    Limit(script=MAIN, of=VPC, ratio=0.10),
    Limit(script=MAIN, of=EMPTY, ratio=2.5),
    Limit(script=MANY, of=EMPTY, ratio=28),  # 12 s on a machine where an empty stack takes 0.43 s
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
    exceeded = [limit for limit in LIMITS if ratio(limit, medians) > limit.ratio]
    for limit in exceeded:
        print(f"error: {limit.script.label} costs more than {limit.ratio} x {limit.of.label}", file=sys.stderr)
    return 1 if exceeded else 0


def measure(scripts: Sequence[Script], runs: int) -> dict[str, Run]:
    """Return the medians of each script, by its label."""
    measured: dict[str, list[Run]] = {script.label: [] for script in scripts}
    for round_ in range(runs + 1):
        for script in scripts:
            run = run_of(script)
            name = "warm-up" if round_ == 0 else f"{round_}/{runs}"
            print(f"{name}: {run.wall:6.2f} s, {run.cpu:6.2f} s of CPU  {script.label}", file=sys.stderr)
            if round_ > 0:
                measured[script.label].append(run)
    return {
        label: Run(wall=statistics.median(run.wall for run in taken), cpu=statistics.median(run.cpu for run in taken))
        for label, taken in measured.items()
    }


def write_many_repositories(file: Path) -> None:
    """Write a deployment of 1,000 repositories, as many as an account may have."""
    deployment = read(PROJECT / "deployments" / "minimal.yaml").data
    deployment["prd"]["codecommit"]["repositories"] = {f"repository-{number:03}": {} for number in range(1000)}
    deployment["prd"]["codecommit"]["own_prefixes"] = [
        "repository-"
    ]  # without a prefix, the users' policies would list them all
    file.write_text(json.dumps(deployment), encoding="utf-8")


def run_of(script: Script) -> Run:
    # The scripts run on the Node that main.py finds, so that no script is faster because of another Node.
    of_script = (
        {} if script.command == SYNTH else {"JSII_NODE": os.environ.get("JSII_NODE") or node.packaged() or "node"}
    )
    with tempfile.TemporaryDirectory() as folder:
        own = {"CDKTF_OUTDIR": f"{folder}/cdktf.out"}
        if script is MANY:
            own["DEPLOYMENT"] = f"{folder}/repositories.json"
            write_many_repositories(Path(own["DEPLOYMENT"]))
        environment = os.environ | of_script | own | script.variables
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        before, started = cpu_of_children(), time.perf_counter()
        run = subprocess.run(  # noqa: S603
            script.command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        taken = Run(wall=time.perf_counter() - started, cpu=cpu_of_children() - before)
    if run.returncode != 0:
        raise SystemExit(f"error: {script.label} failed\n{run.stderr}")
    return taken


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ratio(limit: Limit, medians: Mapping[str, Run]) -> float:
    return medians[limit.script.label].wall / medians[limit.of.label].wall


def render(medians: Mapping[str, Run], runs: int) -> str:
    """The Markdown of the result: what each script took, and each ratio with its limit."""
    taken = [f"| {label} | {run.wall:.2f} s | {run.cpu:.2f} s |" for label, run in medians.items()]
    ratios = [
        f"| {limit.script.label} | {limit.of.label} | {ratio(limit, medians):.2f} x | {limit.ratio} x |"
        for limit in LIMITS
    ]
    node_version = subprocess.run(  # noqa: S603
        [os.environ.get("JSII_NODE") or node.packaged() or "node", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return "\n".join(
        [
            "| whole process | wall clock | CPU of all its processes |",
            "|---|---|---|",
            *taken,
            "",
            "| this | costs of this | now | at most |",
            "|---|---|---|---|",
            *ratios,
            "",
            f"Medians of {runs} warm runs, in turn, on {os.cpu_count()} CPUs with Python {platform.python_version()} "
            f"and Node {node_version.removeprefix('v')} for all. Ratios are of wall-clock times.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
