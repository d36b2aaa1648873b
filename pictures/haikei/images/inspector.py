"""
Look at files that may be anything, from outside the process that opens them.

A few sandboxed readers are shared by all of a process.
"""

import atexit
import contextlib
import fcntl
import json
import mmap
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import structlog

from haikei.errors import ImageUnreadable
from haikei.images.limits import DEFAULT_LIMITS, Limits, reader_environment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from haikei.images.colour import Look
    from haikei.images.picture import Decoded, Picture

_log = structlog.get_logger()
_BATCH = 256
#: Seconds for the child to start on a busy machine, and to end when asked to.
_START, _END = 120.0, 2.0
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found in one file. Fields that could not be learnt are empty or 0."""

    path: Path
    ok: bool  #: an image that can be used as far as was looked
    reason: str  #: why not; starts with `changed` or `vanished` when the file did so meanwhile
    sha256: str  #: of the file's bytes
    size: int  #: bytes
    mtime_ns: int
    inode: int
    width: int  #: pixels, of the display window
    height: int
    format: str  #: as OpenImageIO calls it: `png`, `tiff`, `psd` …
    note: str = ""  #: what should be known of how it is read, such as which of several pages


class Inspector:
    """
    Owns one child process that opens image files under limits of memory and processor time.

    The child is started when first needed, and again after a file has killed or hung it; that
    file is reported as not ok. One inspector may be used from several threads; they take turns.

    Args:
        limits: what one file may take.
        timeout: seconds without an answer or a sign of life after which a file is given up: a
            mount that hangs uses no processor time.
        idle: seconds without a request after which the child ends by itself; None for never.
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        *,
        timeout: float = 300.0,
        idle: float | None = None,
    ) -> None:
        self._limits = limits
        self._timeout = timeout
        self._idle = idle
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child process."""
        with self._lock:
            self._end(at_once=False)

    def inspect(
        self, paths: Sequence[Path], *, decode: bool = False, whole: bool = False
    ) -> Sequence[Inspection]:
        """
        Hash each file and read its header; with `decode`, all of its pixels.

        Truncated files mostly have a sound header: `decode` finds them, and `whole` those of
        formats in which a few reads tell where a file must end. The file is looked
        at before and after, so that `sha256`, `size`, `mtime_ns` and `inode` belong together
        where `reason` does not say otherwise.

        Returns:
            One inspection a path, in order. Never raises for what a file does.
        """
        found: list[Inspection] = []
        with self._lock:
            for start in range(0, len(paths), _BATCH):
                found += self._batch(paths[start : start + _BATCH], decode=decode, whole=whole)
        return found

    def read(self, path: Path, *, look: "Look | None" = None) -> "Decoded":
        """
        Decode a file in the child, and return its pixels without copying them.

        Args:
            path: the file.
            look: how it is to be seen, None for as it is.

        Raises:
            ImageUnreadable: it is no image, is damaged, larger than allowed, or takes too much.
        """
        from haikei.images.colour import AS_IT_IS

        with self._lock:
            try:
                return self._asked_again(
                    partial(_Child.read, path=path, look=AS_IT_IS if look is None else look)
                )
            except _Lost as loss:
                _log.warning("image_process_lost", file=str(path), reason=loss.reason)
                self._end(at_once=True)
                raise ImageUnreadable(
                    f"{path.name} {loss.reason}.",
                    advice="Save it again from the program it was drawn in, or smaller.",
                ) from loss

    def _asked_again(self, ask: "Callable[[_Child], _Answer]") -> "_Answer":
        """Ask the child, and another one where it has ended meanwhile because nobody asked."""
        try:
            return ask(self._started())
        except _Lost as loss:
            if not loss.idle:
                raise
            self._end(at_once=True)
            return ask(self._started())

    def _batch(self, paths: Sequence[Path], *, decode: bool, whole: bool) -> list[Inspection]:
        found: list[Inspection] = []
        while len(found) < len(paths):
            waiting = paths[len(found) :]
            try:
                child = self._asked_again(
                    partial(_Child.ask, paths=waiting, decode=decode, whole=whole)
                )
                for path in waiting:
                    found.append(child.answer(path))  # noqa: PERF401 - keeps what came before
            except _Lost as loss:
                guilty = paths[len(found)]
                _log.warning("image_process_lost", file=str(guilty), reason=loss.reason)
                self._end(at_once=True)
                found.append(_refused(guilty, loss.reason))
        return found

    def _started(self) -> "_Child":
        if self._child is None:
            self._child = _Child(self._limits, self._timeout, self._idle)
        return self._child

    def _end(self, *, at_once: bool) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end(at_once=at_once)


class _Lost(Exception):
    def __init__(self, reason: str, *, idle: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.idle = idle  #: it ended by itself, and no file is to blame


class _Child:
    def __init__(self, limits: Limits, timeout: float, idle: float | None) -> None:
        self._limits = limits
        self._timeout = timeout
        self._ready = False
        self._buffer = bytearray()
        self._pixels, theirs = socket.socketpair()
        asked = {
            "limits": asdict(limits),
            "timeout": timeout,
            "idle": idle,
            "socket": theirs.fileno(),
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "haikei.images.sandbox", json.dumps(asked)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=reader_environment(),
                pass_fds=[theirs.fileno()],
            )
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._output = self._process.stdout.fileno()
        self._selector.register(self._output, selectors.EVENT_READ)

    def ask(
        self,
        paths: Sequence[Path],
        *,
        decode: bool = False,
        whole: bool = False,
        look: "Look | None" = None,
    ) -> Self:
        request: dict[str, object] = {
            "paths": [os.fspath(path) for path in paths],
            "decode": decode,
            "whole": whole,
            "pixels": look is not None,
        }
        if look is not None:
            request |= {"view": look.view.value, "stops": look.stops}
        line = json.dumps(request)
        assert self._process.stdin is not None  # noqa: S101 - asked for at the start
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._lost() from error
        return self

    def answer(self, path: Path) -> Inspection:
        return Inspection(path=path, **json.loads(self._answer()))

    def read(self, path: Path, look: "Look") -> "Decoded":
        from haikei.images.picture import Decoded, Picture

        self.ask([path], look=look)
        answer = json.loads(self._answer())
        if not answer["ok"]:
            raise ImageUnreadable(answer["reason"], advice=answer["advice"] or None)
        _, (memory, *_), _, _ = socket.recv_fds(self._pixels, 1, 1)
        shape = (int(answer["height"]), int(answer["width"]), 3)
        return Decoded(picture=Picture(pixels=_mapped(memory, shape)), note=answer["note"])

    def _answer(self) -> bytes:
        while True:
            line = self._line(self._timeout if self._ready else _START)
            self._ready = True
            if line:
                return line

    def end(self, *, at_once: bool) -> None:
        assert self._process.stdin is not None  # noqa: S101 - asked for at the start
        assert self._process.stdout is not None  # noqa: S101 - asked for at the start
        # A closed pipe makes the child end.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(0.0 if at_once else _END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        self._process.stdout.close()
        self._pixels.close()

    def _line(self, patience: float) -> bytes:
        deadline = time.monotonic() + patience
        while (end := self._buffer.find(b"\n")) < 0:
            left = deadline - time.monotonic()
            if left <= 0 or not self._selector.select(left):
                raise _Lost(f"took more than {patience:g} s to read")
            chunk = os.read(self._output, 65536)
            if not chunk:
                raise self._lost()
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _lost(self) -> _Lost:
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return _Lost(f"took more than {self._limits.cpu_seconds} s of processor time to read")
        if code < 0:
            return _Lost(f"crashed the image reader (signal {-code})")
        return _Lost(f"ended the image reader (exit status {code})", idle=code == 0)


def _mapped(memory: int, shape: tuple[int, int, int]) -> "NDArray[np.float32]":
    """Return the pixels in a file in memory, which nobody can change any more."""
    import numpy as np

    try:
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
        mapped = mmap.mmap(memory, 0, prot=mmap.PROT_READ)
    finally:
        os.close(memory)
    return np.frombuffer(mapped, np.float32).reshape(shape)


def _refused(path: Path, reason: str) -> Inspection:
    return Inspection(
        path=path, ok=False, reason=reason,
        sha256="", size=0, mtime_ns=0, inode=0, width=0, height=0, format="",
    )  # fmt: skip


#: Seconds without work after which a reader ends its process and gives its memory back.
_IDLE = 30.0


def read_picture(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, look: "Look | None" = None
) -> "Picture":
    """
    Read an image file as (height, width, 3) float32, sRGB-encoded, 0 to 1, as it should look.

    It is decoded by `decode_picture`, in a process of its own under limits of memory and processor
    time: whatever the file is, this process lives on.

    Args:
        path: a file of one of the formats that are read (`haikei.formats`).
        limits: what it may take.
        look: how it is to be seen, None for as it is; only pages that show it ask for another.

    Raises:
        ImageUnreadable: it is no such image, is damaged or truncated, is larger than allowed, takes
            too much to read, or its colours are not known.
    """
    with _readers.borrowed(limits) as reader:
        decoded = reader.read(path, look=look)
    if decoded.note:
        _log.warning("picture_noted", file=str(path), note=decoded.note)
    return decoded.picture


class _Readers:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(min(4, os.cpu_count() or 1))
        self._free: list[tuple[Limits, Inspector]] = []

    @contextmanager
    def borrowed(self, limits: Limits) -> Generator[Inspector]:
        with self._turns:
            reader = self._take(limits)
            try:
                yield reader
            finally:
                with self._lock:
                    self._free.append((limits, reader))

    def close(self) -> None:
        with self._lock:
            for _, reader in self._free:
                reader.close()
            self._free.clear()

    def _take(self, limits: Limits) -> Inspector:
        with self._lock:
            for index in reversed(range(len(self._free))):
                if self._free[index][0] == limits:
                    return self._free.pop(index)[1]
            # Readers with other limits make room: each is a process.
            if self._free:
                self._free.pop(0)[1].close()
        return Inspector(limits, idle=_IDLE)


_readers = _Readers()
_parents: list[_Readers] = []


def _forked() -> None:
    # The readers of a parent process answer the parent alone.
    global _readers  # noqa: PLW0603 - one for each process
    _parents.append(_readers)
    _readers = _Readers()


@atexit.register
def _close() -> None:
    _readers.close()


os.register_at_fork(after_in_child=_forked)
