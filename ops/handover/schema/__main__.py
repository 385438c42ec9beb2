"""Writes the files in `releases/`, or compares them: `python -m ops.handover.schema [--packages] [--check]`."""

import json
import lzma
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from errors import WRONG_USAGE, RefusedError, refused
from ops.handover.schema import BUILT_IN, RELEASES, packages, reduce
from ops.handover.schema.asking import provider_schemas

_AWS = "hashicorp/aws"
_VERSION = "5.100.0"
_PACKAGES = Path(__file__).with_name("packages.txt")
_COMMAND = "python -m ops.handover.schema"
_USAGE = f"""\
usage: {_COMMAND} [--packages] [--check]

Ask Terraform for the schemas of the AWS provider {_VERSION} and of its built-in provider, and write their names to
{RELEASES.name}/. With --packages, download the packages in {_PACKAGES.name} with pip, and write what they say of other
releases. With --check, write nothing, and fail if a file differs.

Exit status: 0 written, or the files are up to date; 1 a file differs or a download failed; 2 wrong usage."""


def main(arguments: Sequence[str]) -> int:
    """Write the files, or compare them. Raises RefusedError."""
    if arguments in (["-h"], ["--help"]):
        print(_USAGE)
        return 0
    if unknown := {*arguments} - {"--packages", "--check"}:
        what = f"{min(unknown)!r} is not known"
        raise refused(_COMMAND, what, f"see {_COMMAND} --help", status=WRONG_USAGE)
    use: Callable[[Path, Any], None] = _compare if "--check" in arguments else _write
    for file, reduced in _of_packages() if "--packages" in arguments else _of_terraform():
        use(file, reduced)
    return 0


def _of_terraform() -> Iterator[tuple[Path, dict[str, Any]]]:
    """What Terraform says of the AWS provider, and of its built-in one."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-schema-") as folder:
        schemas = provider_schemas(Path(folder), {"aws": {"source": _AWS, "version": _VERSION}})
    yield _file(_AWS, _VERSION), reduce(schemas[f"registry.terraform.io/{_AWS}"], _VERSION)
    yield RELEASES / "terraform.json.xz", reduce(schemas[BUILT_IN], "")


def _of_packages() -> Iterator[tuple[Path, dict[str, Any]]]:
    """What packages say of other releases. Each is downloaded by itself, because pip takes one version of a package."""
    for requirement in _PACKAGES.read_text(encoding="utf-8").splitlines():
        if not requirement.startswith("#"):
            with tempfile.TemporaryDirectory(prefix="kakehashi-schema-") as folder:
                package = packages.read(_downloaded(requirement, Path(folder)))
            yield _file(package.source, package.version), reduce(package.schema, package.version)


def _downloaded(requirement: str, folder: Path) -> Path:
    """The wheel for a line of requirements, with its hash."""
    (folder / "wanted.txt").write_text(requirement, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(folder / "wanted.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        hint = "see that this machine can reach the index that pip downloads packages from"
        raise refused("pip", f"cannot download {requirement.split()[0]}", hint, details=done.stderr)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _file(source: str, version: str) -> Path:
    return RELEASES / f"{source}-{version.partition('.')[0]}.json.xz"


def _write(file: Path, reduced: Mapping[str, Any]) -> None:
    text = json.dumps(reduced, separators=(",", ":"), sort_keys=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(
        lzma.compress(text.encode(), format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, preset=9 | lzma.PRESET_EXTREME)
    )
    name, count = file.relative_to(RELEASES), len(reduced["shapes"])
    print(f"{name}: {reduced['version']}, {count} shapes, {file.stat().st_size} bytes")


def _compare(file: Path, reduced: Mapping[str, Any]) -> None:
    if not file.exists() or json.loads(lzma.decompress(file.read_bytes())) != json.loads(json.dumps(reduced)):
        what = f"differs from the schema of release {reduced['version']}"
        raise refused(str(file.relative_to(RELEASES)), what, f"run {_COMMAND} with the same options, without --check")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RefusedError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)
