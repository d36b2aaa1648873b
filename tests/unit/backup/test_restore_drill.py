"""Back up, go on, lose everything, restore: nothing is lost, nothing doubled, all of it told."""

import json
import shutil
import stat
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.backup import PENDING, adopt, check_backup, make_backup, put_back
from haikei.cli.startup import require_adopted
from haikei.credits import Scope, credit_line, people, records
from haikei.credits.records import differences
from haikei.database import backgrounds, reading
from haikei.errors import BackupUnusable, HistoryChanged, StateError
from haikei.jobs import JobState
from haikei.jobs.checkpointing import Checkpointing, outlets_of
from haikei.jobs.engine import FileLocks
from haikei.ledger import Audit, Checkpoint, audit, note_signer, size
from support.jobs import JobStudio, OpenJobStudio, announce, job_studios, put_layout
from support.trackers import AOI, FailingTracker


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    (tmp_path / "client").mkdir()
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def start(open_studio: OpenJobStudio, tmp_path: Path) -> JobStudio:
    return open_studio(ledger={"drop": [str(tmp_path / "client")]})


def seal(studio: JobStudio) -> None:
    locks = FileLocks(studio.settings.studio.state / "locks")
    keeper = Checkpointing(
        studio.settings, studio.database, locks, open_tracker=studio.open_tracker
    )
    keeper.make()
    keeper.close()


def checked(studio: JobStudio) -> Audit:
    outlets = outlets_of(studio.settings, studio.database, studio.open_tracker)
    with reading(studio.database) as connection:
        assert list(differences(connection)) == []
        return audit(connection, note_signer(studio.settings).key, outlets=outlets)


def codes(studio: JobStudio) -> list[str]:
    with reading(studio.database) as connection:
        return sorted(connection.execute(select(backgrounds.c.code)).scalars())


def lose(studio: JobStudio) -> None:
    studio.database.dispose()
    shutil.rmtree(studio.settings.studio.state)


def restored(
    backup: Path, lost: JobStudio, open_studio: OpenJobStudio, tmp_path: Path
) -> JobStudio:
    put_back(backup, lost.settings, lost.settings.studio.state)
    studio = start(open_studio, tmp_path)
    studio.tracker = lost.tracker
    return studio


def back_up(studio: JobStudio, target: Path) -> Path:
    return make_backup(studio.settings, studio.database, None, target).path


