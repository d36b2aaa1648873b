"""A name that was erased is in no byte of the studio's databases, whatever is still to be done."""

import base64
import binascii
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update
from typer.testing import CliRunner

from haikei.cli import app
from haikei.credits import Person, records
from haikei.database import (
    events,
    jobs,
    notices,
    review_answers,
    review_notes,
    review_wakes,
    utc_now,
)
from haikei.jobs import JobState, add_job, job_row, order_of, receive, touch_up_row
from haikei.jobs.background import BackgroundHandlers
from haikei.jobs.background.tasks import STEPS_QUEUE
from haikei.jobs.engine import Dispatcher, Durable, Gate, QueueSettings, Task
from haikei.jobs.engine.dbos import DbosEngine
from haikei.jobs.lanes import GENERATE_QUEUE
from haikei.review.notes import KeptNote, NoteState
from haikei.review.retakes import ordered
from support.clocks import PATIENCE, eventually
from support.jobs import JobStudio, announce, job_studios, put_layout, touch_up_event
from support.trackers import AOI

SETTINGS = """
[studio]
state = "state"
[storage]
[[storage.roots]]
name = "primary"
path = "projects"
"""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        made = job_studios(stack, tmp_path)()
        text = SETTINGS.replace('"state"', f'"{made.settings.studio.state}"')
        (tmp_path / "haikei.toml").write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        yield made


def url(studio: JobStudio) -> str:
    return studio.settings.database_url


def erase(*more: str) -> str:
    result = CliRunner().invoke(
        app, ["credits", "erase", AOI.id, "--reference", "letter of 2026-11-22", "--yes", *more]
    )
    assert result.exit_code == 0, result.output
    return result.output


