"""
Keep the processes that the settings ask for alive: start, restart, and stop all of
them in order.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

import structlog

from haikei.settings import Settings

log = structlog.get_logger()

#: Seconds before a process that died at once is started again; doubled up to the longest.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
#: A process that lived this long did not die at once.
HEALTHY = 20.0
#: Seconds that processes have to stop by themselves.
GRACE = 15.0
#: Seconds between looks at the files that were read at the start.
FILES_LOOK = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process of the tree."""

    name: str
    arguments: tuple[str, ...]  #: of the `haikei` command


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0


class ReadFiles:
    """Files that processes read when they start, and whether they have changed since."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._stamps = {file: _stamp(file) for file in files}

    def changed(self) -> tuple[Path, ...]:
        """Return those that have changed since this was asked, or since the start."""
        now = {file: _stamp(file) for file in self._stamps}
        found = tuple(file for file, stamp in now.items() if stamp != self._stamps[file])
        self._stamps = now
        return found


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class Supervisor:
    """A tree of `haikei` processes that dies as one."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        log_file: Path | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        files: Iterable[Path] = (),
    ) -> None:
        self._files = ReadFiles(files)
        self._look_at_files = 0.0
        self._running = [_Running(child) for child in children]
        self._log_file = log_file
        self._environment = {**os.environ, **environment}
        self._stream: IO[bytes] | None = None

    def run(self, stop: threading.Event) -> None:
        """Start every process, restart what dies, until `stop`; then stop them, last one first."""
        if self._log_file is not None:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._log_file.open("ab")
        try:
            while not stop.wait(0.1):
                self._look()
        finally:
            self._stop_all()
            if self._stream is not None:
                self._stream.close()

    def _look(self) -> None:
        now = time.monotonic()
        if now >= self._look_at_files:
            self._look_at_files = now + FILES_LOOK
            for file in self._files.changed():
                log.warning(
                    "settings_changed",
                    file=str(file),
                    advice="Restart `haikei run`: it still uses what it read when it started.",
                )
        for one in self._running:
            if one.process is not None and (code := one.process.poll()) is not None:
                healthy = now - one.started > HEALTHY
                one.pause = FIRST_PAUSE if healthy else min(one.pause * 2, LONGEST_PAUSE)
                one.due = now + one.pause
                one.process = None
                log.warning("process_died", process=one.child.name, code=code, restart_in=one.pause)
            if one.process is None and now >= one.due:
                one.process = self._start(one.child)
                one.started = now
                log.info("process_started", process=one.child.name, pid=one.process.pid)

    def _start(self, child: Child) -> subprocess.Popen[bytes]:
        # The parent's own threads start no process: PR_SET_PDEATHSIG watches the starting thread.
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "haikei.cli",
                *child.arguments,
                f"--supervised-by={os.getpid()}",
            ],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            # Ctrl-C reaches the supervisor alone, which then stops its processes in order.
            start_new_session=True,
            stdout=self._stream,
            stderr=self._stream,
        )

    def _stop_all(self) -> None:
        alive = [one for one in reversed(self._running) if one.process is not None]
        for one in alive:
            if one.process is not None:
                one.process.terminate()
        deadline = time.monotonic() + GRACE
        for one in alive:
            if one.process is None:
                continue
            try:
                one.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process_killed", process=one.child.name)
                one.process.kill()
                one.process.wait()


def studio_processes(settings: Settings, file: Path) -> list[Child]:
    """Return the processes that these settings ask for."""
    where = ("--settings", str(file))
    children = [
        Child(name="steps", arguments=("worker", "--role", "steps", *where)),
        *(
            Child(
                name=f"generate {device.name}",
                arguments=("worker", "--role", "generate", "--device", device.name, *where),
            )
            for device in settings.engine.devices
        ),
    ]
    children.append(Child(name="review", arguments=("review", *where)))
    if settings.watch.folders or settings.watch.touch_ups:
        children.append(Child(name="watch", arguments=("watch", *where)))
    if settings.events.enabled:
        children.append(Child(name="events", arguments=("events", *where)))
    if settings.web.enabled:
        children.append(Child(name="web", arguments=("web", *where)))
    return children
