"""A worker process of its own, for tests that kill it."""

import json
import os
import time
from pathlib import Path

from haikei.jobs.engine.dbos.engine import DbosEngine, QueueSettings
from haikei.jobs.engine.port import Durable, Task

_LONG = 60.0


def work_until_killed(url: str, log: str, holder: str) -> None:
    """Run one task whose first step ends and whose second does not; note both in `log`."""

    def note(text: str) -> str:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(json.dumps([os.getpid(), text]) + "\n")
        return text

    def endless() -> str:
        note("b")
        time.sleep(_LONG)
        return "b"

    def work(durable: Durable, payload: str) -> None:
        durable.step("a", lambda: note("a"))
        durable.step("b", endless)

    queue = QueueSettings(name="jobs", slots=2, poll=0.02)
    with DbosEngine(url, holder=holder, queues=(queue,), handlers={"work": work}) as engine:
        engine.submit([Task(id="t1", name="work", queue="jobs", payload="{}", priority=10)])
        time.sleep(_LONG)