def plain_bytes(folder: Path) -> bytes:
    """Return all that the databases' files hold, with what stands in base64 in plain as well."""
    found = b"".join(path.read_bytes() for path in sorted(folder.glob("*.db*")))
    plain = [found]
    for text in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", found):
        for start in range(4):
            part = text[start:]
            try:
                plain.append(base64.b64decode(part[: len(part) // 4 * 4]))
            except binascii.Error:
                continue
    return b"\n".join(plain)


def vacuum(folder: Path) -> None:
    for path in folder.glob("*.db"):
        connection = sqlite3.connect(path)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


def do_on_dbos(studio: JobStudio, count: int) -> None:
    """Let the real engine do all jobs that wait."""
    handlers = BackgroundHandlers(studio.tools, Gate(2)).handlers()
    queues = [QueueSettings(name=one, slots=2, poll=0.02) for one in (STEPS_QUEUE, GENERATE_QUEUE)]
    with DbosEngine(url(studio), holder="one", queues=queues, handlers=handlers) as engine:
        dispatcher = Dispatcher(studio.settings, studio.database, engine, ahead=50)

        def done() -> bool:
            dispatcher.tick()
            ended = (JobState.DONE, JobState.DEAD)
            return sum(job.state in ended for job in studio.store.list()) == count

        eventually(done)


def leave_work(database: Engine, key: str, folder: Path) -> None:
    """Let a retake and a paint-over wait, and texts name the person everywhere."""
    now = utc_now()
    painting = folder / "painted.png"
    painting.write_bytes(b"painted")
    touch_up = touch_up_event(painting, artist=AOI)
    note = KeptNote(
        id="Note:12",
        version=1,
        author=AOI.id,
        text="Aoi Sato: less green",
        state=NoteState.TAKEN,
        job="",
        written_at=now,
        seen_at=now,
    )
    told = "Aoi Sato (佐藤葵) asked; see aoi_v001_Aoi_Sato.png"
    with database.begin() as connection:
        row = connection.execute(jobs.select().where(jobs.c.key == key)).one()
        parent = records.background(connection, key)
        assert parent is not None
        order = ordered(order_of(row.order_json), parent.code, [note], {AOI.id: AOI})
        add_job(connection, job_row(order, now))
        receive(connection, touch_up)
        add_job(connection, touch_up_row(touch_up, 10, now))
        connection.execute(update(jobs).values(error=told, note=told))
        connection.execute(
            insert(review_notes),
            {
                "id": note.id,
                "version_id": 1,
                "background_key": key,
                "text": note.text,
                "state": note.state.value,
                "written_at": now,
                "seen_at": now,
            },
        )
        answer = {"key": "a", "payload": f'{{"text":"{told}"}}', "try_at": now, "error": told}
        connection.execute(insert(review_answers), answer)
        connection.execute(
            insert(notices), {"key": "n", "kind": "question", "text": told, "noted_at": now}
        )
        connection.execute(
            insert(review_wakes),
            {"version_id": 1, "source": "page", "asked_at": now, "look_at": now, "error": told},
        )


def test_after_a_vacuum_no_byte_of_the_databases_holds_an_erased_name(
    studio: JobStudio, tmp_path: Path
) -> None:
    for shot in ("c001", "c002"):
        announce(studio.database, put_layout(studio.settings, shot))
    studio.tracker.unknown_shots = frozenset({"c002"})
    do_on_dbos(studio, 2)
    done = next(job for job in studio.store.list() if job.state is JobState.DONE)
    leave_work(studio.database, done.key, tmp_path)
    state = studio.settings.studio.state
    assert AOI.name.encode() in plain_bytes(state)

    told = erase()
    studio.database.dispose()
    vacuum(state)

    found = plain_bytes(state)
    for name in (AOI.name, AOI.name_ja, "Aoi_Sato"):
        assert name.encode() not in found, name
    assert "Tasks that wait or run" not in told
    assert "Files are called" not in told


def test_what_waits_is_done_after_the_name_was_erased(studio: JobStudio, tmp_path: Path) -> None:
    key = studio.publish()
    leave_work(studio.database, key, tmp_path)

    erase()
    studio.work()

    retake = next(job for job in studio.store.list() if job.key.startswith("retake-"))
    assert retake.state is JobState.DONE
    with studio.database.begin() as connection:
        version = records.background(connection, retake.key)
    assert version is not None
    asked = [
        one.actor
        for one in version.final.contributions
        if one.role.value == "retake" and isinstance(one.actor, Person)
    ]
    assert [(one.id, one.name, one.opt_out) for one in asked] == [
        (AOI.id, "", "letter of 2026-11-22")
    ]


def test_tasks_that_still_hold_the_name_are_told_or_forgotten(studio: JobStudio) -> None:
    studio.publish()
    begun, end = threading.Event(), threading.Event()

    def work(_: Durable, payload: str) -> None:
        if "waits" in payload:
            begun.set()
            end.wait(PATIENCE)

    def task(key: str, payload: str) -> Task:
        return Task(id=f"{key}.1.prepare", name="work", queue="q", payload=payload, priority=1)

    queue = QueueSettings(name="q", slots=2, poll=0.02)
    handlers = {"work": work}
    with DbosEngine(url(studio), holder="one", queues=[queue], handlers=handlers) as engine:
        ended, open_ = task("old", "by Aoi Sato"), task("new.job", "waits for 佐藤葵")
        engine.submit([ended, open_])
        eventually(lambda: engine.standing([ended.id])[ended.id].value == "ended")
        assert begun.wait(PATIENCE)

        told = erase()

        assert engine.standing([ended.id]) == {}
        end.set()
        eventually(lambda: engine.standing([open_.id])[open_.id].value == "ended")
    assert "The job engine forgot 1 ended tasks" in told
    assert "`haikei jobs cancel`; then erase once more with --name:\n  new.job\n" in told
    assert "forgot 1 ended tasks" in erase("--name", AOI.name, "--name", AOI.name_ja)
    assert AOI.name_ja.encode() not in plain_bytes(studio.settings.studio.state)


def test_files_that_are_called_by_the_name_are_told(studio: JobStudio, tmp_path: Path) -> None:
    studio.publish()
    painting = tmp_path / "c001_bg_v001_Aoi_Sato.png"
    painting.write_bytes(b"painted")
    with studio.database.begin() as connection:
        receive(connection, touch_up_event(painting, artist_name="Aoi_Sato", version=1))

    told = erase()

    assert "Rename them, then erase once more with --name:" in told
    assert str(painting) in told.replace("\n", "")
    with studio.database.begin() as connection:
        payload = connection.execute(
            events.select().where(events.c.kind == "touch_up_published")
        ).one()[4]
    assert f'"artist":{{"id":"{AOI.id}","name":""' in payload
    assert '"artist_name":""' in payload
