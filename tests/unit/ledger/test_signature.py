"""Records are signed, and a key that Haikei made by itself is named so."""

import base64
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from haikei.errors import SettingsError
from haikei.ledger.signing import Signer
from support.jobs import studio_settings


def write_key(path: Path, key: PrivateKeyTypes) -> Path:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def test_a_signature_can_be_checked_without_haikei(tmp_path: Path) -> None:
    text = json.dumps({"shot": "c001", "artist": "佐藤葵"}, ensure_ascii=False)

    signature = Signer(studio_settings(tmp_path)).sign(text)

    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature.public_key))
    public.verify(base64.b64decode(signature.value), text.encode())
    assert (signature.algorithm, signature.key_kind) == ("ed25519", "development")


def test_the_development_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path)

    first, second = Signer(settings), Signer(settings)

    assert first.sign("x") == second.sign("x")
    (key,) = (settings.studio.state / "keys").iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_studios_own_key_is_used_and_named(tmp_path: Path) -> None:
    path = write_key(tmp_path / "studio.pem", Ed25519PrivateKey.generate())
    settings = studio_settings(tmp_path, signing={"key_file": str(path)})

    assert Signer(settings).sign("x").key_kind == "studio"
    assert not (settings.studio.state / "keys").exists()


def test_a_key_of_another_kind_or_no_key_is_refused(tmp_path: Path) -> None:
    path = write_key(tmp_path / "other.pem", ec.generate_private_key(ec.SECP256R1()))

    with pytest.raises(SettingsError, match="no Ed25519 key"):
        Signer(studio_settings(tmp_path, signing={"key_file": str(path)}))
    with pytest.raises(SettingsError, match="cannot be read"):
        Signer(studio_settings(tmp_path, signing={"key_file": str(tmp_path / "none.pem")}))
