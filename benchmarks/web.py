"""
How soon is a webhook answered while everything else works?

The real server takes signed, batched deliveries, each with its own transaction in the studio's
database, over loopback connections that stay open. Meanwhile one process for each core computes
without a pause, as generators do, and another one takes the database's writer lock again and
again for some milliseconds, as workers do. A bare Starlette application, which reads the body and
answers, is asked in turn in the same run: the ratio says what the checks and the database cost.

    python benchmarks/web.py --requests 2000
"""

import argparse
import hashlib
import hmac
import http.client
import json
import logging
import math
import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import structlog
import uvicorn
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from haikei.database import open_database
from haikei.settings import Settings
from haikei.web.application import serve

MARK_MS = 200.0
TOKEN = "a token for benchmarks alone"
PATH = "/webhooks/shotgrid"
DELIVERIES = 10  #: in one request
CONNECTIONS = 4
PER_SECOND = 50
#: How long the other writer has the lock, and how long it lets go.
HELD, FREE = 0.008, 0.004
PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Of one server under one load, in milliseconds."""

    server: str
    load: str
    requests: int
    p50: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured."""

    cores: int
    runs: list[Latencies]
    ratio_p50: float  #: under full load, ours over the bare application
    ratio_p99: float
    reached: bool


def main() -> None:
    """Measure, print the table, and fail when the mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="to each server, for each load")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), given.requests)
    if given.json:
        print(json.dumps(asdict(figures), indent=2))
    else:
        show_table(figures)
    if not figures.reached:
        raise SystemExit(1)


def measure(folder: Path, requests: int) -> Figures:
    """Return the latencies of both servers, idle and under load, in alternating rounds."""
    database = folder / "state" / "haikei.db"
    open_database(f"sqlite:///{database}").dispose()
    cores = len(os.sched_getaffinity(0))
    rounds = 4
    found: dict[tuple[str, str], list[float]] = {}
    with started(serve_haikei, folder) as ours, started(serve_bare, folder) as bare:
        for server, url in (("bare", bare), ("haikei", ours)):
            asked(url, 20, first=0)
            found[server, "idle"] = []
        number = 1000
        for load in ("idle", "full"):
            with working(database, cores if load == "full" else 0):
                for _ in range(rounds):
                    for server, url in (("bare", bare), ("haikei", ours)):
                        some = asked(url, requests // rounds, first=number)
                        number += requests
                        found.setdefault((server, load), []).extend(some)
    runs = [latencies(server, load, times) for (server, load), times in sorted(found.items())]
    full = {one.server: one for one in runs if one.load == "full"}
    return Figures(
        cores=cores,
        runs=runs,
        ratio_p50=full["haikei"].p50 / full["bare"].p50,
        ratio_p99=full["haikei"].p99 / full["bare"].p99,
        reached=full["haikei"].p99 < MARK_MS,
    )


def latencies(server: str, load: str, times: Sequence[float]) -> Latencies:
    """Summarise the seconds of many requests."""
    in_order = sorted(times)
    return Latencies(
        server=server,
        load=load,
        requests=len(times),
        p50=statistics.median(in_order) * 1000,
        p99=in_order[math.ceil(len(in_order) * 0.99) - 1] * 1000,
        worst=in_order[-1] * 1000,
    )


def asked(url: str, requests: int, *, first: int) -> list[float]:
    """Return the seconds of that many requests, sent at a steady rate over a few connections."""
    host = urlsplit(url).netloc
    begin = time.perf_counter()
    times: list[float] = []
    failures: list[str] = []

    def ask(lane: int) -> None:
        connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        for number in range(lane, requests, CONNECTIONS):
            body, headers = delivery(first + number)
            wait = begin + number / PER_SECOND - time.perf_counter()
            time.sleep(max(0.0, wait))
            started_at = time.perf_counter()
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - started_at)
            if answer.status != http.client.ACCEPTED:
                failures.append(f"{number}: {answer.status}")
        connection.close()

    lanes = [threading.Thread(target=ask, args=(lane,)) for lane in range(CONNECTIONS)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    assert not failures, failures[:5]
    return times


def delivery(number: int) -> tuple[bytes, dict[str, str]]:
    """Return a signed request as the site sends it."""
    items = [
        {
            "id": f"{number}.{part}.0",
            "event_log_entry_id": number * DELIVERIES + part,
            "event_type": "Shotgun_Version_Change",
            "operation": "update",
            "user": {"type": "HumanUser", "id": 88},
            "entity": {"type": "Version", "id": number % 500 * DELIVERIES + part},
            "project": {"type": "Project", "id": 122},
            "meta": {
                "type": "attribute_change",
                "entity_type": "Version",
                "attribute_name": "sg_status_list",
                "old_value": "rev",
                "new_value": "apr",
            },
            "attribute_name": "sg_status_list",
        }
        for part in range(DELIVERIES)
    ]
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = json.dumps({"timestamp": stamp, "data": {"deliveries": items}}).encode()
    signature = hmac.new(TOKEN.encode(), body, hashlib.sha1).hexdigest()
    return body, {"content-type": "application/json", "x-sg-signature": f"sha1={signature}"}


@contextmanager
def working(database: Path, cores: int) -> Generator[None]:
    """Keep every core busy, and take the database's lock again and again; nothing for 0 cores."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    ready = context.Barrier(cores + 2) if cores else None
    targets: list[BaseProcess] = []
    if ready is not None:
        targets = [context.Process(target=compute, args=(stop, ready)) for _ in range(cores)]
        targets.append(context.Process(target=write, args=(stop, ready, database)))
    for one in targets:
        one.start()
    if ready is not None:
        ready.wait(PATIENCE)
    try:
        yield
    finally:
        stop.set()
        for one in targets:
            one.join(PATIENCE)


