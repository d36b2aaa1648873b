"""A file is judged by its marks, by our records, and by what was declared about it."""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import Connection, Engine, delete, text, update

from haikei.credits import BackgroundVersion, ImageKind, Ingredient, Relation, SourceType
from haikei.database import contributions, ledger
from haikei.errors import DeliveryError
from haikei.images import read_picture, write_picture
from haikei.intake import (
    Declaration,
    Examination,
    Examiner,
    ProblemKind,
    Recognition,
    Verdict,
    declared_free_of_ai,
    gather,
    left_out,
    read_declaration,
)
from haikei.provenance import MarkedIngredient, MarkSigner, mark
from support.databases import fresh_database
from support.pictures import save_flat_psd
from support.records import a_background, a_chain, a_change, save_background, without_guards
from support.signing import (
    DREW,
    GENERATED,
    MADE_BY,
    PAINTED_OVER,
    FourSteps,
    four_steps,
    mark_request,
    sign_raw,
    signing_settings,
    write_noise,
)


@dataclass(frozen=True)
class Studio:
    """A studio that published and recorded the four steps of one background."""

    files: FourSteps
    signer: MarkSigner
    database: Engine
    version: BackgroundVersion
    change_map: bytes

    def examiner(
        self, connection: Connection | None, declaration: Declaration | None = None
    ) -> Examiner:
        return Examiner(
            trust_pem=self.signer.trust_pem, connection=connection, declaration=declaration
        )

    def examine(self, path: Path, declaration: Declaration | None = None) -> Examination:
        with self.database.begin() as connection:
            (file,) = gather([path])
            return self.examiner(connection, declaration).examine(file)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Generator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    signer = MarkSigner.from_settings(signing_settings(folder))
    files = four_steps(folder / "published", signer)
    database = fresh_database(folder / "haikei.db")
    published = (files.layout, files.first, files.second, files.final)
    images = tuple(
        replace(
            record,
            sha256=hashlib.sha256(marked.path.read_bytes()).hexdigest(),
            pixels_sha256=read_picture(marked.path).sha256(),
            path=marked.path.name,
            contributions=made_by,
        )
        for record, marked, made_by in zip(a_chain("c012"), published, MADE_BY, strict=True)
    )
    Image.new("RGB", (32, 24), (9, 9, 9)).save(folder / "map.png")
    change_map = (folder / "map.png").read_bytes()
    painted = images[-1].contributions[0]
    change = replace(a_change(), map_sha256=hashlib.sha256(change_map).hexdigest())
    evidence = replace(painted.evidence, change=change)
    last = replace(images[-1], contributions=(replace(painted, evidence=evidence),))
    images = (*images[:-1], last)
    with database.begin() as connection:
        version = save_background(connection, a_background("c012", images=images))
    yield Studio(
        files=files, signer=signer, database=database, version=version, change_map=change_map
    )
    database.dispose()


def kinds(found: Examination) -> set[ProblemKind]:
    return {problem.kind for problem in found.problems}


def test_a_published_file_is_recognised_with_everyone_who_made_it(studio: Studio) -> None:
    found = studio.examine(studio.files.final.path)

    assert found.verdict is Verdict.OK
    assert found.recognition is Recognition.BYTES
    assert found.entry == studio.version.ledger[-1]
    assert found.version is not None
    assert found.version.code == studio.version.code
    assert found.credit is not None
    assert "Touch-up" in found.credit.en
    assert found.marks is not None
    assert len(found.marks.steps) == 4


