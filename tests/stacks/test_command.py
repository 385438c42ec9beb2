"""Where the output, the states and the handover of a deployment file lie."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ops.cli
import ops.handover
from errors import RefusedError
from settings import Deployment
from settings.place import folder_of
from stacks import command
from tests.terraform import with_changes


@pytest.fixture
def infra(project: Path, tmp_path: Path) -> Path:
    """A folder outside the checkout with a deployment file; its name needs quotation marks in a shell."""
    folder = tmp_path / "our infra"
    folder.mkdir()
    (folder / "prd.yaml").write_text(json.dumps(with_changes(project / "deployments" / "minimal.yaml", {})))
    return folder


def test_output_lies_beside_a_deployment_file_outside_the_checkout(
    project: Path, infra: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert folder_of(Path("deployments/mine.yaml")) == folder_of(project / "mine.yaml") == Path()
    assert folder_of(infra / "prd.yaml") == infra
    assert folder_of(Path("../infra/prd.yaml")) == Path("../infra")
    (infra / "linked").symlink_to(project, target_is_directory=True)
    assert folder_of(infra / "linked" / "deployments" / "mine.yaml") == Path()
    monkeypatch.chdir(infra)
    assert folder_of(Path("prd.yaml")) == Path()


@pytest.mark.slow
def test_a_deployment_file_outside_the_checkout_is_synthesised_beside_it(project: Path, infra: Path) -> None:
    file = os.path.relpath(infra / "prd.yaml", project)
    command = [sys.executable, "main.py", "synth", file]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert (done.stderr, done.returncode) == ("", 0)
    out = os.path.relpath(infra / "cdktf.out", project)
    first, *_, last = done.stdout.splitlines()
    assert first == f"Terraform of {file}, in {out}:"
    folder = shlex.quote(f"{out}/stacks/prd-codecommit")
    assert last == f"next: terraform -chdir={folder} init && terraform -chdir={folder} plan"
    assert sorted(path.name for path in infra.iterdir()) == ["cdktf.out", "prd.yaml"]
    stack = infra / "cdktf.out" / "stacks" / "prd-codecommit"
    state = json.loads((stack / "cdk.tf.json").read_text())["terraform"]["backend"]["local"]["path"]
    assert (stack / state).resolve() == infra / "terraform-state" / "kakehashi" / "prd-codecommit.tfstate"


@pytest.fixture
def synth(infra: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """Runs the command on the deployment file, and gives the folders that it would write into."""
    checkout = infra.parent / "checkout"
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("DEPLOYMENT", "../our infra/prd.yaml")

    def run(outdir: str | None = None) -> list[Path]:
        written: list[Path] = []
        monkeypatch.setenv("CDKTF_OUTDIR", outdir or "")

        def synthesise(_: Deployment, out: Path) -> list[object]:
            written.append(out)
            return []

        monkeypatch.setattr(command, "synthesise", synthesise)
        with pytest.raises(ValueError, match="max"):  # no stacks
            command.synth()
        return written

    return run


def test_the_given_output_folder_wins(synth: Callable[..., list[Path]]) -> None:
    assert synth() == [Path("../our infra/cdktf.out")]
    assert synth("elsewhere/out") == [Path("elsewhere/out")]


@pytest.mark.parametrize(
    ("outdir", "states", "wanted"),
    [(None, ".", "../our infra"), ("cdktf.out", "../our infra", ".")],
    ids=["left in the checkout by an earlier version", "cdktf-cli without --output"],
)
def test_refuses_to_start_with_an_empty_state_when_the_states_lie_elsewhere(
    synth: Callable[..., list[Path]], outdir: str | None, states: str, wanted: str
) -> None:
    kept, empty = (Path(folder) / "terraform-state" / "kakehashi" for folder in (states, wanted))
    kept.mkdir(parents=True)
    with pytest.raises(RefusedError) as refused:
        synth(outdir)
    assert refused.value.status == 2
    assert str(refused.value) == (
        f"error: {kept}: the local states of ../our infra/prd.yaml are here, and Terraform would look for them in "
        f"{empty}\n"
        f"hint: move the folder, or set CDKTF_OUTDIR (with cdktf-cli, --output) to {Path(states) / 'cdktf.out'}"
    )
    assert synth(str(Path(states) / "cdktf.out")) == [Path(states) / "cdktf.out"]
    empty.mkdir(parents=True)
    assert len(synth(outdir)) == 1


@pytest.mark.parametrize(
    ("arguments", "where"),
    [(["{file}"], "{infra}/handover"), (["{file}", "--out", "hcl"], "hcl"), (["--from", "{infra}"], "handover")],
    ids=" ".join,
)
def test_the_handover_lies_beside_the_deployment_file_unless_a_folder_is_named(
    infra: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], where: str
) -> None:
    written: list[Path] = []

    def hand_over(_: Path, out: Path, **__: object) -> list[Path]:
        written.append(out)
        return []

    monkeypatch.setattr(ops.handover, "hand_over", hand_over)
    given = [argument.format(file=infra / "prd.yaml", infra=infra) for argument in arguments]
    assert ops.cli.run(["handover", *given], lambda *_: None) == 0
    assert written == [Path(where.format(infra=infra))]


@pytest.mark.parametrize(
    ("options", "chosen", "printed"),
    [
        ([], {}, "hcl/web\n"),
        (["--force"], {"force"}, "hcl/web\n"),
        (["--mark-conflicts"], {"mark_conflicts"}, "hcl/web\n"),
        (["--check"], {"check"}, ""),
        (["--no-providers"], set(), "hcl/web\n"),
    ],
)
def test_a_handover_validates_and_does_what_its_options_say(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    chosen: set[str],
    printed: str,
) -> None:
    given: dict[str, object] = {}

    def hand_over(_: Path, out: Path, **options: object) -> list[Path]:
        given.update(options)
        return [out / "web"]

    monkeypatch.setattr(ops.handover, "hand_over", hand_over)
    providers = [] if "--no-providers" in options else ["run_providers"]
    assert ops.cli.run(["handover", "--from", "x", "--out", "hcl", *options], lambda *_: None) == 0
    assert {name for name, it in given.items() if it is True} == {"validate", "keep_defaults", *chosen, *providers}
    assert capsys.readouterr().out == printed
