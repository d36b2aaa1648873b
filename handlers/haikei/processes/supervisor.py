"""
Keep the processes that the settings ask for alive: start, restart, replace, and stop all
of them in order.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

import structlog
from prometheus_client import Counter

from haikei.errors import HaikeiError
from haikei.settings import Settings

log = structlog.get_logger()

RESTARTS = Counter("haikei_process_restarts", "Processes that died", ["process"])

#: Seconds before a process that died at once is started again; doubled up to the longest.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
#: A process that lived this long did not die at once.
HEALTHY = 20.0
#: Seconds that processes have to stop by themselves.
GRACE = 15.0
#: Seconds that workers have to end what they are at, for a reload.
DRAIN = 960.0
#: Asks a worker to end what it is at, and then itself.
_LEAVE = getattr(signal, "SIGHUP", signal.SIGTERM)
#: Seconds between looks at the processes.
_LOOK = 0.25
#: Seconds between looks at the files that were read at the start.
FILES_LOOK = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process of the tree."""

    name: str
    arguments: tuple[str, ...]  #: of the `haikei` command


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to run, as the settings say."""

    children: tuple[Child, ...]
    files: tuple[Path, ...]  #: that they read when they start


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
    """
    A tree of `haikei` processes that dies as one.

    Args:
        children: what runs at first.
        log_file: takes the processes' lines.
        environment: of the processes, besides our own.
        files: that they read when they start; a change of one is logged.
        plan: reads the settings anew for a reload.
        reload: set when that is asked for.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        log_file: Path | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        files: Iterable[Path] = (),
        plan: Callable[[], Plan] | None = None,
        reload: threading.Event | None = None,
    ) -> None:
        self._plan = plan
        self._reload = reload or threading.Event()
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
            while not stop.wait(_LOOK):
                if self._reload.is_set():
                    self._reload.clear()
                    self._replace(stop)
                else:
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
                    advice="`haikei reload` takes it over: what was read at the start still holds.",
                )
        for one in self._running:
            if one.process is not None and (code := one.process.poll()) is not None:
                healthy = now - one.started > HEALTHY
                one.pause = FIRST_PAUSE if healthy else min(one.pause * 2, LONGEST_PAUSE)
                one.due = now + one.pause
                one.process = None
                RESTARTS.labels(process=one.child.name).inc()
                log.warning("process_died", process=one.child.name, code=code, restart_in=one.pause)
            if one.process is None and now >= one.due:
                one.process = self._start(one.child)
                one.started = now
                log.info("process_started", process=one.child.name, pid=one.process.pid)

    def _replace(self, stop: threading.Event) -> None:
        """Take over what the settings say now, once every process has ended what it is at."""
        if self._plan is None:
            return
        try:
            plan = self._plan()
        except HaikeiError as error:
            log.warning("reload_refused", error=error.message, advice=error.advice)
            return
        log.info("reload_begins")
        alive = [one for one in reversed(self._running) if one.process is not None]
        workers = [one for one in alive if one.child.arguments[0] == "worker"]
        # Sources stop first: what they would announce is found by those that follow.
        _end([one for one in alive if one not in workers], GRACE, stop)
        for one in workers:
            if one.process is not None:
                one.process.send_signal(_LEAVE)
        _wait(workers, DRAIN, stop)
        if stop.is_set():
            return
        self._running = [_Running(child) for child in plan.children]
        self._files = ReadFiles(plan.files)
        log.info("reload_done", processes=[child.name for child in plan.children])

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
        _end([one for one in reversed(self._running) if one.process is not None], GRACE)


def _end(alive: Sequence[_Running], seconds: float, stop: threading.Event | None = None) -> None:
    for one in alive:
        if one.process is not None:
            one.process.terminate()
    _wait(alive, seconds, stop)


def _wait(alive: Sequence[_Running], seconds: float, stop: threading.Event | None) -> None:
    """Wait until processes have ended; kill them when the time is up, leave them on `stop`."""
    deadline = time.monotonic() + seconds
    for one in alive:
        process = one.process
        while process is not None and process.poll() is None:
            if stop is not None and stop.is_set():
                return
            if time.monotonic() > deadline:
                log.warning("process_killed", process=one.child.name)
                process.kill()
                process.wait()
                break
            time.sleep(0.05)
        one.process = None


#: What a host may do for the studio.
ROLES = ("steps", "generate", "review", "watch", "events", "web")


def studio_processes(settings: Settings, file: Path, roles: Collection[str] = ROLES) -> list[Child]:
    """Return the processes that these settings ask for on a host with these roles."""
    where = ("--settings", str(file))
    wanted: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]] = {
        "steps": [("steps", ("worker", "--role", "steps"))],
        "generate": [
            (f"generate {one.name}", ("worker", "--role", "generate", "--device", one.name))
            for one in settings.engine.devices
        ],
        "review": [("review", ("review",))],
        "watch": [("watch", ("watch",))]
        if settings.watch.folders or settings.watch.touch_ups
        else [],
        "events": [("events", ("events",))] if settings.events.enabled else [],
        "web": [("web", ("web",))] if settings.web.enabled else [],
    }
    return [
        Child(name=name, arguments=(*arguments, *where))
        for role in ROLES
        if role in roles
        for name, arguments in wanted[role]
    ]
