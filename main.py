"""The one door: without arguments it synthesises, with a word it runs a command for people."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings import Deployment
    from stacks.synthesis import SynthesisedStack


def main(arguments: list[str]) -> int:
    """Exit status: 0 done, 1 refused or failed, 2 wrong usage or settings."""
    if not arguments and shutil.which("node"):
        import bindings

        bindings.load_ahead()
    from settings import SettingsError

    try:
        if arguments:
            from ops import cli

            cli.run(arguments, synthesise)
        return synth()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"error: {error.filename or 'system'}: {error.strerror}", file=sys.stderr)
        print("hint: see that the folder can be written, and that it is no file", file=sys.stderr)
        return 1


def synth() -> int:
    """Synthesise the deployment file named by DEPLOYMENT into CDKTF_OUTDIR, as `cdktf.json` has it."""
    from settings import load, warnings

    file = Path(os.environ.get("DEPLOYMENT") or "deployments/example.yaml")
    deployment = load(file)
    stacks = synthesise(deployment, Path(os.environ.get("CDKTF_OUTDIR") or "cdktf.out"))
    width = max(len(stack.name) for stack in stacks)
    print(f"{'stack':<{width}}  account       resources")
    for stack in stacks:
        print(f"{stack.name:<{width}}  {stack.account_id}  {stack.resources:>9}")
    for warning in warnings(deployment, file):
        print(warning.as_warning(), file=sys.stderr)
    first = stacks[0].folder
    print(f"\nnext: terraform -chdir={first} init && terraform -chdir={first} plan")
    return 0


def synthesise(deployment: "Deployment", out: Path) -> "list[SynthesisedStack]":
    """Write the deployment's Terraform below `out`. Only this needs cdktf, which takes a second to load."""
    if shutil.which("node") is None:
        from settings import LocatedProblem, SettingsError

        raise SettingsError(
            [LocatedProblem(file="node", what="Node.js is not installed", hint="install Node 20 or later")]
        )

    import bindings

    bindings.install()
    from stacks import synthesis

    return synthesis.synthesise(deployment, out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
