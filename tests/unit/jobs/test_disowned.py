"""Somebody says that a credit is not theirs, and the production agrees: nobody is named for it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.credits import Person, people
from haikei.credits.records import confirmations
from haikei.database import jobs, utc_now
from haikei.jobs import TouchUpOrder, add_job, job_row, order_of
from haikei.jobs.touchup import take_in
from haikei.provenance import MarksState, read_marks
from support.jobs import (
    RIKU,
    SAKURA,
    JobStudio,
    file_of,
    job_studios,
    make_background,
    paint,
    version_of,
)
from support.trackers import AOI


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        studio = job_studios(stack, tmp_path)()
        tracker = make_background(studio)
        for person, login in ((AOI, "aoi"), (SAKURA, "sakura"), (RIKU, "riku")):
            tracker.add_person(person, login)
        (tmp_path / "haikei.toml").write_text(
            '[studio]\nname = "Test Studio"\nstate = "state"\n'
            '[[storage.roots]]\nname = "primary"\npath = "root"\n'
            '[tracker]\nkind = "memory"\n[ledger]\ntracker_field = false\n',
            encoding="utf-8",
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("haikei.trackers.load_tracker", studio.open_tracker)
        yield studio


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def deny(studio: JobStudio, person: Person, role: str) -> Result:
    """Let a person say that their work in a role is not theirs, and the production agree."""
    now = utc_now()
    with studio.database.begin() as connection:
        people.note(connection, RIKU)
        asked = people.ask(
            connection,
            person=person.id,
            project="PORT",
            way="print",
            at=now,
            until=now + timedelta(days=9),
        )
        works = confirmations.works_of(connection, "PORT", person.id)
        denied = next(one for one in works if one.role.value == role)
        given = confirmations.CreditAnswer(not_me=frozenset({denied.name}))
        confirmations.answer(connection, asked, works, given, now)
        (said,) = confirmations.open_corrections(connection, "PORT")
    done = call(
        "credits", "resolve-correction", str(said.entry), "--project", "PORT", "--accept",
        "--by", RIKU.id, "--reason", "The schedule says so.",
    )  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    return call("credits", "recompute", "--project", "PORT")


def stated(studio: JobStudio, row: int = 1) -> tuple[str, str]:
    shown = studio.tracker.credits.stated["Version", row]
    return shown.credit_en, shown.roles


def test_a_layout_that_its_only_artist_denies_is_not_yet_named_anywhere(studio: JobStudio) -> None:
    assert "Layout Aoi Sato" in stated(studio)[0]

    done = deny(studio, AOI, "genzu")

    assert done.exit_code == 0, (done.output, done.exception)
    line, roles = stated(studio)
    assert "Layout (not yet named)" in line
    assert "genzu: (not yet named)" in roles.splitlines()
    assert AOI.name not in line + roles
    roll = call("report", "credits-roll", "--project", "PORT", "--format", "txt")
    assert roll.exit_code == 1
    assert "genzu not yet named, as who was named says no" in str(roll.exception)
    assert call("ledger", "verify").exit_code == 0
    shown = call("verify", str(file_of(studio, version_of(studio, 1))))
    assert shown.exit_code == 0, shown.output


def test_later_pictures_of_the_layout_do_not_name_them_whatever_the_tracker_says(
    studio: JobStudio,
) -> None:
    deny(studio, AOI, "genzu")
    with studio.database.begin() as connection:
        order = order_of(connection.execute(select(jobs.c.order_json)).scalar_one())
        add_job(connection, job_row(replace(order, key="another"), utc_now()))

    studio.work()

    later = file_of(studio, version_of(studio, 2))
    marks = read_marks(later, trust_pem=studio.tools.marks().trust_pem)
    assert marks.state is MarksState.TRUSTED
    for form in (AOI.name, AOI.name_ja, AOI.id):
        assert form.encode() not in later.read_bytes()
    assert "Layout (not yet named)" in stated(studio, 2)[0]
    assert call("verify", str(later)).exit_code == 0


def test_it_is_declared_since_who_drew_it(studio: JobStudio) -> None:
    deny(studio, AOI, "genzu")
    with studio.database.begin() as connection:
        order = order_of(connection.execute(select(jobs.c.order_json)).scalar_one())

    done = call(
        "credits", "declare", "drawn_by", "--project", "PORT", "--sequence", "s01",
        "--shot", "c001", "--image", order.layout_sha256, "--artist", SAKURA.id,
        "--by", RIKU.id, "--text", "Seen it.",
    )  # fmt: skip

    assert done.exit_code == 0, (done.output, done.exception)
    call("credits", "recompute", "--project", "PORT")
    line, roles = stated(studio)
    assert "Layout Sakura Ito" in line
    assert "not yet named" not in line + roles
    assert AOI.name not in line + roles


def test_a_touch_up_that_its_painter_denies_is_credited_to_whoever_hands_it_in_again(
    studio: JobStudio,
) -> None:
    version = version_of(studio, 1)
    order = TouchUpOrder(
        file=paint(studio, version, "mine.png"), of=version.code, artists=(SAKURA,)
    )
    take_in(order, studio.tools)
    deny(studio, SAKURA, "touch_up")
    row = version_of(studio, 2).tracker_id or 0
    assert "Touch-up (not yet named)" in stated(studio, row)[0]
    assert "Layout Aoi Sato" in stated(studio, row)[0]

    with pytest.raises(Exception, match="and not by Sakura Ito"):
        take_in(order, studio.tools)
    take_in(replace(order, reason="It was me after all."), studio.tools)

    assert "Touch-up Sakura Ito" in stated(studio, row)[0]
    assert call("ledger", "verify").exit_code == 0
