"""What may be done to a bundle, or beside it, that no list of changed bytes alone would show."""

import re
import shutil
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from haikei.credits import people
from haikei.ledger import EntrySelection, NoteSigner, seal
from haikei.ledger.signing import Signer
from support.bundles import Show, changed, export, make_show, run, with_files
from support.jobs import studio_settings
from support.records import SATO, LedgerStudio, a_background, a_chain, save_background

FINAL = "files/show/c001/c012_final.png"


@dataclass(slots=True)
class Packing:
    """The members of a zip file, in order, as somebody with a tool of their own writes them."""

    members: list[tuple[zipfile.ZipInfo, bytes]] = field(
        default_factory=list[tuple[zipfile.ZipInfo, bytes]]
    )

    @classmethod
    def of(cls, bundle: Path) -> "Packing":
        with zipfile.ZipFile(bundle) as archive:
            return cls([(one, archive.read(one)) for one in archive.infolist()])

    def add(self, name: str, content: bytes, *, mode: int = 0o100644) -> None:
        member = zipfile.ZipInfo(name)
        member.create_system = 3
        member.external_attr = mode << 16
        self.members.append((member, content))

    def save(self, target: Path) -> Path:
        with zipfile.ZipFile(target, "w") as archive:
            for member, content in self.members:
                archive.writestr(member, content)
        return target

    def content(self, name: str) -> bytes:
        return next(content for member, content in self.members if member.filename == name)


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644])
def test_a_member_that_is_a_link_or_a_device_is_named(
    sent: Show, script: Path, tmp_path: Path, mode: int
) -> None:
    packing = Packing.of(sent.bundle)
    for member, _ in packing.members:
        if member.filename == FINAL:
            member.external_attr = mode << 16

    verdict = run(script, packing.save(tmp_path / "linked.zip"), sent.key)

    assert verdict.code == 1
    assert f"BAD {FINAL} is no plain file below the bundle" in verdict.text


@pytest.mark.parametrize(
    "name",
    ["../final.png", "files/../../final.png", "/etc/final.png", "C:/final.png", "files\\final.png",
     "files/./final.png", "files/fi\tnal.png"],
)  # fmt: skip
def test_a_member_that_would_be_unpacked_elsewhere_is_named_whoever_signed_it(
    sent: Show, script: Path, tmp_path: Path, name: str
) -> None:
    def put_it_in(members: dict[str, bytes]) -> None:
        members[name] = members[FINAL]

    tampered = changed(sent.bundle, tmp_path / "outside.zip", put_it_in, sent.studio.signer)
    verdict = run(script, tampered, sent.key)

    assert verdict.code == 1
    assert "is no plain file below the bundle" in verdict.text


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("name", ["names.json", FINAL, "contents"])
def test_a_member_that_is_there_twice_is_named_with_and_without_a_list(
    sent: Show, script: Path, tmp_path: Path, name: str, *, listed: bool
) -> None:
    packing = Packing.of(sent.bundle)
    if not listed:
        packing.members = [one for one in packing.members if one[0].filename != "contents"]
        packing.add(name, b"first")
    packing.add(name, Packing.of(sent.bundle).content(name))

    verdict = run(script, packing.save(tmp_path / "twice.zip"), sent.key)

    if listed or name != "contents":
        assert verdict.code == 1
    assert f"BAD {name} is in the bundle twice" in verdict.text


@pytest.fixture
def voiced(studio: LedgerStudio, tmp_path: Path) -> Show:
    """A show with a cut whose name a Mac writes otherwise than everybody else."""
    return make_show(studio, tmp_path, shot="カットが1é")


def test_names_in_either_unicode_form_are_the_same(
    voiced: Show, script: Path, tmp_path: Path
) -> None:
    assert run(script, voiced.bundle, voiced.key).code == 0
    packing, mac = Packing.of(voiced.bundle), Packing()
    for member, content in packing.members:
        mac.add(unicodedata.normalize("NFD", member.filename), content)
    assert [one.filename for one, _ in mac.members] != [one.filename for one, _ in packing.members]

    repacked = run(script, mac.save(tmp_path / "mac.zip"), voiced.key)
    assert (repacked.code, repacked.text.splitlines()[-1]) == (0, "VERIFIED")

    final = next(one for one, _ in mac.members if one.filename.endswith("c012_final.png"))
    unpacked = tmp_path / final.filename
    unpacked.parent.mkdir(parents=True)
    unpacked.write_bytes(mac.content(final.filename))
    assert run(script, voiced.bundle, voiced.key, unpacked).code == 0
    layout = unpacked.with_name("c012_layout.png")
    layout.write_bytes(unpacked.read_bytes())
    assert "but is called like" in run(script, voiced.bundle, voiced.key, layout).text


