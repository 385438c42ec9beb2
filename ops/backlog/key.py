"""Stores the SSH key that a Backlog space's mirrors fetch with, and checks that it is the expected one."""

from pathlib import Path
from typing import Any

from errors import WRONG_USAGE, refused
from errors.shown import shown
from ops.backlog import bridge
from ops.backlog.secure_parameters import secure_value
from ops.backlog.ssh_keys import fingerprint, public_half
from ops.production import aws_errors_as_refusals, client, production
from ops.steps import Steps
from settings import Deployment
from settings.backlog import SpaceSettings

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
_MOST_BYTES = 4096


def put(deployment: Deployment, file: Path, space_key: str | None, *, dry_run: bool) -> None:
    """Store the private key in `file` as the space's SecureString, unless it is stored already."""
    name, space = _space(deployment, space_key)
    text = _read(file)
    public = public_half(text, str(file))
    _refuse_unexpected(space, name, public, str(file))
    if len(text.encode()) > _MOST_BYTES:
        raise refused(
            str(file),
            f"the key has {len(text.encode())} bytes, a parameter can have {_MOST_BYTES}",
            "make an Ed25519 key: ssh-keygen -t ed25519 -N ''",
        )
    parameters = client(production(deployment), "ssm")
    parameter = f"parameter {space.ssh_key_parameter}"
    if _stored(parameters, space) == text:
        print(f"{parameter} holds this key already: {fingerprint(public)}")
        return
    if not Steps(dry_run=dry_run).take(f"store the key {fingerprint(public)} as {parameter}"):
        return
    key = {} if space.ssh_key_kms_key_arn is None else {"KeyId": space.ssh_key_kms_key_arn}
    with aws_errors_as_refusals(space.ssh_key_parameter):
        parameters.put_parameter(
            Name=space.ssh_key_parameter, Value=text, Type="SecureString", Tier="Standard", Overwrite=True, **key
        )
    print(f"{parameter} holds {fingerprint(public)}")


def check(deployment: Deployment, space_key: str | None) -> None:
    """Print the stored key's fingerprint. Raises RefusedError where it is missing, broken or not the expected one."""
    name, space = _space(deployment, space_key)
    stored = _stored(client(production(deployment), "ssm"), space)
    if stored is None:
        raise refused(space.ssh_key_parameter, "there is no such parameter", "store the key: backlog-key put FILE")
    public = public_half(stored, space.ssh_key_parameter)
    _refuse_unexpected(space, name, public, space.ssh_key_parameter)
    expected = "as expected" if space.ssh_public_key else f"prd.backlog.spaces.{name}.ssh_public_key expects none"
    print(f"parameter {space.ssh_key_parameter} holds {fingerprint(public)}, {expected}")


def _space(deployment: Deployment, space_key: str | None) -> tuple[str, SpaceSettings]:
    spaces = bridge(deployment).spaces
    if space_key is None and len(spaces) == 1:
        return next(iter(spaces.items()))
    if space_key not in spaces:
        what = (
            "there are several spaces" if space_key is None else f"{shown(space_key)} is not one of prd.backlog.spaces"
        )
        raise refused("--space", what, f"use one of {', '.join(spaces)}", status=WRONG_USAGE)
    return space_key, spaces[space_key]


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a private key"
        raise refused(str(file), why, "name the file of the private key") from None
    # ssh refuses a key without a line end after its last line.
    return text if text.endswith("\n") else f"{text}\n"


def _stored(parameters: Any, space: SpaceSettings) -> str | None:
    hint = "delete it, revoke the key in Backlog, and store a new one: backlog-key put FILE"
    return secure_value(parameters, space.ssh_key_parameter, if_plain=hint)


def _refuse_unexpected(space: SpaceSettings, name: str, public: str, where: str) -> None:
    if space.ssh_public_key is None:
        return
    expected = " ".join(space.ssh_public_key.split()[:2])
    if public != expected:
        raise refused(
            where,
            f"the key is {fingerprint(public)}, prd.backlog.spaces.{name}.ssh_public_key is {fingerprint(expected)}",
            "store the key that is registered in Backlog, or change the setting",
        )
