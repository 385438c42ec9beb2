"""Reads SSH keys: fingerprints of public keys, and the public half of a private key."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from errors import refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHPublicKeyTypes

_OPENSSH_BEGIN, _OPENSSH_END = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
_OPENSSH_MAGIC = b"openssh-key-v1\0"


def fingerprint(public: str) -> str:
    """The fingerprint in what `ssh-keygen -l` prints of a public key's line: `SHA256:…`."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import ssh_key_fingerprint

    digest = ssh_key_fingerprint(_public_key(public), SHA256())
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def described(public: str) -> str:
    """What `ssh-keygen -l` prints of a public key's line, without the comment: `256 SHA256:… (ED25519)`."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    match _public_key(public):
        case RSAPublicKey(key_size=size):
            return f"{size} {fingerprint(public)} (RSA)"
        case EllipticCurvePublicKey(key_size=size):
            return f"{size} {fingerprint(public)} (ECDSA)"
        case _:
            return f"256 {fingerprint(public)} (ED25519)"


def public_half(private: str, where: str) -> str:
    """The public key's line, without comment. Raises RefusedError, which says `where` the private key is from."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
        load_ssh_private_key,
    )

    has_passphrase = _is_encrypted_openssh(private)
    load: Any = load_ssh_private_key if _OPENSSH_BEGIN in private else load_pem_private_key
    try:
        if not has_passphrase:
            key = load(private.encode(), password=None)
            line: bytes = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
            return line.decode()
    except TypeError:
        # The library's error for a PEM key that needs a password.
        has_passphrase = True
    except (ValueError, UnsupportedAlgorithm):
        pass
    if has_passphrase:
        what, hint = "the key has a passphrase, which no build can type", "make one without: ssh-keygen -N ''"
    else:
        what, hint = "it is not a private key", "name the file that ssh-keygen wrote, without .pub"
    raise refused(where, what, hint)


def _public_key(line: str) -> "SSHPublicKeyTypes":
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    return load_ssh_public_key(line.encode())


def _is_encrypted_openssh(private: str) -> bool:
    """Whether a key in OpenSSH's format names a cipher.

    The library cannot say so without bcrypt. https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
    """
    body = private.partition(_OPENSSH_BEGIN)[2].partition(_OPENSSH_END)[0]
    try:
        magic, _, rest = base64.b64decode(body).partition(_OPENSSH_MAGIC)
    except binascii.Error:
        return False
    cipher = rest[4 : 4 + int.from_bytes(rest[:4])]
    return not magic and cipher not in (b"", b"none")