def test_both_forms_of_one_name_are_one_member_too_many(
    voiced: Show, script: Path, tmp_path: Path
) -> None:
    packing = Packing.of(voiced.bundle)
    name = next(one.filename for one, _ in packing.members if one.filename.endswith("final.png"))
    packing.add(unicodedata.normalize("NFD", name), packing.content(name))

    verdict = run(script, packing.save(tmp_path / "both.zip"), voiced.key)

    assert verdict.code == 1
    assert "is in the bundle twice" in verdict.text


def without_what_came_later(members: dict[str, bytes]) -> None:
    """Leave what the first version wrote: no list, and no word of what was decided on names."""
    del members["contents"]
    for name in [one for one in members if re.fullmatch(r"entries/.*\.json", one)]:
        if b'"kind":"name_' in members[name]:
            del members[name], members[name.replace(".json", ".tlog-proof")]


def test_an_older_bundle_accuses_nobody_whose_name_was_withheld_or_changed(
    show: Show, script: Path, tmp_path: Path
) -> None:
    with show.studio.database.begin() as connection:
        people.rename(connection, SATO.id, name="Aoi Abe")
        people.opt_out(connection, SATO.id, "letter")
    seal(show.studio.database, show.studio.signer)
    target = tmp_path / "now.zip"
    export(show.studio, target, EntrySelection(project="akane", shot="c001"), files=True)

    verdict = run(script, changed(target, tmp_path / "old.zip", without_what_came_later), show.key)

    assert verdict.code == 2
    assert "BAD" not in verdict.text
    assert verdict.text.splitlines()[-1].startswith("NOT VERIFIED, nothing wrong")


@pytest.mark.parametrize("version", ["2", "10", "9999"])
def test_a_newer_bundle_is_neither_verified_nor_accused(
    sent: Show, script: Path, tmp_path: Path, version: str
) -> None:
    def of_a_newer_form(members: dict[str, bytes]) -> None:
        text = f"haikei-bundle/{version}\nwhatever it will hold\n"
        members["contents"] = sent.studio.signer.sign(text).encode()
        members["names.json"] = b"another form"

    newer = changed(sent.bundle, tmp_path / "newer.zip", of_a_newer_form)
    verdict = run(script, newer, sent.key, tmp_path / "newer.zip")

    assert verdict.code == 2
    assert "BAD" not in verdict.text
    assert f"?? haikei-bundle/{version} is of a newer form than this script knows" in re.sub(
        " +", " ", verdict.text
    )