def test_what_was_published_after_the_backup_is_adopted_and_nothing_doubled(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    before = start(open_studio, tmp_path)
    before.publish("c001")
    seal(before)
    # Announced when the copy is made, and done after it.
    announce(before.database, put_layout(before.settings, "c002"))
    before.dispatcher.take_events()
    backup = back_up(before, tmp_path / "copy.tar")
    before.work()
    before.publish("c003")
    seal(before)
    whole, published = codes(before), before.files
    with reading(before.database) as connection:
        had = size(connection)
    lose(before)

    after = restored(backup, before, open_studio, tmp_path)
    with pytest.raises(StateError, match="restore --adopt"):
        require_adopted(after.settings)
    done = adopt(after.settings, after.database, open_tracker=after.open_tracker)
    require_adopted(after.settings)
    # The watcher finds every layout again, as its table of files is as old as the copy.
    announce(after.database, *(put_layout(after.settings, f"c00{one}") for one in (1, 2, 3)))
    after.work()
    assert after.generator.made == [], "a picture was made that stands already"
    after.publish("c004")
    seal(after)
    found = checked(after)

    assert codes(after)[:3] == whole
    assert len(codes(after)) == 4
    assert set(published) < set(after.files)
    assert [job.state for job in after.store.list()] == [JobState.DONE] * 4
    assert found.findings == ()
    (said,) = found.restored
    assert (said.entries + said.lost, said.adopted) == (had, 2)
    assert f"entries {said.entries} to {had - 1} of the earlier ledger are gone" in said.sentence
    assert done.unfinished == done.set_aside == done.refused == ()
    assert versions(after) == versions(before)
    with pytest.raises(StateError, match="all is adopted"):
        adopt(after.settings, after.database, open_tracker=after.open_tracker)


def test_a_version_that_the_tracker_does_not_show_yet_is_shown_with_its_own_files(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    before = start(open_studio, tmp_path)
    backup = back_up(before, tmp_path / "copy")
    before.publish("c001")
    before.publish("c002")
    files = {path: path.read_bytes() for path in before.files}
    lose(before)
    # It died when c001 had its files and no row, and c002 not even all of its files.
    (picture,) = (path for path in files if path.name == "c002_bg_summer_day_v001.png")
    picture.unlink()
    before.tracker = FailingTracker()

    after = restored(backup, before, open_studio, tmp_path)
    done = adopt(after.settings, after.database, open_tracker=after.open_tracker)
    announce(after.database, *(put_layout(after.settings, f"c00{one}") for one in (1, 2)))
    after.work()

    assert done.versions == done.unfinished == ("c001_bg_summer_day_v001",)
    assert any(path.endswith("c002_bg_summer_day_v001.png.json") for path in done.set_aside)
    assert codes(after) == ["c001_bg_summer_day_v001", "c002_bg_summer_day_v001"]
    assert set(after.files) == set(files)
    assert all(path.read_bytes() == files[path] for path in files if "c001" in path.name)
    assert [job.state for job in after.store.list()] == [JobState.DONE] * 2
    assert checked(after).findings == ()


def test_a_checkpoint_of_what_the_backup_held_that_differs_is_no_loss(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    before = start(open_studio, tmp_path)
    before.publish("c001")
    backup = back_up(before, tmp_path / "copy")
    with reading(before.database) as connection:
        entries = size(connection)
    lose(before)
    after = restored(backup, before, open_studio, tmp_path)
    signer = note_signer(after.settings)
    other = Checkpoint(origin=signer.key.name, size=entries, root=b"\1" * 32)
    (tmp_path / "client" / f"checkpoint-{entries}.txt").write_text(signer.sign(other.text))

    with pytest.raises(HistoryChanged, match="no loss after it"):
        adopt(after.settings, after.database, open_tracker=after.open_tracker)
    assert (after.settings.studio.state / PENDING).exists()


def test_a_checkpoint_that_no_statement_names_is_a_finding_as_before(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    before = start(open_studio, tmp_path)
    before.publish("c001")
    backup = back_up(before, tmp_path / "copy")
    lose(before)
    after = restored(backup, before, open_studio, tmp_path)
    adopt(after.settings, after.database, open_tracker=after.open_tracker)
    signer = note_signer(after.settings)
    other = Checkpoint(origin=signer.key.name, size=99, root=b"\1" * 32)
    (tmp_path / "client" / "checkpoint-99.txt").write_text(signer.sign(other.text))

    assert any("sealed 99 entries" in one for one in checked(after).findings)


def test_a_copy_is_its_owners_alone_and_every_change_of_it_is_noticed(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = start(open_studio, tmp_path)
    studio.publish("c001")
    backup = back_up(studio, tmp_path / "copy")
    packed = back_up(studio, tmp_path / "copy.tar")

    listed = check_backup(backup).manifest
    assert check_backup(packed).manifest.entries == listed.entries > 0
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    for path in (backup, *backup.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert {one.path.split("/")[0] for one in listed.files} == {"databases", "state", "claims"}
    with pytest.raises(StateError, match="never replaces"):
        back_up(studio, tmp_path / "copy.tar")
    with pytest.raises(StateError, match="nothing is restored over it"):
        put_back(backup, studio.settings, studio.settings.studio.state)
    for file in listed.files:
        path = backup / file.path
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(BackupUnusable, match="not what was backed up"):
            check_backup(backup)
        path.unlink()
        with pytest.raises(BackupUnusable, match="missing"):
            check_backup(backup)
        path.write_bytes(content)
    check_backup(backup)


def test_a_copy_of_a_newer_schema_or_form_is_refused_with_words(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = start(open_studio, tmp_path)
    backup = back_up(studio, tmp_path / "copy")
    manifest = backup / "manifest.json"
    whole = json.loads(manifest.read_text())

    manifest.write_text(json.dumps({**whole, "schema": "9999", "haikei": "7.1"}))
    with pytest.raises(BackupUnusable, match=r"schema 9999.*haikei 7\.1 or newer"):
        check_backup(backup)
    manifest.write_text(json.dumps({**whole, "format": 2}))
    with pytest.raises(BackupUnusable, match="form 2"):
        check_backup(backup)
    for text in ("", "[]", "{}", "null"):
        manifest.write_text(text)
        with pytest.raises(BackupUnusable, match="manifest"):
            check_backup(backup)


def test_a_tar_file_that_leads_out_of_itself_is_refused(tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar"
    (tmp_path / "x").write_text("x")
    with tarfile.open(evil, "w") as tar:
        tar.add(tmp_path / "x", "../../outside")

    with pytest.raises(BackupUnusable, match="cannot be read as a back-up"):
        check_backup(evil)
    (tmp_path / "none.tar").write_bytes(b"no tar")
    with pytest.raises(BackupUnusable, match="cannot be read as a back-up"):
        check_backup(tmp_path / "none.tar")


def decide(studio: JobStudio, how: str) -> None:
    with studio.database.begin() as connection:
        getattr(people, how)(connection, AOI.id, "letter of 2026-10-02")


def withheld_after_a_backup(
    open_studio: OpenJobStudio, tmp_path: Path, how: str
) -> tuple[JobStudio, Path]:
    """Back up an empty studio; then publish a cut before a name is withheld, and one after."""
    studio = start(open_studio, tmp_path)
    backup = back_up(studio, tmp_path / "copy")
    studio.publish("c001")
    decide(studio, how)
    studio.publish("c002")
    return studio, backup


def kept_of(studio: JobStudio) -> bytes:
    studio.database.dispose()
    state = studio.settings.studio.state
    return b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())


@pytest.mark.parametrize("how", ["opt_out", "erase"])
def test_a_name_that_was_withheld_after_the_backup_does_not_return(
    open_studio: OpenJobStudio, tmp_path: Path, how: str
) -> None:
    before = start(open_studio, tmp_path)
    before.publish("c001")
    backup = back_up(before, tmp_path / "copy")
    before.publish("c002")
    decide(before, how)
    before.publish("c003")
    lose(before)

    after = restored(backup, before, open_studio, tmp_path)
    done = adopt(after.settings, after.database, open_tracker=after.open_tracker)

    assert done.withheld == (AOI.id,)
    assert checked(after).findings == ()
    with reading(after.database) as connection:
        found = list(records.backgrounds(connection, Scope(project="PORT", latest=False)))
    assert len(found) == 3
    for version in found:
        assert "withheld" in credit_line(version.images).en
        assert AOI.name not in credit_line(version.images).en


def test_a_name_that_was_erased_after_the_backup_is_not_brought_back_by_earlier_records(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    before, backup = withheld_after_a_backup(open_studio, tmp_path, "erase")
    record = next(
        path for path in before.files if path.name.endswith("c001_bg_summer_day_v001.png.json")
    )
    assert AOI.name in record.read_text(encoding="utf-8")
    lose(before)

    after = restored(backup, before, open_studio, tmp_path)
    done = adopt(after.settings, after.database, open_tracker=after.open_tracker)

    assert done.withheld == (AOI.id,)
    assert len(done.versions) == 2
    assert AOI.name.encode() not in kept_of(after)
    assert AOI.name_ja.encode() not in kept_of(after)


def test_a_version_that_waits_for_the_tracker_is_shown_there_without_a_withheld_name(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    before, backup = withheld_after_a_backup(open_studio, tmp_path, "opt_out")
    lose(before)
    before.tracker = FailingTracker()

    after = restored(backup, before, open_studio, tmp_path)
    done = adopt(after.settings, after.database, open_tracker=after.open_tracker)
    announce(after.database, *(put_layout(after.settings, f"c00{one}") for one in (1, 2)))
    after.work()

    assert len(done.unfinished) == 2
    shown = after.tracker.published.values()
    assert len(shown) == 2
    for one in shown:
        assert AOI.name not in f"{one.credit_en}{one.description}{one.roles}"
        assert "withheld" in one.credit_en


def test_whose_name_was_withheld_before_the_backup_is_not_told_as_new(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    before = start(open_studio, tmp_path)
    before.publish("c001")
    decide(before, "erase")
    backup = back_up(before, tmp_path / "copy")
    before.publish("c002")
    lose(before)

    after = restored(backup, before, open_studio, tmp_path)
    done = adopt(after.settings, after.database, open_tracker=after.open_tracker)

    assert done.withheld == ()
    assert checked(after).findings == ()
    with reading(after.database) as connection:
        assert people.look_up(connection, (AOI.id,))[AOI.id].name == ""


def versions(studio: JobStudio) -> list[str]:
    review = studio.tracker.parts.review
    assert review is not None
    return sorted(one.key for one in review.look(range(1, 100)))
