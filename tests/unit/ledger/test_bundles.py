"""An outsider verifies a bundle with one script, and sees whatever was tampered with."""

import ast
import dataclasses
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Update, delete, update

from haikei.credits import people
from haikei.database import ledger_checkpoints, ledger_nodes, reading
from haikei.database import people as register
from haikei.errors import LedgerError, ProofInvalid
from haikei.ledger import (
    BundledFile,
    EntrySelection,
    NoteSigner,
    seal,
    select_entries,
    send_out,
)
from haikei.ledger.selection import image_entry, published_files
from haikei.ledger.signing import Signer
from support.bundles import Show, changed, export, run
from support.jobs import studio_settings
from support.records import (
    ITO,
    SATO,
    TANAKA,
    a_background,
    a_chain,
    rewrite,
    save_background,
    without_guards,
)
from support.tampering import (
    add_a_member,
    add_a_sealed_file_under_another_path,
    break_the_names,
    change_a_consistency_proof,
    change_a_root,
    edit_a_record,
    edit_a_sidecar,
    edit_the_readme,
    leave_out_a_consistency_proof,
    leave_out_a_record,
    leave_out_all_checkpoints,
    leave_out_all_records,
    lengthen_a_proof,
    move_a_proof,
    paint_over_a_file,
    put_one_file_in_the_place_of_another,
    remove_a_generation,
    remove_a_manifest_beside,
    remove_a_sidecar,
    remove_the_layout,
    remove_the_touch_up,
    remove_what_was_painted_over,
    rename,
    shorten_a_proof,
    swap_two_files,
    swap_two_records,
)


def test_the_script_is_short_and_needs_the_standard_library_alone(script: Path) -> None:
    text = script.read_text("utf-8")
    modules = set(re.findall(r"^(?:import|from) ([a-z_0-9]+)", text, re.MULTILINE))

    assert len(text.splitlines()) <= 300
    assert modules <= set(sys.stdlib_module_names)


def test_an_outsider_verifies_a_bundle_with_its_files_names_and_history(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    image = sent.studio.settings.storage.roots[0].path / sent.version.final.path

    verdict = run(script, sent.bundle, sent.key, image, "--against", sent.old)

    assert (verdict.code, verdict.text.splitlines()[-1]) == (0, "VERIFIED")
    assert "BAD" not in verdict.text
    assert f"entry {sent.version.ledger[-1]}: image" in verdict.text
    assert "Yuki Tanaka 田中ゆき" in verdict.text
    assert sent.done.files == len(sent.version.images) + 4
    assert sent.done.withheld == 0


NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (update(register).where(register.c.id == TANAKA.id).values(opt_out="letter"),
         f"{TANAKA.id} is withheld or renamed, and did NOT ask for it"),
        (update(register).where(register.c.id == TANAKA.id).values(name="", name_ja="",
                                                                   erased_at=NOW),
         f"{TANAKA.id} is withheld or renamed, and did NOT ask for it"),
        (update(register).where(register.c.id == SATO.id).values(opt_out=""),
         f"{SATO.id} is named, and asked NOT to be"),
        (update(register).where(register.c.id == ITO.id).values(name=ITO.name, name_ja=ITO.name_ja),
         f"{ITO.id} is withheld or renamed, and did NOT ask for it"),
    ],
)  # fmt: skip
def test_a_name_that_was_changed_in_the_database_alone_is_named_by_the_script(
    show: Show, script: Path, tmp_path: Path, change: Update, words: str
) -> None:
    keeping, honest, target = show.studio, tmp_path / "honest.zip", tmp_path / "changed.zip"
    with keeping.database.begin() as connection:
        people.opt_out(connection, SATO.id, "letter")
        people.rename(connection, ITO.id, name="Makoto Abe")
        people.rename(connection, TANAKA.id, name="Yuki Abe")
        people.rename(connection, TANAKA.id, name=TANAKA.name, name_ja=TANAKA.name_ja)
    seal(keeping.database, keeping.signer)
    export(keeping, honest, EntrySelection(project="akane", shot="c001"), files=True)
    assert run(script, honest, show.key).code == 0

    with keeping.database.begin() as connection:
        connection.execute(change)
    export(keeping, target, EntrySelection(project="akane", shot="c001"), files=True)

    verdict = run(script, target, show.key)
    assert verdict.code == 1
    assert f"BAD {words}" in verdict.text


