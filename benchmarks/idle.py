"""
Processor time of a whole studio that has nothing to do, process by process.

    python benchmarks/idle.py [--seconds 60] [--layouts 4] [--postgresql]

A studio as `haikei demo` has it (watcher, follower, reviewer, pages, a steps worker and one device)
makes a few backgrounds in its embedded tracker, settles, and is then left alone. What its processes
use meanwhile is read from /proc; the tracker is not part of the studio and shown beside it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.databases import postgres_url
from support.studio import Studio, studio

_TICKS = os.sysconf("SC_CLK_TCK")
#: Processes start, import and heal before they are at rest.
_SETTLED = 20.0


def _processes() -> Mapping[int, tuple[int, str, float]]:
    """Return of every process its parent, what it is called, and the seconds that it has used."""
    found: dict[int, tuple[int, str, float]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text()
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        fields = stat[stat.rindex(")") + 2 :].split()
        used = (int(fields[11]) + int(fields[12])) / _TICKS
        name = " ".join(words[words.index("haikei.cli") + 1 :][:5]) if "haikei.cli" in words else ""
        found[int(folder.name)] = (int(fields[1]), name.split(" --settings")[0], used)
    return found


def _tree() -> Mapping[tuple[int, str], float]:
    """Return what each process that descends from this one has used."""
    everyone = _processes()
    ours = {os.getpid()}
    while more := {pid for pid, (parent, *_) in everyone.items() if parent in ours} - ours:
        ours |= more
    return {(pid, everyone[pid][1]): everyone[pid][2] for pid in ours if everyone[pid][1]}


def _idle(here: Studio, layouts: int, seconds: float) -> Mapping[str, float]:
    here.cast([("IDLE", "s01", f"c{number:03d}") for number in range(layouts)])
    here.start()
    for number in range(layouts):
        shot = f"c{number:03d}"
        path = here.projects / "IDLE" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
        path.parent.mkdir(parents=True)
        scene = Scene(kind=SceneKind.VILLAGE, width=320, height=180, seed=number)
        save_layout(draw(scene), path)
    here.wait_for(
        "the backgrounds", lambda: len(here.jobs(JobState.DONE)) == layouts, patience=300, pause=1
    )
    time.sleep(_SETTLED)
    before, began = _tree(), time.monotonic()
    time.sleep(seconds)
    after, took = _tree(), time.monotonic() - began
    return {name: (after[pid, name] - used) / took for (pid, name), used in before.items()}


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--layouts", type=int, default=4)
    parser.add_argument("--postgresql", action="store_true", help="start a server, and use it")
    options = parser.parse_args()
    # The tests' studio looks more often than a real one does.
    os.environ.update(HAIKEI_ENGINE__POLL="0.2", HAIKEI_EVENTS__POLL="2", HAIKEI_LOG__LEVEL="error")
    extra = "[web]\nenabled = true\n"
    if options.postgresql:
        extra += f'[database]\nurl = "{postgres_url()}"\n'
    with (
        tempfile.TemporaryDirectory() as folder,
        studio(Path(folder) / "studio", extra_settings=extra) as here,
    ):
        found = _idle(here, options.layouts, options.seconds)
    tracker = sum(used for name, used in found.items() if name.startswith("sgserver"))
    row = {
        "database": "postgresql" if options.postgresql else "sqlite",
        "percent_of_a_core": {
            name: round(100 * used, 2)
            for name, used in sorted(found.items(), key=lambda one: -one[1])
            if not name.startswith("sgserver")
        },
        "whole_tree_percent": round(100 * (sum(found.values()) - tracker), 2),
        "tracker_beside_percent": round(100 * tracker, 2),
    }
    sys.stdout.write(json.dumps(row, indent=2) + "\n")


if __name__ == "__main__":
    main()
