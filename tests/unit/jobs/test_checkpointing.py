"""Checkpoints come on a schedule, from one process, and go to every way out."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, select, update
from structlog.testing import capture_logs

from haikei.database import ledger_checkpoints, notices, reading, utc_now
from haikei.errors import HistoryChanged, SettingsError
from haikei.jobs.checkpointing import Checkpointing, outlets_of
from haikei.jobs.engine import FileLocks
from haikei.ledger import append, newest_checkpoint, open_checkpoint
from haikei.settings import Settings
from haikei.trackers import CheckpointBoard, Tracker, TrackerParts
from support.jobs import studio_database, studio_settings
from support.records import a_background, rewrite, save_background, without_guards
from support.trackers import PartsTracker


@dataclass(slots=True)
class Board(CheckpointBoard):
    """A tracker's board in memory."""

    notes: dict[str, str] = field(default_factory=dict[str, str])
    closed: bool = False

    def post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        """Show notes."""
        self.notes.update(notes)
        return ()

    def posted(self, projects: Sequence[str]) -> Mapping[str, str]:
        """Return the notes that stand."""
        return {one: self.notes[one] for one in projects if one in self.notes}

    def close(self) -> None:
        """Note that nobody uses it any more."""
        self.closed = True


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "drop").mkdir()
    return studio_settings(
        tmp_path, ledger={"checkpoint_every": 60, "drop": [str(tmp_path / "drop")]}
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    database = studio_database(settings)
    yield database
    database.dispose()


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def keeper(settings: Settings, database: Engine, board: Board) -> Checkpointing:
    locks = FileLocks(settings.studio.state / "locks")
    return Checkpointing(
        settings,
        database,
        locks,
        open_tracker=lambda _: PartsTracker(TrackerParts(checkpoints=board)),
    )


def add(database: Engine, key: str) -> None:
    with database.begin() as connection:
        append(connection, key=key, payload=f'{{"key":"{key}"}}')


def age(database: Engine, seconds: float) -> None:
    """Make all checkpoints older."""
    with database.begin() as connection:
        without_guards(connection)
        made_at = utc_now() - timedelta(seconds=seconds)
        connection.execute(update(ledger_checkpoints).values(made_at=made_at))


def newest(database: Engine) -> int:
    with reading(database) as connection:
        found = newest_checkpoint(connection)
    return found.checkpoint.size if found else 0


def test_a_checkpoint_is_made_when_something_was_added_and_time_has_passed(
    database: Engine, keeper: Checkpointing
) -> None:
    keeper.tick()
    assert newest(database) == 0

    add(database, "one")
    keeper.tick()
    assert newest(database) == 1

    add(database, "two")
    keeper.tick()
    assert newest(database) == 1
    assert REGISTRY.get_sample_value("haikei_ledger_entries") == 2
    assert REGISTRY.get_sample_value("haikei_ledger_sealed_entries") == 1

    age(database, 61)
    keeper.tick()
    assert newest(database) == 2

    age(database, 61)
    keeper.tick()
    assert newest(database) == 2


def test_it_goes_to_every_way_out(
    settings: Settings, database: Engine, keeper: Checkpointing, board: Board
) -> None:
    with database.begin() as connection:
        save_background(connection, a_background(project="akane"))

    made = keeper.make()

    outside = [
        settings.ledger.drop[0] / f"checkpoint-{made.checkpoint.size}.txt",
        settings.studio.state / "checkpoints" / f"checkpoint-{made.checkpoint.size}.txt",
    ]
    assert {path.read_text("utf-8") for path in outside} == {made.note}
    assert board.notes == {"akane": made.note}
    keeper.close()
    assert board.closed
    assert REGISTRY.get_sample_value("haikei_ledger_unsent") == 0


def test_another_process_that_makes_one_is_left_alone(
    settings: Settings, database: Engine, keeper: Checkpointing
) -> None:
    add(database, "one")
    other = FileLocks(settings.studio.state / "locks")
    with other.borrowed("ledger-checkpoints") as ours:
        assert ours
        keeper.tick()
        assert newest(database) == 0

    keeper.tick()
    assert newest(database) == 1


def test_a_rewritten_ledger_is_refused_and_counted_and_not_looked_at_every_minute(
    database: Engine, keeper: Checkpointing
) -> None:
    before = REGISTRY.get_sample_value("haikei_ledger_refused_total") or 0.0
    add(database, "one")
    keeper.tick()
    age(database, 61)
    with database.begin() as connection:
        rewrite(connection, 0, '{"key":"another"}')
    add(database, "two")

    with capture_logs() as lines, pytest.raises(HistoryChanged):
        keeper.tick()
    keeper.tick()

    assert "checkpoint_refused" in {line["event"] for line in lines}
    assert REGISTRY.get_sample_value("haikei_ledger_refused_total") == before + 1
    assert newest(database) == 1
    with reading(database) as connection:
        (told,) = connection.execute(select(notices)).all()
    assert told.kind == "checkpoint"
    assert "sealed" in told.text


def test_without_any_drop_folder_a_rewrite_of_the_whole_database_is_refused(
    tmp_path: Path, database: Engine
) -> None:
    settings = studio_settings(tmp_path, ledger={"tracker_field": False})
    keeper = Checkpointing(settings, database, FileLocks(tmp_path / "locks"))
    add(database, "one")
    keeper.make()
    with database.begin() as connection:
        rewrite(connection, 0, '{"key":"another"}')
        connection.execute(ledger_checkpoints.delete())

    with capture_logs(), pytest.raises(HistoryChanged, match=r"checkpoint-1\.txt"):
        keeper.make()


def test_what_could_not_be_sent_waits_and_is_said(
    settings: Settings, database: Engine, keeper: Checkpointing
) -> None:
    settings.ledger.drop[0].rmdir()
    add(database, "one")

    with capture_logs() as lines:
        keeper.tick()

    assert "checkpoint_not_sent" in {line["event"] for line in lines}
    assert REGISTRY.get_sample_value("haikei_ledger_unsent") == 1
    settings.ledger.drop[0].mkdir()
    assert keeper.send()
    assert REGISTRY.get_sample_value("haikei_ledger_unsent") == 0


def test_without_a_token_a_checkpoint_is_made_and_it_is_said(
    tmp_path: Path, database: Engine
) -> None:
    settings = studio_settings(
        tmp_path,
        ledger={"tracker_field": False},
        signing={"timestamp_url": "http://127.0.0.1:9"},
    )
    keeper = Checkpointing(settings, database, FileLocks(tmp_path / "locks"))
    add(database, "one")

    with capture_logs() as lines:
        made = keeper.make()

    assert made.token is None
    assert open_checkpoint(made.note, keeper.key).size == 1
    assert "checkpoint_not_stamped" in {line["event"] for line in lines}
    assert REGISTRY.get_sample_value("haikei_ledger_unsent") == 1


def test_a_way_out_that_cannot_be_used_leaves_the_others(tmp_path: Path, database: Engine) -> None:
    settings = studio_settings(tmp_path, ledger={"mail": {"host": "mail.example"}})

    def no_tracker(_: Settings) -> Tracker:
        raise SettingsError("There is no key.")

    with capture_logs() as lines:
        outlets = outlets_of(settings, database, no_tracker)

    assert len(outlets) == 1
    assert [line["event"] for line in lines] == ["checkpoint_outlet_unusable"] * 2


def test_it_goes_on_until_it_is_stopped(
    tmp_path: Path, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = studio_settings(tmp_path, ledger={"tracker_field": False, "checkpoint_every": 0.01})
    keeper = Checkpointing(settings, database, FileLocks(tmp_path / "locks"))
    stop, ticks = threading.Event(), 0
    add(database, "one")
    real = keeper.tick

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        real()
        if ticks == 2:
            raise SettingsError("Something is in the way.")
        if ticks == 3:
            stop.set()

    monkeypatch.setattr(keeper, "tick", tick)

    with capture_logs() as lines:
        keeper.keep(stop)

    assert newest(database) == 1
    assert "checkpoint_failed" in {line["event"] for line in lines}