def test_a_bundle_that_only_says_that_it_is_newer_is_accused(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    stranger = NoteSigner(Signer(studio_settings(tmp_path / "other")), sent.studio.signer.key.name)
    heads = [one for one in Packing.of(sent.bundle).members if one[0].filename == "checkpoint"]
    for note in (stranger.sign("haikei-bundle/2\n").encode(), b"haikei-bundle/2\n", heads[0][1]):
        packing = Packing.of(sent.bundle)
        packing.members = [one for one in packing.members if one[0].filename != "contents"]
        packing.add("contents", note)
        assert run(script, packing.save(tmp_path / "tampered.zip"), sent.key).code == 1


def test_a_record_of_a_newer_form_is_neither_verified_nor_accused(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    def write_a_newer_record(members: dict[str, bytes]) -> None:
        name = max(one for one in members if re.fullmatch(r"entries/.*\.json", one))
        members[name] = b'{"type":"image","v":2,"what":{"is":"new"}}'

    newer = changed(sent.bundle, tmp_path / "n.zip", write_a_newer_record, sent.studio.signer)
    on_the_way = changed(sent.bundle, tmp_path / "t.zip", write_a_newer_record)

    assert run(script, newer, sent.key).code == 2
    assert "an entry is of a newer form" in run(script, newer, sent.key).text
    assert run(script, on_the_way, sent.key).code == 1


def test_sidecars_on_disk_that_were_edited_together_are_named(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    """The manifest's own signature is a C2PA tool's to check: the bundle's copy tells as well."""
    published = sent.studio.settings.storage.roots[0].path / "show/c001"
    for ending in (".exr", ".c2pa", ".xmp"):
        shutil.copy(published / f"c012_gen1{ending}", tmp_path)
    given = tmp_path / "c012_gen1.exr"
    assert run(script, sent.bundle, sent.key, given).code == 0

    manifest = given.with_suffix(".c2pa")
    manifest.write_bytes(manifest.read_bytes() + b"!")

    verdict = run(script, sent.bundle, sent.key, given)
    assert verdict.code == 1
    assert f"{given} has NOT the sidecars that are in the bundle" in verdict.text


def test_a_packet_that_nothing_sealed_answers_for_is_not_verified(
    sent: Show, script: Path, tmp_path: Path
) -> None:
    given = tmp_path / "c012_final.png"
    given.write_bytes(Packing.of(sent.bundle).content(FINAL))
    assert run(script, sent.bundle, sent.key, given).code == 0

    given.with_suffix(".xmp").write_text("<x:xmpmeta>painted by Somebody Else</x:xmpmeta>")

    verdict = run(script, sent.bundle, sent.key, given)
    assert verdict.code == 2
    assert ".xmp beside it, and nothing sealed answers for that" in verdict.text


def put_in_another_cut(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_in_the_folder_of_another_cut_is_named_though_it_bears_its_own_name(
    studio: LedgerStudio, script: Path, tmp_path: Path
) -> None:
    """Cuts often hold files of the same names: then it is their folders that tell them apart."""
    first = make_show(studio, tmp_path)
    with zipfile.ZipFile(first.bundle) as archive:
        final = archive.read(FINAL)
    with studio.database.begin() as connection:
        twin = with_files(studio, a_background("c003", images=a_chain("c003")))
        save_background(connection, twin)
    seal(studio.database, studio.signer)
    both = tmp_path / "both.zip"
    export(studio, both, EntrySelection(project="akane"))
    right = put_in_another_cut(tmp_path / "right/show/c001/c012_final.png", final)
    flat = put_in_another_cut(tmp_path / "flat/c012_final.png", final)
    wrong = put_in_another_cut(tmp_path / "wrong/show/c003/c012_final.png", final)

    assert run(script, both, first.key, right, flat).code == 0
    verdict = run(script, both, first.key, wrong)
    assert verdict.code == 1
    assert "but is called like show/c003/c012_final.png" in verdict.text


@pytest.mark.parametrize("what", ["missing.png", "."])
def test_a_file_that_cannot_be_read_is_neither_verified_nor_accused(
    sent: Show, script: Path, tmp_path: Path, what: str
) -> None:
    verdict = run(script, sent.bundle, sent.key, tmp_path / what)

    assert verdict.code == 2
    assert "BAD" not in verdict.text
    assert "cannot be read" in verdict.text


def hide_in_a_name(members: dict[str, bytes]) -> None:
    members["files/\u202egnp.\x1b[31mx"] = b"x"


def break_an_index(members: dict[str, bytes]) -> None:
    name = min(one for one in members if one.endswith(".tlog-proof"))
    members[name] = members[name].replace(b"index ", "index \u202e\x1b[31m".encode(), 1)


def hide_in_a_head(members: dict[str, bytes]) -> None:
    name = min(one for one in members if one.endswith(".tlog-proof"))
    members[name] = members[name].rpartition(b"\n\n")[0] + "\n\n\u202e\x1b[31mnote".encode()


@pytest.mark.parametrize("change", [hide_in_a_name, break_an_index, hide_in_a_head])
def test_no_output_acts_on_a_terminal(
    sent: Show, script: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    verdict = run(script, changed(sent.bundle, tmp_path / "acting.zip", change), sent.key)

    assert verdict.code == 1
    assert not re.search("[\u202e\x1b]", verdict.text)
