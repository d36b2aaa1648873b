import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from haikei.images import Inspection, Inspector
from haikei.images.limits import Limits
from haikei.sources.watch.inspecting import Inspected, Readers
from haikei.sources.watch.scan import SettledFile, stamp_of
from support.clocks import eventually
from support.pictures import png_bytes


def _ready(paths: Sequence[Path]) -> deque[SettledFile]:
    return deque(
        SettledFile(path=str(path), stamp=stamp_of(path.stat()), since=0.0, hinted=True, doubts=0)
        for path in paths
    )


def _pictures(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for path in paths:
        path.write_bytes(png_bytes(path.name))
    return paths


def _gather(readers: Readers, batches: int) -> list[Inspected]:
    done: list[Inspected] = []

    def gathered() -> bool:
        done.extend(readers.take())
        return len(done) >= batches

    eventually(gathered)
    return done


def test_batches_come_back_with_a_finding_for_each_file(tmp_path: Path) -> None:
    wake = threading.Event()
    readers = Readers(lambda: Inspector(Limits(mib=64)), wake, most=2)
    paths = _pictures(tmp_path, 300)
    ready = _ready(paths)

    batches = 0
    while ready:
        readers.submit(ready)
        batches += 1
    done = _gather(readers, batches)
    readers.close()

    findings = {finding.path: finding for batch in done for finding in batch.findings}
    assert wake.is_set()
    assert set(findings) == set(paths)
    assert all(finding.ok for finding in findings.values())
    assert batches == 3


def test_a_reader_that_has_nothing_to_do_ends(tmp_path: Path) -> None:
    readers = Readers(lambda: Inspector(Limits(mib=64)), threading.Event(), idle=0.5)
    path = _pictures(tmp_path, 1)[0]

    readers.warm(str(path), 1)
    assert readers.running == 1
    eventually(lambda: readers.running == 0)
    readers.submit(_ready([path]))

    assert _gather(readers, 1)[0].findings[0].ok
    readers.close()


def test_closing_drops_what_no_reader_has_begun(tmp_path: Path) -> None:
    readers = Readers(lambda: Inspector(Limits(mib=64)), threading.Event(), most=1)
    # So many that none could read them all before they are closed.
    ready = _ready(_pictures(tmp_path, 100) * 100)
    batches = 0
    while ready:
        readers.submit(ready)
        batches += 1

    readers.close()
    begun = readers.take()

    assert readers.running == 0
    assert readers.has_room(1)
    assert len(begun) < batches


class _Broken:
    """A reader whose process cannot be started, as when memory is short."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def inspect(
        self, paths: Sequence[Path], *, decode: bool = False, whole: bool = False
    ) -> Sequence[Inspection]:
        raise OSError(12, f"Cannot allocate memory for {len(paths)} files ({decode}, {whole})")


def test_a_reader_that_fails_gives_its_files_back(tmp_path: Path) -> None:
    readers = Readers(_Broken, threading.Event(), most=1)
    path = _pictures(tmp_path, 1)[0]

    readers.warm(str(path), 1)
    readers.submit(_ready([path]))
    [inspected] = _gather(readers, 1)
    readers.close()

    assert [settled.path for settled in inspected.batch] == [str(path)]
    assert "Cannot allocate memory" in inspected.failure
