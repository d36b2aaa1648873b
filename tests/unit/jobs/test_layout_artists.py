"""A layout that several may have drawn: nobody is named until people have answered who did."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.credits import BackgroundVersion, Person, people, records
from haikei.database import jobs, utc_now
from haikei.errors import CreditError
from haikei.events import Source
from haikei.jobs import JobState, add_job, job_row, order_of
from haikei.provenance import read_marks
from haikei.review import Reviewer, wake
from support.jobs import JobStudio, OpenJobStudio, announce, job_studios, put_layout
from support.trackers import AOI

KEN = Person(id="HumanUser:31", name="Ken Abe", name_ja="阿部健")
REI = Person(id="HumanUser:32", name="Rei Oda", name_ja="小田玲")


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    return asking(open_studio())


def asking(studio: JobStudio) -> JobStudio:
    for person, login in ((AOI, "aoi"), (KEN, "ken"), (REI, "rei")):
        studio.tracker.add_person(person, login)
    studio.tracker.artists, studio.tracker.candidates = (), (AOI, KEN)
    return studio


def version_of(studio: JobStudio) -> BackgroundVersion:
    with studio.database.begin() as connection:
        found = records.background(connection, studio.key)
    assert found is not None
    return found


def stated(studio: JobStudio) -> tuple[str, str, str]:
    shown = studio.tracker.credits.stated["Version", 1]
    return shown.credit_en, shown.credit_ja, shown.roles


def reply(studio: JobStudio, text: str, by: Person | None = REI) -> None:
    (question,) = [one for one in studio.tracker.review.versions[1].notes if one.reply_to is None]
    studio.tracker.review.note(1, text, by, reply_to=question.id)
    with studio.database.begin() as connection:
        wake(connection, [1], source=Source.EVENT_LOG)
    reviewer(studio).tick()


def reviewer(studio: JobStudio) -> Reviewer:
    return Reviewer(
        studio.settings,
        studio.database,
        open_tracker=lambda _: studio.tracker,
        clock=lambda: utc_now() + timedelta(seconds=1),
    )


def answers(studio: JobStudio) -> list[str]:
    return [one.text for one in studio.tracker.review.answers.values()]


def test_nobody_is_credited_while_it_is_open_and_people_are_asked_once(
    studio: JobStudio,
) -> None:
    studio.publish()

    en, ja, roles = stated(studio)
    assert "Layout (not yet named)" in en
    assert "原図 （未確定）" in ja
    assert "genzu: (not yet named)" in roles.splitlines()
    for person in (AOI, KEN):
        assert person.name not in en + ja + roles
        assert person.id not in roles
    (question,) = studio.tracker.review.addressed.values()
    assert "Who drew the layout?" in question.subject
    assert "Aoi Sato (HumanUser:7)" in question.text
    assert "Ken Abe (HumanUser:31)" in question.text
    marks = read_marks(studio.files[0], trust_pem=studio.tools.marks().trust_pem)
    assert marks.xmp is not None
    assert (marks.xmp.creators, marks.xmp.contributors) == ((), ())
    assert not [person for step in marks.steps for person in step.people]


@pytest.mark.parametrize("text", ["Ken Abe", "阿部健", "HumanUser:31", " ken abe \n"])
def test_a_reply_names_the_artist_everywhere_and_is_no_retake(studio: JobStudio, text: str) -> None:
    studio.publish()

    reply(studio, text)

    en, ja, roles = stated(studio)
    assert "Layout Ken Abe" in en
    assert "原図 阿部健" in ja
    assert "genzu: Ken Abe (HumanUser:31)" in roles.splitlines()
    assert "not yet named" not in en + roles
    version = version_of(studio)
    for image in (version.images[0], version.final):
        assert [one.id for one in image.people] == [KEN.id]
    drawn = version.images[0].contributions[0]
    assert (drawn.grade.value, "by HumanUser:32" in drawn.evidence.source) == ("declared", True)
    assert version.final.contributions[-1].evidence.recall is not None
    assert len(studio.store.list()) == 1
    assert any("Ken Abe is recorded" in one for one in answers(studio))


def test_a_reassignment_in_the_tracker_answers_on_the_next_pass_of_the_review(
    studio: JobStudio,
) -> None:
    studio.publish()
    pass_ = reviewer(studio)
    pass_.check()
    assert pass_.take_assignments() == 0

    studio.tracker.artists, studio.tracker.candidates = (KEN,), ()
    assert pass_.take_assignments() == 1
    assert pass_.take_assignments() == 0

    assert "Layout Ken Abe" in stated(studio)[0]
    assert [one.id for one in version_of(studio).images[0].people] == [KEN.id]
    assert studio.tracker.credits.users == {1: KEN.id}


def test_a_reassignment_in_the_tracker_answers_when_credits_are_recomputed(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.publish()
    recompute = ("recompute", "--project", "PORT")
    listed = json.loads(call(studio, monkeypatch, "people", "--json").output)["people"]
    assert {one["id"] for one in listed} == {AOI.id, KEN.id}
    assert "the tracker names" not in call(studio, monkeypatch, *recompute).output

    studio.tracker.artists, studio.tracker.candidates = (KEN,), ()
    dry = call(studio, monkeypatch, *recompute, "--dry-run")
    assert "the tracker names Ken Abe" in dry.output
    assert "not yet named" in stated(studio)[0]
    elsewhere = call(studio, monkeypatch, *recompute, "--shot", "c002")
    assert "the tracker names" not in elsewhere.output
    done = call(studio, monkeypatch, *recompute)

    assert done.exit_code == 0, (done.output, done.exception)
    assert "the tracker names Ken Abe 阿部健 (HumanUser:31" in done.output
    assert "Layout Ken Abe" in stated(studio)[0]
    assert studio.tracker.credits.users == {1: KEN.id}


def test_a_machine_or_a_second_choice_of_several_in_the_tracker_is_no_answer(
    studio: JobStudio,
) -> None:
    studio.publish()
    pass_ = reviewer(studio)
    pass_.check()

    for artists in ((Person(id="HumanUser:40", name="Midjourney v7"),), (), (AOI, KEN)):
        studio.tracker.artists, studio.tracker.candidates = artists, ()
        assert pass_.take_assignments() == 0

    assert "Layout (not yet named)" in stated(studio)[0]


def test_a_reply_that_names_nobody_known_is_answered_and_changes_nothing(
    studio: JobStudio,
) -> None:
    studio.publish()

    reply(studio, "the new one, I think")

    assert "Layout (not yet named)" in stated(studio)[0]
    assert any("names nobody in the register" in one for one in answers(studio))


def test_a_second_name_does_not_join_the_first(studio: JobStudio) -> None:
    studio.publish()
    reply(studio, "Ken Abe")

    reply(studio, "Aoi Sato", by=KEN)

    assert [one.id for one in version_of(studio).images[0].people] == [KEN.id]
    assert any("declare a correction" in one for one in answers(studio))


def test_what_is_made_of_the_layout_later_names_who_was_answered(studio: JobStudio) -> None:
    studio.publish()
    reply(studio, "Ken Abe")
    with studio.database.begin() as connection:
        found = connection.execute(select(jobs.c.order_json)).scalar_one()
        again = replace(order_of(found), key="another", season="winter")
        add_job(connection, job_row(again, utc_now()))

    studio.work()

    request = studio.tracker.published["another"]
    assert "Layout Ken Abe" in request.credit_en
    assert len(studio.tracker.review.addressed) == 1


def test_a_layout_is_refused_when_one_of_those_who_may_have_drawn_it_said_no(
    open_studio: OpenJobStudio,
) -> None:
    studio = asking(
        open_studio(people=[{"name": "Ken Abe", "id": "HumanUser:31", "consent": False}])
    )

    studio.publish()

    job = studio.store.get(studio.key)
    assert job.state is JobState.DEAD
    assert "Ken Abe does not consent" in job.error


def test_somebody_who_is_not_yet_named_is_not_renamed(studio: JobStudio) -> None:
    studio.publish()
    (nobody,) = version_of(studio).images[0].people

    with (
        pytest.raises(CreditError, match="not yet named"),
        studio.database.begin() as connection,
    ):
        people.rename(connection, nobody.id, name="Somebody")


def test_a_single_artist_is_asked_about_by_nobody(studio: JobStudio) -> None:
    studio.tracker.artists, studio.tracker.candidates = (AOI,), ()
    announce(studio.database, put_layout(studio.settings))
    studio.work()

    assert not studio.tracker.review.addressed
    assert "Layout Aoi Sato" in stated(studio)[0]


def call(studio: JobStudio, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    folder = studio.settings.studio.state.parent
    (folder / "haikei.toml").write_text(
        '[studio]\nname = "Test Studio"\nstate = "state"\n'
        '[[storage.roots]]\nname = "primary"\npath = "root"\n'
        '[tracker]\nkind = "memory"\n[ledger]\ntracker_field = false\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(folder)
    monkeypatch.setattr("haikei.trackers.load_tracker", studio.open_tracker)
    return CliRunner().invoke(app, ["credits", *arguments])


def test_a_command_names_the_artist_and_recomputes_once(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.publish()
    code = version_of(studio).code
    shown = call(studio, monkeypatch, "show", code)
    name = ("name-layout", code, "Ken Abe", "--by", "HumanUser:7")

    done = call(studio, monkeypatch, *name)
    again = call(studio, monkeypatch, *name)
    stranger = call(studio, monkeypatch, "name-layout", code, "Who Ever", "--by", "HumanUser:7")

    assert "(not yet named)" in shown.output
    assert done.exit_code == 0, done.output
    assert "Ken Abe 阿部健 (HumanUser:31) is named" in done.output
    assert "Layout Ken Abe" in stated(studio)[0]
    assert again.exit_code == stranger.exit_code == 1
    assert "Nobody is asked who drew the layout" in str(again.exception)


@pytest.mark.parametrize("is_answered", [False, True])
def test_ledger_files_and_bundle_are_whole_with_and_without_an_answer(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch, is_answered: bool
) -> None:
    studio.publish()
    if is_answered:
        reply(studio, "Ken Abe")
    call(studio, monkeypatch, "people")

    export = ("--project", "PORT", "--out", "bundle.zip", "--files")
    for line in (
        ("ledger", "verify"),
        ("verify", *map(str, (path for path in studio.files if path.suffix != ".json"))),
        ("ledger", "export", *export),
    ):
        done = CliRunner().invoke(app, [*line])
        assert done.exit_code == 0, (*line[:1], done.output)
    key = CliRunner().invoke(app, ["ledger", "key"]).stdout
    with zipfile.ZipFile("bundle.zip") as archive:
        archive.extract("verify_bundle.py")
    audited = subprocess.run(
        [sys.executable, "-I", "-S", "verify_bundle.py", "bundle.zip", key],
        capture_output=True,
        text=True,
        check=False,
    )
    assert audited.returncode == 0, audited.stdout
