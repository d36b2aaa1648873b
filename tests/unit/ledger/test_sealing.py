"""Checkpoints are signed only over a history that is still what was sealed before."""

import itertools
from pathlib import Path

import pytest
from sqlalchemy import delete, text
from structlog.testing import capture_logs

from haikei.database import ledger, ledger_checkpoints, ledger_nodes, reading
from haikei.errors import HistoryChanged, LedgerError, StateError
from haikei.ledger import (
    InclusionProof,
    NoteSigner,
    StoredTree,
    audit,
    checkpoints,
    entry,
    open_checkpoint,
    seal,
    send_out,
    size,
)
from haikei.ledger.signing import Signer
from haikei.ledger.tree import check_consistency
from support.jobs import studio_settings
from support.records import LedgerStudio, rewrite, without_guards


def sealed(studio: LedgerStudio, count: int) -> None:
    """Append, make a checkpoint and send it out."""
    studio.add(count)
    seal(studio.database, studio.signer, outlets=[studio.drop])
    assert send_out(studio.database, [studio.drop])


def refused(studio: LedgerStudio) -> str:
    """Return why no checkpoint is signed."""
    with capture_logs() as lines, pytest.raises(HistoryChanged) as error:
        seal(studio.database, studio.signer, outlets=[studio.drop])
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "checkpoint_refused"
    ]
    return error.value.message


def test_a_checkpoint_says_what_the_ledger_holds_and_each_continues_the_one_before(
    studio: LedgerStudio,
) -> None:
    for count in (1, 2, 7):
        sealed(studio, count)

    with reading(studio.database) as connection:
        tree = StoredTree(connection)
        made = [open_checkpoint(one.note, studio.signer.key) for one in checkpoints(connection)]
        assert [one.size for one in made] == [1, 3, 10]
        for old, new in itertools.pairwise(made):
            path = tree.consistency(old.size, new.size)
            check_consistency(old.size, old.root, new.size, new.root, path)
        for seq in range(10):
            note = checkpoints(connection)[-1].note
            proof = InclusionProof(index=seq, path=tree.inclusion(seq, 10), note=note)
            read = InclusionProof.parse(str(proof))
            assert read.check(entry(connection, seq).payload, studio.signer.key) == made[-1]


def test_nothing_new_gives_the_standing_checkpoint(studio: LedgerStudio) -> None:
    studio.add(3)

    first = seal(studio.database, studio.signer)

    assert seal(studio.database, studio.signer) == first
    assert first.token is None


def test_an_empty_ledger_is_not_signed(studio: LedgerStudio) -> None:
    with pytest.raises(LedgerError, match="empty"):
        seal(studio.database, studio.signer)


def test_a_rewrite_by_someone_with_full_access_is_refused(studio: LedgerStudio) -> None:
    sealed(studio, 20)
    studio.add(5)
    with studio.database.begin() as connection:
        rewrite(connection, 3, '{"artist":"somebody else","number":3}')

    assert "first 20 entries are not those" in refused(studio)


def test_a_rewrite_of_the_checkpoints_too_is_found_by_what_left_the_building(
    studio: LedgerStudio,
) -> None:
    sealed(studio, 20)
    with studio.database.begin() as connection:
        rewrite(connection, 3, '{"artist":"somebody else","number":3}')
        connection.execute(delete(ledger_checkpoints))

    assert "checkpoint-20.txt sealed" in refused(studio)


def test_a_rewrite_that_was_signed_while_the_share_was_away_is_found_when_it_is_back(
    studio: LedgerStudio, tmp_path: Path
) -> None:
    sealed(studio, 20)
    away = studio.drop.folder.rename(tmp_path / "away")
    with studio.database.begin() as connection:
        rewrite(connection, 3, '{"artist":"somebody else","number":3}')
        connection.execute(delete(ledger_checkpoints))
    studio.add(1)
    with capture_logs() as lines:
        seal(studio.database, studio.signer, outlets=[studio.drop])
    assert "checkpoint_outside_unreadable" in {line["event"] for line in lines}

    away.rename(studio.drop.folder)

    assert "checkpoint-20.txt sealed" in refused(studio)


def test_entries_that_were_cut_off_are_missed(studio: LedgerStudio) -> None:
    sealed(studio, 20)
    with studio.database.begin() as connection:
        without_guards(connection)
        connection.execute(delete(ledger).where(ledger.c.seq >= 15))

    assert "sealed 20 entries, but only 15 are left" in refused(studio)


