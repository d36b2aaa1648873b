"""What every job would meet holds the lane: people are told once, no job dies, all go on."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from typing_extensions import override

from haikei.database import notices, reading
from haikei.errors import HaikeiError, StorageUnavailable, TrackerDenied, TrackerUnavailable
from haikei.jobs import JobState, Step, lanes
from haikei.jobs.lanes import Lane, LaneKeeper, LaneOrder, order_lane
from haikei.jobs.tools import Tools
from haikei.settings import Settings
from haikei.show import StoredFile
from haikei.storage import Storage
from support.certificates import Authority, key_pem, pem
from support.clocks import eventually
from support.jobs import JobStudio, job_studios, lane_of, working


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let those who wait look often."""
    monkeypatch.setattr(lanes, "_LOOK", 0.01)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)()


def told(studio: JobStudio) -> list[str]:
    with reading(studio.database) as connection:
        return list(connection.execute(select(notices.c.text)).scalars())


def done(studio: JobStudio, count: int) -> bool:
    return studio.store.counts()[JobState.DONE] == count


@pytest.mark.parametrize(
    ("error", "times"),
    [
        # What may pass by itself is tried several times before the lane is held.
        (TrackerUnavailable("maintenance"), 12),
        (TrackerDenied("refused sign-in", advice="See the key."), 7),
    ],
)
def test_a_fault_of_the_site_costs_no_job_however_long_it_lasts(
    studio: JobStudio, error: HaikeiError, times: int
) -> None:
    studio.tracker.failures = [error for _ in range(times)]

    with working(studio, "c001", "c002", "c003"):
        eventually(lambda: done(studio, 3), "all jobs")

    assert studio.tracker.failures == []

    assert lane_of(studio, Lane.STEPS).held_since is None
    assert len(told(studio)) == 1
    assert str(error) in told(studio)[0]
    assert "by themselves" in told(studio)[0]


def test_storage_that_is_away_for_a_while_holds_the_lane_and_no_layout_is_lost(
    studio: JobStudio,
) -> None:
    root = studio.settings.storage.roots[0].path
    away = root.with_name("away")

    def unmount(_stage: str, _progress: object) -> None:
        if root.exists():
            root.rename(away)

    studio.generator.before = unmount
    with working(studio):
        eventually(lambda: lane_of(studio, Lane.STEPS).held_since is not None, "a lane held")
        assert not root.exists(), "nothing is written where the mount will be"
        studio.generator.before = None
        away.rename(root)
        eventually(lambda: done(studio, 1), "the job")

    assert len(told(studio)) == 1


@pytest.mark.parametrize("start_days", [-30, 1])
def test_a_certificate_that_is_not_valid_now_holds_the_lane_until_it_is_renewed(
    tmp_path: Path, start_days: int
) -> None:
    authority, key = Authority.make(), ec.generate_private_key(ec.SECP256R1())
    chain, key_file = tmp_path / "chain.pem", tmp_path / "leaf.key"
    key_file.write_bytes(key_pem(key))

    def issue(start_days: int, days: int) -> None:
        leaf = authority.issue(key, start_days=start_days, days=days)
        chain.write_bytes(pem(leaf) + pem(authority.certificate))

    signing = {"certificate_file": str(chain), "certificate_key_file": str(key_file)}
    issue(start_days, 10)
    with ExitStack() as stack:
        studio = job_studios(stack, tmp_path)(signing=signing)
        with working(studio):
            eventually(lambda: lane_of(studio, Lane.STEPS).held_since is not None, "a lane held")
            issue(-1, 365)
            eventually(lambda: done(studio, 1), "the job")

        assert "The certificate 'CN=Test Studio" in told(studio)[0]


