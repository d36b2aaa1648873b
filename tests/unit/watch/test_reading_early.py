"""Files that have not changed for long are read while they settle; the last look decides."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from haikei.images import Inspection, Inspector
from haikei.images.limits import Limits
from haikei.sources.watch import Watcher
from support.clocks import eventually
from support.pictures import png_bytes
from support.watching import WatchedStudio, watched_studio

#: Longer than any test takes: a file that is written now has not stood still for so long.
SETTLE = 100_000.0


class Reader(Inspector):
    """It does something before it reads, and notes what it has read."""

    def __init__(self, read: list[str], before: Callable[[], None]) -> None:
        super().__init__(Limits(mib=64))
        self._read = read
        self._before = before

    def inspect(
        self, paths: Sequence[Path], *, decode: bool = False, whole: bool = False
    ) -> Sequence[Inspection]:
        if paths:
            self._before()
        found = super().inspect(paths, decode=decode, whole=whole)
        self._read += [path.name for path in paths]
        return found


@dataclass(slots=True)
class StandingStudio:
    """A studio whose watcher's clock stands still until it is moved on."""

    place: WatchedStudio
    now: float = 1000.0
    read: list[str] = field(default_factory=list[str])
    before: Callable[[], None] = lambda: None

    def draw(self, shot: str, content: bytes, *, age: float = 10 * SETTLE, name: str = "") -> Path:
        """Put a layout there that was last changed `age` seconds ago."""
        path = self.place.layout(shot)
        path = path.with_name(name or path.name)
        path.write_bytes(content)
        changed = time.time_ns() - int(age * 1e9)
        os.utime(path, ns=(changed, changed))
        return path

    def told(self) -> list[str]:
        """Return what was announced, after some of the settle time more."""
        self.now += SETTLE / 4
        return [one.sha256 for one in self.place.told()]

    @contextmanager
    def watching(self) -> Generator[Watcher]:
        """Run a watcher until the block ends."""
        watcher = Watcher(
            self.place.settings,
            self.place.database,
            make_reader=lambda: Reader(self.read, lambda: self.before()),  # noqa: PLW0108 - the present one
            clock=lambda: self.now,
        )
        stop = threading.Event()
        thread = threading.Thread(target=watcher.run, args=(stop,))
        thread.start()
        try:
            yield watcher
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def studio(tmp_path: Path) -> StandingStudio:
    place = watched_studio(tmp_path, settle=SETTLE, folder_pass=1e9, full_walk=1e9, mode="polling")
    return StandingStudio(place=place)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_that_has_not_changed_for_long_is_read_once_and_told_of_when_it_has_settled(
    studio: StandingStudio,
) -> None:
    path = studio.draw("c001", png_bytes("old"))

    with studio.watching() as watcher:
        eventually(lambda: studio.read == [path.name])
        assert studio.place.told() == []
        assert watcher.status.published == 0
        studio.now += SETTLE

        eventually(studio.told)

    assert studio.told() == [sha256(path.read_bytes())]
    assert studio.read == [path.name]


def test_a_file_that_changes_after_it_was_read_is_read_again(studio: StandingStudio) -> None:
    before, after = png_bytes("before"), png_bytes("after")
    path = studio.draw("c001", before + bytes(max(0, len(after) - len(before))))
    size = path.stat().st_size

    with studio.watching():
        eventually(lambda: studio.read == [path.name])
        # In place and of the same size: its time alone shows it.
        with path.open("r+b") as out:
            out.write(after + bytes(size - len(after)))

        eventually(studio.told)

    assert studio.told() == [sha256(path.read_bytes())]
    assert studio.read == [path.name] * 2


def test_a_file_that_is_replaced_after_it_was_read_is_read_again(studio: StandingStudio) -> None:
    path = studio.draw("c001", png_bytes("first"))
    other = studio.draw("c001", png_bytes("other"), name=".other.tmp")

    with studio.watching():
        eventually(lambda: studio.read == [path.name])
        other.replace(path)

        eventually(studio.told)

    assert studio.told() == [sha256(png_bytes("other"))]


def test_a_file_that_changed_a_moment_ago_is_not_read_before_it_has_settled(
    studio: StandingStudio,
) -> None:
    fresh = studio.draw("c001", png_bytes("fresh"), age=0.0)
    old = studio.draw("c002", png_bytes("old"))

    with studio.watching() as watcher:
        eventually(lambda: watcher.status.pending == 2 and old.name in studio.read)
        assert fresh.name not in studio.read
        studio.now += SETTLE

        eventually(lambda: len(studio.told()) == 2)


def test_a_wrong_name_among_layouts_is_not_opened(studio: StandingStudio) -> None:
    wrong = studio.draw("c001", png_bytes("wrong"), name="c001 final.png")
    right = studio.draw("c001", png_bytes("right"))

    with studio.watching() as watcher:
        eventually(lambda: right.name in studio.read)
        studio.now += SETTLE
        eventually(lambda: studio.told() and watcher.status.misplaced == 1)

    assert wrong.name not in studio.read


def test_a_file_that_is_still_being_read_when_it_has_settled_is_told_of_once(
    studio: StandingStudio,
) -> None:
    path = studio.draw("c001", png_bytes("slow"))
    asked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        go_on.wait()

    studio.before = hold
    with studio.watching() as watcher:
        eventually(asked.is_set)
        studio.now += SETTLE
        eventually(lambda: watcher.status.judging == 1)
        go_on.set()

        eventually(studio.told)

    assert studio.told() == [sha256(path.read_bytes())]
    assert studio.read == [path.name]


def test_a_damaged_file_is_read_again_before_it_is_refused(studio: StandingStudio) -> None:
    path = studio.draw("c001", png_bytes("whole")[:-20])

    with studio.watching() as watcher:
        eventually(lambda: studio.read == [path.name])
        assert studio.place.refused() == []
        studio.now += SETTLE
        eventually(lambda: len(studio.read) == 2)
        studio.now += 10 * SETTLE
        eventually(lambda: studio.told() == [] and watcher.status.refused == 1)

    assert len(studio.place.refused()) == 1
    assert len(studio.read) == 3


def test_what_a_failing_reader_could_not_read_early_is_read_when_it_has_settled(
    studio: StandingStudio,
) -> None:
    path = studio.draw("c001", png_bytes("later"))

    failed = threading.Event()

    def fail_once() -> None:
        if not failed.is_set():
            failed.set()
            raise OSError(12, "Cannot allocate memory")

    studio.before = fail_once
    with studio.watching():
        eventually(failed.is_set)
        studio.now += SETTLE

        eventually(studio.told)

    assert studio.told() == [sha256(path.read_bytes())]
