"""A whole studio in one folder: embedded tracker, settings, and `haikei run` as real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import shotgun_api3

from haikei.database import open_database
from haikei.jobs import Job, JobState
from haikei.jobs.table import JobStore
from haikei.presets import RECIPES
from haikei.settings import Settings, load

Row = dict[str, Any]  #: a row as the client gives it
SCRIPT = "haikei"
KEY = "test-key"
#: Seconds after which something that should happen has not.
PATIENCE = 150.0

_SETTINGS = """
[studio]
name = "Test Studio"
state = "state"
[tracker]
script = "haikei"
key_file = "tracker.key"
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"
[[watch.folders]]
path = "projects"
[watch]
settle = 0.3
folder_pass = 1.0
[events]
poll = 0.5
[engine]
poll = 0.05
backoff = 0.2
"""


@dataclass(slots=True)
class Studio:
    """One studio, its tracker answering and its handlers running when `start` was called."""

    folder: Path
    url: str
    _run: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def settings_file(self) -> Path:
        return self.folder / "haikei.toml"

    @property
    def projects(self) -> Path:
        return self.folder / "projects"

    @property
    def log(self) -> Path:
        return self.folder / "haikei.log"

    @property
    def environment(self) -> dict[str, str]:
        # Several studios may run at once: each serves its pages on a free port.
        return {**os.environ, "HAIKEI_WEB__PORT": "0", "HAIKEI_TRACKER__URL": self.url}

    def settings(self) -> Settings:
        return load(self.settings_file, self.environment, built_in_recipes=RECIPES)

    def connect(self, *, as_login: str | None = None) -> shotgun_api3.Shotgun:
        """Return a client of the tracker; what it writes is said to be that person's."""
        return shotgun_api3.Shotgun(
            self.url, script_name=SCRIPT, api_key=KEY, sudo_as_login=as_login
        )

    def cast(self, shots: Sequence[tuple[str, str, str]]) -> None:
        """Give the tracker projects, sequences, shots, and Layout tasks with an artist."""
        client = self.connect()
        artist = client.create(
            "HumanUser",
            {"login": "tanaka", "firstname": "Yuki", "lastname": "Tanaka", "name": "Yuki Tanaka"},
        )
        found = cast("list[Row]", client.find("Step", [["entity_type", "is", "Shot"]], ["code"]))
        steps = {step["code"]: step for step in found}
        projects: dict[str, Any] = {}
        sequences: dict[tuple[str, str], Any] = {}
        for project, sequence, _ in shots:
            if project not in projects:
                projects[project] = client.create(
                    "Project", {"name": project.title(), "tank_name": project}
                )
            if (project, sequence) not in sequences:
                sequences[project, sequence] = client.create(
                    "Sequence", {"code": sequence, "project": projects[project]}
                )
        for start in range(0, len(shots), 100):
            made = client.batch(
                [
                    {
                        "request_type": "create",
                        "entity_type": "Shot",
                        "data": {
                            "code": shot,
                            "project": projects[project],
                            "sg_sequence": sequences[project, sequence],
                        },
                    }
                    for project, sequence, shot in shots[start : start + 100]
                ]
            )
            client.batch(
                [
                    {
                        "request_type": "create",
                        "entity_type": "Task",
                        "data": {
                            "content": step,
                            "project": row["project"],
                            "entity": {"type": "Shot", "id": row["id"]},
                            "step": {"type": "Step", "id": steps[step]["id"]},
                            "task_assignees": [{"type": "HumanUser", "id": artist["id"]}],
                        },
                    }
                    for row in made
                    for step in ("Layout", "Background")
                ]
            )
        client.close()
        self.call("setup")

    def call(self, *arguments: str) -> str:
        """Run one command of this studio to its end; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "haikei.cli", *arguments, "--settings", str(self.settings_file)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def start(self) -> None:
        """Start `haikei run` in a process group of its own."""
        self._run = subprocess.Popen(
            [
                *(sys.executable, "-m", "haikei.cli", "run"),
                *("--settings", str(self.settings_file), "--log-file", str(self.log)),
            ],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Stop everything in order."""
        if self._run is not None:
            self._run.send_signal(signal.SIGTERM)
            self._run.wait(PATIENCE)
            self._run = None

    def kill(self) -> None:
        """Kill the whole tree at once, as a power cut would: children die with their supervisor."""
        assert self._run is not None
        self._run.kill()
        self._run.wait(PATIENCE)
        self._run = None

    def jobs(self, *states: JobState) -> list[Job]:
        database = open_database(f"sqlite:///{self.folder / 'state' / 'haikei.db'}")
        try:
            return JobStore(database).list(states=states, limit=1_000_000)
        finally:
            database.dispose()

    def said(self, words: str) -> bool:
        """Whether the log has these words."""
        return self.log.exists() and words in self.log.read_text(errors="replace")

    def wait_for(
        self, what: str, condition: Callable[[], bool], patience: float = PATIENCE
    ) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""
                message = f"waited {patience:.0f} s in vain for {what}; the log ends:\n{tail}"
                raise AssertionError(message)
            time.sleep(0.1)


@contextmanager
def studio(folder: Path, *, extra_settings: str = "", seed: str = "empty") -> Generator[Studio]:
    """Yield a studio whose embedded tracker answers; nothing of it is left afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "projects").mkdir()
    (folder / "tracker.key").write_text(KEY)
    # Only those who look at pages want them: a fixed port is one studio's at a time.
    pages = "" if "[web]" in extra_settings else "[web]\nenabled = false\n"
    (folder / "haikei.toml").write_text(pages + _SETTINGS + extra_settings, encoding="utf-8")
    url_file = folder / "tracker.url"
    with (folder / "tracker.log").open("wb") as log:
        tracker = subprocess.Popen(
            [
                *(sys.executable, "-m", "haikei.cli", "sgserver", "--port=0", f"--seed={seed}"),
                *(f"--data={folder / 'tracker'}", f"--script={SCRIPT}:{KEY}"),
                f"--url-file={url_file}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    one = Studio(folder=folder, url="")
    try:
        one.wait_for("the tracker", lambda: url_file.exists() or tracker.poll() is not None)
        assert tracker.poll() is None, (folder / "tracker.log").read_text()
        one.url = url_file.read_text().strip()
        yield one
    finally:
        one.stop()
        tracker.terminate()
        tracker.wait(PATIENCE)
