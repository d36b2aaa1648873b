"""Signed notes are those of C2SP: others' verify here, and a changed byte never does."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from haikei.errors import ProofInvalid
from haikei.ledger import (
    Checkpoint,
    InclusionProof,
    NoteSigner,
    VerifierKey,
    newest_checkpoint,
    origin_of,
    read_checkpoint,
)
from haikei.ledger.checkpoint import note_text, open_note
from haikei.ledger.signing import Signer
from support.jobs import studio_settings
from support.records import ledger_studio

# The example of the specification and of its first implementation.
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    TEXT
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    + "otpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_that_others_signed_is_verified() -> None:
    key = VerifierKey.parse(KEY)

    assert open_note(NOTE, key) == TEXT
    assert str(key) == KEY


@given(at=st.integers(0, len(NOTE.encode()) - 1), bit=st.integers(0, 7))
@example(at=len(NOTE.encode()) - 3, bit=1)  # a bit of the last character that no byte needs
def test_a_note_of_which_one_bit_was_changed_is_refused(at: int, bit: int) -> None:
    changed = bytearray(NOTE.encode())
    changed[at] ^= 1 << bit

    with pytest.raises(ProofInvalid):
        open_note(changed.decode(errors="replace"), VerifierKey.parse(KEY))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(words=st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])))
def test_what_we_sign_is_verified_with_our_vkey(tmp_path: Path, words: str) -> None:
    signer = NoteSigner(Signer(studio_settings(tmp_path)), "studio.example/haikei")

    note = signer.sign(f"{words}\n")

    assert open_note(note, VerifierKey.parse(str(signer.key))) == f"{words}\n"


def test_a_note_of_another_key_is_refused(tmp_path: Path) -> None:
    signer = NoteSigner(Signer(studio_settings(tmp_path)), "studio.example/haikei")

    with pytest.raises(ProofInvalid, match="not signed by PeterNeumann"):
        open_note(signer.sign(TEXT), VerifierKey.parse(KEY))


@pytest.mark.parametrize(
    "text", ["", "a+b", KEY.replace("c74f", "c74e"), KEY[:-8], "a+00000000+QQ=="]
)
def test_what_is_no_vkey_is_refused(text: str) -> None:
    with pytest.raises(ProofInvalid, match="no vkey"):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "note", ["", "text\n", "text\n\n", "text\n\n— name\n", "text\n\n— n AAA\n"]
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(ProofInvalid):
        note_text(note)


@pytest.mark.parametrize(
    "text", ["a\n", "a\n01\nAAAA\n", "\n1\n" + "A" * 43 + "=\n", "a\n1\nAAAA\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ProofInvalid, match="no checkpoint"):
        Checkpoint.parse(text)


def test_lines_that_extend_a_checkpoint_are_allowed() -> None:
    said = Checkpoint(origin="studio.example/haikei", size=3, root=b"r" * 32)

    assert Checkpoint.parse(said.text + "more\n") == said
    assert read_checkpoint(said.text + "\n— someone QUJDREVG\n") == said


@pytest.mark.parametrize(
    "text", ["", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nindex 01\n\n"]
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(ProofInvalid, match="no proof"):
        InclusionProof.parse(text)


@pytest.mark.parametrize("line", ["?", "QUJD"])
def test_a_proof_with_a_line_that_is_no_hash_is_refused(line: str) -> None:
    with pytest.raises(ProofInvalid, match="no hash"):
        InclusionProof.parse(f"c2sp.org/tlog-proof@v1\nindex 1\n{line}\n\nnote")


def test_the_ledgers_name_follows_from_the_studios(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path)
    named = studio_settings(tmp_path, ledger={"origin": "studio.example/ledger"})

    assert origin_of(settings) == "test-studio/haikei"
    assert origin_of(named) == "studio.example/ledger"
    with pytest.raises(ProofInvalid, match="spaces"):
        NoteSigner(Signer(settings), "a studio")


def test_an_empty_ledger_has_no_checkpoint(tmp_path: Path) -> None:
    with ledger_studio(tmp_path) as studio, studio.database.connect() as connection:
        assert newest_checkpoint(connection) is None
