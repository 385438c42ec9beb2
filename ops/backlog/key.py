"""Stores the SSH key that a Backlog space's mirrors fetch with, and says whether it is the expected one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import WRONG_USAGE, refused
from errors.shown import shown
from ops.production import client, production, told_as_refusals
from ops.steps import Steps
from settings import Deployment
from settings.backlog import SpaceSettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
_MOST_BYTES = 4096


def put(deployment: Deployment, file: Path, asked: str | None, *, dry_run: bool) -> None:
    """Store the private key in `file` as the space's SecureString, unless it stands there already."""
    name, space = _space(deployment, asked)
    text = _read(file)
    public = _public_half(text.encode(), str(file))
    _refuse_another(space, name, public, str(file))
    if len(text.encode()) > _MOST_BYTES:
        raise refused(
            str(file),
            f"the key has {len(text.encode())} bytes, a parameter holds {_MOST_BYTES}",
            "make an Ed25519 key: ssh-keygen -t ed25519 -N ''",
        )
    parameters = client(production(deployment), "ssm")
    where = f"parameter {space.ssh_key_parameter}"
    if _stored(parameters, space) == text:
        print(f"{where} holds this key already: {fingerprint(public)}")
        return
    if not Steps(dry_run=dry_run).take(f"store the key {fingerprint(public)} as {where}"):
        return
    key = {} if space.ssh_key_kms_key_arn is None else {"KeyId": space.ssh_key_kms_key_arn}
    with told_as_refusals(space.ssh_key_parameter):
        parameters.put_parameter(
            Name=space.ssh_key_parameter, Value=text, Type="SecureString", Tier="Standard", Overwrite=True, **key
        )
    print(f"{where} holds {fingerprint(public)}")


def check(deployment: Deployment, asked: str | None) -> None:
    """Print the stored key's fingerprint. Raises RefusedError where it is missing, broken or not the expected one."""
    name, space = _space(deployment, asked)
    stored = _stored(client(production(deployment), "ssm"), space)
    if stored is None:
        raise refused(space.ssh_key_parameter, "there is no such parameter", "store the key: backlog-key put FILE")
    public = _public_half(stored.encode(), space.ssh_key_parameter)
    _refuse_another(space, name, public, space.ssh_key_parameter)
    expected = "as expected" if space.ssh_public_key else f"prd.backlog.spaces.{name}.ssh_public_key expects none"
    print(f"parameter {space.ssh_key_parameter} holds {fingerprint(public)}, {expected}")


def fingerprint(public: bytes) -> str:
    """What `ssh-keygen -l` prints of a public key's line."""
    import base64

    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key, ssh_key_fingerprint

    digest = ssh_key_fingerprint(load_ssh_public_key(public), SHA256())
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _space(deployment: Deployment, asked: str | None) -> tuple[str, SpaceSettings]:
    if deployment.prd is None or deployment.prd.backlog is None:
        raise refused("prd.backlog", "the deployment has no bridge from Backlog", "add prd.backlog to it")
    spaces = deployment.prd.backlog.spaces
    if asked is None and len(spaces) == 1:
        return next(iter(spaces.items()))
    if asked not in spaces:
        what = "there are several spaces" if asked is None else f"{shown(asked)} is not one of prd.backlog.spaces"
        raise refused("--space", what, f"use one of {', '.join(spaces)}", status=WRONG_USAGE)
    return asked, spaces[asked]


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        raise refused(str(file), why, "name the file of the private key") from None
    # ssh refuses a key whose last line has no end.
    return text if text.endswith("\n") else f"{text}\n"


def _stored(parameters: Any, space: SpaceSettings) -> str | None:
    with told_as_refusals(space.ssh_key_parameter):
        try:
            answer = parameters.get_parameter(Name=space.ssh_key_parameter, WithDecryption=True)
        except parameters.exceptions.ParameterNotFound:
            return None
    value: str = answer["Parameter"]["Value"]
    if answer["Parameter"]["Type"] != "SecureString":
        raise refused(
            space.ssh_key_parameter,
            f"the parameter is a {answer['Parameter']['Type']}, which keeps the key in the clear",
            "delete it, revoke the key in Backlog, and store a new one: backlog-key put FILE",
        )
    return value


def _public_half(private: bytes, where: str) -> bytes:
    """The line of the public key, without comment."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key: Any = _loaded(private, where)
    line: bytes = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return line


def _loaded(private: bytes, where: str) -> "PrivateKeyTypes":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    load: Any = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in private else load_pem_private_key
    try:
        loaded: PrivateKeyTypes = load(private, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        # OpenSSH's own format is decrypted with bcrypt, which is not here: that too is a key with a passphrase.
        if isinstance(error, TypeError) or "bcrypt" in str(error):
            what, hint = "the key has a passphrase, which no build can type", "make one without: ssh-keygen -N ''"
        else:
            what, hint = "this is no SSH private key", "name the file that ssh-keygen wrote, without .pub"
        raise refused(where, what, hint) from None
    return loaded


def _refuse_another(space: SpaceSettings, name: str, public: bytes, where: str) -> None:
    if space.ssh_public_key is None:
        return
    expected = " ".join(space.ssh_public_key.split()[:2]).encode()
    if public != expected:
        raise refused(
            where,
            f"the key is {fingerprint(public)}, prd.backlog.spaces.{name}.ssh_public_key is {fingerprint(expected)}",
            "store the key that is registered in Backlog, or change the setting",
        )
