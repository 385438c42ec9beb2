"""The list of Terraform addresses of the example deployment; `make addresses` writes it after an intended change."""

import tempfile
from pathlib import Path

from tests.terraform import Stacks, read

LIST = Path(__file__).with_name("addresses.txt")


def listed(stacks: Stacks) -> str:
    """Every address of every stack, one on each line."""
    lines = [f"{name} {address}" for name, terraform in stacks.terraform.items() for address in terraform.addresses()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from settings import load
    from stacks.command import synthesise

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "cdktf.out"
        synthesise(load(Path("deployments/example.yaml")), out)
        LIST.write_text(listed(read(out)))
