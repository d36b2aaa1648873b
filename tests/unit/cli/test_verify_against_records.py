"""`haikei verify` holds what marks say against the sealed record, and knows its own pixels."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, Update, insert, select, update
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.credits import (
    Contribution,
    Evidence,
    Grade,
    ImageKind,
    Person,
    Role,
    SourceType,
    people,
    records,
)
from haikei.credits.records import CreditAnswer
from haikei.credits.records.record_sealing import system_id
from haikei.database import contributions, image_records, ledger, open_database, statements, systems
from haikei.database import people as register
from haikei.images import read_picture, write_picture
from haikei.provenance import MarkSigner, mark
from support.records import a_background, a_chain, rewrite, save_background
from support.signing import (
    AT,
    DREW,
    MADE_BY,
    MODEL,
    SATO,
    TANAKA,
    four_steps,
    mark_request,
    sign_raw,
    signing_settings,
)

SETTINGS = """
[studio]
name = "Studio Kirin"
state = "state"
[[storage.roots]]
name = "primary"
path = "projects"
"""
NAMES = ("c012_layout.png", "c012_gen1.exr", "c012_gen2.exr", "c012_final.png")
THEIR_NAME = "Haikei development, untrusted, Test Studio (untrusted)"
MORI = Person(id="HumanUser:99", name="Kenji Mori", name_ja="森健二")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A studio that published and recorded the four steps of one background."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    files = four_steps(
        folder / "projects", MarkSigner.from_settings(signing_settings(folder)), stages="exr"
    )
    images = tuple(
        replace(
            record,
            sha256=hashlib.sha256(marked.path.read_bytes()).hexdigest(),
            pixels_sha256=read_picture(marked.path).sha256(),
            path=marked.path.name,
            contributions=made_by,
            ingredients=(),
        )
        for record, marked, made_by in zip(
            a_chain("c012"),
            (files.layout, files.first, files.second, files.final),
            MADE_BY,
            strict=True,
        )
    )
    database = open_database(f"sqlite:///{folder / 'state/haikei.db'}")
    with database.begin() as connection:
        save_background(connection, a_background("c012", images=images))
    database.dispose()
    return folder


@pytest.fixture(autouse=True)
def studio(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that studio, which a test may change."""
    folder = tmp_path / "studio"
    shutil.copytree(published, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def database(studio: Path) -> Iterator[Engine]:
    database = open_database(f"sqlite:///{studio / 'state/haikei.db'}")
    yield database
    database.dispose()


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def rewrite_image(
    connection: Connection, kind: ImageKind, change: Callable[[dict[str, object]], None]
) -> int:
    """Rewrite an image's entry, with every hash that follows from it; return its number."""
    for seq, payload in connection.execute(select(ledger.c.seq, ledger.c.payload)).all():
        record = json.loads(payload)
        if record.get("kind") == kind.value and record["type"] == "image":
            change(record)
            rewrite(
                connection,
                seq,
                json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
            )
            return int(seq)
    raise AssertionError(kind)


def give_the_touch_up_to_somebody_else(connection: Connection) -> None:
    commitment = people.note(connection, MORI)

    def change(record: dict[str, object]) -> None:
        made_by = record["contributions"]
        assert isinstance(made_by, list)
        made_by[0]["actor"] = {"id": MORI.id, "commitment": commitment}

    seq = rewrite_image(connection, ImageKind.TOUCH_UP, change)
    mine = contributions.c.image_seq == seq
    connection.execute(update(contributions).where(mine).values(actor=MORI.id))


def give_the_layout_to_somebody_else(connection: Connection) -> None:
    commitment = people.note(connection, MORI)

    def change(record: dict[str, object]) -> None:
        made_by = record["contributions"]
        assert isinstance(made_by, list)
        made_by[0]["actor"] = {"id": MORI.id, "commitment": commitment}

    seq = rewrite_image(connection, ImageKind.LAYOUT, change)
    mine = contributions.c.image_seq == seq
    connection.execute(update(contributions).where(mine).values(actor=MORI.id))


def call_the_generation_drawn_by_hand(connection: Connection) -> None:
    def change(record: dict[str, object]) -> None:
        record["source_type"] = SourceType.DIGITAL_CREATION.value

    seq = rewrite_image(connection, ImageKind.BACKGROUND, change)
    mine = image_records.c.ledger_seq == seq
    connection.execute(
        update(image_records).where(mine).values(source_type=SourceType.DIGITAL_CREATION.value)
    )


def name_another_model(connection: Connection) -> None:
    other = replace(MODEL, name="Haikei own model")

    def change(record: dict[str, object]) -> None:
        made_by = record["contributions"]
        assert isinstance(made_by, list)
        made_by[0]["actor"]["name"] = other.name

    seq = rewrite_image(connection, ImageKind.BACKGROUND, change)
    row = {**connection.execute(select(systems)).mappings().one()}
    connection.execute(insert(systems), {**row, "id": system_id(other), "name": other.name})
    mine = contributions.c.image_seq == seq
    connection.execute(update(contributions).where(mine).values(actor=system_id(other)))


def test_every_published_file_says_what_its_record_says(studio: Path) -> None:
    result = call("verify", *(f"projects/{name}" for name in NAMES))

    assert result.exit_code == 0, result.output
    assert "4 files: 4 ok" in result.output


@pytest.mark.parametrize(
    ("change", "file", "words"),
    [
        (
            give_the_touch_up_to_somebody_else,
            "c012_final.png",
            f"name {SATO.name} ({SATO.id}) for touch_up, and its records know of nothing by them",
        ),
        (give_the_touch_up_to_somebody_else, "c012_final.png", "do not name Kenji Mori"),
        (give_the_layout_to_somebody_else, "c012_gen1.exr", f"name {TANAKA.name} ({TANAKA.id})"),
        (
            call_the_generation_drawn_by_hand,
            "c012_gen2.exr",
            "came to be by trainedAlgorithmicMedia, and its record by digitalCreation",
        ),
        (name_another_model, "c012_gen2.exr", "say that SDXL 1.0 made it, and its record says"),
    ],
)
def test_a_full_rewrite_differs_from_what_the_files_say(
    database: Engine, change: Callable[[Connection], None], file: str, words: str
) -> None:
    """The ledger alone cannot tell: every hash was computed anew, and no checkpoint is left."""
    with database.begin() as connection:
        change(connection)
    assert call("ledger", "verify").exit_code == 0

    result = call("verify", f"projects/{file}")

    assert result.exit_code == 1
    assert "marks_differ" in result.output
    assert words in result.output.replace("\n", " ")


def test_names_that_changed_since_and_work_that_came_later_are_no_difference(
    database: Engine,
) -> None:
    with database.begin() as connection:
        people.rename(connection, TANAKA.id, name="Yuki Abe", name_ja="阿部ゆき")
        people.erase(connection, SATO.id, "letter of 2026-11-21")

    result = call("verify", *(f"projects/{name}" for name in NAMES))

    assert result.exit_code == 0, result.output


@pytest.fixture
def stranger(tmp_path: Path) -> MarkSigner:
    return MarkSigner.from_settings(signing_settings(tmp_path / "stranger"))


def signed_over_bare_pixels(folder: Path, stranger: MarkSigner) -> Path:
    """Our marks are taken out, and somebody else's put in."""
    bare, target = folder / "bare.png", folder / "theirs.png"
    write_picture(read_picture(folder / "projects/c012_final.png"), bare)
    sign_raw(bare, target, stranger)
    return target


def signed_on_top_of_ours(folder: Path, stranger: MarkSigner) -> Path:
    """Our marks stay below somebody else's, who says that they opened our file."""
    ours, target = folder / "projects/c012_final.png", folder / "theirs.png"
    sign_raw(ours, target, stranger, ingredient=ours)
    return target


def signed_by_another_installation(folder: Path, stranger: MarkSigner) -> Path:
    """Somebody else runs Haikei too, and names themselves."""
    bare, target = folder / "bare.png", folder / "theirs.png"
    write_picture(read_picture(folder / "projects/c012_final.png"), bare)
    thief = replace(DREW, actor=Person(id="HumanUser:1", name="Some Body"))
    mark(mark_request(bare, target, contributions=(thief,), credited=(thief,)), stranger)
    return target


@pytest.mark.parametrize(
    "steal", [signed_over_bare_pixels, signed_on_top_of_ours, signed_by_another_installation]
)
@pytest.mark.parametrize("trusted", [False, True])
def test_our_pixels_under_somebody_elses_signature_are_an_alarm_that_names_both(
    studio: Path,
    stranger: MarkSigner,
    steal: Callable[[Path, MarkSigner], Path],
    trusted: bool,
) -> None:
    file = steal(studio, stranger)
    root = studio / "stranger.pem"
    root.write_text(stranger.trust_pem, encoding="ascii")

    result = call("verify", file, *(("--trust", root) if trusted else ()))

    said = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "resigned: theirs.png shows the pixels of c012_bg_summer_day_v001" in said
    assert "which Studio Kirin published on" in said
    assert f"under the signature of {THEIR_NAME}" in said
    assert "trust_file" not in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            update(register).where(register.c.id == SATO.id).values(opt_out="letter"),
            "withheld from credits, and nothing sealed says that they asked for it",
        ),
        (
            update(register).where(register.c.id == TANAKA.id).values(opt_out=""),
            f"{TANAKA.id} is named, though entry 4 seals that they asked not to be",
        ),
        (
            update(register)
            .where(register.c.id == SATO.id)
            .values(name="", name_ja="", erased_at=AT),
            "was erased, and nothing sealed says so",
        ),
    ],
)
def test_a_name_that_is_taken_away_or_given_back_in_the_database_alone_is_found(
    database: Engine, change: Update, words: str
) -> None:
    with database.begin() as connection:
        people.opt_out(connection, TANAKA.id, "letter of 2026-11-20")
    honest = call("verify", "projects/c012_final.png")
    assert honest.exit_code == call("ledger", "verify").exit_code == 0, honest.output

    with database.begin() as connection:
        connection.execute(change)

    for result in (call("ledger", "verify"), call("verify", "projects/c012_final.png")):
        assert result.exit_code == 1
        assert words in " ".join(result.output.split())