class Unmounting(Storage):
    """Storage whose disk is unmounted while the second file of a version is published."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.root = settings.storage.roots[0].path
        self.away = self.root.with_name("away")
        self.published_files = 0

    @override
    def publish(self, source: Path, relative: PurePosixPath) -> StoredFile:
        self.published_files += 1
        if self.published_files == 2:
            self.root.rename(self.away)
            self.root.mkdir()
        return super().publish(source, relative)


def test_an_empty_mount_point_in_mid_publish_holds_the_lane_and_takes_no_file(
    studio: JobStudio,
) -> None:
    studio.tools.storage = storage = Unmounting(studio.settings)
    with working(studio):
        eventually(lambda: lane_of(studio, Lane.STEPS).held_since is not None, "a lane held")
        assert list(storage.root.iterdir()) == [], "nothing is written where the mount will be"
        with pytest.raises(StorageUnavailable, match="Mount the storage"):
            Tools(studio.settings, studio.database, threading.Event()).require_storage()
        storage.root.rmdir()
        storage.away.rename(storage.root)
        eventually(lambda: done(studio, 1), "the job")

    assert len(told(studio)) == 1
    assert "Mount the storage" in told(studio)[0]


def test_a_share_that_is_away_for_a_moment_in_mid_publish_costs_no_job(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = studio.settings.storage.roots[0].path
    usual, moments = shutil.disk_usage, [root.with_name("away")]

    def disk_usage(path: Path) -> object:
        if not moments:
            return usual(path)
        away = moments.pop()
        root.rename(away)
        try:
            return usual(path)
        finally:
            away.rename(root)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    with working(studio):
        eventually(lambda: done(studio, 1), "the job")

    assert not moments


def test_what_fails_again_and_again_while_others_pass_is_the_jobs_own(studio: JobStudio) -> None:
    studio.tracker.failures = [TrackerDenied("not in this project") for _ in range(10_000)]
    others = LaneKeeper(studio.database, 0.01)
    ended = threading.Event()

    def pass_the_step() -> None:
        while not ended.wait(0.02):
            if lane_of(studio, Lane.STEPS).held_since is not None:
                others.open(Step.COLLECT)

    thread = threading.Thread(target=pass_the_step)
    thread.start()
    with working(studio):
        eventually(lambda: studio.store.counts()[JobState.DEAD] == 1, "a dead letter")
    ended.set()
    thread.join()

    job = studio.store.list()[0]
    assert (job.error, job.error_kind) == ("not in this project", "TrackerDenied")


def test_a_paused_lane_begins_no_step_and_a_draining_one_no_job(studio: JobStudio) -> None:
    with studio.database.begin() as connection:
        order_lane(connection, Lane.GENERATE, LaneOrder.PAUSED, by="mori")
    with working(studio):
        eventually(
            lambda: any("Paused by mori" in job.note for job in studio.store.list()), "a paused job"
        )
        assert studio.generator.made == []
        with studio.database.begin() as connection:
            order_lane(connection, Lane.GENERATE, LaneOrder.OPEN, by="mori")
            order_lane(connection, Lane.STEPS, LaneOrder.DRAINING, by="mori")
        eventually(lambda: done(studio, 1), "the job that had begun")

    studio.stop.clear()
    studio.publish("c002")
    assert studio.store.list()[0].state is JobState.WAITING
    with studio.database.begin() as connection:
        order_lane(connection, Lane.STEPS, LaneOrder.OPEN, by="mori")
    studio.work()
    assert done(studio, 2)


def test_only_one_probes_and_later_each_time(studio: JobStudio) -> None:
    keeper = LaneKeeper(studio.database, 3600.0)
    keeper.hold(Step.COLLECT, StorageUnavailable("full"), probing=False)
    first = lane_of(studio, Lane.STEPS)
    keeper.hold(Step.EXTRACT, StorageUnavailable("also full"), probing=False)

    assert lane_of(studio, Lane.STEPS) == first
    assert len(told(studio)) == 1
    assert not first.takes(Step.VALIDATE)
    assert lane_of(studio, Lane.GENERATE).takes(Step.GENERATE)
    keeper.open(Step.COLLECT)
    keeper.hold(Step.COLLECT, StorageUnavailable("full"), probing=False)
    assert len(told(studio)) == 1, "what comes back at once is the same episode"
