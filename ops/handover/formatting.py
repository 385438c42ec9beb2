"""Formats HCL as `terraform fmt` does."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from errors import refused
from terraform.cli import TerraformCli

HCL = (".tf", ".tfvars")


class HclFormatter:
    """Formats files, given and returned by path."""

    def __init__(self, terraform: TerraformCli) -> None:
        self._terraform = terraform

    def of_a_handover(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files, formatted. Raises RefusedError if Terraform cannot parse one."""
        found, errors = self._formatted(files)
        if errors:
            what = "Terraform cannot parse an expression in the JSON"
            hint = "Terraform's message above names it; `terraform validate` in the synthesised stack explains more"
            raise refused("terraform fmt", what, hint, details=errors)
        return found

    def where_possible(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files, formatted, but for those that Terraform cannot parse."""
        return self._formatted(files)[0]

    def _formatted(self, files: Mapping[str, bytes]) -> tuple[dict[str, bytes], str]:
        hcl = [path for path in files if path.endswith(HCL)]
        with tempfile.TemporaryDirectory(prefix="kakehashi-fmt-") as name:
            folder = Path(name)
            for path in hcl:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(files[path])
            command = ("fmt", "-recursive", "-list=false", "-no-color", ".")
            done = self._terraform.run(*command, folder=folder)
            found = {**files, **{path: (folder / path).read_bytes() for path in hcl}}
        return found, done.stderr or "terraform fmt failed" if done.returncode else ""