def test_one_changed_byte_fails(studio: Studio, tmp_path: Path) -> None:
    data = bytearray(studio.files.final.path.read_bytes())
    data[len(data) // 2] ^= 1
    broken = tmp_path / "broken.png"
    broken.write_bytes(data)

    found = studio.examine(broken)

    assert found.verdict is Verdict.FAILED
    assert ProblemKind.MARKS_BROKEN in kinds(found) or ProblemKind.UNREADABLE in kinds(found)


def test_a_changed_model_name_inside_an_ingredient_fails(studio: Studio, tmp_path: Path) -> None:
    data = studio.files.final.path.read_bytes()
    assert b"SDXL 1.0" in data
    forged = tmp_path / "forged.png"
    forged.write_bytes(data.replace(b"SDXL 1.0", b"SDXL 1.5", 1))

    found = studio.examine(forged)

    assert ProblemKind.MARKS_BROKEN in kinds(found)


def test_a_file_whose_marks_were_taken_out_is_found_by_its_pixels(
    studio: Studio, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.png"
    write_picture(read_picture(studio.files.final.path), bare)

    found = studio.examine(bare)

    assert found.recognition is Recognition.PIXELS
    assert ProblemKind.MARKS_STRIPPED in kinds(found)
    assert found.version is not None
    assert found.version.code == studio.version.code
    assert found.verdict is Verdict.FAILED


def test_a_psd_without_its_sidecars_is_a_stripped_file(studio: Studio, tmp_path: Path) -> None:
    below = studio.files.final
    plain = save_flat_psd(np.full((64, 96, 3), 90, np.uint8), tmp_path / "plain.psd")
    code = "c013_bg_summer_day_v002"
    marked = mark(
        mark_request(
            plain,
            tmp_path / f"{code}.psd",
            kind=ImageKind.TOUCH_UP,
            source_type=SourceType.HUMAN_EDITS,
            overall_source_type=SourceType.COMPOSITE_TRAINED,
            contributions=(PAINTED_OVER,),
            credited=(DREW, GENERATED, PAINTED_OVER),
            ingredients=(
                MarkedIngredient(path=below.path, relation=Relation.PARENT, title="c013"),
            ),
        ),
        studio.signer,
    )
    assert marked.manifest is not None
    assert marked.xmp is not None
    *earlier, last = (
        replace(record, contributions=made_by)
        for record, made_by in zip(a_chain("c013"), MADE_BY, strict=True)
    )
    own = replace(last, sha256=hashlib.sha256(marked.path.read_bytes()).hexdigest())
    with studio.database.begin() as connection:
        save_background(connection, a_background("c013", images=(*earlier, own)))

    whole = studio.examine(marked.path)
    marked.xmp.unlink()
    without_xmp = studio.examine(marked.path)
    marked.manifest.unlink()
    alone = studio.examine(marked.path)

    assert (whole.verdict, kinds(whole)) == (Verdict.OK, set())
    for found, named in ((without_xmp, f"{code}.xmp"), (alone, f"{code}.c2pa and {code}.xmp")):
        assert found.verdict is Verdict.FAILED
        (problem,) = found.problems
        assert problem.kind is ProblemKind.MARKS_STRIPPED
        assert named in problem.message


def test_a_file_is_called_by_the_version_that_it_is_and_not_by_what_stands_on_it(
    studio: Studio,
) -> None:
    final = studio.version.final
    again = replace(
        final,
        key=f"{final.key}/again",
        sha256=hashlib.sha256(b"again").hexdigest(),
        ingredients=(Ingredient(sha256=final.sha256, relation=Relation.PARENT),),
    )
    images = (*studio.version.images, again)
    with studio.database.begin() as connection:
        later = save_background(connection, a_background("c012", version=2, images=images))

    found = studio.examine(studio.files.final.path)
    below = studio.examine(studio.files.first.path)

    assert (found.version, below.version) == (studio.version, later)


def test_the_drawing_behind_a_marked_layout_is_no_stripped_file(
    studio: Studio, tmp_path: Path
) -> None:
    drawing = tmp_path / "c012_bg_v001.png"
    write_picture(read_picture(studio.files.layout.path), drawing)

    found = studio.examine(drawing)

    assert found.recognition is Recognition.PIXELS
    assert found.verdict is Verdict.OK


def test_a_change_map_is_known_by_the_touch_up_beside_it(studio: Studio, tmp_path: Path) -> None:
    final = tmp_path / studio.files.final.path.name
    final.write_bytes(studio.files.final.path.read_bytes())
    change_map = tmp_path / f"{final.stem}_change.png"
    change_map.write_bytes(studio.change_map)
    forged = tmp_path / "other_change.png"
    forged.write_bytes(studio.change_map)

    assert studio.examine(change_map).verdict is Verdict.OK
    assert studio.examine(forged).verdict is Verdict.UNRECORDED


def test_a_stranger_is_unrecorded(studio: Studio, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.png"
    Image.new("RGB", (32, 24), (200, 180, 90)).save(stranger)

    found = studio.examine(stranger)

    assert found.verdict is Verdict.UNRECORDED
    assert found.recognition is Recognition.UNKNOWN


def test_marks_by_an_unknown_signer_are_for_a_person_to_look_at(
    studio: Studio, tmp_path: Path
) -> None:
    other = MarkSigner.from_settings(signing_settings(tmp_path / "other"))
    plain = write_noise(77, tmp_path / "plain.png")
    theirs = mark(mark_request(plain, tmp_path / "theirs.png"), other)

    found = studio.examine(theirs.path, declared_free_of_ai())

    assert kinds(found) == {ProblemKind.UNTRUSTED}
    assert found.verdict is Verdict.LOOK
    assert "--trust" in found.problems[0].advice


def test_a_drawing_with_its_makers_own_marks_is_for_a_person_to_look_at(
    studio: Studio, tmp_path: Path
) -> None:
    artist = MarkSigner.from_settings(signing_settings(tmp_path / "artist"))
    plain, drawing = tmp_path / "plain.png", tmp_path / "drawing.png"
    write_picture(read_picture(studio.files.layout.path), plain)
    sign_raw(plain, drawing, artist)

    found = studio.examine(drawing)

    assert found.verdict is Verdict.LOOK
    assert kinds(found) == {ProblemKind.UNTRUSTED}
    assert found.problems[0].advice == "Use the published copy, which bears our marks."


def comfyui(path: Path) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", '{"3": {"class_type": "KSampler", "inputs": {"seed": 1}}}')
    info.add_text("workflow", '{"nodes": []}')
    Image.new("RGB", (32, 24), (90, 120, 200)).save(path, pnginfo=info)
    return path


def test_a_delivery_declared_free_of_ai_with_a_generators_traces_is_refused(
    studio: Studio, tmp_path: Path
) -> None:
    found = studio.examine(comfyui(tmp_path / "bg.png"), declared_free_of_ai())

    assert found.verdict is Verdict.UNDECLARED_AI
    (problem,) = found.problems
    assert "workflow" in problem.message or "prompt" in problem.message


def test_declared_ai_passes(studio: Studio, tmp_path: Path) -> None:
    paper = tmp_path / "declaration.toml"
    paper.write_text('by = "Studio Kawa"\n[[files]]\npattern = "*.png"\nai = "SDXL 1.0"\n')

    found = studio.examine(comfyui(tmp_path / "bg.png"), read_declaration(paper))

    assert found.declared == "SDXL 1.0"
    assert found.verdict is Verdict.OK


def test_a_file_that_the_declaration_forgets_is_not_declared(
    studio: Studio, tmp_path: Path
) -> None:
    paper = tmp_path / "declaration.toml"
    paper.write_text('by = "Studio Kawa"\n[[files]]\npattern = "s01/*"\nai = "SDXL 1.0"\n')

    found = studio.examine(comfyui(tmp_path / "bg.png"), read_declaration(paper))

    assert found.verdict is Verdict.UNDECLARED_AI


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"not a picture at all"])
def test_a_damaged_file_is_a_finding(studio: Studio, tmp_path: Path, content: bytes) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(content)

    found = studio.examine(damaged)

    assert found.verdict is Verdict.FAILED
    assert all(problem.advice for problem in found.problems)


def test_without_a_studio_nobody_is_asked(studio: Studio) -> None:
    (file,) = gather([studio.files.final.path])

    found = studio.examiner(None).examine(file)

    assert found.recognition is Recognition.NOT_ASKED
    assert found.verdict is Verdict.OK


def test_an_entry_that_was_rewritten_is_told(studio: Studio, tmp_path: Path) -> None:
    entry = studio.version.ledger[-1]
    with studio.database.connect() as connection:
        for (trigger,) in connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger'")
        ).all():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(
            ledger.update().where(ledger.c.seq == entry).values(payload='{"forged":true}')
        )
        (file,) = gather([studio.files.final.path])
        found = studio.examiner(connection).examine(file)
        connection.rollback()

    assert ProblemKind.LEDGER_DIFFERS in kinds(found)