def test_older_pythons_read_the_script(script: Path) -> None:
    ast.parse(script.read_text("utf-8"), feature_version=(3, 8))


def test_the_same_ledger_gives_the_same_bytes(sent: Show, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"

    export(sent.studio, again, EntrySelection(project="akane", shot="c001"), files=True)

    assert again.read_bytes() == sent.bundle.read_bytes()
    with pytest.raises(LedgerError, match="there already"):
        export(sent.studio, again, EntrySelection(project="akane"))


def test_a_bundle_holds_what_was_selected_and_no_other_cut(sent: Show, tmp_path: Path) -> None:
    studio, final = sent.studio, sent.version.final
    with reading(studio.database) as connection:
        shot = select_entries(connection, EntrySelection(project="akane", shot="c001"))
        sequence = select_entries(connection, EntrySelection(project="akane", sequence="ep01"))
        image = select_entries(connection, EntrySelection(image=final.sha256))
        assert image_entry(connection, final.sha256) == sent.version.ledger[-1]
        assert select_entries(connection, EntrySelection(project="other")) == ()

    assert shot == image == tuple(sorted(sent.version.ledger))
    assert len(sequence) == 2 * len(shot)
    with zipfile.ZipFile(sent.bundle) as archive:
        # As a word: the hashes of a bundle hold any four digits now and then.
        other = re.compile(rb"(?<![0-9A-Za-z])c002(?![0-9A-Za-z])")
        assert not [name for name in archive.namelist() if other.search(archive.read(name))]


def test_a_bundle_that_was_unpacked_and_packed_again_is_still_one(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    def with_folders(members: dict[str, bytes]) -> None:
        members.update({"files/": b"", "files/akane/": b"", "entries/": b""})

    again = changed(sent.bundle, tmp_path / "again.zip", with_folders)

    verdict = run(script, again, sent.key)
    assert (verdict.code, verdict.text.splitlines()[-1]) == (0, "VERIFIED")


def test_names_that_were_withheld_erased_or_changed_are_not_in_a_bundle(
    show: Show, script: Path, tmp_path: Path
) -> None:
    persons = [person for image in show.version.images for person in image.people]
    ids = list(dict.fromkeys(person.id for person in persons))
    with show.studio.database.begin() as connection:
        people.opt_out(connection, ids[0], "letter of 2026-11-20")
        people.erase(connection, ids[1], "letter of 2026-11-21")
    seal(show.studio.database, show.studio.signer)
    target = tmp_path / "private.zip"

    done = export(show.studio, target, EntrySelection(project="akane", shot="c001"))

    with zipfile.ZipFile(target) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    hidden = [person for person in persons if person.id in ids[:2]]
    assert not [person for person in hidden if person.name in everything]
    assert not [person for person in hidden if person.name_ja and person.name_ja in everything]
    assert done.withheld >= 2
    verdict = run(script, target, show.key)
    assert (verdict.code, verdict.text.splitlines()[-1]) == (0, "VERIFIED")


BY_WHOEVER_HOLDS_THE_KEY = [
    rename,
    edit_a_record,
    swap_two_records,
    leave_out_a_record,
    leave_out_all_records,
    shorten_a_proof,
    lengthen_a_proof,
    move_a_proof,
    change_a_root,
    change_a_consistency_proof,
    leave_out_a_consistency_proof,
    leave_out_all_checkpoints,
    paint_over_a_file,
    swap_two_files,
    put_one_file_in_the_place_of_another,
    add_a_sealed_file_under_another_path,
    remove_the_layout,
    remove_a_generation,
    remove_what_was_painted_over,
    edit_a_sidecar,
    remove_a_sidecar,
    remove_a_manifest_beside,
    break_the_names,
]


@pytest.mark.parametrize("change", BY_WHOEVER_HOLDS_THE_KEY)
def test_a_tampered_bundle_fails_even_if_its_contents_were_signed_anew(
    sent: Show, script: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    tampered = changed(sent.bundle, tmp_path / "tampered.zip", change, sent.studio.signer)
    verdict = run(script, tampered, sent.key)

    assert verdict.code == 1
    assert "BAD" in verdict.text
    assert verdict.text.splitlines()[-1].startswith("FAILED")


@pytest.mark.parametrize(
    "change",
    [swap_two_files, remove_the_touch_up, edit_a_sidecar, edit_the_readme, add_a_member],
)
def test_what_was_changed_on_the_way_is_named(
    sent: Show, script: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    verdict = run(script, changed(sent.bundle, tmp_path / "tampered.zip", change), sent.key)

    assert verdict.code == 1
    assert re.search("BAD .* was (taken out|put into)|BAD .* is not what was put", verdict.text)


def test_the_file_that_was_named_is_read_and_not_the_copy_in_the_bundle(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    """An auditor unpacks the bundle, and somebody changes the unpacked file."""
    name = "files/show/c001/c012_final.png"
    for folder in (tmp_path, script.parent):
        with zipfile.ZipFile(sent.bundle) as archive:
            archive.extract(name, folder)
    assert run(script, sent.bundle, sent.key, name).code == 0

    (script.parent / name).write_bytes((script.parent / name).read_bytes() + b"!")

    verdict = run(script, sent.bundle, sent.key, name)
    assert verdict.code == 1
    assert f"BAD {name} is NOT a file that was sealed" in verdict.text
    assert "show/c001/c012_final.png was sealed with other bytes" in verdict.text
    assert run(script, sent.bundle, sent.key, tmp_path / name).code == 0


def test_two_files_on_disk_that_bear_each_others_names_are_named(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    published = sent.studio.settings.storage.roots[0].path / "show/c001"
    swapped = tmp_path / "c012_layout.png"
    swapped.write_bytes((published / "c012_final.png").read_bytes())
    renamed = tmp_path / "final-for-print.png"
    renamed.write_bytes((published / "c012_final.png").read_bytes())

    verdict = run(script, sent.bundle, sent.key, swapped)

    assert verdict.code == 1
    assert "sealed, as show/c001/c012_final.png, but is called like show/c001/c012_layout.png" in (
        verdict.text
    )
    assert run(script, sent.bundle, sent.key, renamed).code == 0


def test_sidecars_are_looked_for_beside_the_file_that_was_named(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    published = sent.studio.settings.storage.roots[0].path / "show/c001"
    for ending in (".exr", ".c2pa", ".xmp"):
        shutil.copy(published / f"c012_gen1{ending}", tmp_path)
    given, packet = tmp_path / "c012_gen1.exr", tmp_path / "c012_gen1.xmp"
    assert run(script, sent.bundle, sent.key, given).code == 0

    packet.write_bytes(packet.read_bytes().replace(b"Yuki Tanaka", b"Somebody Else"))
    edited = run(script, sent.bundle, sent.key, given)
    packet.unlink()
    missing = run(script, sent.bundle, sent.key, given)

    assert edited.code == missing.code == 1
    assert "has NOT the sidecars that belong together" in edited.text


def test_a_checkpoint_newer_than_the_bundle_accuses_nobody(
    show: Show, script: Path, tmp_path: Path
) -> None:
    show.studio.add(1)
    seal(show.studio.database, show.studio.signer)
    assert send_out(show.studio.database, [show.studio.drop])
    newest = show.studio.drop.folder / f"checkpoint-{show.studio.drop.held()[-1]}.txt"

    verdict = run(script, show.bundle, show.key, "--against", newest)

    assert verdict.code == 2
    assert "BAD" not in verdict.text
    assert re.search(r"\?\? +history is newer \(\d+ entries, \d+ here\) in", verdict.text)
    assert verdict.text.splitlines()[-1].startswith("NOT VERIFIED, nothing wrong")
    assert run(script, show.bundle, show.key, "--against", show.old).code == 0


def test_a_bundle_without_a_list_of_contents_is_neither_verified_nor_accused(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    def without(members: dict[str, bytes]) -> None:
        del members["contents"]

    verdict = run(script, changed(sent.bundle, tmp_path / "older.zip", without), sent.key)

    assert verdict.code == 2
    assert "BAD" not in verdict.text
    assert "cannot be seen" in verdict.text


def test_a_name_that_is_in_the_bundle_twice_is_named(show: Show, script: Path) -> None:
    with zipfile.ZipFile(show.bundle, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("names.json", "{}")

    assert run(script, show.bundle, show.key).code == 1


def test_a_bundle_of_another_key_fails(sent: Show, script: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = NoteSigner(Signer(studio_settings(tmp_path / "other")), sent.studio.signer.key.name)

    verdict = run(script, sent.bundle, other.key)

    assert verdict.code == 1
    assert "not signed by the key that you gave" in verdict.text


def test_after_a_change_of_key_both_keys_verify(show: Show, script: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    studio = show.studio
    newer = NoteSigner(Signer(studio_settings(tmp_path / "other")), studio.signer.key.name)
    studio.add(1)
    seal(studio.database, newer)
    target = tmp_path / "newer.zip"
    export(dataclasses.replace(studio, signer=newer), target, EntrySelection(project="akane"))

    assert run(script, target, f"{newer.key},{show.key}").code == 0
    assert run(script, target, newer.key).code == 1


def test_a_file_that_was_not_sealed_or_lost_its_marks_is_named(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(b"another picture")

    verdict = run(script, sent.bundle, sent.key, other)

    assert verdict.code == 1
    assert "NOT a file that was sealed" in verdict.text


@pytest.mark.parametrize("arguments", [[], ["none.zip", "x"], ["BUNDLE", "not a key"]])
def test_what_cannot_be_examined_has_its_own_exit_code(
    sent: Show, script: Path, arguments: list[str]
) -> None:
    given = [str(sent.bundle) if one == "BUNDLE" else one for one in arguments]

    assert run(script, *given).code == 2


def test_a_rewritten_history_is_found_by_whoever_holds_an_older_checkpoint(
    show: Show, script: Path, tmp_path: Path
) -> None:
    """The rewriter holds the database and even the key: only what left the building tells."""
    studio = show.studio
    seq = show.version.ledger[0]
    with studio.database.begin() as connection:
        payload = connection.exec_driver_sql(
            f"SELECT payload FROM ledger WHERE seq = {seq}"
        ).scalar_one()
        rewrite(connection, seq, payload.replace("genzu", "retake").replace("layout", "retake"))
        connection.execute(delete(ledger_checkpoints))
    seal(studio.database, studio.signer)
    target = tmp_path / "rewritten.zip"
    export(studio, target, EntrySelection(project="akane", shot="c001"))

    assert run(script, target, show.key).code == 0

    verdict = run(script, target, show.key, "--against", show.old)
    assert verdict.code == 1
    assert "history is NOT as it was" in verdict.text


def test_a_bundle_is_not_written_from_a_tree_that_proves_nothing(
    show: Show, tmp_path: Path
) -> None:
    studio = show.studio
    with studio.database.begin() as connection:
        without_guards(connection)
        connection.execute(update(ledger_nodes).values(hash=b"x" * 32))

    with pytest.raises(ProofInvalid):
        export(studio, tmp_path / "wrong.zip", EntrySelection(project="akane"))

    assert not (tmp_path / "wrong.zip").exists()


def test_entries_that_no_checkpoint_covers_are_not_bundled(show: Show, tmp_path: Path) -> None:
    studio = show.studio
    with studio.database.begin() as connection:
        save_background(connection, a_background("c003", images=a_chain("c003")))

    with pytest.raises(LedgerError, match="No checkpoint covers"):
        export(studio, tmp_path / "early.zip", EntrySelection(project="akane", shot="c003"))
    with pytest.raises(LedgerError, match="no entry of this selection"):
        export(studio, tmp_path / "none.zip", EntrySelection(project="akane", shot="c999"))


def test_a_file_that_was_changed_after_it_was_sealed_is_missing(show: Show) -> None:
    studio = show.studio
    root = studio.settings.storage.roots[0].path
    (root / show.version.final.path).write_bytes(b"painted over")

    with reading(studio.database) as connection:
        found, missing = published_files(connection, show.version.ledger, [root])

    assert missing == [show.version.final.path]
    assert [one for one in found if one.name.endswith(".c2pa")]
    assert all(isinstance(one, BundledFile) for one in found)
