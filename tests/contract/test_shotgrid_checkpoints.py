"""The ledger's heads on the projects of a tracker, over HTTP against the embedded one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from haikei.credits import records
from haikei.database import ledger_checkpoints, open_database
from haikei.errors import HistoryChanged, OutletUnavailable
from haikei.jobs.checkpointing import TrackerOutlet
from haikei.ledger.checkpoint import Checkpoint, SignedCheckpoint, note_signer
from haikei.ledger.checkpoint_making import seal
from haikei.ledger.outlet import send_out
from haikei.trackers import CheckpointBoard, Part, needed
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.records import a_background, rewrite, save_background
from support.servers import Mischief, proxy_before
from support.sites import RunningStudio, Show, running_studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def tracker(show: Show) -> Iterator[ShotGridTracker]:
    adapter = ShotGridTracker(show.settings, show.key)
    yield adapter
    adapter.close()


@pytest.fixture
def board(tracker: ShotGridTracker) -> CheckpointBoard:
    return needed(tracker.parts.checkpoints, tracker, Part.CHECKPOINTS)


@pytest.fixture
def database(tmp_path: Path, show: Show) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'haikei.db'}")
    with engine.begin() as connection:
        save_background(connection, a_background("c001", project=show.name))
    yield engine
    engine.dispose()


@pytest.fixture
def outlet(board: CheckpointBoard, database: Engine) -> TrackerOutlet:
    return TrackerOutlet(board=board, database=database)


def head(show: Show, *, size: int, root: int = 1) -> SignedCheckpoint:
    """Return a signed head, as if the ledger had this size."""
    signer = note_signer(show.settings)
    checkpoint = Checkpoint(origin=signer.key.name, size=size, root=bytes([root]) * 32)
    note = signer.sign(checkpoint.text)
    return SignedCheckpoint(checkpoint=checkpoint, note=note, token=None, made_at=datetime.now(UTC))


def shown(show: Show) -> str:
    (row,) = show.find("Project", ["id", "is", show.project], fields="sg_haikei_checkpoint")
    return str(row["sg_haikei_checkpoint"] or "")


def test_the_newest_of_several_heads_is_shown_and_read_back_as_it_was_signed(
    show: Show, outlet: TrackerOutlet
) -> None:
    outlet.send([head(show, size=3), head(show, size=7)])

    assert outlet.held() == [7]
    assert outlet.read(7) == head(show, size=7).note
    assert shown(show).strip() == head(show, size=7).note.strip()


def test_the_same_head_again_leaves_the_project_as_it_is(show: Show, outlet: TrackerOutlet) -> None:
    outlet.send([head(show, size=3)])
    newest = show.find("EventLogEntry")[-1]["id"]

    outlet.send([head(show, size=3)])

    assert show.find("EventLogEntry")[-1]["id"] == newest


def test_an_old_head_that_is_sent_again_leaves_a_newer_one(
    show: Show, outlet: TrackerOutlet
) -> None:
    outlet.send([head(show, size=7)])

    outlet.send([head(show, size=3)])

    assert outlet.held() == [7]


def test_another_head_of_the_same_size_is_never_overwritten(
    show: Show, outlet: TrackerOutlet
) -> None:
    outlet.send([head(show, size=7)])

    with pytest.raises(HistoryChanged, match="another checkpoint of 7 entries"):
        outlet.send([head(show, size=7, root=2), head(show, size=9)])

    assert outlet.read(7) == head(show, size=7).note


def test_what_a_person_wrote_into_the_field_is_no_head_and_makes_room_for_one(
    show: Show, outlet: TrackerOutlet
) -> None:
    show.sg.update("Project", show.project, {"sg_haikei_checkpoint": "please keep!"})

    assert outlet.held() == []
    outlet.send([head(show, size=7)])

    assert outlet.held() == [7]


def test_a_show_that_is_gone_from_the_tracker_does_not_keep_the_others_from_their_head(
    show: Show, outlet: TrackerOutlet, database: Engine
) -> None:
    with database.begin() as connection:
        save_background(connection, a_background("c001", project="deleted show"))

    outlet.send([head(show, size=7)])

    assert outlet.held() == [7]


def test_a_tracker_that_has_none_of_the_projects_is_said_with_advice(
    show: Show, board: CheckpointBoard, tmp_path: Path
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    with engine.begin() as connection:
        save_background(connection, a_background("c001", project="deleted show"))

    with pytest.raises(
        OutletUnavailable, match=r"none of the projects deleted show.*tracker_field"
    ):
        TrackerOutlet(board=board, database=engine).send([head(show, size=7)])

    engine.dispose()


def test_a_ledger_without_records_is_shown_nowhere(
    show: Show, board: CheckpointBoard, tmp_path: Path
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    outlet = TrackerOutlet(board=board, database=engine)

    outlet.send([head(show, size=7)])

    assert outlet.held() == []
    assert shown(show) == ""
    engine.dispose()


def test_a_tracker_that_is_away_is_tried_again(show: Show, database: Engine) -> None:
    with proxy_before(str(show.settings.tracker.url)) as proxy:
        adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
        outlet = TrackerOutlet(
            board=needed(adapter.parts.checkpoints, adapter, Part.CHECKPOINTS), database=database
        )
        outlet.held()
        proxy.reset({3: Mischief.CUT_BEFORE})

        with pytest.raises(OutletUnavailable, match="cut off"):
            outlet.send([head(show, size=7)])
        outlet.send([head(show, size=7)])

        assert outlet.held() == [7]
        adapter.close()


def test_a_ledger_that_was_rewritten_is_refused_because_of_the_head_in_the_tracker(
    show: Show, outlet: TrackerOutlet, database: Engine
) -> None:
    signer = note_signer(show.settings)
    seal(database, signer, outlets=[outlet])
    assert send_out(database, [outlet])
    with database.begin() as connection:
        rewrite(connection, 0, '{"v":1,"type":"nothing happened"}')
        connection.execute(delete(ledger_checkpoints))

    with pytest.raises(HistoryChanged, match="tracker"):
        seal(database, signer, outlets=[outlet])


def test_a_show_that_begins_later_gets_the_next_head(
    show: Show, studio: RunningStudio, outlet: TrackerOutlet, database: Engine
) -> None:
    outlet.send([head(show, size=3)])
    other = studio.show()
    with database.begin() as connection:
        save_background(connection, a_background("c001", project=other.name))
        assert set(records.projects(connection)) == {show.name, other.name}

    outlet.send([head(show, size=9)])

    assert shown(other) == shown(show) != ""