def test_a_folder_gives_its_pictures_in_order_once(tmp_path: Path) -> None:
    for name in ("b.png", "a.TIF", "notes.txt", ".hidden.png", "sub/c.exr"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "out.png").symlink_to("/etc/hostname")

    found = [file.relative for file in gather([tmp_path, tmp_path / "b.png"])]

    assert found == ["a.TIF", "b.png", "sub/c.exr"]


def test_what_a_scan_passes_over_is_told(tmp_path: Path) -> None:
    for name in ("a.png", "a.xmp", "a.c2pa", "a.png.json", "layers.clip", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere")

    found = [Path(one).name for one in left_out([tmp_path, tmp_path / "a.png"])]

    assert found == [".hidden.png", "layers.clip", "lost.png"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="does not exist"):
        list(gather([tmp_path / "nowhere"]))


@pytest.mark.parametrize(
    "paper", ["", "by = 3", 'by = "x"\nfiles = []', 'by = "x"\n[[files]]\nai_used = true', "]["]
)
def test_a_wrong_declaration_is_one_clear_error(tmp_path: Path, paper: str) -> None:
    file = tmp_path / "declaration.toml"
    file.write_text(paper)

    with pytest.raises(DeliveryError) as caught:
        read_declaration(file)

    assert caught.value.advice


def test_a_credit_that_the_ledger_does_not_seal_so_fails(studio: Studio) -> None:
    made = contributions.c
    forged = update(contributions).where(made.role == "genzu").values(grade="declared")

    with studio.database.connect() as connection:
        connection.execute(forged)
        (file,) = gather([studio.files.final.path])
        found = studio.examiner(connection).examine(file)
        connection.rollback()

    assert found.verdict is Verdict.FAILED
    assert kinds(found) == {ProblemKind.LEDGER_DIFFERS}
    assert "who made it" in found.problems[0].message


def test_an_entry_that_is_gone_is_a_finding_and_stops_nothing(studio: Studio) -> None:
    with studio.database.connect() as connection:
        without_guards(connection)
        connection.execute(delete(ledger).where(ledger.c.seq == studio.version.ledger[-1]))
        (file,) = gather([studio.files.final.path])
        found = studio.examiner(connection).examine(file)
        connection.rollback()

    assert ProblemKind.LEDGER_DIFFERS in kinds(found)