def test_a_record_that_was_changed_without_its_hashes_is_found(studio: LedgerStudio) -> None:
    sealed(studio, 20)
    with studio.database.begin() as connection:
        without_guards(connection)
        connection.execute(text("UPDATE ledger SET payload = '{}' WHERE seq = 19"))

    assert "first 20 entries are not those" in refused(studio)


def test_nodes_that_would_prove_something_else_are_found(studio: LedgerStudio) -> None:
    sealed(studio, 20)
    with studio.database.begin() as connection:
        without_guards(connection)
        connection.execute(
            ledger_nodes.update().where(ledger_nodes.c.level == 2).values(hash=b"x" * 32)
        )

    assert "Nodes of level 2" in refused(studio)


def test_a_forged_checkpoint_in_the_database_is_found(studio: LedgerStudio) -> None:
    sealed(studio, 20)
    with studio.database.begin() as connection:
        without_guards(connection)
        note = checkpoints(connection)[-1].note
        forged = note.replace("\n20\n", "\n21\n")
        connection.execute(ledger_checkpoints.update().values(note=forged))

    assert "was changed" in refused(studio)


def test_a_damaged_checkpoint_in_the_database_is_found(studio: LedgerStudio) -> None:
    sealed(studio, 20)
    with studio.database.begin() as connection:
        without_guards(connection)
        connection.execute(ledger_checkpoints.update().values(note="damaged"))

    assert "no signed note" in refused(studio)


def test_damaged_files_outside_do_not_stop_the_ledger(studio: LedgerStudio) -> None:
    sealed(studio, 3)
    (studio.drop.folder / "checkpoint-99.txt").write_text("not a checkpoint")
    studio.add(1)

    with capture_logs() as lines:
        made = seal(studio.database, studio.signer, outlets=[studio.drop])

    assert made.checkpoint.size == 4
    assert "checkpoint_outside_unreadable" in {line["event"] for line in lines}


def test_a_new_key_goes_on_where_the_old_one_ended(studio: LedgerStudio, tmp_path: Path) -> None:
    sealed(studio, 3)
    studio.add(1)
    (tmp_path / "other").mkdir()
    signer = NoteSigner(Signer(studio_settings(tmp_path / "other")), studio.signer.key.name)

    made = seal(studio.database, signer, outlets=[studio.drop])

    assert open_checkpoint(made.note, signer.key).size == 4


def test_an_audit_names_everything_it_finds(studio: LedgerStudio) -> None:
    sealed(studio, 20)
    with reading(studio.database) as connection:
        found = audit(connection, studio.signer.key, outlets=[studio.drop])
    assert (found.entries, found.checkpoints, found.outside, found.findings) == (20, 1, 1, ())

    with studio.database.begin() as connection:
        without_guards(connection)
        connection.execute(text("UPDATE ledger SET payload = '{}' WHERE seq IN (4, 7)"))
    with reading(studio.database) as connection:
        found = audit(connection, studio.signer.key, outlets=[studio.drop])

    assert "first 20 entries" in found.findings[0]
    assert [one for one in found.findings if one.startswith("Entry")] == [
        "Entry 4 is not what was sealed.",
        "Entry 7 is not what was sealed.",
    ]


def test_a_ledger_of_many_chunks_is_recomputed_as_it_grew(
    studio: LedgerStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haikei.ledger.recomputing._LEVEL", 3)
    monkeypatch.setattr("haikei.ledger.recomputing._CHUNK", 8)
    for count in (5, 8, 19, 1, 32):
        sealed(studio, count)
    told: list[tuple[int, int]] = []
    with reading(studio.database) as connection:
        found = audit(
            connection,
            studio.signer.key,
            outlets=[studio.drop],
            tell=lambda done, total: told.append((done, total)),
        )
        assert size(connection) == 65
        assert found.findings == ()
        assert found.root == StoredTree(connection).root(65)
    assert told[-1] == (65, 65)


def test_a_ledger_that_cannot_be_read_is_neither_signed_nor_called_changed(
    studio: LedgerStudio,
) -> None:
    sealed(studio, 3)
    with studio.database.begin() as connection:
        connection.execute(text("ALTER TABLE ledger RENAME COLUMN payload TO moved"))

    with pytest.raises(StateError, match="cannot be read"):
        seal(studio.database, studio.signer, outlets=[studio.drop])