def answer(database: Engine, *, mine: bool) -> None:
    """Let the touch-up's artist answer, and the production agree with them."""
    with database.begin() as connection:
        asked = people.ask(
            connection,
            person=SATO.id,
            project="akane",
            way="print",
            at=AT,
            until=AT + timedelta(days=1),
        )
        works = records.works_of(connection, "akane", SATO.id)
        denied = frozenset[str]() if mine else frozenset(work.name for work in works)
        assert records.answer(connection, asked, works, CreditAnswer(not_me=denied), AT)
        for one in records.open_corrections(connection, "akane"):
            records.decide_correction(
                connection, one, accept=True, by=TANAKA, reason="It is so.", at=AT
            )


def test_a_confirmed_credit_is_shown_with_its_grade(database: Engine) -> None:
    answer(database, mine=True)
    result = call("verify", f"projects/{NAMES[-1]}")
    assert result.exit_code == 0, result.output
    assert "touch_up A. Sato: confirmed" in result.output
    assert "genzu Yuki Tanaka: logged" in result.output
    told = json.loads(call("verify", f"projects/{NAMES[-1]}", "--json").output)
    known = told["files"][0]["contributions"]
    assert {"role": "touch_up", "person": "A. Sato", "grade": "confirmed"} in known


def test_a_credit_that_was_withdrawn_leaves_files_from_before_whole(database: Engine) -> None:
    answer(database, mine=False)
    result = call("verify", f"projects/{NAMES[-1]}")
    assert "its records know of" not in result.output
    assert "touch_up A. Sato" not in result.output
    assert (
        "record"
        not in json.loads(call("verify", f"projects/{NAMES[-1]}", "--json").output)["files"][0][
            "problems"
        ]
    ), result.output


