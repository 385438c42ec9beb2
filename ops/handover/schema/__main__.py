"""Writes the names of the AWS provider's schema, or compares them: `python -m ops.handover.schema [--check]`."""

import json
import lzma
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from errors import WRONG_USAGE, RefusedError, refused
from ops.handover.schema import FILE, provider_schemas, reduce

_PROVIDER = "registry.terraform.io/hashicorp/aws"
_VERSION = "5.100.0"
_COMMAND = "python -m ops.handover.schema"
_USAGE = f"""\
usage: {_COMMAND} [--check]

Ask Terraform for the schema of the AWS provider {_VERSION}, and write its names to {FILE.name}. With --check, write
nothing, and fail if the file differs.

Exit status: 0 written, or the file is up to date; 1 the file differs or Terraform failed; 2 wrong usage."""


def main(arguments: Sequence[str]) -> int:
    """Write the file, or compare it. Raises RefusedError."""
    match arguments:
        case ["-h" | "--help"]:
            print(_USAGE)
        case ["--check"]:
            if json.loads(lzma.decompress(FILE.read_bytes())) != _asked():
                raise refused(FILE.name, f"differs from the schema of the AWS provider {_VERSION}", f"run {_COMMAND}")
        case []:
            asked = _asked()
            FILE.write_bytes(_packed(asked))
            print(f"{FILE.name}: {len(asked['shapes'])} shapes, {FILE.stat().st_size} bytes")
        case _:
            what = f"{' '.join(arguments)!r} is not known"
            raise refused(_COMMAND, what, f"see {_COMMAND} --help", status=WRONG_USAGE)
    return 0


def _asked() -> Any:
    """What the file should contain."""
    required = {"aws": {"source": "hashicorp/aws", "version": _VERSION}}
    with tempfile.TemporaryDirectory(prefix="kakehashi-schema-") as folder:
        schemas = provider_schemas(Path(folder), required)
    return json.loads(json.dumps(reduce(schemas, versions={_PROVIDER: _VERSION})))


def _packed(reduced: Mapping[str, Any]) -> bytes:
    text = json.dumps(reduced, separators=(",", ":"), sort_keys=True)
    return lzma.compress(text.encode(), format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, preset=9 | lzma.PRESET_EXTREME)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RefusedError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)
