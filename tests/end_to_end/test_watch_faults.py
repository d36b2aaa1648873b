"""The watcher when things around it fail: its process, its database, its events."""

import logging
import multiprocessing
import threading
from pathlib import Path

from sqlalchemy import create_engine

from haikei.sources.watch import Watcher
from support.clocks import eventually
from support.pictures import png_bytes
from support.watching import counted, watch_until_killed, watched_studio, watching

FILES = 120


def test_a_watcher_that_is_killed_again_and_again_tells_of_everything_once(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    url = place.database.url.render_as_string(hide_password=False)
    expected: set[str] = set()

    for kill in range(2):
        process = spawn.Process(target=watch_until_killed, args=(place.settings, url))
        process.start()
        for number in range(FILES):
            path = place.layout(f"c{kill}{number:03d}", sequence=f"sq{kill}")
            path.write_bytes(png_bytes(f"{kill} {number}"))
            expected.add(str(path))
        eventually(lambda kill=kill: len(place.told()) > kill * FILES)  # type: ignore[misc]
        process.kill()
        process.join()
    with watching(place):
        eventually(lambda: len(place.told()) >= len(expected))

    told = [told.layout for told in place.told()]
    assert sorted(told) == sorted(expected)


def test_nothing_is_lost_while_the_database_is_busy(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    impatient = create_engine(place.database.url, connect_args={"timeout": 0.02})
    place.layout("c001").write_bytes(png_bytes("one"))
    watcher = Watcher(place.settings, impatient)
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))

    with place.database.begin():  # a writer that keeps everybody else waiting
        thread.start()
        eventually(lambda: watcher.status.database_failures > 1)
        assert watcher.status.unrecorded == 1
    eventually(lambda: len(place.told()) == 1)
    stop.set()
    thread.join()

    assert watcher.status.unrecorded == 0
    impatient.dispose()


def test_nothing_is_lost_while_the_disk_of_the_database_is_full(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    # The limit belongs to a connection, so the watcher gets one alone.
    narrow = create_engine(place.database.url, pool_size=1, max_overflow=0)

    def pages(limit: int) -> None:
        with narrow.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    pages(1)  # SQLite takes it as the size it has
    count = 150
    for number in range(count):
        place.layout(f"c{number:03d}").write_bytes(png_bytes(f"{number}"))
    watcher = Watcher(place.settings, narrow)
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    eventually(lambda: watcher.status.database_failures > 0)
    assert len(place.told()) < count
    pages(1_000_000)
    eventually(lambda: len(place.told()) == count)
    stop.set()
    thread.join()
    narrow.dispose()


def test_an_overflow_of_the_event_queue_leads_to_a_walk(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, mode="polling", folder_pass=600, full_walk=600)

    with watching(place) as watcher:
        place.layout("c001").write_bytes(png_bytes("nobody told"))
        logging.getLogger("watchdog.observers.inotify_c").warning(
            "Inotify queue overflowed; filesystem events were lost"
        )
        eventually(lambda: len(place.told()) == 1)

        status = counted(watcher, lambda status: status.published == 1)
        assert status.overflows == 1
        assert status.walks == 2


def test_files_that_no_event_told_of_are_counted(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, settle=0.5)
    elsewhere = tmp_path / "work.png"
    elsewhere.write_bytes(png_bytes("before"))

    # It lies there before anybody listens: no late event of its coming can be taken for another.
    place.layout("c001").hardlink_to(elsewhere)

    with watching(place) as watcher:
        assert counted(watcher, lambda status: status.published == 1).found_by_scan == 0
        # Written through its other name, outside the tree: no event comes to us.
        elsewhere.open("r+b").close()
        with elsewhere.open("r+b") as out:
            out.write(png_bytes("after"))

        assert counted(watcher, lambda status: status.published == 2).found_by_scan == 1
    assert len(place.told()) == 2


def test_a_file_that_keeps_changing_is_pending_and_holds_nobody_up(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    restless = place.layout("c001")
    stop = threading.Event()

    def scribble() -> None:
        while not stop.wait(0.01):
            with restless.open("ab") as out:
                out.write(b"more")

    scribbler = threading.Thread(target=scribble, daemon=True)
    with watching(place) as watcher:
        scribbler.start()
        place.layout("c002").write_bytes(png_bytes("still"))
        eventually(lambda: len(place.told()) == 1)
        # It is judged for a moment where the scribbler gets no turn for as long as files settle.
        counted(watcher, lambda status: status.oldest_pending > 0.5 and status.pending == 1)
        assert Watcher(place.settings, place.database).scan_once() == 0
        stop.set()
        scribbler.join()