def test_an_answer_that_was_put_into_the_database_alone_is_found(database: Engine) -> None:
    answer(database, mine=True)
    with database.begin() as connection:
        connection.execute(
            update(statements).where(statements.c.kind == "confirmation").values(answer="no")
        )
    result = call("verify", f"projects/{NAMES[-1]}")
    assert call("ledger", "verify").exit_code == 1
    assert "what is kept differs in answer" in call("ledger", "verify").output
    assert result.exit_code == 1
    assert "what is kept differs in answer" in result.output


def test_a_confirmation_that_nobody_sealed_is_found(database: Engine) -> None:
    with database.begin() as connection:
        (work,) = records.works_of(connection, "akane", SATO.id)
        connection.execute(
            insert(statements),
            {
                "key": "confirmation/forged/0",
                "kind": "confirmation",
                "project": "akane",
                "image_sha256": work.image.sha256,
                "by": SATO.id,
                "subject": "touch_up",
                "answer": "yes",
                "text": "This is my work.",
                "ledger_seq": 99,
                "at": AT,
            },
        )
    result = call("verify", f"projects/{NAMES[-1]}")
    assert result.exit_code == 1, result.output
    assert "Entry 99 does not seal what is kept" in result.output


@pytest.mark.parametrize("withheld", [False, True])
def test_who_was_recorded_after_a_file_was_marked_is_told_and_is_no_alarm(
    database: Engine, *, withheld: bool
) -> None:
    with database.begin() as connection:
        found = connection.execute(
            select(image_records.c.key).where(image_records.c.kind == ImageKind.TOUCH_UP.value)
        ).scalar_one()
        evidence = Evidence(source="named by whoever handed it in", note="reason as declared: sky")
        records.contribute(
            connection,
            found,
            Contribution(
                role=Role.TOUCH_UP, actor=MORI, grade=Grade.DECLARED, evidence=evidence, at=AT
            ),
        )
        if withheld:
            people.opt_out(connection, MORI.id, "a letter")

    result = call("verify", "projects/c012_final.png", "--json")
    said = call("verify", "projects/c012_final.png").output

    assert result.exit_code == 0
    (file,) = json.loads(result.output)["files"]
    assert file["verdict"] == "ok"
    assert file["later"] == [{"role": "touch_up", "actor": MORI.id, "grade": "declared"}]
    assert ("Kenji Mori, recorded on" in said) is not withheld
    assert f"recorded on {AT:%Y-%m-%d}, declared: after the file was marked" in said


def test_a_file_that_names_everybody_says_nothing_of_later() -> None:
    assert "later" not in call("verify", "projects/c012_final.png").output
