"""A name that was erased or withheld stands in no file that is made after that."""

from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.credits import BackgroundVersion, Person, people
from haikei.database import jobs, utc_now
from haikei.jobs import TouchUpOrder, add_job, job_row, order_of
from haikei.jobs.publishing import review_pictures
from haikei.jobs.touchup import take_in
from haikei.presets import PAINTER_ABILITIES
from haikei.provenance import MarksState, read_marks
from haikei.review.notes import KeptNote, NoteState
from haikei.review.retakes import ordered
from support.jobs import JobStudio, file_of, make_background, paint, version_of
from support.trackers import AOI

SAKURA = Person(id="HumanUser:21", name="Sakura Ito", name_ja="伊藤さくら")
RIKU = Person(id="HumanUser:22", name="Riku Mori", name_ja="森陸")


@pytest.fixture
def studio(tmp_path: Path) -> Generator[JobStudio]:
    one = JobStudio(tmp_path)
    make_background(one)
    yield one
    one.tools.close()
    one.database.dispose()


def touch_up(studio: JobStudio, of: BackgroundVersion, by: Person, name: str, at: int) -> Path:
    order = TouchUpOrder(file=paint(studio, of, name, at=at), of=of.code, artists=(by,))
    return take_in(order, studio.tools).path


def files(studio: JobStudio) -> set[Path]:
    root = studio.settings.storage.roots[0].path
    return {path for path in root.rglob("*") if path.is_file()}


def naming(paths: set[Path], person: Person) -> list[str]:
    words = [person.name.encode(), person.name_ja.encode()]
    return sorted(
        path.name for path in paths if any(word and word in path.read_bytes() for word in words)
    )


def retake(studio: JobStudio) -> None:
    """Ask for another background of the same layout, and let the job make it."""
    note = KeptNote(
        id="Note:1",
        version=1,
        author=RIKU.id,
        text="less green",
        state=NoteState.WAITING,
        job="",
        written_at=utc_now(),
        seen_at=utc_now(),
    )
    code = version_of(studio, 1).code
    with studio.database.begin() as connection:
        query = select(jobs.c.order_json).where(jobs.c.key == studio.key)
        before = order_of(connection.execute(query).scalar_one())
        order = ordered(before, code, [note], {RIKU.id: RIKU}, PAINTER_ABILITIES)
        add_job(connection, job_row(order, utc_now()))
    studio.work()


@pytest.mark.parametrize("way", ["erase", "opt_out"])
def test_a_touch_up_on_the_work_of_one_who_withdrew_their_name_does_not_hold_it(
    studio: JobStudio, way: str
) -> None:
    before = version_of(studio, 1)
    touch_up(studio, before, SAKURA, "first.png", 20)
    assert naming(files(studio), SAKURA)
    with studio.database.begin() as connection:
        getattr(people, way)(connection, SAKURA.id, "letter of 2026-11-21")
    known = files(studio)

    made = touch_up(studio, version_of(studio, 2), RIKU, "second.png", 90)

    assert naming(files(studio) - known, SAKURA) == []
    marks = read_marks(made, trust_pem=studio.tools.marks().trust_pem)
    assert marks.state is MarksState.TRUSTED, marks.failures
    assert [step.title for step in marks.steps] == [made.stem]
    assert marks.steps[-1].plain_ingredients == (version_of(studio, 2).code,)
    assert b"left out: it names a person whose name was withdrawn" in made.read_bytes()
    record = version_of(studio, 3).final
    assert record.ingredients[0].sha256 == version_of(studio, 2).final.sha256


def test_the_next_background_of_a_layout_does_not_name_an_artist_who_was_erased(
    studio: JobStudio,
) -> None:
    assert naming({file_of(studio, version_of(studio, 1))}, AOI)
    with studio.database.begin() as connection:
        people.erase(connection, AOI.id, "letter of 2026-11-21")
    known = files(studio)

    retake(studio)

    made = version_of(studio, 2)
    assert naming(files(studio) - known, AOI) == []
    marks = read_marks(file_of(studio, made), trust_pem=studio.tools.marks().trust_pem)
    assert marks.state is MarksState.TRUSTED, marks.failures
    assert len(marks.steps) == len(made.images)
    assert made.images[0].key != version_of(studio, 1).images[0].key
    assert made.images[0].pixels_sha256 == version_of(studio, 1).images[0].pixels_sha256


def test_a_name_that_nobody_withdrew_keeps_the_whole_chain(studio: JobStudio) -> None:
    touch_up(studio, version_of(studio, 1), SAKURA, "first.png", 20)

    made = touch_up(studio, version_of(studio, 2), RIKU, "second.png", 90)

    marks = read_marks(made, trust_pem=studio.tools.marks().trust_pem)
    assert len(marks.steps) == len(version_of(studio, 3).images)
    assert naming({made}, SAKURA) == [made.name]


def decide(studio: JobStudio, way: str, person: Person) -> None:
    with studio.database.begin() as connection:
        match way:
            case "rename":
                people.rename(connection, person.id, name="Kaoru Abe", name_ja="阿部薫")
            case "opt_out":
                people.opt_out(connection, person.id, "letter of 2026-11-21")
            case _:
                people.erase(connection, person.id, "letter of 2026-11-21")


def when_shown(
    patch: pytest.MonkeyPatch, module: str, studio: JobStudio, way: str, person: Person
) -> None:
    """Let somebody decide about their name after files and record, and before the tracker."""

    def review_pictures_late(*given: object, **named: object) -> object:
        decide(studio, way, person)
        return review_pictures(*given, **named)  # type: ignore[arg-type]

    patch.setattr(f"haikei.jobs.{module}.review_pictures", review_pictures_late)


def told_the_tracker(studio: JobStudio) -> str:
    *_, request = studio.tracker.published.values()
    return f"{request.description}\n{request.credit_en}\n{request.credit_ja}\n{request.roles}"


@pytest.mark.parametrize("way", ["opt_out", "erase", "rename"])
def test_what_was_decided_about_a_name_in_the_middle_of_a_job_holds_in_the_tracker(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    assert AOI.name in told_the_tracker(studio)
    when_shown(monkeypatch, "background.integrate", studio, way, AOI)

    retake(studio)

    told = told_the_tracker(studio)
    assert AOI.name not in told
    assert AOI.name_ja not in told
    assert ("Kaoru Abe" if way == "rename" else "withheld") in told


@pytest.mark.parametrize("way", ["opt_out", "erase", "rename"])
def test_it_holds_where_a_touch_up_is_shown_too(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    when_shown(monkeypatch, "touchup.publish", studio, way, SAKURA)

    touch_up(studio, version_of(studio, 1), SAKURA, "first.png", 20)

    told = told_the_tracker(studio)
    assert SAKURA.name not in told
    assert SAKURA.name_ja not in told
    assert AOI.name in told
