"""
Marks of writing in progress, so that what a killed process leaves behind is found and removed.

Each write below a root first puts a small file into `<root>/.haikei/writing/`, locked for as long
as its writer lives. The sweep looks at these marks alone, never through the whole tree.
"""

import fcntl
import os
import platform
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

import structlog

from haikei.storage.folders import entries, grant, make_folder

log = structlog.get_logger()

WRITING = PurePosixPath(".haikei/writing")

_HOST = re.sub(r"[^A-Za-z0-9-]", "-", platform.node()) or "localhost"
_PROCESS = secrets.token_hex(4)
_NAME = re.compile(r"([A-Za-z0-9-]+)\.(\d+)\.([0-9a-f]{8})\.([0-9a-f]{12})")

#: Seconds for which a mark is left alone though nobody seems to hold it: a process id is used
#: again, and a lock on a network mount may be local to its host.
_DOUBT_HERE = 60.0
_DOUBT_ELSEWHERE = 24 * 3600.0


class WritingMark:
    """
    A locked file that says: this process is writing below this root.

    Used as a context manager; it is gone when the block ends, however it ends.
    """

    def __init__(self, root: Path) -> None:
        self._serial = secrets.token_hex(6)
        name = f"{_HOST}.{os.getpid()}.{_PROCESS}.{self._serial}"
        self.path = root / WRITING / name
        self._descriptor = -1

    @property
    def temporary_name(self) -> str:
        """The name, in any folder below the root, of the temporary file this mark stands for."""
        return _temporary_name(self._serial)

    def __enter__(self) -> Self:
        make_folder(self.path.parent, group=0o070)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o666)
        grant(self.path, 0o060)
        _lock(self._descriptor)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def write(self, text: str, *, durable: bool) -> None:
        """Put `text` into the mark; `durable` also against loss of power."""
        os.write(self._descriptor, text.encode())
        if durable:
            os.fsync(self._descriptor)


def sweep(root: Path) -> tuple[Path, ...]:
    """Remove what dead writers left below `root`, and return it; a live writer's is untouched."""
    removed: list[Path] = []
    folder = root / WRITING
    for name in entries(folder):
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        owner = _Owner(
            host=found[1], pid=int(found[2]), process=found[3], temporary=_temporary_name(found[4])
        )
        try:
            removed += _sweep_mark(root, folder / name, owner)
        except FileNotFoundError:
            continue  # its writer came to its end meanwhile
        except OSError as error:
            log.warning("sweep_failed", mark=str(folder / name), error=str(error))
    return tuple(removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    host: str
    pid: int
    process: str
    temporary: str


def _sweep_mark(root: Path, mark: Path, owner: _Owner) -> list[Path]:
    descriptor = os.open(mark, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        locked = _lock(descriptor)
        age = time.time() - os.fstat(descriptor).st_mtime
        if locked is False or not _abandoned(owner, locked=locked is True, age=age):
            return []
        relative = PurePosixPath(os.read(descriptor, 1 << 16).decode(errors="replace"))
        left = root / relative
        removed: list[Path] = []
        # The mark is only believed when it names a file that this very writer would have made.
        if left.name == owner.temporary and left.parent.resolve().is_relative_to(root.resolve()):
            try:
                left.unlink()
            except FileNotFoundError:
                log.debug("sweep_found_nothing", mark=str(mark))
            else:
                removed.append(left)
        mark.unlink()
        log.info("swept", mark=str(mark), removed=[str(path) for path in removed])
        return removed
    finally:
        os.close(descriptor)


def _abandoned(owner: _Owner, *, locked: bool, age: float) -> bool:
    if owner.host != _HOST:
        return locked and age > _DOUBT_ELSEWHERE
    if owner.pid == os.getpid():
        # Same number, another life: usual in containers, where we are often process 1.
        return owner.process != _PROCESS
    if not _runs(owner.pid):
        return True
    return locked and age > _DOUBT_HERE


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock(descriptor: int) -> bool | None:
    """Take the lock: True when taken, False when another holds it, None when there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _temporary_name(serial: str) -> str:
    return f".haikei-{serial}.part"
