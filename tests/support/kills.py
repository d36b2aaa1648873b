"""Kill a studio's processes while a job is in one step."""

import contextlib
import random
import sqlite3
import time
from collections.abc import Callable

from haikei.jobs import Step
from support.clocks import PATIENCE, every
from support.studio import Studio

NEXT_DRAWING = 6.0


def kill_in(here: Studio, step: Step, draw: Callable[[], None], chance: random.Random) -> None:
    """
    Kill the tree while a job is in `step`.

    When a job is seen there, the test takes the database's write lock: the job cannot get beyond
    the step any more. It then has a moment to be anywhere within the step. A job that was too
    quick for that is followed by another, which `draw` publishes.
    """
    path = here.folder / "state" / "haikei.db"
    reader = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    locker = sqlite3.connect(path, isolation_level=None, timeout=0)
    look = "SELECT count(*) FROM jobs WHERE state = 'running' AND step = ?"
    drawings = every(NEXT_DRAWING)

    def killed() -> bool:
        if reader.execute(look, (step.value,)).fetchone()[0] and _locked(locker):
            if locker.execute(look, (step.value,)).fetchone()[0]:
                time.sleep(chance.choice((0.0, 0.01, 0.05, 0.2)))
                here.kill()
                locker.execute("ROLLBACK")
                return True
            locker.execute("ROLLBACK")
        if next(drawings):
            draw()
        return False

    with contextlib.closing(reader), contextlib.closing(locker):
        here.wait_for(f"a job in {step.value}", killed, pause=0.0005)


def _locked(database: sqlite3.Connection) -> bool:
    # SQLite's own waiting sleeps longer than the shortest step lasts.
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True
