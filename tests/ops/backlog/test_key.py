"""The SSH key of a Backlog space: stored as a SecureString, compared with its public half, never shown."""

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from errors import RefusedError
from ops.backlog import key as backlog_key
from ops.backlog.ssh_keys import fingerprint, public_half
from tests.ops.production import Production, stopped_everywhere
from tests.settings.whole_file import ED25519

pytestmark = pytest.mark.emulator

NAME = "/kakehashi/backlog/ssh-key"
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def _private(key: Any, *, form: PrivateFormat = PrivateFormat.OpenSSH, passphrase: bytes | None = None) -> str:
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    text: bytes = key.private_bytes(Encoding.PEM, form, encryption)
    return text.decode()


def _public(key: Any) -> str:
    line: bytes = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{line.decode()} bridge@example"


@pytest.fixture
def bridge(world: Production) -> Production:
    """A deployment with one space, which names the public half of its key."""
    world.say(
        {
            "prd.backlog": {
                "spaces": {
                    "example": {
                        "domain": "backlog.jp",
                        "known_hosts": [f"example.git.backlog.jp ssh-ed25519 {ED25519}"],
                        "ssh_key_parameter": NAME,
                        "ssh_public_key": _public(KEY),
                    }
                },
                "repositories": {
                    "website": {
                        "space": "example",
                        "project": "WEB",
                        "repository": "website",
                        "target": {"create": "website"},
                    }
                },
                "webhook": {"sender_cidrs": ["192.0.2.16/28"]},
            }
        }
    )
    return world


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of the private key."""
    path = tmp_path / "id_ed25519"
    path.write_text(_private(KEY))
    return path


def _put(bridge: Production, file: Path, *, dry_run: bool = False) -> None:
    backlog_key.put(bridge.deployment, file, None, dry_run=dry_run)


def _stored(bridge: Production) -> dict[str, Any]:
    found: dict[str, Any] = bridge.client("ssm").get_parameter(Name=NAME, WithDecryption=True)["Parameter"]
    return found


def _refusal(command: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        command()
    return str(caught.value)


_FINGERPRINT = fingerprint(_public(KEY))


def test_stores_a_key_unchanged_and_prints_only_its_fingerprint(
    bridge: Production, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(bridge, file)
    stored = _stored(bridge)
    assert (stored["Type"], stored["Value"]) == ("SecureString", file.read_text())
    assert capsys.readouterr() == (
        f"parameter {NAME} holds {_FINGERPRINT}\n",
        f"store the key {_FINGERPRINT} as parameter {NAME}\n",
    )
    backlog_key.check(bridge.deployment, None)
    assert capsys.readouterr().out == f"parameter {NAME} holds {_FINGERPRINT}, as expected\n"
    _put(bridge, file)
    assert _stored(bridge)["Version"] == 1
    assert capsys.readouterr() == (f"parameter {NAME} holds this key already: {_FINGERPRINT}\n", "")


def test_encrypts_the_key_with_the_deployments_kms_key(bridge: Production, file: Path) -> None:
    key_id = bridge.client("kms").create_key()["KeyMetadata"]["KeyId"]
    arn = f"arn:aws:kms:ap-northeast-1:222222222222:key/{key_id}"
    bridge.say({"prd.backlog.spaces.example.ssh_key_kms_key_arn": arn})
    _put(bridge, file)
    (described,) = bridge.client("ssm").describe_parameters()["Parameters"]
    assert described["KeyId"] == arn


def test_storing_can_be_stopped_after_every_request(bridge: Production, file: Path) -> None:
    for _ in stopped_everywhere(bridge, lambda: None, lambda: _put(bridge, file), at_least=3):
        assert (_stored(bridge)["Value"], _stored(bridge)["Version"]) == (file.read_text(), 1)


def test_a_dry_run_stores_nothing(bridge: Production, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _put(bridge, file, dry_run=True)
    assert capsys.readouterr() == ("", f"would store the key {_FINGERPRINT} as parameter {NAME}\n")
    assert bridge.client("ssm").describe_parameters()["Parameters"] == []


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (KEY, PrivateFormat.PKCS8),
        (ec.derive_private_key(7, ec.SECP256R1()), PrivateFormat.OpenSSH),
        (ec.derive_private_key(7, ec.SECP384R1()), PrivateFormat.TraditionalOpenSSL),
        (rsa.generate_private_key(65537, 2048), PrivateFormat.TraditionalOpenSSL),
    ],
    ids=["pkcs8", "ecdsa", "ecdsa-pem", "rsa-pem"],
)
def test_stores_every_kind_of_key_that_ssh_accepts(
    bridge: Production, file: Path, key: Any, form: PrivateFormat
) -> None:
    bridge.say({"prd.backlog.spaces.example.ssh_public_key": _public(key)})
    text = _private(key, form=form)
    file.write_text(text.rstrip("\n"))
    _put(bridge, file)
    assert _stored(bridge)["Value"] == text


def test_refuses_a_key_that_is_not_the_expected_one(bridge: Production, file: Path) -> None:
    file.write_text(_private(OTHER))
    other = fingerprint(_public(OTHER))
    differs = (
        f"the key is {other}, prd.backlog.spaces.example.ssh_public_key is {_FINGERPRINT}\n"
        "hint: store the key that is registered in Backlog, or change the setting"
    )
    assert _refusal(lambda: _put(bridge, file)) == f"error: {file}: {differs}"
    assert bridge.client("ssm").describe_parameters()["Parameters"] == []
    bridge.client("ssm").put_parameter(Name=NAME, Value=_private(OTHER), Type="SecureString")
    assert _refusal(lambda: backlog_key.check(bridge.deployment, None)) == f"error: {NAME}: {differs}"


def test_refuses_an_unusable_key_without_repeating_it(bridge: Production, file: Path) -> None:
    secret = "b3BlbnNzaC1rZXktdjEAAAAA"
    for text, what, hint in (
        (
            f"-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n-----END OPENSSH PRIVATE KEY-----\n",
            "it is not a private key",
            "name the file that ssh-keygen wrote, without .pub",
        ),
        (_public(KEY), "it is not a private key", "name the file that ssh-keygen wrote, without .pub"),
        (
            _private(KEY, form=PrivateFormat.PKCS8, passphrase=b"hunter2"),
            "the key has a passphrase, which no build can type",
            "make one without: ssh-keygen -N ''",
        ),
    ):
        file.write_text(text)
        assert _refusal(lambda: _put(bridge, file)) == f"error: {file}: {what}\nhint: {hint}"
    file.write_bytes(b"\xff\xfe")
    assert _refusal(lambda: _put(bridge, file)) == (
        f"error: {file}: it is not a private key\nhint: name the file of the private key"
    )
    assert bridge.client("ssm").describe_parameters()["Parameters"] == []


_SHORT_KEY = b"openssh-key-v1\0\0\0\0"


@pytest.mark.parametrize(
    ("cipher", "what"),
    [
        (b"\x04none", "it is not a private key"),
        (b"\x0aaes256-ctr", "the key has a passphrase, which no build can type"),
        (b"\xffnone", "it is not a private key"),
        (b"", "it is not a private key"),
    ],
    ids=["none", "aes256-ctr", "damaged", "missing"],
)
def test_a_passphrase_is_recognised_by_the_keys_cipher(cipher: bytes, what: str) -> None:
    body = base64.b64encode(_SHORT_KEY + cipher).decode()
    text = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n"
    assert _refusal(lambda: public_half(text, "key")).startswith(f"error: key: {what}\n")


@pytest.mark.tool("ssh-keygen")
def test_refuses_a_key_with_a_passphrase_and_prints_the_fingerprint_of_ssh_keygen(
    bridge: Production, file: Path
) -> None:
    for passphrase in ("hunter2", ""):
        file.unlink()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "bridge", "-f", file], check=True)
        public = file.with_suffix(".pub")
        bridge.say({"prd.backlog.spaces.example.ssh_public_key": public.read_text().strip()})
        if passphrase:
            assert _refusal(lambda: _put(bridge, file)) == (
                f"error: {file}: the key has a passphrase, which no build can type\n"
                "hint: make one without: ssh-keygen -N ''"
            )
            public.unlink()
    _put(bridge, file)
    printed = subprocess.run(["ssh-keygen", "-l", "-f", public], check=True, capture_output=True, text=True).stdout
    assert fingerprint(public.read_text()) in printed.split()


def test_refuses_a_parameter_that_is_missing_or_not_encrypted(bridge: Production, file: Path) -> None:
    assert _refusal(lambda: backlog_key.check(bridge.deployment, None)) == (
        f"error: {NAME}: there is no such parameter\nhint: store the key: backlog-key put FILE"
    )
    bridge.client("ssm").put_parameter(Name=NAME, Value=_private(KEY), Type="String")
    for command in (lambda: backlog_key.check(bridge.deployment, None), lambda: _put(bridge, file)):
        assert _refusal(command) == (
            f"error: {NAME}: the parameter is a String, which is not encrypted\n"
            "hint: delete it, revoke the key in Backlog, and store a new one: backlog-key put FILE"
        )


def test_requires_a_space_when_there_are_several(bridge: Production, file: Path) -> None:
    space = {
        "domain": "backlog.com",
        "known_hosts": [f"partner.git.backlog.com ssh-ed25519 {ED25519}"],
        "ssh_key_parameter": "/kakehashi/backlog/partner/ssh-key",
    }
    bridge.say({"prd.backlog.spaces.partner": space})
    assert _refusal(lambda: _put(bridge, file)) == (
        "error: --space: there are several spaces\nhint: use one of example, partner"
    )
    backlog_key.put(bridge.deployment, file, "partner", dry_run=False)
    with pytest.raises(bridge.client("ssm").exceptions.ParameterNotFound):
        _stored(bridge)