def compute(stop: Event, ready: Any) -> None:
    """Compute as a generator does, on one core."""
    picture = np.random.default_rng(1).random((1080, 1920, 3), dtype=np.float32)
    ready.wait(PATIENCE)
    while not stop.is_set():
        picture = np.clip(np.roll(picture, 1, axis=0) * 0.5 + picture * 0.5, 0.0, 1.0)


def write(stop: Event, ready: Any, database: Path) -> None:
    """Hold the writer's lock for a moment, let go of it for another, and so on."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=30)
    connection.execute("CREATE TABLE IF NOT EXISTS busy (n INTEGER)")
    ready.wait(PATIENCE)
    while not stop.is_set():
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO busy VALUES (1)")
        time.sleep(HELD)
        connection.execute("COMMIT")
        time.sleep(FREE)
    connection.close()


@contextmanager
def started(target: Any, folder: Path) -> Generator[str]:
    """Yield the address of a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    stop, told = context.Event(), context.Queue()
    process = context.Process(target=target, args=(stop, told, folder))
    process.start()
    try:
        yield told.get(timeout=PATIENCE)
    finally:
        stop.set()
        process.join(PATIENCE)


def serve_haikei(stop: Event, told: "Queue[str]", folder: Path) -> None:
    """Serve the studio's application."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    settings = Settings.model_validate(
        {
            "studio": {"state": str(folder / "state")},
            "storage": {"roots": [{"name": "here", "path": str(folder)}]},
            "web": {"port": 0, "webhook_token": TOKEN},
        }
    )
    database = open_database(f"sqlite:///{folder / 'state' / 'haikei.db'}")
    ending = threading.Event()

    def watch() -> None:
        stop.wait()
        ending.set()

    threading.Thread(target=watch, daemon=True).start()
    serve(settings, database, on_ready=told.put, stop=ending)
    database.dispose()


def serve_bare(stop: Event, told: "Queue[str]", _folder: Path) -> None:
    """Serve an application that reads what it is sent, and answers."""

    async def receive(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({}, 202)

    app = Starlette(routes=[Route(PATH, receive, methods=["POST"])])
    config = uvicorn.Config(
        app, port=0, http="h11", loop="asyncio", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)

    def watch() -> None:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        told.put(f"http://127.0.0.1:{port}")
        stop.wait()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    server.run()


def show_table(figures: Figures) -> None:
    """Print what was measured."""
    table = Table(title=f"Webhooks of {DELIVERIES} deliveries, {figures.cores} cores")
    for name in ("server", "load", "requests", "p50 ms", "p99 ms", "worst ms"):
        table.add_column(name, justify="left" if name in {"server", "load"} else "right")
    for one in figures.runs:
        cells = (f"{one.p50:.1f}", f"{one.p99:.1f}", f"{one.worst:.1f}")
        table.add_row(one.server, one.load, str(one.requests), *cells)
    console = Console()
    console.print(table)
    console.print(
        f"Under full load {figures.ratio_p50:.1f} times a bare application's p50, "
        f"{figures.ratio_p99:.1f} times its p99. "
        f"Mark: p99 under {MARK_MS:.0f} ms: {'reached' if figures.reached else 'MISSED'}."
    )


if __name__ == "__main__":
    main()
