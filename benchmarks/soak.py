"""
Thousands of layouts through several hosts on bad days: nothing is lost, nothing is doubled.

    python benchmarks/soak.py [--layouts 2000] [--hosts 3] [--kills 30] [--seed 1]

Hosts are whole process trees with state folders of their own on one PostgreSQL, which the script
starts. The embedded tracker carries out one of twenty writes and answers as if it had not. Kills
fall into each step of each kind of job in turn, touch-ups among them. At the end every job has one
row in the tracker, every file belongs to a record, the ledger holds, and every dead letter says
why. `make soak` runs it; how much memory the processes had is told as it goes on.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.chaos import STEPS, Chaos, chaos, require_consistent, totals

#: Seconds between two lines of how far it is.
_REPORT = 60.0
_PATIENCE = 3600.0 * 12


def _say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _memory(here: Chaos) -> dict[str, int]:
    """Return the resident MiB of the processes of each role, added up over the hosts."""
    found: dict[str, int] = {}
    for host in here.hosts:
        for one in psutil.Process(host.pid).children(recursive=True):
            try:
                words = one.cmdline()
                if "haikei.cli" in words:
                    role = " ".join(words[words.index("haikei.cli") + 1 :][:3]).split(" --set")[0]
                    found[role] = found.get(role, 0) + one.memory_info().rss // 2**20
            except psutil.Error:
                continue
    return found


def soak(here: Chaos, kills: int) -> None:
    """Draw everything, kill as often as asked between, and settle."""
    apart = max(1, here.layouts // (kills + 1))
    told = began = time.monotonic()
    for number in range(kills):
        while here.drawn < min(here.layouts, (number + 1) * apart):
            if here.unsettled < 40:
                here.draw()
                if here.drawn % 10 == 0:
                    here.paint()
            else:
                time.sleep(0.5)
            if time.monotonic() > told + _REPORT:
                told = time.monotonic()
                _say(drawn=here.drawn, unsettled=here.unsettled, memory=_memory(here))
        here.kill_in(STEPS[number % len(STEPS)])
    here.draw(here.layouts)
    here.settle(_PATIENCE)
    _say(seconds=round(time.monotonic() - began), memory=_memory(here))


def main() -> None:
    """Run, check, and print what was done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--layouts", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="haikei-soak-") as folder,
        chaos(
            Path(folder), layouts=options.layouts, hosts=options.hosts, seed=options.seed
        ) as here,
    ):
        soak(here, options.kills)
        require_consistent(here)
        _say(**dict(totals(here)), consistent=True)


if __name__ == "__main__":
    main()
